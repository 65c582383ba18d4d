"""People made of faces seen before, and what of the history goes with a person who is removed."""

import msgspec
import pytest

from builders.groups import a_grouped_track
from builders.groups import a_track_id as a_group_track_id
from builders.history import a_face_id, a_job_id, a_seen_face, a_track_of, an_entry, an_image_id
from builders.namespaces import (
    MODEL,
    OTHER_MODEL,
    START_UTC_MS,
    HandClock,
    Ids,
    a_new_face,
    a_store,
    random_chip,
    random_unit,
    raw_bytes,
)
from builders.sealing import a_key
from edged.api.requests import Search
from edged.domain.errors import IdentityError
from edged.domain.job import Job
from edged.recognition.grouping import founded_id
from edged.settings.groups import Groups
from edged.store.fsck import fsck
from edged.store.group_records import GroupRecords
from edged.store.group_store import GroupStore
from edged.store.history_store import HistoryStore
from edged.store.namespace_store import NamespaceStore

GROUP = founded_id(a_group_track_id(1), ())


@pytest.fixture(params=["plain", "encrypted"])
def key(request):
    return a_key() if request.param == "encrypted" else None


@pytest.fixture
def history(store, key):
    yield HistoryStore(store)
    assert fsck(store.path, key) == []


def faces_in(history, number=1):
    job = msgspec.json.decode(history.job(a_job_id(number)), type=Job)
    return [one.edge.face_id for image in job.images for one in image.objects]


def people_in(history, number=1):
    job = msgspec.json.decode(history.job(a_job_id(number)), type=Job)
    return [one.identity_id for image in job.images for one in image.objects]


class TestEnrolment:
    def test_a_person_is_made_of_seen_faces_which_keep_their_ids_chips_and_embeddings(self, history):
        history.record([an_entry(1, [a_seen_face(1), a_seen_face(2)])])

        ada = history.enrol_seen([a_face_id(1), a_face_id(2)], "Ada", "a1", model_hash=MODEL)

        assert (ada.name, ada.custom_id, ada.faces) == ("Ada", "a1", 2)
        one, other = history.people.faces_of(ada.id, MODEL)
        assert (one.id, other.id) == (a_face_id(1), a_face_id(2))
        assert (one.embedding == random_unit(1)).all()
        assert (one.chip == random_chip(1)).all()
        kept = history.face(a_face_id(1))
        assert (kept.enrolled, kept.identity_id, kept.source, kept.created_ms) == (
            True,
            ada.id,
            "feed door",
            START_UTC_MS,
        )
        assert kept.box is not None
        assert [face.id for face in history.faces_of_identity(ada.id)] == [a_face_id(1), a_face_id(2)]
        (change,) = history.people.changes_since(0, MODEL).changed
        assert change.identity.id == ada.id

    def test_a_person_may_begin_without_faces(self, store):
        assert HistoryStore(store).enrol_seen([], "Ada", model_hash=MODEL).faces == 0

    @pytest.mark.parametrize(
        ("face_id", "words"),
        [
            ("nobody", "there is no face nobody"),
            (a_face_id(2), "was not good enough"),
            (a_face_id(3), "is enrolled as"),
        ],
    )
    def test_a_face_that_cannot_be_enrolled_changes_nothing(self, history, face_id, words):
        history.record([an_entry(1, [a_seen_face(1), a_seen_face(2, model=None), a_seen_face(3)])])
        bob = history.enrol_seen([a_face_id(3)], "Bob", model_hash=MODEL)

        with pytest.raises(IdentityError, match=words) as refused:
            history.enrol_seen([a_face_id(1), face_id], "Ada", model_hash=MODEL)

        assert face_id in refused.value.what
        assert [one.id for one in history.people.identities()] == [bob.id]
        assert not history.face(a_face_id(1)).enrolled

    def test_a_face_of_another_model_is_embedded_first(self, history):
        history.record([an_entry(1, [a_seen_face(1)])])
        ((face_id, chip),) = history.chips_to_embed([a_face_id(1), "nobody"], OTHER_MODEL)
        assert (chip == random_chip(1)).all()
        with pytest.raises(IdentityError, match="not good enough"):
            history.enrol_seen([face_id], "Ada", model_hash=OTHER_MODEL)

        history.add_embeddings_to_seen(OTHER_MODEL, [(face_id, random_unit(5)), ("nobody", random_unit(6))])

        assert history.chips_to_embed([face_id], OTHER_MODEL) == []
        ada = history.enrol_seen([face_id], "Ada", model_hash=OTHER_MODEL)
        assert (history.people.faces_of(ada.id, OTHER_MODEL)[0].embedding == random_unit(5)).all()
        assert len(history.people.faces_of(ada.id, MODEL)) == 1

    def test_pictures_go_straight_into_a_person_and_keep_where_the_face_was(self, history):
        bob = history.people.add_identity("Bob", [a_new_face(9)])

        changed = history.add_pictures(bob.id, [(a_new_face(1, chip=True), a_seen_face(1, feed_id=None))])

        assert changed.faces == 2
        kept = history.face(a_face_id(1))
        assert (kept.enrolled, kept.identity_id, kept.source, kept.job_id) == (
            True,
            bob.id,
            "portrait.jpg",
            None,
        )
        assert kept.box is not None
        assert (history.chip(a_face_id(1)) == random_chip(1)).all()


