import json

import msgspec

from edged.domain.event import Presence
from edged.domain.feed_state import FeedState


def a_state(**changes):
    values = {
        "feed_id": "hall",
        "namespace": "home",
        "device": "porch",
        "capturing": True,
        "state": "capturing",
    }
    values |= {"fps": 10.0, "frames": 1, "dropped": 0, "reconnections": 0, "at": 0}
    return FeedState(**(values | changes))


def test_what_is_empty_is_absent_and_the_schema_is_always_there():
    written = json.loads(msgspec.json.encode(a_state()))

    assert {"detail", "faults", "rejected", "lastFrameAgeMs"}.isdisjoint(written)
    assert written["schema"] == 1
    assert written["feedId"] == "hall"


def test_what_is_there_is_spelled_in_camel_case():
    written = json.loads(msgspec.json.encode(a_state(last_frame_age_ms=40, faults={"silent": 2})))

    assert written["lastFrameAgeMs"] == 40
    assert written["faults"] == {"silent": 2}


def test_nobody_present_is_written_as_an_empty_list():
    nobody = Presence(feed_id="hall", namespace="home", device="porch", persons=(), at=0)

    assert json.loads(msgspec.json.encode(nobody))["persons"] == []
