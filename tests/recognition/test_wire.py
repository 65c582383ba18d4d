import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.recognition import UNDECIDED, UNKNOWN, an_identity, an_observation, at, known
from edged.domain.box import Box
from edged.domain.group import Membership
from edged.domain.picture_address import PictureAddresses
from edged.recognition.decision import Decision
from edged.recognition.presence import Patience, PresenceBook
from edged.recognition.sighting import Limits, SightingBook
from edged.recognition.wire import (
    Origin,
    event_message,
    image_id_of,
    job_message,
    job_of,
    presence_message,
    wire_box,
)

ORIGIN = Origin(device="porch", namespace="home", feed_id="front-door", run=1, is_replay=False)
ADA = known(an_identity("Ada"))


def an_update(*observations):
    book = SightingBook(Limits(3000, 600_000, 64, 1000))
    (update,) = book.observe(at(120), 640, 480, observations)
    return update


UNSERVED = PictureAddresses("porch")


def told(update, unit="fractions", addresses=UNSERVED, pictured=()):
    return job_message(ORIGIN, job_of(ORIGIN, update, unit, addresses, pictured))


def body(message):
    return json.loads(message.body)


def test_a_known_face_is_written_as_the_api_writes_it():
    job = body(told(an_update(an_observation(decision=ADA, x=64, y=48, side=96))))

    assert job["status"] == "IN_PROGRESS"
    assert job["createdAt"] == at(120).utc_ms
    assert job["feedId"] == "front-door"
    (image,) = job["images"]
    assert image["url"] == f"edged://porch/front-door/{image['id']}"
    (found,) = image["objects"]
    assert found["identityId"] == ADA.identity.id
    assert found["confidence"] == 0.99
    assert found["boundingBox"] == {"xMin": 0.1, "yMin": 0.1, "xMax": 0.25, "yMax": 0.3}
    assert found["edge"]["decision"] == "known"
    assert found["edge"]["name"] == "Ada"
    assert job["edge"] == {
        "schema": 1,
        "namespace": "home",
        "device": "porch",
        "sequence": 1,
        "origin": "camera",
        "updatedAt": at(120).utc_ms,
        "delayedMs": 0,
    }


def test_a_stranger_has_no_identity_and_the_detectors_score():
    job = body(told(an_update(an_observation(decision=UNKNOWN, score=0.93))))

    (found,) = job["images"][0]["objects"]
    assert "identityId" not in found
    assert found["confidence"] == 0.93
    assert found["edge"]["decision"] == "unknown"


def test_nothing_is_ever_null():
    alone = Decision(ADA.verdict, ADA.identity, 0.98, margin=2.0, confidence=0.99)
    update = an_update(an_observation("a", decision=alone), an_observation("b", decision=UNDECIDED))

    assert b"null" not in told(update).body


def test_pixels_are_whole_numbers_where_they_are_asked_for():
    job = body(told(an_update(an_observation(decision=ADA, x=10.4, y=20.6)), "pixels"))

    box = job["images"][0]["objects"][0]["boundingBox"]
    assert box == {"xMin": 10, "yMin": 21, "xMax": 60, "yMax": 71}
    assert all(isinstance(edge, int) for edge in box.values())


def test_a_picture_that_is_kept_is_called_by_its_address_and_another_is_not():
    update = an_update(an_observation(decision=ADA))
    image_id = image_id_of(ORIGIN.job_id(update.job_number, update.opened), update.views[0])
    served = PictureAddresses("porch", "https://porch.example:8443", keeps_pictures=True)

    (kept,) = body(told(update, addresses=served, pictured={image_id}))["images"]
    (lost,) = body(told(update, addresses=served))["images"]

    assert kept["id"] == image_id
    assert kept["url"] == f"https://porch.example:8443/v2/recognition/pictures/home/{image_id}"
    assert lost["url"] == f"edged://porch/front-door/{image_id}"


edges = st.floats(-1000, 3000)


@given(edges, edges, edges, edges)
def test_a_box_on_the_wire_never_leaves_the_frame(x_min, y_min, x_max, y_max):
    box = wire_box(Box(x_min, y_min, x_max, y_max), 1280, 720, "fractions")

    assert all(0 <= edge <= 1 for edge in (box.x_min, box.y_min, box.x_max, box.y_max))


def test_the_same_sighting_again_makes_the_same_bytes():
    observation = an_observation(decision=ADA)

    assert told(an_update(observation)) == told(an_update(observation))


@pytest.mark.parametrize(
    "change", [{"run": 2}, {"feed_id": "back"}, {"device": "hall"}, {"namespace": "shop"}]
)
def test_another_run_or_feed_never_makes_the_same_id(change):
    values = {name: getattr(ORIGIN, name) for name in Origin.__slots__} | change

    assert Origin(**values).job_id(1, at(0)) != ORIGIN.job_id(1, at(0))


def test_a_new_data_folder_does_not_make_old_ids_again():
    assert ORIGIN.job_id(1, at(0)) != ORIGIN.job_id(1, at(86_400_000))


def test_presence_of_another_run_never_has_the_same_sequence():
    later = Origin(device="porch", namespace="home", feed_id="front-door", run=2, is_replay=False)

    assert presence_message(ORIGIN, (), 1, at(0)).sequence < presence_message(later, (), 1, at(0)).sequence


def test_an_event_names_the_job_and_the_person():
    (came,) = PresenceBook(Patience(0, 3000)).see("job-1", "t1", ADA, at(500))

    event = body(event_message(ORIGIN, came))

    assert event["type"] == "known"
    assert event["jobId"] == "job-1"
    assert event["name"] == "Ada"
    assert event["at"] == at(500).utc_ms
    assert event["ageMs"] == 0


def test_nobody_present_is_an_explicit_empty_list():
    message = presence_message(ORIGIN, (), 1, at(0))

    assert body(message)["persons"] == []
    assert not message.is_final


def test_an_unknown_person_has_their_group_in_job_event_and_presence():
    group = Membership("a-group", 2, at(0).utc_ms)
    job = body(told(an_update(dataclasses.replace(an_observation("t1", UNKNOWN), group=group))))
    book = PresenceBook(Patience(0, 3000))
    (came,) = book.see("job", "t1", UNKNOWN, at(120), group)
    event = body(event_message(ORIGIN, came))
    presence = body(presence_message(ORIGIN, book.persons(), 1, at(120)))

    said = {"groupId": "a-group", "seenBefore": 2, "firstSeenAt": at(0).utc_ms}
    (found,) = job["images"][0]["objects"]
    assert said.items() <= found["edge"].items()
    assert said.items() <= event.items()
    assert presence["persons"][0]["groupId"] == "a-group"


def test_a_first_visit_says_that_there_was_none_before():
    group = Membership("a-group", 0, at(0).utc_ms)
    observation = dataclasses.replace(an_observation("t1", UNKNOWN), group=group)
    job = body(told(an_update(observation)))

    assert job["images"][0]["objects"][0]["edge"]["seenBefore"] == 0


def test_known_people_and_strangers_without_a_group_have_none():
    job = body(told(an_update(an_observation("t1", ADA), an_observation("t2", UNKNOWN))))

    for found in job["images"][0]["objects"]:
        assert not {"groupId", "seenBefore", "firstSeenAt"} & set(found["edge"])
