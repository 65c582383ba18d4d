import base64
import json
import logging
import random
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
import trustme

from bench.mosquitto import eventually, free_port
from bench.webhook_receiver import CLOSE, DRIP, GARBAGE, HANG, SECRET, Reply, WebhookReceiver
from edged.delivery.outcome import Fate
from edged.delivery.settlement import Settler
from edged.domain.errors import ConfigurationError
from edged.domain.message import Message, MessageKind
from edged.publish.webhook import WebhookSink
from edged.publish.worker import SinkWorker
from edged.settings.quantities import Duration, Secret
from edged.settings.sinks import WebhookSink as Settings
from edged.store.outbox import Outbox
from edged.system.clock import SystemClock

CLOCK = SystemClock()


def a_sink(receiver: WebhookReceiver, **changes: object) -> WebhookSink:
    values: dict[str, object] = {
        "url": receiver.url,
        "secret": Secret("hook", SECRET),
        "ca_file": receiver.ca_file if receiver.url.startswith("https") else None,
        "timeout": Duration(5),
    }
    return WebhookSink("hook", Settings(**(values | changes)), CLOCK)


@pytest.fixture
def a_worker(an_outbox) -> Iterator[Callable[..., tuple[Outbox, SinkWorker]]]:
    workers: list[SinkWorker] = []

    def make(sink: WebhookSink, attempts_most: int = 5) -> tuple[Outbox, SinkWorker]:
        outbox = an_outbox("hook")
        settler = Settler(first_s=0.01, most_s=0.05, attempts_most=attempts_most, jitter=random.random)
        worker = SinkWorker(sink, outbox, settler, CLOCK, random.random)
        workers.append(worker)
        worker.start()
        return outbox, worker

    yield make
    for worker in workers:
        assert worker.stop(5.0)


def commit(outbox: Outbox, worker: SinkWorker, *messages: Message) -> None:
    outbox.commit(messages, CLOCK.moment())
    worker.wake()


def drained(outbox: Outbox) -> None:
    eventually(lambda: outbox.next_due_ms("hook") is None, "the outbox to drain")


def test_a_message_is_posted_signed_over_verified_tls(a_parcel):
    with WebhookReceiver() as receiver:
        sink = a_sink(receiver)
        parcel = a_parcel("job-a", sequence=3)
        assert [o.fate for o in sink.deliver([parcel])] == [Fate.DELIVERED]
        sink.close()
        (received,) = receiver.received
        assert received.answered == 200
        assert received.body == parcel.message.body
        assert received.path == "/hook"
        assert received.headers["content-type"] == "application/json"
        assert received.headers["webhook-id"] == "job-a-3"
        assert received.headers["user-agent"].startswith("edged/")
        assert received.headers["host"] == f"localhost:{receiver.port}"


def test_a_secret_that_the_receiver_does_not_share_makes_dead_letters(a_parcel):
    with WebhookReceiver() as receiver:
        other = Secret("hook", "whsec_" + base64.b64encode(b"0" * 24).decode())
        sink = a_sink(receiver, secret=other)
        (outcome,) = sink.deliver([a_parcel()])
        sink.close()
        assert (outcome.fate, outcome.reason) == (Fate.REFUSED, "answered 401 Unauthorized")


def test_without_a_secret_nothing_is_signed(a_parcel):
    with WebhookReceiver(secret=None, tls=False) as receiver:
        sink = a_sink(receiver, secret=None)
        sink.deliver([a_parcel()])
        sink.close()
        assert "webhook-signature" not in receiver.received[0].headers


@pytest.mark.parametrize(
    ("answer", "fate"),
    [
        (200, Fate.DELIVERED),
        (204, Fate.DELIVERED),
        (302, Fate.REFUSED),
        (400, Fate.REFUSED),
        (404, Fate.REFUSED),
        (408, Fate.FAILED),
        (410, Fate.REFUSED),
        (425, Fate.FAILED),
        (429, Fate.UNAVAILABLE),
        (500, Fate.FAILED),
        (503, Fate.UNAVAILABLE),
        (HANG, Fate.UNAVAILABLE),
        (DRIP, Fate.UNAVAILABLE),
        (CLOSE, Fate.UNAVAILABLE),
        (GARBAGE, Fate.UNAVAILABLE),
    ],
)
def test_what_an_answer_means(a_parcel, answer, fate):
    with WebhookReceiver([answer]) as receiver:
        sink = a_sink(receiver, timeout=Duration(0.5))
        (outcome,) = sink.deliver([a_parcel()])
        sink.close()
        assert outcome.fate is fate
        assert len(receiver.received) == 1


def test_a_redirect_is_not_followed(a_parcel):
    with WebhookReceiver() as other:
        moved = Reply(307, (("location", other.url),))
        with WebhookReceiver([moved]) as receiver:
            sink = a_sink(receiver)
            (outcome,) = sink.deliver([a_parcel()])
            sink.close()
        assert outcome.fate is Fate.REFUSED
        assert other.received == []


