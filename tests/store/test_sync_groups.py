"""What is kept of groups that other nodes share: bounded, sealed where the file is, and in no snapshot."""

import pytest

from builders.groups import a_grouped_track, looks_of
from builders.namespaces import MODEL, OTHER_MODEL, START_UTC_MS, HandClock, Ids
from builders.sealing import a_key, opened
from edged.domain.errors import StoreError
from edged.domain.identifiers import derived_id
from edged.replication.refusal import Refusal, RefusedError
from edged.replication.shared_groups import SharedFate, SharedGroup, SharedGroups, half_of, id_bytes, unit_of
from edged.settings.groups import Groups
from edged.store.blob_fsck import blob_findings
from edged.store.group_records import GroupRecords
from edged.store.group_store import GroupStore
from edged.store.namespace_store import NamespaceStore
from edged.store.resealing import reseal
from edged.store.sync_groups import (
    MOST_NODES,
    STALE_MS,
    OwnGroups,
    begin_sharing,
    fates_due,
    settle,
    sweep,
    take_in,
)

NOW_MS = START_UTC_MS
GROUP = derived_id("group", 1)
IDENTITY = derived_id("identity", 1)


def a_group(person: int = 1, **changes: object) -> SharedGroup:
    fields = {
        "id": id_bytes(derived_id("group", person)),
        "first_seen_ms": NOW_MS - 5000,
        "last_seen_ms": NOW_MS - 1000,
        "visits": 2,
        "kept_ms": NOW_MS - 1000,
        "effective": 2.5,
        "vector": half_of(looks_of(person)),
    }
    return SharedGroup(**(fields | changes))


def hear(
    store: NamespaceStore,
    *groups: SharedGroup,
    node: str = "attic",
    at_ms: int = NOW_MS,
    fates=(),
    model=MODEL,
) -> int:
    word = SharedGroups(at_ms, model, groups, tuple(fates))
    return take_in(store.connection, node, word, 1, now_ms=NOW_MS, before_ms=NOW_MS - 3_600_000)


def a_fate(fate: str, heir: str | None = None, *, at_ms: int = NOW_MS) -> SharedFate:
    return SharedFate(id_bytes(GROUP), fate, None if heir is None else id_bytes(heir), at_ms)


def elsewhere(store: NamespaceStore, model: str = MODEL):
    change = GroupStore(store).changes_since(-1, model)
    assert change is not None
    return change.elsewhere


@pytest.fixture
def store(tmp_path):
    with opened(tmp_path, None) as made:
        begin_sharing(made.connection)
        yield made


def with_own(tmp_path, group_id: str = GROUP) -> None:
    records = GroupRecords(tmp_path, ["home"], Groups(), HandClock(), Ids("records"))
    records.record([("home", a_grouped_track(1, 1, group=group_id))])
    records.close()


def test_what_others_share_is_as_it_was_sent(store):
    hear(store, a_group())
    (group,) = elsewhere(store)
    assert (group.id, group.visits, group.first_seen_ms) == (GROUP, 2, NOW_MS - 5000)
    ((mean, effective),) = group.means
    assert (mean == unit_of(half_of(looks_of(1)))).all()
    assert effective == 2.5


def test_two_nodes_that_have_a_group_are_one_group_with_two_means(store):
    hear(store, a_group())
    hear(store, a_group(visits=5, first_seen_ms=NOW_MS - 9000), node="barn")
    (group,) = elsewhere(store)
    assert (group.visits, group.first_seen_ms, len(group.means)) == (5, NOW_MS - 9000, 2)


def test_what_a_word_does_not_say_any_more_is_gone(store):
    hear(store, a_group(1), a_group(2))
    hear(store, a_group(2), at_ms=NOW_MS + 1)
    assert [group.id for group in elsewhere(store)] == [derived_id("group", 2)]


def test_the_recogniser_s_side_hears_only_of_changes(store):
    hear(store, a_group())
    revision = GroupStore(store).changes_since(-1, MODEL).revision
    hear(store, a_group(), at_ms=NOW_MS + 1)
    assert GroupStore(store).changes_since(revision, MODEL) is None
    hear(store, a_group(visits=3), at_ms=NOW_MS + 2)
    (group,) = GroupStore(store).changes_since(revision, MODEL).elsewhere
    assert group.visits == 3


