"""What a namespace's state is at a broker."""

import pytest

from edged.domain.sync_state import NamespaceSync, SyncRole, SyncState
from edged.sync.broker_sight import BrokerSight, seen


def a_standing(state: SyncState, trouble: str = "") -> NamespaceSync:
    return NamespaceSync("home", SyncRole.AUTHORITY, state, trouble=trouble)


def a_sight(trouble: str = "", *, is_unfit: bool = False, refusal: str = "", remark: str = "") -> BrokerSight:
    return BrokerSight(trouble, is_unfit, refusal, remark)


def test_what_was_read_past_is_counted_with_what_was_not_taken():
    standing = NamespaceSync("home", SyncRole.MEMBER, SyncState.IN_STEP, refused={"oversized": 1, "old": 2})
    sight = BrokerSight("", is_unfit=False, refusal="", remark="", unread={"oversized": 3})

    assert seen(standing, sight).refused == {"oversized": 4, "old": 2}


@pytest.mark.parametrize(
    ("state", "trouble", "sight", "expected"),
    [
        ("in step", "", a_sight(), ("in step", "")),
        # An authority says by itself that it is offline, and not why.
        ("offline", "", a_sight("not connected to x: refused"), ("offline", "not connected to x: refused")),
        ("behind", "", a_sight("not connected to x"), ("offline", "not connected to x")),
        ("in step", "", a_sight("no retained messages", is_unfit=True), ("faulty", "no retained messages")),
        ("split", "settle it", a_sight("not connected to x"), ("split", "settle it")),
        ("in step", "", a_sight(refusal="may not write"), ("faulty", "may not write")),
        ("no key", "no secret", a_sight(refusal="may not write"), ("no key", "no secret")),
        ("in step", "", a_sight(remark="a rival"), ("in step", "a rival")),
        ("faulty", "another authority", a_sight(remark="a rival"), ("faulty", "another authority; a rival")),
        ("in step", "", a_sight("off: a rival", remark="a rival"), ("offline", "off: a rival")),
    ],
)
def test_the_state_has_what_the_broker_does_and_the_words_of_both(state, trouble, sight, expected):
    told = seen(a_standing(SyncState(state), trouble), sight)

    assert (told.state, told.trouble) == (SyncState(expected[0]), expected[1])
