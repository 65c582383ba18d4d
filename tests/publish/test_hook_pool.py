import base64
import logging
import random
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from bench.mosquitto import eventually, free_port
from bench.webhook_receiver import HANG, SECRET, Reply, WebhookReceiver
from edged.api.fetching import FetchError
from edged.delivery.outcome import Fate
from edged.domain.hook import Hook
from edged.http.guard import Guard
from edged.publish.assembly import make_publishing
from edged.publish.hook_pool import POOL_NAME, HookPool
from edged.store.outbox import Outbox
from edged.system.clock import SystemClock

CLOCK = SystemClock()
HERE = ("127.0.0.0/8", "::1")
TEXT_SECRET = "a secret of words"


def a_hook(url: str, hook_id: str = "h1", **changes: object) -> Hook:
    hook = Hook(
        id=hook_id,
        url=url,
        secret=SECRET,
        client_id="app",
        namespaces=("home",),
        created_ms=1,
        is_registered=True,
    )
    return replace(hook, **changes)


@pytest.fixture
def a_pool(an_outbox) -> Iterator[Callable[..., tuple[Outbox, HookPool]]]:
    """A running pool over an outbox without sinks; back-offs are as short as chance has them: none at all."""
    pools: list[HookPool] = []

    def make(*hooks: Hook, allow: tuple[str, ...] = HERE, jitter: Callable[[], float] = lambda: 0.0):
        outbox = an_outbox()
        for hook in hooks:
            outbox.add_hook(hook)
        pool = HookPool(outbox, Guard(allow, CLOCK), CLOCK, jitter)
        pools.append(pool)
        pool.start()
        return outbox, pool

    yield make
    for pool in pools:
        assert pool.stop(10)


def commit(outbox: Outbox, pool: HookPool, *messages: object) -> None:
    outbox.commit(messages, CLOCK.moment())
    pool.wake()


def drained(outbox: Outbox) -> None:
    eventually(lambda: outbox.status(CLOCK.moment()).messages == 0, "the outbox to drain")


def test_a_registered_hook_is_told_signed_over_verified_tls(a_pool, a_message, monkeypatch):
    with WebhookReceiver() as receiver:
        monkeypatch.setenv("SSL_CERT_FILE", receiver.ca_file)
        outbox, pool = a_pool(a_hook(receiver.url))
        commit(outbox, pool, a_message("job-a", sequence=3))
        drained(outbox)
        (received,) = receiver.received
    assert (received.answered, received.path) == (200, "/hook")
    assert received.headers["webhook-id"] == "job-a-3"
    assert received.headers["host"] == f"localhost:{receiver.port}"
    assert pool.status.outcomes == {Fate.DELIVERED: 1}
    assert outbox.status(CLOCK.moment()).hook_counters == {"sent": 1}


def test_a_receiver_whose_certificate_is_not_trusted_gets_nothing(a_pool, a_message):
    with WebhookReceiver() as receiver:
        outbox, pool = a_pool(a_hook(receiver.url))
        commit(outbox, pool, a_message())
        eventually(lambda: pool.status.trouble, "the first try")
        assert pool.status.trouble == "the server's certificate is not trusted"
        assert receiver.received == []


def test_a_secret_that_is_no_whsec_is_used_as_its_bytes_and_a_requests_hook_is_unsigned(a_pool, a_message):
    as_whsec = "whsec_" + base64.b64encode(TEXT_SECRET.encode()).decode()
    with (
        WebhookReceiver(tls=False, secret=as_whsec) as signed,
        WebhookReceiver(tls=False, secret=None) as plain,
    ):
        of_request = a_hook(plain.url, "r1", secret=None, is_registered=False, namespaces=())
        outbox, pool = a_pool(a_hook(signed.url, secret=TEXT_SECRET), of_request)
        commit(outbox, pool, a_message(is_request=True, recipients=(of_request.sink_id,)))
        drained(outbox)
        assert [one.answered for one in signed.received] == [200]
        assert "webhook-signature" not in plain.received[0].headers
    assert outbox.hook("r1") is None


def test_every_status_of_a_job_comes_in_its_order_though_the_receiver_fails_in_between(a_pool, a_message):
    with WebhookReceiver([500, 503, 408], tls=False) as receiver:
        outbox, pool = a_pool(a_hook(receiver.url))
        for sequence in (1, 2, 3):
            commit(outbox, pool, a_message("job-a", sequence=sequence))
        drained(outbox)
        taken = [one.headers["webhook-id"] for one in receiver.received if one.answered == 200]
    assert taken == ["job-a-1", "job-a-2", "job-a-3"]


def test_a_forbidden_receiver_gets_nothing_and_its_mail_waits(a_pool, a_message):
    with WebhookReceiver(tls=False) as receiver:
        outbox, pool = a_pool(a_hook(receiver.url), allow=(), jitter=lambda: 0.99)
        commit(outbox, pool, a_message())
        eventually(lambda: pool.status.trouble, "the first try")
        assert "may not be reached" in pool.status.trouble
        assert receiver.received == []
        assert outbox.status(CLOCK.moment()).hooks[0].waiting == 1
        assert pool.is_idle(), "nobody waits for a receiver that fails"


