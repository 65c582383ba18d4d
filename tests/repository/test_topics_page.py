"""Every MQTT topic that the program writes to or reads is in docs/delivery.md."""

from dataclasses import replace

import pytest

from bench.checkout import ROOT
from edged.delivery.topics import Topics
from edged.domain.message import Message, MessageKind, Reply
from edged.replication.topics import SyncTopics

TOPICS = Topics(prefix="edged", device="<device>")
SYNC = SyncTopics(prefix="edged", namespace="<namespace>")


def _message(kind: MessageKind) -> Message:
    return Message(kind, "<namespace>", "<feedId>", "subject", 1, is_final=True, body=b"{}", at_ms=0)


def _answer() -> Message:
    return replace(_message(MessageKind.JOB), subject_id="<jobId>", reply=Reply(""))


@pytest.mark.parametrize(
    "topic",
    [
        TOPICS.status,
        TOPICS.feed_state("<feedId>"),
        TOPICS.device_state,
        TOPICS.feed_switch("<feedId>"),
        TOPICS.feed_enabled("<feedId>"),
        TOPICS.namespace_presence("<namespace>"),
        TOPICS.image("<namespace>", "<feedId>"),
        TOPICS.requests("<namespace>"),
        TOPICS.of(_answer()),
        *(TOPICS.of(_message(kind)) for kind in MessageKind),
        SYNC.manifest,
        SYNC.alive,
        SYNC.page("<sha256>"),
        SYNC.member("<device>"),
        SYNC.report("<device>"),
        SYNC.proposal("<device>"),
        SYNC.join("<device>"),
        SYNC.groups("<device>"),
    ],
)
def test_a_topic_is_in_the_documentation(topic: str) -> None:
    assert f"`{topic}`" in (ROOT / "docs" / "delivery.md").read_text("utf-8")
