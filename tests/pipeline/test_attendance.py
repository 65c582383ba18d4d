"""Who is in each namespace, as it is told."""

from builders.recognition import a_gallery, an_embedding, an_identity, at
from edged.domain.event import PresentPerson
from edged.pipeline.attendance import Attendance
from edged.recognition.gallery import Gallery
from edged.recognition.presence import Sight
from edged.settings.presence import Presence
from edged.settings.quantities import Duration

ADA = an_identity("Ada")
ENROLLED = a_gallery((ADA, [an_embedding()]))


class Watched:
    """Stands where a feed's pipeline does."""

    def __init__(self, namespace="home", *, is_live=True):
        self.namespace, self.is_live = namespace, is_live
        self.seen, self.mistaken = [], set()

    def sights(self):
        """Who is in view."""
        return self.seen

    def take_mistaken(self):
        """Who was somebody else."""
        mistaken, self.mistaken = self.mistaken, set()
        return mistaken


class House:
    """Two feeds at home and one at work, what is told of them, and who is enrolled."""

    def __init__(self):
        self.feeds = {"door": Watched(), "hall": Watched(), "shop": Watched("work")}
        self.feeds["clip"] = Watched("film", is_live=False)
        self.told = []
        self.gallery = ENROLLED
        self.attendance = Attendance("porch", Presence(), self.feeds, self.told.append)

    def look(self, now_ms):
        """One turn; what was told in it."""
        before = len(self.told)
        self.attendance.look(at(now_ms), lambda _namespace: self.gallery)
        return [(one.namespace, [who.name for who in one.persons]) for one in self.told[before:]]


def ada(seen_ms):
    return Sight(PresentPerson(track_id="t", identity_id=ADA.id, name="Ada", since=0), at(seen_ms))


def test_each_namespace_with_a_live_feed_begins_and_ends_empty():
    house = House()
    house.attendance.begin(at(0))
    house.feeds["door"].seen = [ada(1)]
    house.look(1)
    house.attendance.end(at(2))

    assert [(one.namespace, len(one.persons)) for one in house.told] == [
        ("home", 0),
        ("work", 0),
        ("home", 1),
        ("home", 0),
        ("work", 0),
    ]


def test_only_what_changed_is_told():
    house = House()
    house.feeds["door"].seen = [ada(0)]

    assert house.look(0) == [("home", ["Ada"])]
    assert house.look(500) == []
    house.feeds["door"].seen = []
    assert house.look(11_000) == [("home", ["Ada"])], "at no feed now"
    assert house.look(59_999) == []
    assert house.look(60_000) == [("home", [])]


def test_other_settings_hold_at_once():
    house = House()
    house.feeds["door"].seen = [ada(0)]
    house.look(0)
    house.feeds["door"].seen = []

    house.attendance.configure(Presence(namespace_leave_after=Duration(20)))

    assert house.look(20_000) == [("home", [])]


def test_who_is_removed_is_not_named_any_more():
    house = House()
    house.feeds["door"].seen = [ada(0)]
    house.look(0)
    house.feeds["door"].seen = []
    house.gallery = Gallery.empty()

    assert house.look(1) == [("home", [])]


def test_with_all_its_feeds_off_a_namespace_is_empty_and_said_to_be():
    house = House()
    house.feeds["door"].seen = [ada(0)]
    house.look(0)
    house.feeds["door"].seen = []

    house.attendance.switched_off("door", at(1), still_on=["hall", "shop", "clip"])
    assert house.look(1) == [("home", [])], "who was seen there alone"
    before = len(house.told)
    house.attendance.switched_off("hall", at(2), still_on=["shop", "clip"])
    assert [(one.namespace, one.persons) for one in house.told[before:]] == [("home", ())]