def test_a_receiver_says_when_to_come_again_in_seconds_or_by_a_date(a_parcel):
    at = datetime.fromtimestamp(CLOCK.moment().utc_ms / 1000 + 50, UTC)
    script = [
        Reply(429, (("retry-after", "7"),)),
        Reply(503, (("retry-after", format_datetime(at, usegmt=True)),)),
    ]
    with WebhookReceiver(script) as receiver:
        sink = a_sink(receiver)
        waits = [sink.deliver([a_parcel()])[0].retry_after_s for _ in script]
        sink.close()
    assert waits[0] == 7
    assert 40 < waits[1] <= 50


def test_a_large_answer_is_not_read_to_its_end(a_parcel):
    with WebhookReceiver([Reply(200, body=b"x" * 10_000_000), 200]) as receiver:
        sink = a_sink(receiver)
        assert [o.fate for o in sink.deliver([a_parcel(), a_parcel()])] == [Fate.DELIVERED] * 2
        sink.close()
        assert receiver.received[0].connection != receiver.received[1].connection


def test_a_connection_is_used_again(a_parcel):
    with WebhookReceiver([200, 204, Reply(200, body=b"thanks")]) as receiver:
        sink = a_sink(receiver)
        sink.deliver([a_parcel() for _ in range(5)])
        sink.close()
        assert len({one.connection for one in receiver.received}) == 1


def test_a_connection_that_was_closed_while_idle_is_made_anew_without_a_word(a_parcel):
    with WebhookReceiver() as receiver:
        sink = a_sink(receiver)
        sink.deliver([a_parcel()])
        receiver.cut()
        (outcome,) = sink.deliver([a_parcel()])
        sink.close()
        assert outcome.fate is Fate.DELIVERED
        assert len(receiver.received) == 2


def test_nobody_at_the_address_is_unreachable(a_parcel):
    sink = WebhookSink("hook", Settings(url=f"http://127.0.0.1:{free_port()}/x"), CLOCK)
    (outcome,) = sink.deliver([a_parcel()])
    assert outcome.fate is Fate.UNREACHABLE
    assert outcome.reason == "connection refused: nothing listens there"


def test_a_name_that_does_not_exist_is_unreachable(a_parcel):
    sink = WebhookSink("hook", Settings(url="http://nowhere.invalid/x"), CLOCK)
    (outcome,) = sink.deliver([a_parcel()])
    assert outcome.fate is Fate.UNREACHABLE
    assert "name cannot be resolved" in outcome.reason


def test_a_certificate_of_another_authority_is_not_trusted(a_parcel, tmp_path):
    stranger = tmp_path / "stranger.pem"
    trustme.CA().cert_pem.write_to_path(stranger)
    with WebhookReceiver() as receiver:
        sink = a_sink(receiver, ca_file=str(stranger))
        (outcome,) = sink.deliver([a_parcel()])
        assert outcome.fate is Fate.UNREACHABLE
        assert "certificate is not trusted" in outcome.reason
        assert receiver.received == []


def test_a_certificate_for_another_name_is_not_trusted(a_parcel):
    with WebhookReceiver() as receiver:
        sink = a_sink(receiver, url=receiver.url.replace("localhost", "127.0.0.1"))
        (outcome,) = sink.deliver([a_parcel()])
        assert outcome.fate is Fate.UNREACHABLE
        assert receiver.received == []


def test_a_receiver_that_fails_is_tried_again_with_the_same_id_and_body(a_worker, a_message):
    with WebhookReceiver([500, 503, CLOSE, 200]) as receiver:
        outbox, worker = a_worker(a_sink(receiver))
        commit(outbox, worker, a_message("job-a"))
        drained(outbox)
        assert {one.headers["webhook-id"] for one in receiver.received} == {"job-a-1"}
        assert len(set(receiver.bodies())) == 1
        assert [one.answered for one in receiver.received] == [500, 503, CLOSE, 200]


def test_a_message_that_fails_too_often_is_a_dead_letter_and_can_be_sent_again(a_worker, a_message):
    with WebhookReceiver([500] * 5) as receiver:
        outbox, worker = a_worker(a_sink(receiver), attempts_most=5)
        commit(outbox, worker, a_message("job-a"))
        drained(outbox)
        (letter,) = outbox.dead_letters()
        assert letter.reason == "failed 5 times, at last: answered 500 Internal Server Error"
        outbox.resend(letter.id)
        worker.wake()
        drained(outbox)
        assert outbox.dead_letters() == []
        assert receiver.received[-1].answered == 200


def test_a_refused_update_does_not_hold_up_the_next_of_its_job_and_order_is_kept(a_worker, a_message):
    with WebhookReceiver([400, 500, 500, 200]) as receiver:
        outbox, worker = a_worker(a_sink(receiver))
        commit(outbox, worker, *(a_message("job-a", sequence=n) for n in (1, 2, 3)))
        drained(outbox)
        told = [json.loads(body)["sequence"] for body in receiver.bodies()]
        assert told == [1, 2, 2, 2, 3]
        assert [letter.sequence for letter in outbox.dead_letters()] == [1]


