"""Strangers that several nodes see: they go by one id, are counted together, and are forgotten together."""

import pytest

from builders.authorities import TOPICS
from builders.sharing import MINUTE_MS, House, neighbours
from edged.app import sync_commands
from edged.settings.groups import Groups

POSTMAN, THIEF = 7, 8


@pytest.fixture
def trio(tmp_path):
    """A front camera, which is the authority, and two members."""
    with neighbours(tmp_path, "front", "back", "barn", gather=0) as made:
        yield made
        for house in made:
            assert house.findings() == []


def later(house: House, minutes: float = 2) -> None:
    """Time goes by, in which everybody talks."""
    house.broker.run(13)
    house.broker.clock.ms += round(minutes * MINUTE_MS)


def test_a_stranger_has_one_id_and_one_count_at_all_cameras(trio):
    front, back, barn = trio
    first = front.eyes.see(1, POSTMAN)
    later(front)
    second = back.eyes.see(2, POSTMAN)
    later(front)
    third = front.eyes.see(3, POSTMAN)
    later(front)
    fourth = barn.eyes.see(4, POSTMAN)
    assert {one.group_id for one in (first, second, third, fourth)} == {first.group_id}
    assert [one.seen_before for one in (first, second, third, fourth)] == [0, 1, 2, 3]
    assert {one.first_seen_ms for one in (second, third, fourth)} == {first.first_seen_ms}


def test_who_goes_from_one_camera_to_the_next_is_on_the_same_visit(trio):
    front, back, _ = trio
    front.eyes.see(1, POSTMAN)
    front.broker.run(5)
    assert back.eyes.see(2, POSTMAN).seen_before == 0


def test_another_stranger_is_another_group(trio):
    front, back, _ = trio
    postman = front.eyes.see(1, POSTMAN)
    later(front)
    assert back.eyes.see(2, THIEF).group_id != postman.group_id


def test_a_group_that_is_named_is_a_person_everywhere_and_a_group_nowhere(trio):
    front, back, _ = trio
    group = back.eyes.see(1, POSTMAN).group_id
    later(front)
    front.eyes.see(2, POSTMAN)
    later(front)
    back.eyes.name(group, "Pat")
    later(front)
    for house in trio:
        assert (house.people(), house.eyes.ids(), house.eyes.elsewhere()) == (["Pat"], [], [])


def test_a_group_that_is_named_waits_at_other_nodes_for_its_person(trio):
    front, back, _ = trio
    group = front.eyes.see(1, POSTMAN).group_id
    later(front)
    back.eyes.see(2, POSTMAN)
    later(front)
    # The authority's manifest does not come, and the word about groups does.
    manifest = front.broker.retained[TOPICS.manifest]
    front.eyes.name(group, "Pat")
    publish = front.broker.publish
    front.broker.publish = lambda topic, payload, **how: (
        None if topic == TOPICS.manifest else publish(topic, payload, **how)
    )
    front.broker.run(20)
    assert (back.people(), back.eyes.ids()) == ([], [group])
    front.broker.publish = publish
    front.go_offline()
    front.go_online()
    assert front.broker.retained[TOPICS.manifest] == manifest
    front.broker.run(30)
    assert (back.people(), back.eyes.ids()) == (["Pat"], [])


def test_a_group_that_is_forgotten_is_gone_everywhere_also_where_a_node_was_away(trio):
    front, back, barn = trio
    group = front.eyes.see(1, POSTMAN).group_id
    later(front)
    back.eyes.see(2, POSTMAN)
    barn.eyes.see(3, POSTMAN)
    later(front)
    barn.go_offline()
    front.eyes.forget(group)
    later(front)
    assert (front.eyes.ids(), back.eyes.ids(), barn.eyes.ids()) == ([], [], [group])
    # Who forgot is away when the one that was away comes back: the others tell it on.
    front.go_offline()
    del front.broker.retained[TOPICS.groups("front")]
    barn.go_online()
    later(back)
    front.go_online()
    later(back)
    for house in trio:
        assert (house.eyes.ids(), house.eyes.elsewhere()) == ([], [])


def test_who_is_in_view_of_a_group_that_is_forgotten_elsewhere_is_not_written_down_again(trio):
    front, back, _ = trio
    group = front.eyes.see(1, POSTMAN).group_id
    later(front)
    back.eyes.see(2, POSTMAN)
    later(front)
    front.eyes.forget(group)
    front.broker.run(20)
    # The recogniser at the back has not looked yet, and says more of the track that it follows.
    back.eyes.look = lambda: None
    back.eyes.see(2, POSTMAN)
    assert back.eyes.ids() == []