class TestChange:
    @pytest.fixture
    def ada(self, history):
        history.record([an_entry(1, [a_seen_face(1), a_seen_face(2)])])
        return history.enrol_seen([a_face_id(1)], "Ada", "a1", model_hash=MODEL)

    def test_names_faces_and_customid_change_in_one_step(self, history, ada):
        revision = history.people.ledger.revision

        changed = history.change_identity(
            ada.id, name="Eileen", custom_id=None, add=[a_face_id(2)], remove=[a_face_id(1)], model_hash=MODEL
        )

        assert (changed.name, changed.custom_id, changed.faces) == ("Eileen", None, 1)
        assert history.people.ledger.revision == revision + 1
        left = history.face(a_face_id(1))
        assert (left.enrolled, left.identity_id, left.models, left.has_chip) == (False, None, (MODEL,), True)
        assert [face.id for face in history.faces_of_identity(ada.id)] == [a_face_id(2)]

    def test_a_face_that_was_taken_out_can_be_put_elsewhere(self, history, ada):
        history.change_identity(ada.id, add=[a_face_id(2)], remove=[a_face_id(1)], model_hash=MODEL)

        bob = history.enrol_seen([a_face_id(1)], "Bob", model_hash=MODEL)

        assert (history.people.faces_of(bob.id, MODEL)[0].chip == random_chip(1)).all()

    def test_what_is_left_out_stays_and_what_is_there_already_is_no_trouble(self, history, ada):
        changed = history.change_identity(ada.id, add=[a_face_id(1)], model_hash=MODEL)

        assert (changed.name, changed.custom_id, changed.faces) == ("Ada", "a1", 1)

    def test_one_bad_wish_undoes_all(self, history, ada):
        bob = history.people.add_identity("Bob", [a_new_face(9)], custom_id="b1")
        for wish in (
            {"custom_id": "b1"},
            {"add": [a_face_id(2), "nobody"]},
            {"remove": [a_face_id(2)]},
            {"remove": [history.faces_of_identity(bob.id)[0].id]},
            {"add": [a_face_id(1)], "remove": [a_face_id(1)]},
            {"name": "two\nlines"},
        ):
            with pytest.raises(IdentityError):
                history.change_identity(ada.id, **({"name": "Eve"} | wish), model_hash=MODEL)
            assert history.people.get(ada.id) == ada

    def test_a_face_that_was_seen_in_no_job_is_deleted_with_every_snapshot_of_it(self, history, ada):
        history.people.add_faces(ada.id, [a_new_face(7, chip=True)])
        history.people.snapshots.take(history.people.connection, START_UTC_MS)
        (filed,) = (face for face in history.faces_of_identity(ada.id) if face.box is None)

        history.change_identity(ada.id, remove=[filed.id], model_hash=MODEL)

        assert history.face(filed.id) is None
        (snapshot,) = history.people.snapshots.newest_first()
        assert random_unit(7).tobytes() not in snapshot.path.read_bytes()


