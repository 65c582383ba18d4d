"""Every MQTT topic that the program writes to is in docs/delivery.md."""

import pytest

from bench.checkout import ROOT
from edged.delivery.topics import Topics
from edged.domain.message import Message, MessageKind

TOPICS = Topics(prefix="edged", device="<device>")


def _message(kind: MessageKind) -> Message:
    return Message(kind, "<namespace>", "<feedId>", "subject", 1, is_final=True, body=b"{}", at_ms=0)


@pytest.mark.parametrize(
    "topic",
    [TOPICS.status, TOPICS.feed_state("<feedId>"), *(TOPICS.of(_message(kind)) for kind in MessageKind)],
)
def test_a_topic_is_in_the_documentation(topic: str) -> None:
    assert f"`{topic}`" in (ROOT / "docs" / "delivery.md").read_text("utf-8")
