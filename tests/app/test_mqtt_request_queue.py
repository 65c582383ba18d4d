"""The queue between the sinks' threads and whoever works on requests, without a broker."""

import json
import threading
import uuid
from collections.abc import Iterator, Sequence

import msgspec
import pytest

from bench.mosquitto import eventually
from edged.api.problem import Code, Problem
from edged.api.requests import RecognizeRequest
from edged.app.mqtt_requests import MOST_REFUSED, MOST_WAITING, MqttRequests
from edged.domain.errors import StoreError, StoreFault
from edged.domain.hook import HookLimitError
from edged.domain.message import Message
from edged.domain.moment import Moment
from edged.publish.mqtt_inbox import MqttRequest
from edged.system.clock import SystemClock

CLOCK = SystemClock()
ASKED = "edged/home/recognize"
PICTURE = {"url": "https://pictures.example/1.jpg"}


def a_body(**fields: object) -> bytes:
    return msgspec.json.encode({"images": [PICTURE]} | fields)


def error_of(payload: bytes) -> dict[str, str]:
    return json.loads(payload)["error"]


class Ledger:
    """Keeps what is committed in memory, or fails to."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.is_full = False

    def commit(self, messages: Sequence[Message], moment: Moment) -> None:  # noqa: ARG002
        if self.is_full:
            raise StoreError("the disk is full", fault=StoreFault.FULL)
        self.messages.extend(messages)

    @property
    def codes(self) -> list[str]:
        return [error_of(message.body)["code"] for message in self.messages]


class Desk:
    """The thread alone, with a clerk that waits until it may go on."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.begun: list[str | None] = []
        self.may_go_on = threading.Event()
        self.hook_refusal: Exception | None = None
        self.fault: Exception | None = None
        self.requests = MqttRequests(
            recognize=self._recognize,
            served=frozenset({"home"}),
            make_hook=self._make_hook,
            release_hook=lambda _: None,
            outbox=self.ledger,
            on_commit=lambda: None,
            clock=CLOCK,
            new_id=lambda: str(uuid.uuid4()),
        )
        self.requests.start()

    def ask(self, number: int = 0, *, body: bytes | None = None) -> None:
        self.requests.take(
            MqttRequest(
                sink_id="mqtt",
                namespace="home",
                body=body or a_body(customId=str(number)),
                most_bytes=10_000,
                answers=ASKED,
                response_topic=None,
                correlation=b"",
            )
        )

    def count_of(self, name: str) -> int:
        return self.requests.counts.get(name, 0)

    def _recognize(self, _namespace: str, request: RecognizeRequest, **_to: object) -> None:
        self.begun.append(request.custom_id)
        assert self.may_go_on.wait(10.0)
        if self.fault is not None:
            raise self.fault

    def _make_hook(self, url: str) -> str:
        if self.hook_refusal is not None:
            raise self.hook_refusal
        return url


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    yield made
    made.may_go_on.set()
    assert made.requests.stop(5.0)


def test_requests_that_find_the_queue_full_are_answered_429_below_their_custom_id(desk):
    desk.ask(0)
    eventually(lambda: desk.begun == ["0"], "the first to be begun")
    for number in range(1, MOST_WAITING + 3):
        desk.ask(number)
    desk.may_go_on.set()
    eventually(lambda: desk.count_of("refused") == 2, "the refusals")
    assert desk.begun == [str(number) for number in range(MOST_WAITING + 1)]
    assert desk.ledger.codes == ["TOO_MANY_REQUESTS"] * 2
    assert [m.reply.topic for m in desk.ledger.messages] == [f"{ASKED}/17", f"{ASKED}/18"]
    assert all(m.is_request and m.is_final and m.recipients == ("mqtt",) for m in desk.ledger.messages)


def test_the_queue_is_bounded_in_bytes_too_but_takes_one_large_request(desk):
    desk.ask(0)
    eventually(lambda: desk.begun == ["0"], "the first to be begun")
    large = a_body(customId="large", fill="x" * 33_000_000)
    desk.ask(body=large)
    desk.ask(body=large)
    desk.may_go_on.set()
    eventually(lambda: desk.count_of("refused") == 1, "the refusal")
    eventually(lambda: desk.begun == ["0", "large"], "the large one")


def test_refusals_that_wait_are_bounded_and_what_is_not_answered_is_counted(desk):
    desk.ask(0)
    eventually(lambda: desk.begun == ["0"], "the first to be begun")
    for number in range(1, MOST_WAITING + MOST_REFUSED + 4):
        desk.ask(number)
    assert desk.count_of("unanswered") == 3
    desk.may_go_on.set()
    eventually(lambda: desk.count_of("refused") == MOST_REFUSED, "the refusals")


def test_a_refusal_that_cannot_be_written_is_counted_and_the_next_request_is_served(desk, caplog):
    desk.may_go_on.set()
    desk.ledger.is_full = True
    desk.ask(body=b"no json")
    eventually(lambda: desk.count_of("unanswered") == 1, "the count")
    assert "without an answer" in caplog.text
    desk.ask(1)
    eventually(lambda: desk.count_of("accepted") == 1, "the next")


@pytest.mark.parametrize(
    ("refusal", "code"),
    [
        (HookLimitError("1000 addresses of requests wait"), "TOO_MANY_REQUESTS"),
        (StoreError("the disk is full", fault=StoreFault.FULL), "UNAVAILABLE"),
        (Problem(Code.MALFORMED, "no address", field="webhookUrl"), "MALFORMED_REQUEST"),
    ],
)
def test_a_webhook_that_cannot_be_kept_refuses_the_request(desk, refusal, code):
    desk.may_go_on.set()
    desk.hook_refusal = refusal
    desk.ask(body=a_body(webhookUrl="https://hook.example"))
    eventually(lambda: desk.ledger.codes == [code], "the refusal")
    assert desk.begun == []


def test_a_fault_of_edged_itself_is_answered_logged_and_outlived(desk, caplog):
    desk.may_go_on.set()
    desk.fault = ZeroDivisionError("a fault")
    desk.ask(1)
    eventually(lambda: desk.ledger.codes == ["INTERNAL_ERROR"], "the answer")
    assert "ZeroDivisionError" in caplog.text
    assert "a fault" not in desk.ledger.messages[0].body.decode().replace("a fault of edged itself", "")
    desk.fault = None
    desk.ask(2)
    eventually(lambda: desk.count_of("accepted") == 1, "the next")


def test_what_waits_when_edged_ends_is_counted(desk):
    desk.ask(0)
    eventually(lambda: desk.begun == ["0"], "the first to be begun")
    desk.ask(1)
    assert not desk.requests.stop(0.0)
    assert desk.count_of("unanswered") == 1