class TestMerge:
    def test_faces_and_jobs_of_the_merged_are_the_others(self, history):
        history.record([an_entry(1, [a_seen_face(1)])])
        ada = history.people.add_identity("Ada", [a_new_face(8)])
        twin = history.enrol_seen([a_face_id(1)], "Twin", model_hash=MODEL)
        seen = a_seen_face(2, identity_id=twin.id)
        history.record([an_entry(2, [seen], name="Twin", pictures=True)])

        merged = history.merge(ada.id, [twin.id])

        assert (merged.id, merged.faces) == (ada.id, 2)
        assert history.identity(twin.id) is None
        assert people_in(history, 2) == [ada.id]
        assert b"Twin" not in history.job(a_job_id(2))
        assert {history.face(a_face_id(n)).identity_id for n in (1, 2)} == {ada.id}
        assert history.picture(an_image_id(2)) is not None
        change = history.people.changes_since(2, MODEL)
        assert twin.id in change.removed

        history.record([an_entry(3, [a_seen_face(3, identity_id=twin.id)], name="Twin")])
        assert people_in(history, 3) == [ada.id], "a late telling is of the other too"
        assert history.face(a_face_id(3)).identity_id == ada.id

    def test_whoever_the_merged_went_to_takes_all_of_it_along(self, history):
        one, two, three = (history.people.add_identity(str(n), [a_new_face(n)]) for n in range(3))
        history.record([an_entry(1, [a_seen_face(1, identity_id=one.id)])])
        history.merge(two.id, [one.id])
        history.merge(three.id, [two.id])
        history.record([an_entry(2, [a_seen_face(2, identity_id=one.id)])])
        assert people_in(history, 2) == [three.id]

        history.people.remove([three.id])

        history.record([an_entry(3, [a_seen_face(3, identity_id=one.id)])])
        assert (faces_in(history, 1), faces_in(history, 2), faces_in(history, 3)) == ([], [], [])
        assert history.faces(Search()) == []

    def test_nobody_is_merged_into_themselves_or_with_nobody(self, history):
        ada = history.people.add_identity("Ada", [a_new_face(8)])
        for ids in ([ada.id], ["nobody"]):
            with pytest.raises(IdentityError):
                history.merge(ada.id, ids)
        assert history.people.get(ada.id) == ada


