import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.delivery import mqtt_answer
from edged.delivery.mqtt_version import MqttVersion, VersionChoice
from edged.delivery.outcome import Fate
from edged.delivery.topics import Topics, is_retained
from edged.delivery.window import Window
from edged.domain.message import Message, MessageKind

V5, V311 = MqttVersion


@pytest.mark.parametrize(
    ("code", "fate"),
    [
        (0x00, Fate.DELIVERED),
        (0x10, Fate.DELIVERED),
        (0x80, Fate.FAILED),
        (0x83, Fate.FAILED),
        (0x87, Fate.REFUSED),
        (0x90, Fate.REFUSED),
        (0x91, Fate.FAILED),
        (0x95, Fate.REFUSED),
        (0x97, Fate.UNAVAILABLE),
        (0x99, Fate.REFUSED),
        (0xFF, Fate.FAILED),
    ],
)
def test_what_a_reason_code_means(code, fate):
    assert mqtt_answer.outcome_of(code).fate is fate


def test_a_refused_connection_is_told_in_words():
    assert mqtt_answer.connect_refusal(0x86) == "bad user name or password (reason code 134)"
    assert mqtt_answer.connect_refusal(0xC0) == "refused (reason code 192)"


class TestVersion:
    def test_a_broker_that_says_it_has_no_5_is_not_asked_again(self):
        choice = VersionChoice("auto")
        assert choice.next is V5
        assert choice.refused()
        assert choice.next is V311
        choice.accepted()
        choice.closed()
        assert choice.next is V311

    def test_a_broker_that_only_closes_is_asked_for_5_again_next_time(self):
        choice = VersionChoice("auto")
        choice.closed()
        assert choice.next is V311
        choice.accepted()
        assert choice.next is V5

    def test_while_a_broker_closes_everything_both_are_tried_in_turn(self):
        choice = VersionChoice("auto")
        tried = []
        for _ in range(4):
            tried.append(choice.next)
            choice.closed()
        assert tried == [V5, V311, V5, V311]

    def test_a_broker_that_refuses_3_1_1_too_leaves_nothing_to_try(self):
        choice = VersionChoice("auto")
        choice.refused()
        assert not choice.refused()

    @pytest.mark.parametrize("version", ["5", "3.1.1"])
    def test_what_is_configured_is_spoken(self, version):
        choice = VersionChoice(version)
        assert not choice.refused()
        choice.closed()
        choice.accepted()
        assert choice.next == version


class TestWindow:
    def test_it_is_full_from_the_start_and_never_more_than_the_broker_takes(self):
        window = Window(64)
        assert window.size == 64
        window.connected(10)
        assert window.size == 10
        window.connected(None)
        assert window.size == 64

    def test_after_a_loss_with_several_on_their_way_it_begins_with_one_and_doubles(self):
        window = Window(64)
        assert not window.lost(5)
        sizes = []
        for _ in range(8):
            sizes.append(window.size)
            window.acknowledged()
        assert sizes == [1, 2, 4, 8, 16, 32, 64, 64]

    def test_what_was_lost_alone_is_the_suspect(self):
        window = Window(64)
        assert window.lost(1)
        assert window.size == 1

    def test_a_loss_with_nothing_on_its_way_tells_nothing(self):
        window = Window(64)
        assert not window.lost(0)
        assert window.size == 64

    @given(st.integers(1, 1000), st.lists(st.one_of(st.none(), st.integers(0, 1000)), max_size=30))
    def test_it_is_at_least_one_and_at_most_what_is_configured(self, most, losses):
        window = Window(most)
        for loss in losses:
            window.acknowledged() if loss is None else window.lost(loss)
            assert 1 <= window.size <= most


def test_topics_are_as_documented_and_only_presence_is_retained():
    topics = Topics("edged", "dev1")
    assert topics.status == "edged/device/dev1/status"
    assert topics.feed_state("door") == "edged/device/dev1/feed/door/state"
    for kind, last in zip(MessageKind, ("job", "event", "presence"), strict=True):
        message = Message(kind, "home", "door", "s", 1, is_final=True, body=b"", at_ms=0)
        assert topics.of(message) == f"edged/home/door/{last}"
        assert is_retained(kind) == (last == "presence")
