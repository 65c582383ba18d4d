"""The MQTT topics; see docs/delivery.md for what each carries."""

from dataclasses import dataclass

from edged.domain.message import Message, MessageKind

ONLINE = b"online"
OFFLINE = b"offline"
ON = b"ON"
OFF = b"OFF"


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of one device below one prefix."""

    prefix: str
    device: str

    @property
    def status(self) -> str:
        """Retained `online` or `offline`; the last will."""
        return f"{self.prefix}/device/{self.device}/status"

    def feed_state(self, feed_id: str) -> str:
        """Retained health of a feed."""
        return f"{self.prefix}/device/{self.device}/feed/{feed_id}/state"

    @property
    def device_state(self) -> str:
        """Retained health of the machine."""
        return f"{self.prefix}/device/{self.device}/state"

    def feed_switch(self, feed_id: str) -> str:
        """Where `ON` and `OFF` come in: the feed's privacy switch."""
        return f"{self.prefix}/device/{self.device}/feed/{feed_id}/set"

    def feed_enabled(self, feed_id: str) -> str:
        """Retained `ON` or `OFF`: how the switch stands."""
        return f"{self.prefix}/device/{self.device}/feed/{feed_id}/enabled"

    def namespace_presence(self, namespace: str) -> str:
        """Retained: who is at any feed that this device has in the namespace."""
        return f"{self.prefix}/device/{self.device}/namespace/{namespace}/presence"

    def presence(self, namespace: str, feed_id: str) -> str:
        """Retained: who is in view of a feed."""
        return f"{self.prefix}/{namespace}/{feed_id}/{MessageKind.PRESENCE}"

    def event(self, namespace: str, feed_id: str) -> str:
        """One person came or left."""
        return f"{self.prefix}/{namespace}/{feed_id}/{MessageKind.EVENT}"

    def image(self, namespace: str, feed_id: str) -> str:
        """JPEG of the last decided face."""
        return f"{self.prefix}/{namespace}/{feed_id}/image"

    def requests(self, namespace: str) -> str:
        """Where requests to recognise pictures come in, and below which their answers go out."""
        return f"{self.prefix}/{namespace}/recognize"

    def of(self, message: Message) -> str:
        """Where a message of the outbox goes: of a request, where its answer is wanted."""
        if message.reply is not None:
            return message.reply.topic or f"{self.requests(message.namespace)}/{message.subject_id}"
        return f"{self.prefix}/{message.namespace}/{message.feed_id}/{message.kind}"


def is_retained(kind: MessageKind) -> bool:
    """Whether the broker keeps the last message of the kind for those who come later.

    Only what is true until the next message may be: a retained job or event would be news again for
    everybody who subscribes, hours later.
    """
    return kind is MessageKind.PRESENCE
