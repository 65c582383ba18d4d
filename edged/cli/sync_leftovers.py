"""What a broker keeps of a namespace that its authority has ended, and how it is cleared."""

from edged.app.syncing import broker_of
from edged.cli.sync_place import SyncPlace
from edged.domain.errors import ConfigurationError
from edged.replication.topics import SyncTopics
from edged.settings.sinks import MqttSink


def what_stays(place: SyncPlace, node: str) -> str:
    """What to tell the owner of an authority that has ended a namespace; `node` was its name."""
    sink = _sink_of(place)
    topics = SyncTopics(sink.prefix if sink is not None else "edged", place.namespace)
    shared = f"{topics.manifest.rpartition('/')[0]}/#"
    own = f"{topics.report(node).rpartition('/')[0]}/#"
    host = f"-h {sink.host} " if sink is not None else ""
    return (
        f"What this node published stays at the broker, encrypted, until it is cleared or {place.namespace}"
        " is founded again; members drop the groups of unknown people that it shared after 7 days. To clear"
        " it, before anybody founds it again:\n"
        f"  mosquitto_sub {host}-t '{shared}' -t '{own}' --remove-retained -W 5"
    )


def _sink_of(place: SyncPlace) -> MqttSink | None:
    """The sink whose broker carried it; None where that is not clear."""
    if place.settings is None:
        return None
    try:
        return broker_of(place.settings)
    except ConfigurationError:
        return None
