"""The sync of namespaces: what this node is to each, its keys, its broker, how far it is, and who lags."""

import stat
from collections.abc import Iterator
from contextlib import closing
from typing import Final

from edged.app.checkup.data import faces_key
from edged.app.checkup.finding import Check, Finding, doubtful, ill, well
from edged.app.checkup.premises import Premises
from edged.app.checkup.syncing_broker import broker_findings
from edged.app.sync_keys import key_path, node_keys
from edged.app.sync_told import word_of
from edged.domain.errors import EdgedError
from edged.domain.sync_state import SyncRole
from edged.replication.ageing import span
from edged.replication.keys import NamespaceKey, NodeKeys, envelope_place
from edged.store.database import reading
from edged.store.faults import is_there
from edged.store.namespace_files import namespace_path
from edged.store.namespace_opening import open_namespace
from edged.store.sync_fsck import digest_findings
from edged.store.sync_inspection import SyncSight, look_at_sync

_SEE: Final = "see docs/sync.md"
_LATE_MS: Final = 3_600_000
"""A member that was not heard of for so long is told of."""
_MOST_NAMED: Final = 5


def checks(premises: Premises) -> Iterator[tuple[str, Check]]:
    """The checks of each namespace that is synced, and one where none is."""
    sights = {}
    for namespace in premises.namespaces:
        path = namespace_path(premises.folder, namespace)
        sight = look_at_sync(path) if is_there(path) else None
        if sight is not None:
            sights[namespace] = sight
    if not sights:
        yield "sync", lambda: [_none(premises)]
        return
    for namespace, sight in sights.items():
        yield f"sync {namespace}", lambda n=namespace, s=sight: [_membership(premises, n, s)]  # type: ignore[misc]
        if sight.membership.role is SyncRole.REMOVED:
            continue
        yield f"told {namespace}", lambda n=namespace: _told(premises, n)  # type: ignore[misc]
        yield f"seed {namespace}", lambda n=namespace: [_seed_finding(premises, n)]  # type: ignore[misc]
        yield f"epoch {namespace}", lambda n=namespace, s=sight: [_epoch(premises, n, s)]  # type: ignore[misc]
        yield f"proposals {namespace}", lambda n=namespace, s=sight: [_proposals(n, s)]  # type: ignore[misc]
        if sight.membership.role is SyncRole.AUTHORITY:
            yield f"members {namespace}", lambda n=namespace, s=sight: [_members(premises, n, s)]  # type: ignore[misc]
    yield "sync broker", lambda: broker_findings(premises, sights)


def _none(premises: Premises) -> Finding:
    if premises.settings.sync is None:
        return well("sync", "off: no namespace is synced")
    return doubtful(
        "sync",
        "`sync` is configured, and no namespace is synced",
        "`edged sync init` on one node, then `edged sync join` on the others",
    )


def _membership(premises: Premises, namespace: str, sight: SyncSight) -> Finding:
    what, member = f"sync {namespace}", sight.membership
    seen = f"{member.role} as {member.node}, of the authority {member.authority.hex()[:16]}"
    if premises.device is not None and premises.device != member.node:
        return ill(
            what,
            f"{seen}; this device is called {premises.device} now",
            f"call it {member.node} again (`device`), or join anew",
        )
    if member.role is SyncRole.SPLIT:
        return ill(what, f"{seen}: another node writes with the authority's key", _SEE)
    if member.role is SyncRole.REMOVED:
        return ill(
            what, f"{seen}: it was put out", "`edged sync join` with a new invitation, or `edged sync leave`"
        )
    if member.role is SyncRole.JOINING:
        return _joining(premises, what, seen, sight)
    return well(what, seen)


def _told(premises: Premises, namespace: str) -> Iterator[Finding]:
    """What only the daemon knows: that another one has its name at the broker, say."""
    word = word_of(premises.folder, namespace, premises.daemon)
    if word is not None and word.trouble:
        yield doubtful(f"told {namespace}", f"the daemon is `{word.state}`: {word.trouble}", _SEE)


def _joining(premises: Premises, what: str, seen: str, sight: SyncSight) -> Finding:
    expires_ms = sight.membership.invitation_expires_ms or 0
    left_ms = expires_ms - premises.clock.moment().utc_ms
    if left_ms <= 0:
        return ill(
            what, f"{seen}; the invitation has run out", "`edged sync invite` at the authority makes another"
        )
    remedy = "" if premises.daemon else "start the daemon: it does the joining"
    return doubtful(what, f"{seen}; the invitation is good for {span(left_ms)} more", remedy or _SEE)


def _seed_finding(premises: Premises, namespace: str) -> Finding:
    what = f"seed {namespace}"
    if _keys(premises, namespace) is None:
        return ill(
            what,
            "this node's own secret is not here",
            f"put {key_path(premises.folder, namespace)} or `sync.keys` back from a backup, or join anew",
        )
    path = key_path(premises.folder, namespace)
    if is_there(path) and stat.S_IMODE(path.stat().st_mode) & 0o077:
        return ill(what, f"{path} can be read by other users", f"chmod 600 {path}")
    return well(what, "this node's own secret is here, and is one")


