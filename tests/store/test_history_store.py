"""The history on the disk: what is written down of jobs, and how the API finds it again."""

import dataclasses
import re

import msgspec
import pytest

from builders.groups import a_grouped_track
from builders.groups import a_track_id as a_group_track_id
from builders.history import (
    BOX,
    a_face_id,
    a_job_id,
    a_picture,
    a_seen_face,
    a_track_of,
    an_entry,
    an_image_id,
)
from builders.namespaces import MODEL, OTHER_MODEL, START_UTC_MS, HandClock, Ids, a_new_face, random_chip
from edged.api.requests import Search
from edged.domain.job import Job, WireBox
from edged.recognition.grouping import founded_id
from edged.settings.groups import Groups
from edged.store import history_queries as queries
from edged.store.fsck import fsck
from edged.store.group_records import GroupRecords
from edged.store.history_search import found
from edged.store.history_store import HistoryStore


@pytest.fixture
def history(store):
    yield HistoryStore(store)
    assert fsck(store.path) == []


def decoded(body):
    return msgspec.json.decode(body, type=Job)


def ids(found):
    return [one.id for one in found]


def job_ids(bodies):
    return [decoded(body).id for body in bodies]


def test_a_job_is_kept_as_it_was_told_with_its_faces_chips_and_pictures(history):
    face = a_seen_face(1, custom_id="left")
    entry = an_entry(1, [face], pictures=True)

    history.record([entry])

    assert decoded(history.job(a_job_id(1))) == entry.job
    kept = history.face(face.id)
    assert (kept.box, kept.detection_score, kept.width_px, kept.height_px) == (BOX, 0.9, 320, 360)
    assert (kept.quality, kept.is_frontal, kept.sharpness) == (0.8, True, 0.7)
    assert (kept.feed_id, kept.custom_id, kept.job_id) == ("door", "left", a_job_id(1))
    assert (kept.image_id, kept.track_id, kept.created_ms) == (an_image_id(1), a_track_of(1), START_UTC_MS)
    assert (kept.enrolled, kept.identity_id, kept.source, kept.group_id) == (False, None, None, None)
    assert kept.has_embedding(MODEL)
    assert not kept.has_embedding(OTHER_MODEL)
    assert (history.chip(face.id) == random_chip(1)).all()
    assert history.picture(an_image_id(1)) == a_picture(face).jpeg


def test_what_was_never_told_is_not_there(history):
    assert history.job("nobody") is None
    assert history.face("nobody") is None
    assert history.face_png("nobody") is None
    assert history.picture("nobody") is None
    assert history.identity("nobody") is None
    assert history.group("nobody") is None
    assert history.faces_by(["nobody"]) == []


def test_whole_pixels_stay_whole_and_what_nobody_looked_at_is_none(history):
    box = WireBox(x_min=10, y_min=20, x_max=30, y_max=40)
    bare = a_seen_face(1, model=None, chip=False, feed_id=None)
    bare = dataclasses.replace(bare, box=box, quality=None, is_frontal=None, sharpness=None)

    history.record([an_entry(1, [bare], feed_id=None)])

    kept = history.face(bare.id)
    assert msgspec.json.encode(kept.box) == msgspec.json.encode(box)
    assert (kept.quality, kept.is_frontal, kept.sharpness, kept.has_chip, kept.models) == (
        *(None, None, None),
        False,
        (),
    )


def test_a_later_telling_replaces_a_job_and_an_earlier_one_does_not(history):
    history.record([an_entry(1, sequence=2)])
    history.record([an_entry(1, [a_seen_face(1)], sequence=1)])
    assert decoded(history.job(a_job_id(1))).edge.sequence == 2
    assert history.face(a_face_id(1)) is not None, "what is new in a late telling is kept"

    history.record([an_entry(1, sequence=3)])
    assert decoded(history.job(a_job_id(1))).edge.sequence == 3


def test_a_face_told_again_changes_only_in_who_it_is(history):
    ada = history.people.add_identity("Ada", [a_new_face(9)])
    history.record([an_entry(1, [a_seen_face(1)])])

    again = a_seen_face(1, identity_id=ada.id, feed_id="hall", chip=False)
    history.record([an_entry(1, [again], sequence=2)])

    kept = history.face(a_face_id(1))
    assert (kept.identity_id, kept.feed_id, kept.has_chip) == (ada.id, "door", True)


def test_a_face_of_somebody_nobody_here_ever_heard_of_is_of_nobody(history):
    stranger = "5" * 36

    history.record([an_entry(1, [a_seen_face(1, identity_id=stranger)])])

    assert history.face(a_face_id(1)).identity_id is None


def test_writing_history_is_no_change_of_who_is_enrolled(history):
    revision = history.people.ledger.revision

    history.record([an_entry(1, [a_seen_face(1)], pictures=True)])

    assert history.people.ledger.revision == revision


