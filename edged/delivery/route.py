"""Which sink is told what."""

from collections.abc import Sequence
from dataclasses import dataclass

from edged.domain.errors import ConfigurationError
from edged.domain.message import Message, MessageKind
from edged.settings.sinks import AnySink


@dataclass(frozen=True, slots=True)
class Route:
    """What one sink wants.

    Attributes:
        sink_id: the sink's name in the outbox and the log.
        kinds: kinds of message it is sent.
        namespaces: namespaces it is told about; empty: all.
    """

    sink_id: str
    kinds: frozenset[MessageKind]
    namespaces: frozenset[str] = frozenset()

    def takes(self, message: Message) -> bool:
        """Whether the sink wants the message."""
        return message.kind in self.kinds and (not self.namespaces or message.namespace in self.namespaces)


def sink_id(sink: AnySink) -> str:
    """The sink's name: the configured one, else its type (`mqtt`)."""
    return sink.id or str(sink.__struct_config__.tag)


def routes_of(sinks: Sequence[AnySink]) -> tuple[Route, ...]:
    """The routes of configured sinks; raises ConfigurationError where two have one name."""
    routes = tuple(
        Route(
            sink_id=sink_id(sink),
            kinds=frozenset(MessageKind(name) for name in sink.send),
            namespaces=frozenset(sink.namespaces),
        )
        for sink in sinks
    )
    names = [route.sink_id for route in routes]
    for name in names:
        if names.count(name) > 1:
            raise ConfigurationError(
                f"two sinks are called `{name}`",
                remedy="Give each of them an `id` of its own: the outbox keeps their progress apart by it.",
            )
    return routes