def test_groups_that_are_merged_at_one_node_are_merged_everywhere(trio):
    front, back, barn = trio
    one, other = front.eyes.see(1, POSTMAN).group_id, front.eyes.see(2, THIEF).group_id
    later(front)
    back.eyes.see(3, POSTMAN)
    back.eyes.see(4, THIEF)
    later(front)
    front.eyes.merge(one, other)
    later(front)
    assert (front.eyes.ids(), back.eyes.ids()) == ([one], [one])
    assert {group for _, group in barn.eyes.elsewhere()} == {one}


def test_two_merges_into_each_other_at_once_end_the_same_everywhere(trio):
    front, back, barn = trio
    one, other = front.eyes.see(1, POSTMAN).group_id, front.eyes.see(2, THIEF).group_id
    later(front)
    back.eyes.see(3, POSTMAN)
    back.eyes.see(4, THIEF)
    later(front)
    back.go_offline()
    front.eyes.merge(one, other)
    back.eyes.merge(other, one)
    later(front)
    back.go_online()
    later(front)
    stays = min(one, other)
    assert (front.eyes.ids(), back.eyes.ids()) == ([stays], [stays])
    assert {group for _, group in barn.eyes.elsewhere()} == {stays}


def test_what_two_nodes_founded_apart_becomes_the_group_that_was_seen_first(trio):
    front, back, barn = trio
    back.go_offline()
    older = front.eyes.see(1, POSTMAN)
    later(front)
    front.eyes.see(2, POSTMAN)
    younger = back.eyes.see(3, POSTMAN)
    assert older.group_id != younger.group_id
    back.go_online()
    later(front)
    # Who has the older one goes on with it, the other changes; each when they see the person again.
    assert front.eyes.see(4, POSTMAN).group_id == older.group_id
    later(front)
    again = back.eyes.see(5, POSTMAN)
    assert again.group_id == older.group_id
    later(front)
    assert (front.eyes.ids(), back.eyes.ids()) == ([older.group_id], [older.group_id])
    assert {group for _, group in barn.eyes.elsewhere()} == {older.group_id}
    assert front.eyes.groups()[0].visits == back.eyes.groups()[0].visits == again.seen_before + 1


def test_a_node_that_is_switched_off_takes_back_what_it_shared_and_keeps_its_own(trio):
    front, back, barn = trio
    group = back.eyes.see(1, POSTMAN).group_id
    front.eyes.see(2, THIEF)
    later(front)
    assert len(barn.eyes.elsewhere()) == 2
    back.restart(groups=False, gather=0)
    later(front)
    assert TOPICS.groups("back") not in back.broker.retained
    assert [node for node, _ in barn.eyes.elsewhere()] == ["front"]
    assert (back.eyes.ids(), back.eyes.elsewhere()) == ([group], [])
    back.eyes.forget(group)
    with back.eyes.store() as store:
        assert store.connection.execute("SELECT * FROM sync_group_fate").fetchall() == []


def test_an_authority_that_is_switched_off_ends_it_for_all(trio):
    front, back, _ = trio
    back.eyes.see(1, POSTMAN)
    later(front)
    front.restart(groups=False, gather=0)
    later(front)
    assert not [topic for topic in front.broker.retained if topic.endswith("/groups")]
    for house in trio:
        assert house.eyes.elsewhere() == []
    front.restart(groups=True, gather=0)
    later(front)
    assert [node for node, _ in front.eyes.elsewhere()] == ["back"]


def test_a_member_that_is_not_set_to_it_neither_shares_nor_gets_any(tmp_path):
    with neighbours(tmp_path, "front", "back", gather=0) as (front, back):
        back.restart(groups=False, gather=0)
        front.eyes.see(1, POSTMAN)
        back.eyes.see(2, THIEF)
        later(front)
        assert (front.eyes.elsewhere(), back.eyes.elsewhere()) == ([], [])


def test_a_node_that_keeps_no_groups_gets_none(tmp_path):
    with neighbours(tmp_path, "front", "back", gather=0, keeps=None) as (front, back):
        front.eyes.see(1, POSTMAN)
        later(front)
        assert TOPICS.groups("front") not in front.broker.retained
        assert back.eyes.elsewhere() == []


def test_a_member_that_leaves_or_is_put_out_takes_back_what_it_shared(trio):
    front, back, barn = trio
    back.eyes.see(1, POSTMAN)
    barn.eyes.see(2, THIEF)
    later(front)
    with back.eyes.store() as store:
        sync_commands.leave(back.place(store))
    with front.eyes.store() as store:
        sync_commands.expel(front.place(store), "barn")
    later(front)
    later(front)
    assert not [
        topic for topic in front.broker.retained if topic in (TOPICS.groups("back"), TOPICS.groups("barn"))
    ]
    assert front.eyes.elsewhere() == []
    for house in (back, barn):
        assert (len(house.eyes.ids()), house.eyes.elsewhere()) == (1, [])