class TestErasing:
    def test_of_a_removed_person_nothing_is_left_and_of_others_everything(self, history):
        ada, bob = (history.people.add_identity(name, [a_new_face(90 + n)]) for n, name in enumerate("AB"))
        hers = a_seen_face(1, identity_id=ada.id)
        his = a_seen_face(2, identity_id=bob.id)
        nobodys = a_seen_face(3)
        both = [a_seen_face(4, identity_id=ada.id), a_seen_face(5, image_id=an_image_id(4))]
        history.record([an_entry(1, [hers, his, nobodys], pictures=True), an_entry(2, both, pictures=True)])

        history.people.remove([ada.id])

        assert faces_in(history, 1) == [his.id, nobodys.id]
        assert faces_in(history, 2) == [a_face_id(5)]
        assert {face.id for face in history.faces(Search(feed_ids=("door",)))} == {
            *(his.id, nobodys.id),
            a_face_id(5),
        }
        assert history.picture(an_image_id(1)) is None
        assert history.picture(an_image_id(4)) is None, "she is in it, whoever else is"
        assert history.picture(an_image_id(2)) is not None

    def test_their_bytes_are_gone_from_every_file(self, tmp_path):
        data_dir = tmp_path / "data"
        with a_store(data_dir) as store:
            history = HistoryStore(store)
            ada = store.add_identity("Ada", [a_new_face(90)])
            face = a_seen_face(1, identity_id=ada.id)
            history.record([an_entry(1, [face], pictures=True, name="Ada Lovelace")])
            store.empty_log()
        traces = [face.embedding.tobytes(), b"a picture", b"Ada Lovelace", face.id.encode()]
        before = raw_bytes(data_dir)
        assert all(trace in before for trace in traces)

        with a_store(data_dir, seed="later") as store:
            store.remove([ada.id])

        after = raw_bytes(data_dir)
        assert [trace for trace in traces if trace in after] == []

    def test_an_enrolled_faces_track_is_theirs_also_where_nobody_was_recognised(self, history):
        track = a_track_of(1)
        history.record([an_entry(1, [a_seen_face(1), a_seen_face(2, track_id=track)], pictures=True)])
        ada = history.enrol_seen([a_face_id(1)], "Ada", model_hash=MODEL)

        history.people.remove([ada.id])

        assert faces_in(history) == []
        assert history.faces(Search()) == []
        assert history.picture(an_image_id(2)) is None

    def test_what_says_somebody_else_stays_theirs(self, history):
        ada, bob = (history.people.add_identity(name, [a_new_face(90 + n)]) for n, name in enumerate("AB"))
        track = a_track_of(1)
        history.record([an_entry(1, [a_seen_face(1, identity_id=ada.id)])])
        corrected = a_seen_face(1, identity_id=bob.id), a_seen_face(2, identity_id=bob.id, track_id=track)
        history.record([an_entry(1, corrected, sequence=2)])

        history.people.remove([ada.id])

        assert people_in(history) == [bob.id, bob.id]
        assert history.face(a_face_id(1)).identity_id == bob.id

    def test_a_face_of_the_track_that_was_enrolled_as_somebody_else_stays(self, history):
        track = a_track_of(1)
        history.record([an_entry(1, [a_seen_face(1), a_seen_face(2, track_id=track)])])
        ada = history.enrol_seen([a_face_id(1)], "Ada", model_hash=MODEL)
        bob = history.enrol_seen([a_face_id(2)], "Bob", model_hash=MODEL)

        history.people.remove([ada.id])

        assert history.people.get(bob.id).faces == 1
        history.people.add_faces(bob.id, [a_new_face(9)])
        history.change_identity(bob.id, remove=[a_face_id(2)], model_hash=MODEL)
        assert history.face(a_face_id(2)) is None, "it is nobody's now, of a track that was Ada's"

    def test_a_late_telling_brings_nobody_back(self, history):
        ada = history.people.add_identity("Ada", [a_new_face(90)])
        known = a_seen_face(1, identity_id=ada.id)
        history.record([an_entry(1, [known], pictures=True)])
        history.people.remove([ada.id])

        history.record([an_entry(1, [known], sequence=2, pictures=True)])
        unknown_by_now = a_seen_face(1), a_seen_face(2, track_id=a_track_of(1))
        history.record([an_entry(1, unknown_by_now, sequence=3, pictures=True)])

        assert faces_in(history) == []
        assert history.faces(Search()) == []
        assert history.picture(an_image_id(1)) is None
        assert history.picture(an_image_id(2)) is None

    def test_a_first_telling_that_comes_late_brings_nobody_back_either(self, history):
        ada = history.people.add_identity("Ada", [a_new_face(90)])
        history.people.remove([ada.id])

        history.record([an_entry(1, [a_seen_face(1, identity_id=ada.id)], pictures=True)])
        history.record([an_entry(1, [a_seen_face(1)], sequence=2)])

        assert faces_in(history) == []
        assert history.faces(Search()) == []

    @pytest.mark.parametrize("body", [b"\0", b'{"images":[{"id":"i","objects":[1]}]}'])
    def test_a_job_that_cannot_be_read_goes_as_a_whole(self, history, body):
        ada = history.people.add_identity("Ada", [a_new_face(90)])
        history.record([an_entry(1, [a_seen_face(1, identity_id=ada.id)])])
        history.people.connection.execute("UPDATE job SET body = ?", (body,))

        history.people.remove([ada.id])

        assert history.job(a_job_id(1)) is None


