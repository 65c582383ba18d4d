"""`--wait` of the commands that forget people: who has confirmed, who is late, since when."""

import argparse
import sys
from typing import TYPE_CHECKING

from edged.cli.identities_words import warn
from edged.cli.sync_place import SyncPlace, pause
from edged.cli.sync_words import span, when
from edged.settings.quantities import Duration

if TYPE_CHECKING:
    from edged.app.sync_status import Confirmations
    from edged.domain.sync_state import NodeLag

NOT_EVERYBODY = 75
"""The exit code where not everybody has confirmed in time (EX_TEMPFAIL)."""


def add_wait_option(parser: argparse.ArgumentParser) -> None:
    """Give the parser `--wait [TIMEOUT]`."""
    parser.add_argument(
        "--wait",
        nargs="?",
        type=duration,
        const=Duration(300),
        metavar="TIMEOUT",
        help="of a synced namespace: wait until every node has confirmed that it forgot them, `5 min` if not"
        " said how long; ends with 75 where some have not",
    )


def duration(text: str) -> Duration:
    """A duration as the configuration has it: `30 s`, `5 min`, `2 d`."""
    try:
        return Duration.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


class Waiting:
    """Waits for what other nodes say of an erasure. To be made before it, and asked after it.

    Args:
        arguments: of the command: `wait` says how long; None: not at all.
    """

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._place = SyncPlace(arguments)
        self._timeout_s: float | None = arguments.wait
        # What is printed is one JSON document then.
        self._out = sys.stderr if getattr(arguments, "json", False) else sys.stdout

    def finish(self, identity_ids: list[str]) -> int:
        """Tell how it goes until all have confirmed; returns the command's exit code."""
        if self._timeout_s is None:
            return 0
        try:
            return self._watch(frozenset(identity_ids), float(self._timeout_s))
        except KeyboardInterrupt:
            print(
                "edged: they are erased here, and the others go on being told; `edged sync status` says who"
                " has confirmed",
                file=sys.stderr,
            )
            raise

    def _watch(self, identity_ids: frozenset[str], timeout_s: float) -> int:
        from edged.app.sync_status import ErasureWatch

        place = self._place
        with place.reading() as store:
            watch = ErasureWatch(store.connection, identity_ids, store.ledger.revision)
            if watch.look() is None:
                warn([f"namespace {place.namespace} is not synced: there is nobody to wait for"])
                return 0
            if not place.is_running:
                warn(["no daemon runs here: others hear of it only when it does (`edged run`)"])
            end_ms = place.clock.moment().steady_ms + timeout_s * 1000
            line = ""
            while True:
                seen = watch.look()
                if seen is None or seen.is_settled:
                    break
                if place.clock.moment().steady_ms >= end_ms:
                    break
                if (news := progress(seen)) != line:
                    line = news
                    print(line, file=sys.stderr, flush=True)
                pause()
            if seen is None:
                return 0
            print(told(seen, place.clock.moment().utc_ms), file=self._out)
        return 1 if seen.is_refused else 0 if seen.is_settled else NOT_EVERYBODY


def progress(seen: "Confirmations") -> str:
    """How far it is, in a line."""
    if seen.elsewhere:
        return f"waiting for {seen.elsewhere} to take it"
    if not seen.epoch:
        return "waiting for the daemon to publish it"
    total = len(seen.confirmed) + len(seen.missing)
    return f"epoch {seen.epoch}: {len(seen.confirmed)} of {total} nodes have confirmed"


def told(seen: "Confirmations", now_ms: int) -> str:
    """Who has confirmed and who has not, a line each."""
    if seen.is_refused:
        return f"{seen.elsewhere} refused it: they are enrolled again, as everywhere else"
    if seen.elsewhere:
        if not seen.is_settled:
            return f"{seen.elsewhere} has not answered yet; it goes on being asked"
        return (
            f"in force with epoch {seen.epoch}, and forgotten here; who else has confirmed is told at"
            f" {seen.elsewhere}: `edged sync status`"
        )
    if not seen.epoch:
        return "not published yet: see whether the daemon runs (`edged sync status`)"
    lines = [f"forgotten with epoch {seen.epoch}, {when(seen.since_ms)}"]
    lines += [f"  {each.node}  confirmed" for each in seen.confirmed]
    lines += [f"  {each.node}  not yet{_late(each, now_ms)}" for each in seen.missing]
    if seen.missing:
        lines.append(
            "What is offline cannot be told: it forgets them when it is back. `edged sync remove"
            " NODE` puts one"
            " out that does not come back; it keeps what it has"
        )
    return "\n".join(lines)


def _late(lag: "NodeLag", now_ms: int) -> str:
    if not lag.heard_ms:
        return ", never heard of"
    return f", last heard {span(now_ms - lag.heard_ms)} ago at epoch {lag.epoch} ({when(lag.heard_ms)})"