def test_after_a_new_key_groups_are_sealed_anew_and_the_old_ones_not_taken(trio):
    front, back, barn = trio
    back.eyes.see(1, POSTMAN)
    later(front)
    before = back.broker.retained[TOPICS.groups("back")]
    with front.eyes.store() as store:
        sync_commands.rotate(front.place(store))
    later(front)
    later(front)
    after = back.broker.retained[TOPICS.groups("back")]
    assert after != before
    barn.broker.publish(TOPICS.groups("back"), before)
    barn.broker.run(2)
    assert barn.standing.refused["old"] == 1
    assert [node for node, _ in barn.eyes.elsewhere()] == ["back"]


def test_groups_of_a_node_that_is_silent_since_a_new_key_go_after_an_hour(trio):
    front, back, barn = trio
    back.eyes.see(1, POSTMAN)
    later(front)
    back.go_offline()
    with front.eyes.store() as store:
        sync_commands.rotate(front.place(store))
    later(front)
    assert [node for node, _ in barn.eyes.elsewhere()] == ["back"]
    later(front, minutes=75)
    later(front)
    assert barn.eyes.elsewhere() == []


def test_what_was_said_before_is_not_taken_again(trio):
    front, back, barn = trio
    group = back.eyes.see(1, POSTMAN).group_id
    later(front)
    before = back.broker.retained[TOPICS.groups("back")]
    back.restart(groups=False, gather=0)
    later(front)
    assert barn.eyes.elsewhere() == []
    barn.broker.publish(TOPICS.groups("back"), before)
    later(front)
    # The very last word is known: nothing comes of it. An earlier one is refused.
    assert barn.eyes.elsewhere() == []
    assert back.eyes.ids() == [group]


def test_what_no_member_can_have_sent_is_counted_and_changes_nothing(trio):
    _, back, barn = trio
    back.eyes.see(1, POSTMAN)
    later(back)
    good = back.broker.retained[TOPICS.groups("back")]
    for bad in (good[:-1] + bytes([good[-1] ^ 1]), good[: len(good) // 2], b"groups", b"x" * 256_001):
        barn.broker.publish(TOPICS.groups("back"), bad)
        barn.broker.run(1)
    assert barn.standing.refused == {"altered": 2, "malformed": 1, "oversized": 1}
    assert [node for node, _ in barn.eyes.elsewhere()] == ["back"]


def test_groups_of_one_node_are_not_taken_as_those_of_another(trio):
    front, back, barn = trio
    back.eyes.see(1, POSTMAN)
    later(front)
    barn.broker.publish(TOPICS.groups("attic"), back.broker.retained[TOPICS.groups("back")])
    barn.broker.run(2)
    assert barn.standing.refused["altered"] == 1
    assert [node for node, _ in barn.eyes.elsewhere()] == ["back"]


def test_a_node_says_its_groups_again_where_somebody_cleared_them(trio):
    front, back, barn = trio
    back.eyes.see(1, POSTMAN)
    later(front)
    front.broker.publish(TOPICS.groups("back"), b"")
    later(front)
    assert [node for node, _ in barn.eyes.elsewhere()] == ["back"]


def test_many_changes_are_one_word_in_ten_seconds(trio):
    front, back, _ = trio
    front.broker.run(20)
    front.broker.log.clear()
    for number in range(1, 41):
        back.eyes.see(number, 100 + number)
        front.broker.run(0.5)
    words = [topic for topic, _ in front.broker.log if topic == TOPICS.groups("back")]
    assert 2 <= len(words) <= 3


def test_a_stranger_who_is_unseen_for_longer_than_groups_are_kept_is_gone_from_what_others_share(tmp_path):
    with neighbours(tmp_path, "front", "back", gather=0, keeps=Groups(max_age=3600.0)) as (front, back):
        front.eyes.see(1, POSTMAN)
        later(front)
        assert len(back.eyes.elsewhere()) == 1
        front.go_offline()
        later(back, minutes=70)
        later(back)
        assert back.eyes.elsewhere() == []


def test_the_standing_says_how_many_groups_are_shared(trio):
    front, back, barn = trio
    front.eyes.see(1, POSTMAN)
    back.eyes.see(2, THIEF)
    later(front)
    assert (back.standing.groups_shared, back.standing.groups_left_out) == (1, 0)
    assert (barn.standing.groups_shared, barn.standing.groups_elsewhere) == (0, 2)


def test_who_grew_too_old_at_one_node_comes_back_to_it_by_another(tmp_path):
    with neighbours(tmp_path, "front", "back", gather=0) as (front, back):
        group = front.eyes.see(1, POSTMAN).group_id
        later(front)
        back.eyes.see(2, POSTMAN)
        back.eyes.records.settings = Groups(max_age=3600.0)
        front.broker.clock.ms += 70 * MINUTE_MS
        while back.eyes.records.sweep():
            pass
        assert back.eyes.ids() == []
        later(front)
        assert back.eyes.see(3, POSTMAN).group_id == group
        assert back.eyes.ids() == [group]
        assert (front.findings(), back.findings()) == ([], [])
