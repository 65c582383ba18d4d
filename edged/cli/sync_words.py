"""How sync is told to people and to programs."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from edged.cli.identities_words import counted
from edged.replication.ageing import span

if TYPE_CHECKING:
    from edged.app.sync_status import Standing
    from edged.domain.sync_state import NodeLag

__all__ = ["json_of", "members_table", "span", "told", "when"]

_HEADINGS = ("NODE", "EPOCH", "FORGOTTEN UP TO", "LAST HEARD", "STATE")


def when(utc_ms: int) -> str:
    """A time, to the minute."""
    return datetime.fromtimestamp(utc_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def told(seen: "Standing", now_ms: int) -> str:
    """A namespace's sync as people read it."""
    lines = [
        f"namespace  {seen.namespace}",
        f"this node  {seen.node}, {seen.role}",
        f"authority  {seen.authority or 'not heard yet'} (key {seen.authority_key[:12]})",
        f"epoch      {_epoch(seen)}",
    ]
    if seen.daemon is not None:
        so_long = span(max(0, now_ms - seen.daemon.since_ms))
        lines.append(f"daemon     {seen.daemon.state}, for {so_long} (process {seen.daemon.process})")
    if seen.own_proposals:
        lines.append(f"proposals  {seen.own_proposals} of this node are not answered yet")
    if seen.waiting_proposals:
        lines.append(f"proposals  {seen.waiting_proposals} wait for you")
    if seen.invitations:
        lines.append(f"invited    {counted(seen.invitations, 'invitation is', 'invitations are')} out")
    if seen.successor:
        lines.append(f"successor  {seen.successor} is to be the authority")
    if seen.members:
        lines += ["", members_table(seen.members, now_ms)]
    if seen.trouble:
        lines += ["", *(f"! {words}" for words in seen.trouble)]
    return "\n".join(lines)


def _epoch(seen: "Standing") -> str:
    if not seen.epoch:
        return "none yet"
    if seen.unpublished:
        return f"{seen.epoch}, and there are changes to publish"
    if seen.age_ms is not None:
        return f"{seen.epoch}, in force {span(seen.age_ms)} ago"
    return str(seen.epoch)


def members_table(members: "tuple[NodeLag, ...]", now_ms: int) -> str:
    """One line a member under a line of headings."""
    rows = [_HEADINGS, *(_row(each, now_ms) for each in members)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _row(lag: "NodeLag", now_ms: int) -> tuple[str, ...]:
    heard = f"{span(now_ms - lag.heard_ms)} ago" if lag.heard_ms else "never"
    return lag.node, str(lag.epoch), str(lag.swept_epoch), heard, lag.state or "-"


def json_of(seen: "Standing") -> dict[str, Any]:
    """The same for programs; times are UTC milliseconds."""
    return {
        "namespace": seen.namespace,
        "role": str(seen.role),
        "node": seen.node,
        "authority": {"node": seen.authority or None, "key": seen.authority_key},
        "epoch": seen.epoch,
        "ageMs": seen.age_ms,
        "unpublished": seen.unpublished,
        "ownProposals": seen.own_proposals,
        "waitingProposals": seen.waiting_proposals,
        "invitations": seen.invitations,
        "successor": seen.successor,
        "members": [
            {
                "node": each.node,
                "epoch": each.epoch,
                "sweptEpoch": each.swept_epoch,
                "behind": max(0, seen.epoch - each.epoch),
                "heardAt": each.heard_ms or None,
                "state": each.state,
            }
            for each in seen.members
        ],
        "daemon": None
        if seen.daemon is None
        else {"process": seen.daemon.process, "state": seen.daemon.state, "since": seen.daemon.since_ms},
        "trouble": list(seen.trouble),
    }
