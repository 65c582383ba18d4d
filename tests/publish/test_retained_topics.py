import pytest

from edged.delivery.announcement import components_of, parts_of
from edged.delivery.kept_topics import KeptTopics, kept_topics
from edged.delivery.topics import Topics
from edged.publish.retained_topics import RetainedTopics
from edged.settings.feeds import Feed
from edged.settings.sinks import MqttSink
from edged.settings.sources import FileSource

TOPICS = Topics("edged", "dev1")
OLD, NEW = parts_of({"a": "sensor", "b": "image"}), parts_of({"b": "image", "c": "switch"})


@pytest.fixture
def ledger(an_outbox):
    return an_outbox("mqtt")


def keeping(ledger, *lasting, passing=(), broker="b:1", **with_parts):
    wanted = KeptTopics(dict.fromkeys(lasting, "") | with_parts, frozenset(passing))
    return RetainedTopics(ledger, "mqtt", broker, wanted)


def test_the_first_start_writes_everything_down_and_clears_nothing(ledger):
    assert keeping(ledger, "a", passing=["picture"]).begin() == []
    assert ledger.retained("mqtt", "b:1") == {"a": "", "picture": ""}


def test_what_is_not_wanted_any_more_is_cleared_until_the_broker_says_that_it_is(ledger):
    keeping(ledger, "a", "b").begin()
    assert keeping(ledger, "a").begin() == ["b"]
    again = keeping(ledger, "a")
    assert again.begin() == ["b"]
    again.cleared("b")
    assert keeping(ledger, "a").begin() == []


def test_a_picture_of_the_last_run_is_cleared_at_every_start_and_stays_written_down(ledger):
    keeping(ledger, "a", passing=["picture"]).begin()
    for _ in range(2):
        kept = keeping(ledger, "a", passing=["picture"])
        assert kept.begin() == ["picture"]
        kept.cleared("picture")
    assert "picture" in ledger.retained("mqtt", "b:1")


def test_what_another_broker_keeps_is_not_this_ones_to_clear(ledger):
    keeping(ledger, "a", "b").begin()
    assert keeping(ledger, "a", broker="b:2").begin() == []
    assert keeping(ledger, "a").begin() == ["b"]


def test_parts_that_went_are_known_until_the_message_without_them_was_taken(ledger):
    keeping(ledger, config=OLD).begin()
    for _ in range(2):
        kept = keeping(ledger, config=NEW)
        kept.begin()
        assert set(parts_of_before(kept)) == {"a", "b", "c"}
    kept.announced("config")
    assert set(parts_of_before(kept)) == {"b", "c"}
    assert ledger.retained("mqtt", "b:1") == {"config": NEW}


def parts_of_before(kept):
    return components_of(kept.parts_before("config"))


def test_nothing_is_written_twice(ledger):
    keeping(ledger, "a", config=OLD, passing=["picture"]).begin()

    class Refusing:
        """A ledger that can only be read: what is written already needs no write."""

        retained = staticmethod(ledger.retained)

    kept = keeping(Refusing(), "a", config=OLD, passing=["picture"])
    kept.begin()
    kept.begin()
    kept.announced("a")
    kept.announced("config")


class TestWhatIsKept:
    FEED = Feed(id="door", source=FileSource(path="a.mp4"))

    def kept(self, **changes):
        return kept_topics(MqttSink(host="h", **changes), TOPICS, [self.FEED])

    def test_states_and_presence_last(self):
        kept = self.kept()
        assert set(kept.lasting) == {
            "edged/device/dev1/status",
            "edged/device/dev1/state",
            "edged/device/dev1/feed/door/state",
            "edged/device/dev1/feed/door/enabled",
            "edged/home/door/presence",
            "edged/device/dev1/namespace/home/presence",
        }
        assert kept.passing == frozenset()

    def test_a_picture_that_is_kept_passes(self):
        assert self.kept(image="retained").passing == {"edged/home/door/image"}
        assert self.kept(image="sent").passing == frozenset()

    @pytest.mark.parametrize("changes", [{"send": ("job",)}, {"namespaces": ("work",)}])
    def test_nobody_is_named_where_the_sink_is_not_told_of_them(self, changes):
        kept = self.kept(image="retained", **changes)
        assert not [topic for topic in kept.lasting if "presence" in topic]

    def test_a_picture_of_another_namespace_is_not_kept(self):
        assert "edged/home/door/image" not in self.kept(image="retained", namespaces=("work",))
