from edged.delivery.route import Route
from edged.delivery.settlement import Retry, Settlement
from edged.domain.message import Message, MessageKind
from edged.domain.moment import Moment
from edged.store.outbox import Outbox

START = Moment(steady_ms=1_000_000, utc_ms=1_800_000_000_000)


def a_job(job: str) -> Message:
    return Message(
        kind=MessageKind.JOB,
        namespace="home",
        feed_id="hall",
        subject_id=job,
        sequence=1,
        is_final=True,
        is_replay=False,
        body=b"{}",
        at_ms=START.utc_ms,
    )


def test_what_waits_what_is_tried_again_and_what_is_dead_are_counted_apart(tmp_path):
    outbox = Outbox(tmp_path, [Route(sink, frozenset(MessageKind)) for sink in ("s", "t")])
    outbox.begin(START, "boot")
    for job in ("a", "b", "c"):
        outbox.commit([a_job(job)], START)
    first, second, _ = outbox.claim("s", 3, START, 60)
    outbox.settle("s", Settlement(retried=(Retry(first.id, 0, True, "busy"),)), START)
    outbox.settle("s", Settlement(buried=((second.id, "no"),)), START)

    sinks = outbox.status(START).sinks
    outbox.close()

    assert {one.sink: (one.waiting, one.retrying, one.last_reason, one.dead) for one in sinks} == {
        "s": (2, 1, "busy", 1),
        "t": (3, 0, "", 0),
    }