class TestGroups:
    @pytest.fixture
    def grouped(self, tmp_path, history, key):
        """Two tracks of an unknown person; what jobs say of them, and of a third that is forgotten by now."""
        records = GroupRecords(tmp_path, ["home"], Groups(), HandClock(), Ids("daemon"), key=key)
        records.record(
            [
                ("home", a_grouped_track(1, 7, chips=True)),
                ("home", a_grouped_track(2, 7, group=GROUP, seen_before=1)),
            ]
        )
        records.close()
        tracks = [a_group_track_id(1), a_group_track_id(2), a_track_of(3)]
        faces = [a_seen_face(n, track_id=track) for n, track in enumerate(tracks, 1)]
        history.record([an_entry(1, faces, group_id=GROUP, pictures=True), an_entry(2, [a_seen_face(9)])])
        return history

    def test_forgetting_one_erases_its_persons_history(self, grouped):
        groups = GroupStore(grouped.people)

        groups.forget(groups.groups())

        assert faces_in(grouped, 1) == []
        assert [face.id for face in grouped.faces(Search())] == [a_face_id(9)]
        assert grouped.picture(an_image_id(3)) is None

    def test_one_that_was_merged_into_another_is_forgotten_with_it(self, tmp_path, grouped, key):
        records = GroupRecords(tmp_path, ["home"], Groups(), HandClock(), Ids("other"), key=key)
        records.record([("home", a_grouped_track(5, 8))])
        records.close()
        groups = GroupStore(grouped.people)
        other = groups.find(founded_id(a_group_track_id(5), ()))
        merged = groups.merge([other, groups.find(GROUP)])

        groups.forget([merged])

        assert faces_in(grouped, 1) == []

    def test_what_was_split_off_is_not_forgotten_with_the_rest(self, grouped):
        groups = GroupStore(grouped.people)
        groups.split_off(groups.find(GROUP), [a_group_track_id(2)])

        groups.forget([groups.find(GROUP)])

        assert faces_in(grouped, 1) == [a_face_id(2)]

    def test_naming_one_makes_its_history_the_persons(self, grouped):
        groups = GroupStore(grouped.people)
        group = groups.find(GROUP)
        ada = groups.enrol(group, [groups.faces_of(group)[0].number], name="Ada")
        assert {grouped.face(a_face_id(n)).identity_id for n in (1, 2, 3)} == {ada.id}

        grouped.people.remove([ada.id])

        assert faces_in(grouped, 1) == []
        assert [face.id for face in grouped.faces(Search())] == [a_face_id(9)]

    def test_removing_somebody_takes_their_tracks_out_of_groups(self, grouped):
        grouped_store = GroupStore(grouped.people)
        ada = grouped.enrol_seen([a_face_id(1)], "Ada", model_hash=MODEL)

        grouped.people.remove([ada.id])

        (left,) = grouped_store.groups()
        assert left.tracks == 1
        change = grouped_store.changes_since(0, MODEL)
        assert change.lost == (a_group_track_id(1),)
        assert [len(one.tracks) for one in change.changed] == [1]

    def test_a_group_of_nobody_else_is_gone_with_them(self, grouped):
        ada = grouped.enrol_seen([a_face_id(1), a_face_id(2)], "Ada", model_hash=MODEL)

        grouped.people.remove([ada.id])

        assert GroupStore(grouped.people).groups() == []


def test_a_snapshot_holds_who_is_enrolled_and_no_history(history):
    history.record([an_entry(1, [a_seen_face(1), a_seen_face(2)], pictures=True)])
    ada = history.enrol_seen([a_face_id(1)], "Ada", model_hash=MODEL)

    path = history.people.snapshots.take(history.people.connection, START_UTC_MS)

    with NamespaceStore.open(path, HandClock(), Ids(), read_only=True) as copy:
        kept = HistoryStore(copy)
        assert [face.id for face in kept.faces_of_identity(ada.id)] == [a_face_id(1)]
        assert kept.jobs(Search()) == []
        assert kept.face(a_face_id(2)) is None
    content = path.read_bytes()
    assert random_unit(2).tobytes() not in content
    assert b"a picture" not in content