class TestSearch:
    """Every kind of resource is asked for in the same words."""

    @pytest.fixture
    def many(self, history):
        """Ten jobs of one face each, a second apart: two feeds, some without, every third with a customId."""
        for number in range(10):
            feed_id = (None, "door", "hall")[number % 3]
            custom_id = f"c{number}" if number % 3 == 0 else None
            face = a_seen_face(number, feed_id=feed_id, custom_id=custom_id, at_ms=1000 * number, chip=False)
            entry = an_entry(number, [face], feed_id=feed_id, custom_id=custom_id, at_ms=1000 * number)
            history.record([entry])
        return history

    @pytest.mark.parametrize(
        ("search", "numbers"),
        [
            ({}, [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]),
            ({"limit": 2.9}, [9, 8]),
            ({"limit": 2, "offset": 3.5}, [6, 5]),
            ({"limit": 3, "sort_by": "ASC"}, [0, 1, 2]),
            ({"start": START_UTC_MS + 7000.0}, [9, 8]),
            ({"end": START_UTC_MS + 2000.0}, [1, 0]),
            ({"start": START_UTC_MS + 1000.5, "end": START_UTC_MS + 3000.0}, [2]),
            ({"start": 1e300}, []),
            ({"end": -1e300}, []),
            ({"start": float("-inf"), "end": float("inf"), "limit": 1}, [9]),
            ({"feed_ids": ("door",)}, [7, 4, 1]),
            ({"feed_ids": ("door", "hall", "door"), "limit": 3}, [8, 7, 5]),
            ({"feed_ids": ("attic",)}, []),
            ({"feed_ids": ()}, []),
            ({"feed_ids": None}, [9, 6, 3, 0]),
            ({"feed_ids": None, "start": START_UTC_MS + 3000.0}, [9, 6]),
            ({"custom_ids": ("c3", "c9")}, [9, 3]),
            ({"custom_ids": None, "sort_by": "ASC", "limit": 3}, [1, 2, 4]),
            ({"custom_ids": None, "feed_ids": ("hall",)}, [8, 5, 2]),
            ({"custom_ids": ("c3",), "feed_ids": ("hall",)}, []),
            ({"custom_ids": ("c3",), "feed_ids": None}, [3]),
        ],
    )
    def test_jobs_and_faces_are_found_alike(self, many, search, numbers):
        assert job_ids(many.jobs(Search(**search))) == [a_job_id(number) for number in numbers]
        assert ids(many.faces(Search(**search))) == [a_face_id(number) for number in numbers]

    def test_ids_are_met_together_with_everything_else(self, many):
        some = (a_job_id(1), a_job_id(2), a_job_id(9), "nobody")

        assert job_ids(many.jobs(Search(ids=some))) == [a_job_id(9), a_job_id(2), a_job_id(1)]
        assert job_ids(many.jobs(Search(ids=some, feed_ids=("hall",)))) == [a_job_id(2)]
        assert job_ids(many.jobs(Search(ids=some, custom_ids=None, limit=1))) == [a_job_id(2)]
        assert job_ids(many.jobs(Search(ids=some, end=START_UTC_MS + 1500.0))) == [a_job_id(1)]
        assert many.jobs(Search(ids=())) == []

    def test_equal_times_are_told_apart_by_their_ids(self, history):
        history.record([an_entry(number) for number in range(5)])

        down, up = history.jobs(Search()), history.jobs(Search(sort_by="ASC"))

        assert job_ids(down) == sorted((a_job_id(number) for number in range(5)), reverse=True)
        assert up == down[::-1]

    def test_pages_follow_each_other_without_gaps(self, many):
        pages = [many.faces(Search(limit=3, offset=offset, feed_ids=None)) for offset in (0, 3)]

        assert [ids(page) for page in pages] == [
            [a_face_id(9), a_face_id(6), a_face_id(3)],
            [a_face_id(0)],
        ]

    def test_faces_are_seen_ones_and_enrolled_ones_and_one_that_is_both_is_one(self, many):
        filed = many.people.add_identity("Bob", [a_new_face(99, chip=True)])
        ada = many.enrol_seen([a_face_id(4)], "Ada", model_hash=MODEL)

        found = many.faces(Search())
        by_id = {face.id: face for face in found}

        assert len(found) == 11
        assert by_id[a_face_id(4)].enrolled
        assert by_id[a_face_id(4)].identity_id == ada.id
        (portrait,) = (face for face in found if face.source == "portrait.jpg")
        assert (portrait.enrolled, portrait.identity_id, portrait.has_chip) == (True, filed.id, True)
        assert (portrait.box, portrait.feed_id, portrait.job_id, portrait.width_px) == (None,) * 4
        assert portrait.models == (MODEL,)
        assert portrait in many.faces(Search(feed_ids=None))
        assert portrait not in many.faces(Search(feed_ids=("door", "hall")))
        assert many.faces(Search(ids=(portrait.id,))) == [portrait]

    def test_identities_are_found_by_the_feeds_of_their_enrolled_faces(self, many):
        at_door = many.enrol_seen([a_face_id(1), a_face_id(0)], "Ada", "a", model_hash=MODEL)
        at_both = many.enrol_seen([a_face_id(4), a_face_id(2)], "Bob", "b", model_hash=MODEL)
        nowhere = many.people.add_identity("Cleo", [a_new_face(50)])

        def found(**search):
            return {one.name for one in many.identities(Search(**search))}

        assert found() == {"Ada", "Bob", "Cleo"}
        assert found(feed_ids=("door",)) == {"Ada", "Bob"}
        assert found(feed_ids=("hall", "attic")) == {"Bob"}
        assert found(feed_ids=()) == set()
        assert found(feed_ids=None) == {"Cleo"}
        assert found(custom_ids=None) == {"Cleo"}
        assert found(custom_ids=("a", "b"), feed_ids=("hall",)) == {"Bob"}
        assert found(ids=(at_door.id, nowhere.id)) == {"Ada", "Cleo"}
        assert found(limit=1, ids=(at_both.id,)) == {"Bob"}

    def test_groups_are_found_by_the_feeds_of_their_tracks(self, tmp_path, history):
        records = GroupRecords(tmp_path, ["home"], Groups(), HandClock(), Ids("daemon"))
        records.record(
            [
                ("home", a_grouped_track(1, 7, feed_id="door")),
                ("home", a_grouped_track(2, 8, feed_id="hall", at_ms=5000)),
            ]
        )
        records.close()
        door, hall = (founded_id(a_group_track_id(number), ()) for number in (1, 2))

        assert ids(history.groups(Search())) == [hall, door]
        assert ids(history.groups(Search(sort_by="ASC", limit=1))) == [door]
        assert ids(history.groups(Search(feed_ids=("door",)))) == [door]
        assert history.groups(Search(feed_ids=None)) == []
        assert ids(history.groups(Search(custom_ids=None))) == [hall, door]
        assert history.groups(Search(custom_ids=("c",))) == []
        assert ids(history.groups(Search(ids=(hall,)))) == [hall]
        assert history.group(hall).id == hall

    def test_a_group_has_the_faces_seen_in_its_tracks(self, tmp_path, history):
        records = GroupRecords(tmp_path, ["home"], Groups(), HandClock(), Ids("daemon"))
        records.record([("home", a_grouped_track(1, 7))])
        records.close()
        group = history.group(founded_id(a_group_track_id(1), ()))
        track = a_group_track_id(1)
        history.record(
            [
                an_entry(1, [a_seen_face(1, track_id=track), a_seen_face(2, track_id=track, at_ms=5)]),
                an_entry(2, [a_seen_face(3)]),
            ]
        )

        assert ids(history.faces_of_group(group)) == [a_face_id(2), a_face_id(1)]
        assert history.face(a_face_id(1)).group_id == group.id
        assert history.face(a_face_id(3)).group_id is None

    @pytest.mark.parametrize(
        "search",
        [
            {},
            {"start": 1.0, "end": 9e12},
            {"ids": ("x", "y")},
            {"feed_ids": ("door", "hall")},
            {"feed_ids": None},
            {"custom_ids": ("c", "d")},
            {"custom_ids": None},
            {"custom_ids": ("c",), "feed_ids": ("door",), "start": 1.0},
        ],
    )
    @pytest.mark.parametrize("place", [queries.JOBS, queries.SEEN_FACES], ids=lambda place: place.table)
    def test_no_search_walks_a_whole_table_or_sorts_it(self, store, place, search):
        plans = plans_of(store, lambda connection: found(connection, place, Search(**search)))

        assert plans
        for plan in plans:
            assert "USING INDEX" in plan or "USING COVERING INDEX" in plan
            # A hundred ids may be put in order; they are few.
            assert "TEMP B-TREE" not in plan or "ids" in search

    @pytest.mark.parametrize(
        "ask",
        [HistoryStore.jobs, HistoryStore.faces, HistoryStore.identities, HistoryStore.groups],
        ids=lambda ask: ask.__name__,
    )
    def test_the_plain_search_needs_no_sorting(self, store, ask):
        plans = plans_of(store, lambda _: ask(HistoryStore(store), Search()))

        assert plans
        for plan in plans:
            assert "TEMP B-TREE" not in plan
            assert re.search(r"SCAN \w+ USING (COVERING )?INDEX \w+_by_time", plan)


def plans_of(store, act):
    """How SQLite finds the rows of each query that `act` makes with a page's end."""
    asked = []
    store.connection.set_trace_callback(asked.append)
    try:
        act(store.connection)
    finally:
        store.connection.set_trace_callback(None)
    return [
        "\n".join(row[3] for row in store.connection.execute(f"EXPLAIN QUERY PLAN {sql}"))
        for sql in asked
        if "LIMIT" in sql
    ]