def _keys(premises: Premises, namespace: str) -> NodeKeys | None:
    return node_keys(premises.settings.sync, premises.folder, namespace)


def _epoch(premises: Premises, namespace: str, sight: SyncSight) -> Finding:
    what, record = f"epoch {namespace}", sight.epoch
    is_authority = sight.membership.role is SyncRole.AUTHORITY
    if record is None:
        seen = "nothing was published yet" if is_authority else "nothing was applied yet"
        return doubtful(what, seen, _SEE if premises.daemon else "start the daemon")
    seen = f"epoch {record.epoch} is in force"
    wrong = _digest(premises, namespace, sight) if premises.with_fsck else []
    if wrong:
        return ill(what, f"{seen}; {'; '.join(wrong)}", _SEE)
    if premises.with_fsck:
        seen += ", and the content is what its manifest says"
    if is_authority:
        if sight.revision > record.revision:
            return doubtful(what, f"{seen}; changes since are not published", _running(premises))
        return well(what, seen)
    return _age(premises, what, seen, sight)


def _age(premises: Premises, what: str, seen: str, sight: SyncSight) -> Finding:
    record, sync = sight.epoch, premises.settings.sync
    age_ms = premises.clock.moment().utc_ms - (record.alive_ms if record else 0)
    seen += f", told {span(age_ms)} ago" if age_ms >= 0 else ", told in the future"
    if sight.staged or sight.to_apply:
        seen += f"; of a newer one {sight.staged} pages are here, {sight.to_apply} buckets are to be applied"
    if age_ms < -_LATE_MS:
        return doubtful(what, f"{seen}: by this machine's clock", "set the clock, or that of the authority")
    if sync and sync.max_age is not None and age_ms > sync.max_age * 1000:
        end = "; nobody is recognised" if sync.when_old == "stop" else ""
        return ill(
            what, f"{seen}: older than `sync.max_age`{end}", "see whether the authority and the broker run"
        )
    if sync and age_ms > 3 * sync.alive_every * 1000 + _LATE_MS:
        return doubtful(what, seen, "see whether the authority and the broker run")
    return well(what, seen)


def _running(premises: Premises) -> str:
    return (
        "see the daemon's log, and `edged sync status`"
        if premises.daemon
        else "start the daemon: it publishes"
    )


def _digest(premises: Premises, namespace: str, sight: SyncSight) -> list[str]:
    try:
        keys = _keys(premises, namespace)
    except EdgedError:
        keys = None
    if keys is None:
        # The check of the seed tells it.
        return []

    def opened(generation: int, envelope: bytes) -> NamespaceKey:
        place = envelope_place(namespace, sight.membership.node, generation)
        return NamespaceKey(keys.open_envelope(envelope, place), generation)

    path = namespace_path(premises.folder, namespace)
    with (
        closing(open_namespace(path, faces_key(premises), read_only=True)) as connection,
        reading(connection),
    ):
        return digest_findings(connection, opened)


def _proposals(namespace: str, sight: SyncSight) -> Finding:
    what, number = f"proposals {namespace}", sight.proposals
    if not number:
        return well(what, "none waits")
    if sight.membership.role is SyncRole.AUTHORITY:
        return doubtful(
            what,
            f"{_several(number, 'proposal waits', 'proposals wait')} for you",
            "`edged sync proposals list` shows them, `accept` and `refuse` answer",
        )
    seen = f"{_several(number, 'proposal', 'proposals')} of this node without an answer yet"
    if sight.withheld:
        seen += f"; {_several(sight.withheld, 'face is', 'faces are')} not used before"
    return doubtful(what, seen, "the authority's owner answers")


def _several(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _members(premises: Premises, namespace: str, sight: SyncSight) -> Finding:
    what, epoch = f"members {namespace}", sight.epoch.epoch if sight.epoch else 0
    now_ms = premises.clock.moment().utc_ms
    behind = [one for one in sight.members if one.epoch < epoch]
    silent = [
        one
        for one in sight.members
        if now_ms - max(one.heard_ms, one.joined_ms) > max(_LATE_MS, one.patience_ms)
    ]
    seen = _several(len(sight.members), "member", "members")
    words = []
    if behind:
        listed = ", ".join(f"{one.node} (epoch {one.epoch})" for one in behind[:_MOST_NAMED])
        words.append(f"{len(behind)} have not applied epoch {epoch}: {listed}")
    if silent:
        listed = ", ".join(
            f"{one.node} ({span(now_ms - one.heard_ms) + ' ago' if one.heard_ms else 'never'})"
            for one in silent[:_MOST_NAMED]
        )
        words.append(f"{len(silent)} were not heard of for long: {listed}")
    if words:
        return doubtful(
            what, "; ".join([seen, *words]), "`edged sync status` lists all; see whether they run"
        )
    return well(what, f"{seen}, all in step" if sight.members else "there is none yet")
