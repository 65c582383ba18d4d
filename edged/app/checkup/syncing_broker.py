"""The broker that carries sync: whether it takes us, its access list, and what it keeps as the manifest."""

from collections.abc import Iterator
from typing import Final

from edged.app.checkup.finding import Finding, doubtful, ill, well
from edged.app.checkup.premises import Premises
from edged.app.syncing import broker_of
from edged.domain.sync_state import SyncRole
from edged.publish.mqtt_probe import BrokerSight, look_at_broker
from edged.replication.refusal import RefusedError
from edged.replication.statement import StatementKind, taken_apart
from edged.replication.statements import Manifest
from edged.replication.topics import GROUPS, JOIN, PROPOSAL, REPORT, SyncTopics
from edged.store.sync_inspection import SyncSight

_SEE: Final = "see docs/sync.md"
_DOCTOR: Final = "doctor"


def broker_findings(premises: Premises, sights: dict[str, SyncSight]) -> Iterator[Finding]:
    """Whether it can be reached, what it lets us do, and whether it has what is in force here."""
    what = "sync broker"
    # It raises, with words, where it is not clear which.
    sink = broker_of(premises.settings)
    write, read = [], []
    for namespace, sight in sights.items():
        topics = SyncTopics(sink.prefix, namespace)
        asked_write, asked_read = _topics(topics, sight)
        write += asked_write
        read += asked_read
        if asked_read and premises.settings.sync is not None and premises.settings.sync.groups:
            read.append(topics.of_all_nodes(GROUPS))
    if not write:
        return
    sight_of_broker = look_at_broker(sink, premises.clock, write=write, read=read)
    yield _access(what, sight_of_broker, is_many_read=any("+" in topic for topic in read))
    for namespace, sight in sights.items():
        yield from _retained(
            f"{what} {namespace}", SyncTopics(sink.prefix, namespace), sight, sight_of_broker
        )


def _topics(topics: SyncTopics, sight: SyncSight) -> tuple[list[str], list[str]]:
    """What this node must be able to write and read; what is written, to `/doctor`, disturbs nobody."""
    node, role = sight.membership.node, sight.membership.role
    read = [topics.manifest, topics.alive]
    if role is SyncRole.AUTHORITY:
        shared = topics.manifest.rpartition("/")[0]
        read += [topics.of_all_nodes(what) for what in (REPORT, PROPOSAL, JOIN)]
        return [f"{shared}/{_DOCTOR}"], read
    if role in {SyncRole.MEMBER, SyncRole.JOINING}:
        own = topics.report(node).rpartition("/")[0]
        return [f"{own}/{_DOCTOR}"], [*read, topics.member(node)]
    return [], []


def _access(what: str, sight: BrokerSight, *, is_many_read: bool) -> Finding:
    refused = [f"writing to {echo.topic} is refused: {echo.refusal}" for echo in sight.echoes if echo.refusal]
    refused += [f"subscribing to {topic} is refused: {words}" for topic, words in sight.read_refusals.items()]
    unfit = sight.terms.against_sync(with_wildcards=is_many_read)
    if unfit:
        return ill(what, f"{sight.where}: {unfit}", _SEE)
    if refused:
        return doubtful(what, f"{sight.where}: {'; '.join(refused)}", "see the access lists in docs/sync.md")
    silent = [echo.topic for echo in sight.echoes if not echo.came_back]
    if silent:
        return doubtful(
            what,
            f"{sight.where}: what was written to {', '.join(silent)} did not come back",
            "well, where this user may not read it; else see the access lists in docs/sync.md",
        )
    return well(what, f"{sight.where} takes us, MQTT {sight.version}; writing and reading are allowed")


def _retained(what: str, topics: SyncTopics, sight: SyncSight, broker: BrokerSight) -> Iterator[Finding]:
    """What the broker keeps as the manifest, beside what is in force here."""
    payload = broker.retained.get(topics.manifest)
    in_force = sight.epoch.epoch if sight.epoch else 0
    if payload is None:
        if sight.epoch is not None:
            yield doubtful(
                what,
                "the broker keeps no manifest, or does not let us read it, or it is too large for the doctor",
                _SEE,
            )
        return
    try:
        statement = taken_apart(StatementKind.MANIFEST, payload)
        manifest = statement.body(Manifest)
    except RefusedError as error:
        yield ill(what, f"what the broker keeps as the manifest is none: {error.words}", _SEE)
        return
    if not statement.is_by(sight.membership.authority):
        yield doubtful(
            what,
            f"the broker keeps epoch {manifest.epoch} of another authority than the one that is believed",
            f"well after a hand-over that is not here yet; else somebody forges: {_SEE}",
        )
    elif manifest.epoch > in_force:
        yield doubtful(what, f"the broker keeps epoch {manifest.epoch}, {in_force} is in force here", _SEE)
    elif manifest.epoch < in_force:
        yield doubtful(
            what,
            f"the broker keeps epoch {manifest.epoch}, an earlier one than {in_force} in force here",
            "the authority publishes it again when its daemon runs",
        )
    elif sight.epoch is not None and payload != sight.epoch.manifest:
        yield ill(
            what, f"the broker keeps another epoch {in_force} than the one in force here: a split", _SEE
        )
    else:
        yield well(what, f"the broker keeps epoch {manifest.epoch}, the one in force here")