def test_means_of_another_model_are_nobody_s(store):
    hear(store, a_group(), model=OTHER_MODEL)
    assert elsewhere(store) == ()
    assert len(elsewhere(store, OTHER_MODEL)) == 1


def test_an_earlier_word_a_stale_one_and_one_node_too_many_are_refused(store):
    hear(store, a_group())
    for refused, node, at_ms in (("old", "attic", NOW_MS - 1), ("old", "barn", NOW_MS - STALE_MS - 1)):
        with pytest.raises(RefusedError) as caught:
            hear(store, a_group(), node=node, at_ms=at_ms)
        assert caught.value.refusal == refused
    for number in range(MOST_NODES - 1):
        hear(store, a_group(), node=f"node-{number}")
    with pytest.raises(RefusedError) as caught:
        hear(store, a_group(), node="one-more")
    assert caught.value.refusal is Refusal.OVERSIZED
    # One that shares nothing any more makes room.
    hear(store, node="node-0", at_ms=NOW_MS + 1)
    hear(store, a_group(), node="one-more")


def test_what_is_too_old_is_not_taken_and_what_grows_old_is_swept(store):
    hear(store, a_group(1, kept_ms=NOW_MS - 3_600_001), a_group(2))
    assert [group.id for group in elsewhere(store)] == [derived_id("group", 2)]
    assert not sweep(store.connection, now_ms=NOW_MS, before_ms=NOW_MS - 2000, generation=1)
    assert sweep(store.connection, now_ms=NOW_MS, before_ms=NOW_MS, generation=1)
    assert elsewhere(store) == ()


@pytest.mark.parametrize(("later_ms", "generation"), [(STALE_MS + 1, 1), (0, 2)])
def test_a_node_that_is_silent_or_has_not_the_key_has_no_groups(store, later_ms, generation):
    hear(store, a_group())
    assert sweep(store.connection, now_ms=NOW_MS + later_ms, before_ms=0, generation=generation)
    assert elsewhere(store) == ()


def test_a_clock_that_runs_ahead_neither_keeps_a_group_nor_ends_its_visits(store):
    far_ms = NOW_MS + 10**10
    hear(store, a_group(last_seen_ms=far_ms, kept_ms=far_ms))
    (group,) = elsewhere(store)
    assert group.last_seen_ms <= NOW_MS + 60_000
    assert sweep(store.connection, now_ms=NOW_MS + 1, before_ms=NOW_MS + 1, generation=1)


def test_this_node_says_its_own_groups_and_only_what_changed_is_read_again(store, tmp_path):
    own = OwnGroups(MODEL)
    assert own.read(store.connection) == []
    with_own(tmp_path)
    (group,) = own.read(store.connection)
    assert (group.id, group.visits) == (id_bytes(GROUP), 1)
    assert unit_of(group.vector) @ looks_of(1, view=1) > 0.999
    assert own.read(store.connection)[0] is group
    hear(store, a_group(visits=7))
    assert own.read(store.connection)[0].visits == 7


def test_a_group_that_was_forgotten_is_told_once_it_is_gone_and_not_without_sharing(store, tmp_path):
    with_own(tmp_path)
    groups = GroupStore(store)
    groups.forget([groups.find(GROUP)])
    assert fates_due(store.connection, NOW_MS) == [a_fate("forgotten")]
    store.connection.execute("DELETE FROM sync_group_fate")
    store.connection.execute("DELETE FROM sync_group_sharing")
    with_own(tmp_path, derived_id("group", 2))
    groups.forget(groups.groups())
    assert fates_due(store.connection, NOW_MS) == []


def test_groups_that_are_deleted_because_the_node_keeps_none_stay_at_others(store, tmp_path):
    with_own(tmp_path)
    groups = GroupStore(store)
    groups.forget(groups.groups(), is_told=False)
    assert groups.groups() == []
    assert fates_due(store.connection, NOW_MS) == []


