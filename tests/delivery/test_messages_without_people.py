"""Taking people out of messages that wait."""

import json
import uuid

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.delivery.redaction import mentions, redacted, tracks_in
from edged.domain.event import Event, EventType, Presence, PresentPerson
from edged.domain.job import (
    FaceEdge,
    ImageStatus,
    Job,
    JobEdge,
    JobImage,
    JobObject,
    JobStatus,
    Verdict,
    WireBox,
)
from edged.domain.message import MessageKind

PEOPLE = [str(uuid.UUID(int=number)) for number in range(1, 5)]
TRACKS = [f"track-{number}" for number in range(1, 6)]
BOX = WireBox(x_min=0.1, y_min=0.2, x_max=0.3, y_max=0.4)

people = st.sampled_from(PEOPLE)
tracks = st.sampled_from(TRACKS)


@st.composite
def objects(draw):
    identity_id = draw(st.none() | people)
    is_known = identity_id is not None
    return JobObject(
        identity_id=identity_id,
        confidence=draw(st.floats(0, 1)),
        created_at=draw(st.integers(0, 2**41)),
        bounding_box=BOX,
        edge=FaceEdge(
            face_id=draw(st.uuids()).hex,
            track_id=draw(tracks),
            decision=Verdict.KNOWN if is_known else Verdict.UNKNOWN,
            name=draw(st.text(max_size=8)) if is_known else None,
            similarity=draw(st.none() | st.floats(-1, 1)),
        ),
    )


@st.composite
def jobs(draw):
    images = draw(st.lists(st.lists(objects(), max_size=4), max_size=4))
    return Job(
        id="job-1",
        created_at=1,
        status=draw(st.sampled_from(JobStatus)),
        feed_id="door",
        images=tuple(
            JobImage(
                id=f"image-{number}",
                url=f"edged://porch/door/image-{number}",
                status=ImageStatus.COMPLETED_SUCCESSFULLY,
                objects=tuple(of_image),
            )
            for number, of_image in enumerate(images)
        ),
        edge=JobEdge(
            namespace="home", device="porch", sequence=3, origin="camera", updated_at=2, delayed_ms=0
        ),
    )


def is_theirs(one: JobObject, gone: set[str], their_tracks: set[str]) -> bool:
    if one.identity_id is not None:
        return one.identity_id in gone
    return one.edge.track_id in their_tracks


@given(jobs(), st.sets(people), st.sets(tracks))
def test_a_job_stays_a_job_with_everything_of_all_others_and_nothing_of_theirs(job, gone, their_tracks):
    body = msgspec.json.encode(job)

    changed = redacted(MessageKind.JOB, body, gone, their_tracks)

    expected = msgspec.structs.replace(
        job,
        images=tuple(
            msgspec.structs.replace(
                image, objects=tuple(one for one in image.objects if not is_theirs(one, gone, their_tracks))
            )
            for image in job.images
        ),
    )
    if expected == job:
        assert changed is None
    else:
        assert msgspec.json.decode(changed, type=Job) == expected
        assert not mentions(changed, gone)


@given(jobs(), st.sets(people), st.sets(tracks))
def test_doing_it_twice_changes_nothing_more(job, gone, their_tracks):
    once = redacted(MessageKind.JOB, msgspec.json.encode(job), gone, their_tracks)

    assert once is None or redacted(MessageKind.JOB, once, gone, their_tracks) is None


@given(jobs(), st.sets(people))
def test_the_tracks_of_a_person_are_those_that_say_them(job, gone):
    said = {one.edge.track_id for image in job.images for one in image.objects if one.identity_id in gone}

    assert tracks_in(MessageKind.JOB, msgspec.json.encode(job), gone) == said


def an_event(kind: EventType = EventType.KNOWN, **values) -> Event:
    asked = {"identity_id": PEOPLE[0], "name": "Ada", "confidence": 0.9} | values
    return Event(
        id="event-1",
        type=kind,
        namespace="home",
        feed_id="door",
        device="porch",
        job_id="job-1",
        track_id="track-1",
        at=5,
        age_ms=0,
        **asked,
    )


@pytest.mark.parametrize("kind", [EventType.KNOWN, EventType.LEFT, EventType.DELAYED])
def test_an_event_loses_who_it_is_about_and_nothing_else(kind):
    changed = redacted(MessageKind.EVENT, msgspec.json.encode(an_event(kind)), {PEOPLE[0]})

    assert msgspec.json.decode(changed, type=Event) == an_event(
        kind, identity_id=None, name=None, confidence=None
    )


def test_the_event_of_somebody_else_stays_as_it_is():
    assert redacted(MessageKind.EVENT, msgspec.json.encode(an_event()), {PEOPLE[1]}) is None


def test_a_presence_loses_the_person_and_keeps_the_others_in_their_order():
    persons = [PresentPerson(track_id=f"t{one}", identity_id=PEOPLE[one], since=one) for one in range(3)]
    stranger = PresentPerson(track_id="t9", since=9)
    presence = Presence(feed_id="door", namespace="home", device="porch", persons=(*persons, stranger), at=7)

    changed = redacted(MessageKind.PRESENCE, msgspec.json.encode(presence), {PEOPLE[1]})

    assert msgspec.json.decode(changed, type=Presence).persons == (persons[0], persons[2], stranger)


def test_a_field_of_another_version_is_kept():
    job = {
        "images": [{"id": "i", "objects": [{"identityId": PEOPLE[0], "edge": {}}], "new": 1}],
        "later": [2],
    }

    changed = redacted(MessageKind.JOB, json.dumps(job).encode(), {PEOPLE[0]})

    assert json.loads(changed) == {"images": [{"id": "i", "objects": [], "new": 1}], "later": [2]}


@pytest.mark.parametrize("body", [b"no json", b"[]", b'{"images": 3}', b'{"images": [{"objects": [1]}]}'])
def test_what_is_no_job_is_refused(body):
    with pytest.raises(ValueError, match=r".+"):
        redacted(MessageKind.JOB, body, {PEOPLE[0]})
