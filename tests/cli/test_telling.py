import msgspec

from edged.cli.telling import Teller
from edged.domain.event import Event, EventType
from edged.domain.message import Message, MessageKind

START_MS = 1_700_000_000_000


def an_event(
    kind: EventType,
    at_s: float,
    name: str | None = None,
    track: str = "track-1",
    confidence: float | None = None,
) -> Message:
    event = Event(
        id=f"event-{at_s}",
        type=kind,
        namespace="home",
        feed_id="porch",
        device="demo",
        job_id="job-1",
        track_id=track,
        identity_id=None if name is None else f"id of {name}",
        name=name,
        confidence=confidence,
        at=START_MS + int(at_s * 1000),
        age_ms=0,
    )
    return a_message(MessageKind.EVENT, msgspec.json.encode(event))


def a_message(kind: MessageKind, body: bytes = b"{}", *, is_final: bool = True) -> Message:
    return Message(kind, "home", "porch", "subject", 1, is_final, body, START_MS)


def told(*messages: Message) -> list[str]:
    lines: list[str] = []
    teller = Teller(START_MS, lines.append)
    for message in messages:
        teller.hear(message)
    return [*lines, teller.summary()]


def test_a_known_person_is_told_by_name_and_certainty() -> None:
    came = an_event(EventType.KNOWN, 4.2, "Eileen Collins", confidence=0.9712)
    assert told(came)[0] == "0:04  Eileen Collins came (97 %)"


def test_an_unknown_person_is_told_without_a_certainty() -> None:
    assert told(an_event(EventType.UNKNOWN, 13.9, confidence=0.93))[0] == "0:13  somebody unknown came"


def test_leaving_is_told_with_the_same_words_for_the_person() -> None:
    lines = told(an_event(EventType.LEFT, 65, "Eileen Collins"), an_event(EventType.LEFT, 66))
    assert lines[:2] == ["1:05  Eileen Collins left", "1:06  somebody unknown left"]


def test_a_stranger_who_is_recognised_later_is_one_visit_of_the_known_person() -> None:
    lines = told(
        an_event(EventType.UNKNOWN, 1), an_event(EventType.KNOWN, 2, "Eileen Collins", confidence=0.9)
    )
    assert lines == [
        "0:01  somebody unknown came",
        "0:02  somebody unknown turns out to be Eileen Collins (90 %)",
        "Eileen Collins came once; 0 jobs",
    ]


def test_a_time_before_the_start_is_told_as_the_start() -> None:
    assert told(an_event(EventType.UNKNOWN, -0.5))[0] == "0:00  somebody unknown came"


def test_the_summary_counts_visits_and_final_jobs() -> None:
    lines = told(
        an_event(EventType.KNOWN, 1, "Eileen Collins"),
        a_message(MessageKind.JOB, is_final=False),
        a_message(MessageKind.JOB),
        an_event(EventType.UNKNOWN, 9, track="track-2"),
        a_message(MessageKind.JOB),
        an_event(EventType.KNOWN, 20, "Eileen Collins", track="track-3"),
        a_message(MessageKind.PRESENCE),
    )
    assert lines[-1] == "Eileen Collins came twice, somebody unknown came once; 2 jobs"


def test_an_empty_scene_is_summed_up_too() -> None:
    assert told() == ["nobody came; 0 jobs"]
