import pytest

from edged.delivery.reply_topic import MOST_BYTES, is_level, why_not
from edged.domain.message import Reply

ANSWERS = "edged/home/recognize"
PREFIXES = {"edged", "site/cameras"}


@pytest.mark.parametrize(
    "topic",
    [
        "answers/mine",
        "edged/home/recognize/7",
        "edged/home/recognize/mine/7",
        "edgedish/home/door/job",
        "site/other",
        "antworten/für mich",
        "a" * MOST_BYTES,
    ],
)
def test_answers_go_where_whoever_asked_listens(topic):
    assert why_not(Reply(topic, b"7"), ANSWERS, PREFIXES) == ""


@pytest.mark.parametrize(
    "topic",
    [
        "edged",
        "edged/home/door/event",
        "edged/device/hall/status",
        "edged/home/recognize",
        "edged/home/recognize/",
        "edged/work/recognize/7",
        "edged//",
        "site/cameras/home/door/job",
    ],
)
def test_nobody_makes_edged_speak_as_one_of_its_feeds(topic):
    assert "edged itself" in why_not(Reply(topic), ANSWERS, PREFIXES)


@pytest.mark.parametrize(
    "topic",
    ["", "answers/+", "answers/#", "$SYS/broker", "$share/a/b", "a\0b", "a\nb", "a\uffffb", "a\u200bb"],
)
def test_what_no_client_may_write_to_is_refused(topic):
    assert "no topic" in why_not(Reply(topic), ANSWERS, PREFIXES)


@pytest.mark.parametrize(
    "reply", [Reply("ä" * (MOST_BYTES // 2) + "a"), Reply("answers", b"c" * (MOST_BYTES + 1))]
)
def test_what_would_have_to_be_kept_at_length_is_refused(reply):
    assert "longer" in why_not(reply, ANSWERS, PREFIXES)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("7", True),
        ("visitors of Tuesday", True),
        *((name, False) for name in ("", "a/b", "a+", "#", "a\nb", "\ud800")),
    ],
)
def test_a_name_is_a_level_of_a_topic_where_it_can_be(name, expected):
    assert is_level(name) is expected