def test_the_fate_of_a_group_is_news_once_and_for_a_month(store, tmp_path):
    with_own(tmp_path)
    assert hear(store, fates=[a_fate("forgotten", at_ms=NOW_MS - 31 * 86_400_000)]) == 0
    assert len(GroupStore(store).groups()) == 1
    assert hear(store, a_group(), at_ms=NOW_MS + 1, fates=[a_fate("forgotten")]) == 1
    assert (GroupStore(store).groups(), elsewhere(store)) == ([], ())
    assert hear(store, at_ms=NOW_MS + 2, fates=[a_fate("forgotten")]) == 0
    assert fates_due(store.connection, NOW_MS) == [a_fate("forgotten")]
    assert fates_due(store.connection, NOW_MS + 31 * 86_400_000) == []


def test_a_group_whose_person_never_comes_is_gone_after_ten_minutes(store, tmp_path):
    with_own(tmp_path)
    hear(store, fates=[a_fate("named", IDENTITY)])
    assert (len(GroupStore(store).groups()), settle(store.connection, NOW_MS + 599_000)) == (1, 0)
    assert settle(store.connection, NOW_MS + 601_000) == 1
    assert GroupStore(store).groups() == []


def test_a_group_that_was_named_as_somebody_who_was_erased_is_forgotten(store, tmp_path):
    with_own(tmp_path)
    ada = store.add_identity("Ada", [])
    store.remove([ada.id])
    assert hear(store, fates=[a_fate("named", ada.id)]) == 1
    assert GroupStore(store).groups() == []


def test_a_group_that_is_merged_into_one_that_was_forgotten_is_forgotten_too(store, tmp_path):
    with_own(tmp_path)
    other = SharedFate(id_bytes(derived_id("group", 2)), "forgotten", None, NOW_MS)
    hear(store, fates=[other, a_fate("merged", derived_id("group", 2))])
    assert GroupStore(store).groups() == []


@pytest.mark.parametrize("known", [a_fate("named", IDENTITY), a_fate("merged", derived_id("group", 2))])
def test_forgetting_comes_before_what_else_was_made_of_a_group_at_once(store, tmp_path, known):
    with_own(tmp_path)
    hear(store, fates=[known])
    assert len(GroupStore(store).groups()) == 1
    assert hear(store, at_ms=NOW_MS + 1, fates=[a_fate("forgotten")]) == 1
    assert GroupStore(store).groups() == []
    assert a_fate("forgotten") in fates_due(store.connection, NOW_MS)
    # What is weaker changes nothing any more.
    assert hear(store, at_ms=NOW_MS + 2, fates=[known]) == 0


def test_what_others_share_is_sealed_with_the_file_and_not_in_the_open(tmp_path):
    key, vector = a_key(1), unit_of(half_of(looks_of(1))).tobytes()
    with opened(tmp_path, None) as store:
        hear(store, a_group())
        assert store.connection.execute("SELECT vector FROM sync_group_elsewhere").fetchone() == (vector,)
        assert reseal(store, key).blobs == 1
        ((sealed,),) = store.connection.execute("SELECT vector FROM sync_group_elsewhere").fetchall()
        assert vector[:32] not in sealed
        assert elsewhere(store)[0].means[0][0].tobytes() == vector
        hear(store, a_group(2), node="barn")
        store.connection.execute("UPDATE sealing SET is_swept = 1")
        assert list(blob_findings(store.connection)) == []
        store.connection.execute("UPDATE sync_group_elsewhere SET vector = zeroblob(600)")
        assert len(list(blob_findings(store.connection))) == 2
    with opened(tmp_path, None) as locked, pytest.raises(StoreError):
        hear(locked, a_group(3), at_ms=NOW_MS + 1)


def test_what_is_deleted_of_others_is_not_left_in_the_file(tmp_path):
    vector = unit_of(half_of(looks_of(1))).tobytes()
    with opened(tmp_path, None) as store:
        hear(store, a_group())
        assert list(store.swept_log()) == []
        path = store.path
        assert vector[:32] in path.read_bytes()
        sweep(store.connection, now_ms=NOW_MS, before_ms=NOW_MS, generation=1)
        store.snapshots.take(store.connection, NOW_MS)
        assert list(store.swept_log()) == []
        for file in tmp_path.rglob("*.db*"):
            assert vector[:32] not in file.read_bytes()
