import json

import pytest

from edged.delivery.age import KNOWN_TIME_MS
from edged.delivery.lateness import body_to_send
from edged.delivery.parcel import Parcel
from edged.domain.message import Message, MessageKind
from edged.domain.moment import Moment

JOB, EVENT, PRESENCE = MessageKind
COMMIT = Moment(steady_ms=10_000, utc_ms=1_790_000_000_000)
JOB_BODY = b'{"id":"a","status":"IN_PROGRESS","images":[],"edge":{"delayedMs":0,"unknownToUs":[1.5]}}'
EVENT_BODY = b'{"id":"e","type":"known","jobId":"a","ageMs":0}'


def a_parcel(kind=JOB, body=JOB_BODY, *, at_ms=COMMIT.utc_ms, is_replay=False, steady=True):
    message = Message(
        kind, "home", "door", "a", 1, is_final=True, body=body, at_ms=at_ms, is_replay=is_replay
    )
    return Parcel(1, message, COMMIT.utc_ms, COMMIT.steady_ms if steady else None)


def test_a_job_that_waited_less_than_a_second_is_sent_byte_for_byte():
    assert body_to_send(a_parcel(), COMMIT.plus_ms(999), 30_000) == JOB_BODY


def test_a_job_that_waited_longer_says_how_long_and_nothing_else_changes():
    sent = body_to_send(a_parcel(), COMMIT.plus_ms(1500), 30_000)
    assert sent == JOB_BODY.replace(b'"delayedMs":0', b'"delayedMs":1500')


def test_an_event_says_how_old_it_is():
    parcel = a_parcel(EVENT, EVENT_BODY, at_ms=COMMIT.utc_ms - 40)
    assert json.loads(body_to_send(parcel, COMMIT.plus_ms(60), 30_000)) == {
        "id": "e",
        "type": "known",
        "jobId": "a",
        "ageMs": 100,
    }


def test_an_event_that_is_too_old_is_delayed_and_keeps_what_it_was():
    parcel = a_parcel(EVENT, EVENT_BODY)
    kept = json.loads(body_to_send(parcel, COMMIT.plus_ms(30_000), 30_000))
    late = json.loads(body_to_send(parcel, COMMIT.plus_ms(30_001), 30_000))
    assert kept["type"] == "known"
    assert list(late) == ["id", "type", "was", "jobId", "ageMs"]
    assert (late["type"], late["was"], late["ageMs"]) == ("delayed", "known", 30_001)


def test_time_that_an_event_waited_for_its_commit_counts():
    parcel = a_parcel(EVENT, EVENT_BODY, at_ms=COMMIT.utc_ms - 60_000)
    assert json.loads(body_to_send(parcel, COMMIT, 30_000))["type"] == "delayed"


def test_a_sink_without_a_greatest_age_is_told_the_age_and_what_it_was():
    late = json.loads(body_to_send(a_parcel(EVENT, EVENT_BODY), COMMIT.plus_ms(10**9), None))
    assert (late["type"], late["ageMs"]) == ("known", 10**9)


def test_an_event_from_before_a_new_start_of_the_machine_is_delayed_whatever_the_wall_clock_says():
    parcel = a_parcel(EVENT, EVENT_BODY, steady=False)
    # A machine without a clock chip comes back with the time of its last shutdown.
    for utc_ms in (COMMIT.utc_ms, COMMIT.utc_ms - 5000, 0):
        late = json.loads(body_to_send(parcel, Moment(50, utc_ms), 30_000))
        assert (late["type"], late["ageMs"]) == ("delayed", 30_001)


def test_a_wall_clock_that_jumps_forward_makes_an_event_look_old_and_never_young():
    parcel = a_parcel(EVENT, EVENT_BODY)
    jumped = Moment(COMMIT.steady_ms + 10, COMMIT.utc_ms + 3_600_000)
    assert json.loads(body_to_send(parcel, jumped, 30_000))["type"] == "delayed"
    back = Moment(COMMIT.steady_ms + 31_000, COMMIT.utc_ms - 3_600_000)
    assert json.loads(body_to_send(parcel, back, 30_000))["ageMs"] == 31_000


def test_a_jump_of_the_wall_clock_does_not_make_a_job_late():
    assert body_to_send(a_parcel(), Moment(COMMIT.steady_ms + 10, COMMIT.utc_ms + 10**10), 30_000) == JOB_BODY


def test_a_job_from_before_a_new_start_of_the_machine_goes_by_the_wall_clock_where_that_is_believable():
    parcel = a_parcel(steady=False)
    later = Moment(50, COMMIT.utc_ms + 7000)
    assert json.loads(body_to_send(parcel, later, 30_000))["edge"]["delayedMs"] == 7000
    assert body_to_send(parcel, Moment(50, KNOWN_TIME_MS - 1), 30_000) == JOB_BODY


@pytest.mark.parametrize("kind", list(MessageKind))
def test_a_replay_is_never_late(kind):
    parcel = a_parcel(kind, EVENT_BODY, at_ms=946_684_800_000, is_replay=True)
    assert body_to_send(parcel, COMMIT.plus_ms(10**9), 1000) == EVENT_BODY


def test_a_presence_is_the_state_whenever_it_comes():
    assert (
        body_to_send(a_parcel(PRESENCE, b'{"persons":[]}'), COMMIT.plus_ms(10**9), 1000) == b'{"persons":[]}'
    )


@pytest.mark.parametrize("body", [b"not json", b"[1]", b"{}", b'{"edge":3}'])
def test_what_is_no_job_is_sent_as_it_is(body):
    assert body_to_send(a_parcel(JOB, body), COMMIT.plus_ms(5000), 1000) == body
    if body in {b"not json", b"[1]", b"{}"}:
        assert body_to_send(a_parcel(EVENT, body), COMMIT.plus_ms(5000), 1000) == body


@pytest.mark.parametrize("what", ["known", "unknown", "left"])
@pytest.mark.parametrize("steady", [True, False], ids=["waited", "from before a restart of the machine"])
def test_whatever_somebody_did_too_long_ago_is_delayed(what: str, *, steady: bool):
    body = EVENT_BODY.replace(b"known", what.encode())
    now = COMMIT.plus_ms(30_001) if steady else Moment(5, COMMIT.utc_ms)

    sent = json.loads(body_to_send(a_parcel(EVENT, body, steady=steady), now, 30_000))

    assert (sent["type"], sent["was"]) == ("delayed", what)
    assert sent["ageMs"] > 30_000