def test_where_a_receiver_is_is_asked_anew_for_each_turn(an_outbox, a_message):
    # Its name leads to an allowed address first, and to a forbidden one of the same machine then.
    addresses = ["127.0.0.1", "127.0.0.2"]

    def resolve(_host: str, port: int, **_options: object):
        address = addresses.pop(0) if len(addresses) > 1 else addresses[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    with WebhookReceiver(tls=False) as receiver:
        outbox = an_outbox()
        outbox.add_hook(a_hook(f"http://rebinding.example:{receiver.port}/"))
        pool = HookPool(outbox, Guard(("127.0.0.1",), CLOCK, resolve=resolve), CLOCK, random.random)
        pool.start()
        commit(outbox, pool, a_message("job-a"))
        drained(outbox)
        commit(outbox, pool, a_message("job-b"))
        eventually(lambda: "may not be reached" in pool.status.trouble, "the second try")
        assert [one.headers["webhook-id"] for one in receiver.received] == ["job-a-1"]
        assert pool.stop(10)


def test_receivers_that_hang_do_not_hold_up_one_that_answers(a_pool, a_message):
    with WebhookReceiver([HANG] * 99, tls=False, secret=None) as hanging, WebhookReceiver(tls=False) as good:
        outbox, pool = a_pool(a_hook(good.url, "good"))
        commit(outbox, pool, a_message("first"))
        drained(outbox)
        stuck = [
            outbox.add_hook(
                a_hook(f"{hanging.url}/{n}", f"r{n}", secret=None, is_registered=False, namespaces=())
            )
            for n in range(8)
        ]
        to = tuple(hook.sink_id for hook in stuck)
        commit(outbox, pool, a_message("req", is_request=True, namespace="shop", recipients=to))
        eventually(lambda: len(hanging.received) == 3, "the hanging ones to hold what they may")
        commit(outbox, pool, *(a_message(f"job-{n}") for n in range(5)))
        eventually(lambda: len(good.received) == 6, "the good one to have everything")
        assert len(hanging.received) == 3


def test_a_receiver_that_is_gone_is_told_nothing_more(a_pool, a_message, caplog):
    with WebhookReceiver([410], tls=False) as receiver, caplog.at_level(logging.WARNING):
        outbox, pool = a_pool(a_hook(receiver.url))
        commit(outbox, pool, a_message("job-a"), a_message("job-b"))
        eventually(lambda: outbox.hooks() == [], "the hook to be removed")
        commit(outbox, pool, a_message("job-c"))
        drained(outbox)
        eventually(lambda: "answered 410 Gone" in caplog.text, "the log")
        assert "/hook" not in caplog.text


def test_what_is_refused_for_good_is_dropped_and_counted(a_pool, a_message):
    with WebhookReceiver([404, Reply(302, (("location", "http://127.0.0.1:1/"),))], tls=False) as receiver:
        outbox, pool = a_pool(a_hook(receiver.url))
        commit(outbox, pool, a_message("job-a"), a_message("job-b"), a_message("job-c"))
        drained(outbox)
        assert len(receiver.received) == 3
    assert outbox.status(CLOCK.moment()).hook_counters == {"refused": 2, "sent": 1}
    assert outbox.dead_letters() == []


def test_trouble_is_told_once_and_without_the_path_of_the_address(a_pool, a_message, caplog):
    with caplog.at_level(logging.INFO):
        outbox, pool = a_pool(a_hook(f"http://localhost:{free_port()}/secret-path"))
        of_request = outbox.add_hook(
            a_hook(f"http://localhost:{free_port()}/secret-path", "r1", is_registered=False)
        )
        commit(outbox, pool, a_message(recipients=(of_request.sink_id,)))
        eventually(lambda: pool.status.outcomes.get(Fate.UNREACHABLE, 0) >= 6, "a few tries")
    warnings = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(warnings) == 2
    assert "secret-path" not in caplog.text
    assert "secret-path" not in str(pool.status)


def test_a_stop_ends_a_post_that_nobody_answers_and_the_message_stays(a_pool, a_message):
    with WebhookReceiver([HANG], tls=False) as receiver:
        outbox, pool = a_pool(a_hook(receiver.url))
        commit(outbox, pool, a_message("job-a"))
        eventually(lambda: receiver.received, "the post")
        assert pool.stop(5)
    assert [hook.waiting for hook in outbox.status(CLOCK.moment()).hooks] == [1]


def test_an_address_that_is_not_taken_any_more_is_refused(a_pool, a_message):
    outbox, pool = a_pool(a_hook("ftp://localhost/x"))
    commit(outbox, pool, a_message())
    drained(outbox)
    assert outbox.status(CLOCK.moment()).hook_counters == {"refused": 1}


def test_publishing_drives_the_hooks_beside_the_sinks(an_outbox, a_message):
    with WebhookReceiver(tls=False) as receiver:
        outbox = an_outbox()
        outbox.add_hook(a_hook(receiver.url))
        guard = Guard(HERE, CLOCK)
        pool = HookPool(outbox, guard, CLOCK, random.random)
        publishing = make_publishing(
            [], outbox, attempts=5, device="d", clock=CLOCK, jitter=random.random, hooks=pool
        )
        publishing.start()
        outbox.commit([a_message("job-a")], CLOCK.moment())
        publishing.wake()
        eventually(publishing.is_idle, "everything to be sent")
        assert [one.headers["webhook-id"] for one in receiver.received] == ["job-a-1"]
        assert [status.sink for status in publishing.status] == [POOL_NAME]
        assert publishing.stop(10) == ()
        with pytest.raises(FetchError):
            guard.connect("127.0.0.1", receiver.port, 1, tls=False)
