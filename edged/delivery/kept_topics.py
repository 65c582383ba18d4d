"""Which topics of a sink a broker keeps, as the configuration wants it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from edged.delivery.topics import Topics
from edged.settings.feeds import Feed
from edged.settings.sinks import MessageKindName, MqttSink


@dataclass(frozen=True, slots=True)
class KeptTopics:
    """Topics that are published with `retain`.

    Attributes:
        lasting: true until the next message, for as long as they are in the configuration; each with its
            parts: what of Home Assistant's one message announces, see `announcement.parts_of`.
        passing: true while the daemon runs: cleared when it starts and when it stops.
    """

    lasting: dict[str, str] = field(default_factory=dict)
    passing: frozenset[str] = frozenset()

    def __contains__(self, topic: str) -> bool:
        return topic in self.lasting or topic in self.passing


def kept_topics(settings: MqttSink, topics: Topics, feeds: Sequence[Feed]) -> KeptTopics:
    """What a sink keeps at its broker of these feeds, announcements to Home Assistant apart."""
    lasting = [topics.status, topics.device_state]
    passing = []
    for feed in feeds:
        lasting += [topics.feed_state(feed.id), topics.feed_enabled(feed.id)]
        if is_told(settings, "presence", feed.namespace):
            lasting.append(topics.presence(feed.namespace, feed.id))
        if settings.image == "retained" and is_of_sink(settings, feed.namespace):
            passing.append(topics.image(feed.namespace, feed.id))
    lasting += [topics.namespace_presence(name) for name in told_namespaces(settings, feeds)]
    return KeptTopics(dict.fromkeys(lasting, ""), frozenset(passing))


def told_namespaces(settings: MqttSink, feeds: Sequence[Feed]) -> tuple[str, ...]:
    """The feeds' namespaces whose presence the sink is told, each once."""
    return tuple(dict.fromkeys(f.namespace for f in feeds if is_told(settings, "presence", f.namespace)))


def is_told(settings: MqttSink, kind: MessageKindName, namespace: str) -> bool:
    """Whether the sink is told messages of this kind of the namespace."""
    return kind in settings.send and is_of_sink(settings, namespace)


def is_of_sink(settings: MqttSink, namespace: str) -> bool:
    """Whether the sink is told anything of the namespace's people."""
    return not settings.namespaces or namespace in settings.namespaces
