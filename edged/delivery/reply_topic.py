"""Where the answer to a request over MQTT may go."""

from collections.abc import Collection
from typing import Final

from edged.domain.message import Reply

MOST_BYTES: Final = 1024
"""Of a response topic, and of correlation data: both are kept until the last answer was sent."""


def why_not(reply: Reply, answers: str, prefixes: Collection[str]) -> str:
    """Why nothing may be sent there, in words; empty where it may.

    What we say below our own prefixes is believed to come from our feeds, so that nobody who may send a
    request chooses a topic there.

    Args:
        reply: the response topic of a request, with its correlation data.
        answers: the one topic of ours below which requests may have their answers.
        prefixes: first levels of our topics.
    """
    topic = reply.topic
    if not topic or not topic.isprintable() or set(topic) & {"+", "#"} or topic.startswith("$"):
        return "it is no topic that a client may write to"
    if len(topic.encode()) > MOST_BYTES or len(reply.correlation) > MOST_BYTES:
        return f"it or the correlation data is longer than {MOST_BYTES} bytes"
    is_for_answers = topic.startswith(f"{answers}/") and len(topic) > len(answers) + 1
    if not is_for_answers and any(f"{topic}/".startswith(f"{prefix}/") for prefix in prefixes):
        return "it is a topic of edged itself"
    return ""


def is_level(name: str) -> bool:
    """Whether a name can stand as one level of a topic."""
    return bool(name) and name.isprintable() and not set(name) & {"+", "#", "/"}