def test_one_message_that_the_receiver_cannot_bear_does_not_hold_up_the_others(a_worker, a_message):
    class Picky(WebhookReceiver):
        def take(self, path, headers, body, connection):
            super().take(path, headers, body, connection)
            return CLOSE if b"poison" in body else 200

    with Picky() as receiver:
        outbox, worker = a_worker(a_sink(receiver))
        commit(outbox, worker, a_message("poison"), *(a_message() for _ in range(5)))
        eventually(lambda: outbox.status(CLOCK.moment()).sinks[0].waiting == 1, "the others to be sent")
        eventually(lambda: sum("poison" in body for body in receiver.bodies()) >= 2, "another try")


def test_retry_after_leaves_the_whole_sink_alone(a_worker, a_message):
    with WebhookReceiver([Reply(429, (("retry-after", "3600"),))]) as receiver:
        outbox, worker = a_worker(a_sink(receiver))
        commit(outbox, worker, a_message(), a_message(), a_message())
        eventually(lambda: len(receiver.received) == 1, "the first try")
        beats = worker.status.beats
        worker.wake()
        eventually(lambda: worker.status.beats > beats + 1, "the worker to turn")
        assert len(receiver.received) == 1


def test_a_stop_ends_a_post_that_nobody_answers_and_the_message_stays(an_outbox, a_message):
    with WebhookReceiver([HANG]) as receiver:
        outbox = an_outbox("hook")
        sink = a_sink(receiver, timeout=Duration(60))
        settler = Settler(first_s=1, most_s=30, attempts_most=5, jitter=random.random)
        worker = SinkWorker(sink, outbox, settler, CLOCK, random.random)
        worker.start()
        commit(outbox, worker, a_message())
        eventually(lambda: len(receiver.received) == 1, "the post")
        before = CLOCK.moment().steady_ms
        assert worker.stop(5.0)
        assert CLOCK.moment().steady_ms - before < 2000
        assert outbox.status(CLOCK.moment()).sinks[0].waiting == 1


def test_neither_secret_nor_credentials_nor_path_of_the_address_are_ever_told(a_worker, a_message, caplog):
    caplog.set_level(logging.DEBUG)
    with WebhookReceiver([400, 500, CLOSE]) as receiver:
        url = receiver.url.replace("https://", "https://user:tip-top@").replace("/hook", "/token-123?key=abc")
        sink = a_sink(receiver, url=url)
        outbox, worker = a_worker(sink)
        commit(outbox, worker, a_message(), a_message())
        drained(outbox)
        credentials = base64.b64encode(b"user:tip-top").decode()
        assert receiver.received[0].headers["authorization"] == f"Basic {credentials}"
        told = caplog.text + sink.condition + repr(outbox.dead_letters()) + repr(worker.status)
        for secret in ("tip-top", "token-123", "abc", SECRET, SECRET.removeprefix("whsec_"), credentials):
            assert secret not in told


def test_a_secret_that_is_no_secret_is_refused_without_telling_it():
    with pytest.raises(ConfigurationError, match="hook") as caught:
        WebhookSink("hook", Settings(url="https://x.example/", secret=Secret("hook", "whsec_näh")), CLOCK)
    assert "näh" not in str(caught.value)


def test_a_real_application_server_takes_what_is_posted(a_parcel, tmp_path):
    authority = trustme.CA()
    issued = authority.issue_cert("localhost")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    issued.private_key_pem.write_to_path(tmp_path / "key.pem")
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "-b", f"127.0.0.1:{port}", "--certfile", "cert.pem",
         "--keyfile", "key.pem", "--worker-tmp-dir", str(tmp_path), "httpbin:app"],
        cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        eventually(lambda: _listens(port), "gunicorn to listen", timeout_s=60)
        fates = []
        for path in ("post", "status/503", "status/404", "delay/5"):
            settings = Settings(
                url=f"https://localhost:{port}/{path}", ca_file=str(tmp_path / "ca.pem"), timeout=Duration(2)
            )
            sink = WebhookSink("hook", settings, CLOCK)
            fates += [outcome.fate for outcome in sink.deliver([a_parcel()])]
            sink.close()
        assert fates == [Fate.DELIVERED, Fate.UNAVAILABLE, Fate.REFUSED, Fate.UNAVAILABLE]
    finally:
        server.terminate()
        server.wait(20)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_two_presences_of_one_number_but_of_different_runs_have_different_ids(a_parcel):
    with WebhookReceiver() as receiver:
        sink = a_sink(receiver)
        first = a_parcel("door", kind=MessageKind.PRESENCE, is_final=False, at_ms=1)
        second = a_parcel("door", kind=MessageKind.PRESENCE, is_final=False, at_ms=2)
        sink.deliver([first, second])
        sink.close()
        assert len({one.headers["webhook-id"] for one in receiver.received}) == 2
        assert all("." not in one.headers["webhook-id"] for one in receiver.received)
