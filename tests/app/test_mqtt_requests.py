"""Requests over MQTT, from a real broker through a real outbox and back; who works on them is a stand-in."""

import json
import logging
import random
import re
import shlex
import subprocess
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from bench.checkout import ROOT
from bench.mosquitto import IS_INSTALLED, WHY_NOT, Mosquitto, OldBroker, Subscriber, eventually
from bench.mqtt_asker import MqttAsker
from edged.api.problem import Code, Problem
from edged.api.requests import RecognizeRequest
from edged.app.mqtt_requests import MqttRequests
from edged.delivery.route import routes_of
from edged.domain.message import Message, MessageKind, Reply
from edged.publish.assembly import make_publishing
from edged.publish.mqtt_assembly import RequestTaker
from edged.settings.feeds import Retry
from edged.settings.quantities import Duration, Size
from edged.settings.sinks import MqttSink
from edged.store.outbox import Outbox
from edged.system.clock import SystemClock

CLOCK = SystemClock()
ASKED = "edged/home/recognize"
PICTURE = {"url": "https://pictures.example/1.jpg"}
DYNAMIC_SECURITY = next(Path("/usr/lib").glob("*/mosquitto_dynamic_security.so"), None)

needs_broker = pytest.mark.skipif(not IS_INSTALLED, reason=WHY_NOT)


def a_body(**fields: object) -> bytes:
    return msgspec.json.encode({"images": [PICTURE]} | fields)


class Clerk:
    """Takes every request on, as a job with a number for its id; or raises what it is told to."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self.refusal: Exception | None = None
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.requests: list[RecognizeRequest] = []
        self._opened: list[Message] = []

    def recognize(
        self,
        namespace: str,
        request: RecognizeRequest,
        *,
        recipients: tuple[str, ...] = (),
        reply: Reply | None = None,
    ) -> None:
        assert self.may_go_on.wait(10.0)
        if self.refusal is not None:
            raise self.refusal
        self.requests.append(request)
        job = f"job-{len(self.requests)}"
        opened = Message(
            kind=MessageKind.JOB,
            namespace=namespace,
            feed_id="",
            subject_id=job,
            sequence=1,
            is_final=False,
            body=msgspec.json.encode({"id": job, "status": "IN_PROGRESS"}),
            at_ms=CLOCK.moment().utc_ms,
            is_request=True,
            recipients=recipients,
            reply=reply,
        )
        self._opened.append(opened)
        self._outbox.commit([opened], CLOCK.moment())

    def finish(self) -> None:
        """The last job is done."""
        last = self._opened[-1]
        body = msgspec.json.encode({"id": last.subject_id, "status": "COMPLETED_SUCCESSFULLY"})
        self._outbox.commit([replace(last, sequence=2, is_final=True, body=body)], CLOCK.moment())


class House:
    """A sink that takes requests, its outbox, and the thread between it and the clerk."""

    def __init__(self, folder: Path, broker: Mosquitto | OldBroker, **changes: object) -> None:
        values: dict[str, object] = {
            "host": broker.host,
            "port": broker.port,
            "recognize": True,
            "retry": Retry(first=Duration(0.02), most=Duration(0.2)),
        }
        sections = (MqttSink(**(values | changes)),)
        self.outbox = Outbox(folder, routes_of(sections))
        self.outbox.begin(CLOCK.moment(), "boot")
        self.clerk = Clerk(self.outbox)
        self.made_hooks: list[str] = []
        self.released_hooks: list[str] = []
        self.requests = MqttRequests(
            recognize=self.clerk.recognize,
            served=frozenset({"home"}),
            make_hook=self._make_hook,
            release_hook=self.released_hooks.append,
            outbox=self.outbox,
            on_commit=lambda: self.publishing.wake(),  # noqa: PLW0108 - it is made below
            clock=CLOCK,
            new_id=lambda: str(uuid.uuid4()),
        )
        self.publishing = make_publishing(
            sections,
            self.outbox,
            attempts=3,
            device="dev1",
            clock=CLOCK,
            jitter=random.random,
            requests=RequestTaker(self.requests.take, {"home"}),
        )
        self.requests.start()
        self.publishing.start()

    @property
    def condition(self) -> str:
        return self.publishing.status[0].condition

    def listens(self, broker: Mosquitto) -> None:
        """Wait until requests are heard: the sink asks for them before it says that it is there."""
        with MqttAsker(broker, "edged/device/dev1/status") as asker:
            eventually(lambda: bool(asker.heard) and asker.heard[-1].payload == b"online", self.condition)

    def finish(self) -> None:
        self.clerk.finish()
        self.publishing.wake()

    def stop(self) -> None:
        assert self.requests.stop(5.0)
        assert self.publishing.stop(5.0) == ()
        self.outbox.close()

    def _make_hook(self, url: str) -> str:
        self.made_hooks.append(url)
        return f"hook:{len(self.made_hooks)}"


@pytest.fixture
def a_house(tmp_path: Path) -> Iterator[Callable[..., House]]:
    houses: list[House] = []

    def make(broker: Mosquitto | OldBroker, **changes: object) -> House:
        houses.append(House(tmp_path, broker, **changes))
        return houses[-1]

    yield make
    for house in houses:
        house.stop()


@pytest.fixture
def broker() -> Iterator[Mosquitto]:
    with Mosquitto() as running:
        yield running


def error_of(payload: bytes) -> dict[str, str]:
    answer = json.loads(payload)
    assert list(answer) == ["error"]
    return answer["error"]


@needs_broker
def test_every_status_is_answered_to_the_response_topic_with_the_correlation_data(broker, a_house):
    house = a_house(broker)
    house.listens(broker)
    with MqttAsker(broker, "answers/mine") as asker:
        asker.ask(ASKED, a_body(customId="7"), response_topic="answers/mine", correlation=b"\x00\xff7")
        asker.wait_for(1)
        house.finish()
        begun, done = asker.wait_for(2)
    assert [json.loads(one.payload)["status"] for one in (begun, done)] == [
        "IN_PROGRESS",
        "COMPLETED_SUCCESSFULLY",
    ]
    assert {begun.correlation, done.correlation} == {b"\x00\xff7"}
    assert house.clerk.requests[0].images[0].url == PICTURE["url"]


@needs_broker
@pytest.mark.parametrize(
    ("custom_id", "topic"),
    [("7", f"{ASKED}/7"), (None, f"{ASKED}/job-1"), ("a/b", f"{ASKED}/job-1"), ("a+", f"{ASKED}/job-1")],
)
def test_without_a_response_topic_the_answer_goes_below_the_requests_own(broker, a_house, custom_id, topic):
    house = a_house(broker)
    house.listens(broker)
    with MqttAsker(broker, "edged/home/recognize/#") as asker:
        asker.ask(ASKED, a_body() if custom_id is None else a_body(customId=custom_id))
        _, answer = asker.wait_for(2)
    assert answer.topic == topic
    assert json.loads(answer.payload)["id"] == "job-1"


@needs_broker
def test_a_broker_with_3_1_1_serves_requests_too(broker, a_house):
    with OldBroker(broker, says_why=True) as door:
        house = a_house(door)
        house.listens(broker)
        assert "MQTT 3.1.1" in house.condition
        with MqttAsker(broker, f"{ASKED}/7") as asker:
            asker.ask(ASKED, a_body(customId="7"))
            asker.wait_for(1)
            asker.ask(ASKED, a_body(customId="7", images=[{"blob": 7}]))
            begun, error = asker.wait_for(2)
        assert json.loads(begun.payload)["status"] == "IN_PROGRESS"
        assert error_of(error.payload)["field"] == "images[0].blob"


@needs_broker
def test_answers_are_never_retained(broker, a_house):
    house = a_house(broker)
    house.listens(broker)
    with MqttAsker(broker, "answers/#") as asker:
        asker.ask(ASKED, a_body(), response_topic="answers/mine")
        asker.wait_for(1)
        with MqttAsker(broker, "answers/#", "ready/now") as late:
            late.ask("ready/now", b"")
            late.wait_for(1)
            assert [one.topic for one in late.heard] == ["ready/now"]


@needs_broker
@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"no json", None),
        (a_body(images=[{}]), "images[0]"),
        (a_body(images=[]), "images"),
        (a_body(customId="c" * 65), "customId"),
    ],
)
def test_a_malformed_request_is_answered_in_the_one_shape_of_errors(broker, a_house, body, field):
    house = a_house(broker)
    house.listens(broker)
    with MqttAsker(broker, "answers/mine") as asker:
        asker.ask(ASKED, body, response_topic="answers/mine", correlation=b"7")
        (answer,) = asker.wait_for(1)
    error = error_of(answer.payload)
    assert (error["code"], error.get("field"), answer.correlation) == ("MALFORMED_REQUEST", field, b"7")
    assert house.clerk.requests == []


@needs_broker
def test_a_malformed_request_with_a_custom_id_is_answered_below_it(broker, a_house):
    house = a_house(broker)
    house.listens(broker)
    with MqttAsker(broker, f"{ASKED}/7") as asker:
        asker.ask(ASKED, a_body(customId="7", images=[{}]))
        (answer,) = asker.wait_for(1)
    assert error_of(answer.payload)["field"] == "images[0]"


@needs_broker
def test_what_the_clerk_refuses_is_answered(broker, a_house):
    house = a_house(broker)
    house.listens(broker)
    house.clerk.refusal = Problem(Code.TOO_MANY, "512 pictures wait", retry_after_s=3)
    with MqttAsker(broker, "answers/mine") as asker:
        asker.ask(ASKED, a_body(), response_topic="answers/mine")
        (answer,) = asker.wait_for(1)
    assert error_of(answer.payload) == {"code": "TOO_MANY_REQUESTS", "message": "512 pictures wait"}


@needs_broker
def test_a_namespace_that_is_not_served_is_answered_so(broker, a_house):
    house = a_house(broker, namespaces=("home", "work"))
    house.listens(broker)
    with MqttAsker(broker, "answers/mine") as asker:
        asker.ask("edged/work/recognize", a_body(), response_topic="answers/mine")
        (answer,) = asker.wait_for(1)
    assert error_of(answer.payload)["code"] == "NOT_FOUND"


@needs_broker
def test_a_response_topic_of_edged_itself_is_not_written_to_and_said_once(broker, a_house, caplog):
    house = a_house(broker)
    house.listens(broker)
    with MqttAsker(broker, "edged/home/door/#", "answers/mine") as asker:
        for topic in ("edged/home/door/event", "edged/home/door/job", "edged/device/dev1/status"):
            asker.ask(ASKED, a_body(), response_topic=topic)
        asker.ask(ASKED, a_body(), response_topic="answers/mine")
        asker.wait_for(1)
        assert [one.topic for one in asker.heard] == ["answers/mine"]
    assert len(house.clerk.requests) == 1
    assert len([r for r in caplog.records if "response topic is none" in r.message]) == 1


@needs_broker
def test_a_retained_request_is_ignored_and_said(broker, a_house, caplog):
    with MqttAsker(broker) as asker:
        asker.ask(ASKED, a_body(customId="old"), retain=True)
    house = a_house(broker)
    house.listens(broker)
    eventually(lambda: "retained request" in caplog.text, "the complaint")
    with MqttAsker(broker, f"{ASKED}/new") as asker:
        asker.ask(ASKED, a_body(customId="new"))
        asker.wait_for(1)
    assert [request.custom_id for request in house.clerk.requests] == ["new"]


@needs_broker
def test_requests_are_taken_again_after_the_broker_came_back_and_answers_wait_for_it(broker, a_house):
    house = a_house(broker)
    house.listens(broker)
    with Subscriber(broker, f"{ASKED}/7", session="keeper") as subscriber:
        with MqttAsker(broker) as asker:
            asker.ask(ASKED, a_body(customId="7"))
        subscriber.wait_for(1)
        broker.stop()
        eventually(lambda: "not connected" in house.condition, "the loss to be noticed")
        house.finish()
        broker.start()
        # It subscribes anew before it sends what waited.
        subscriber.wait_for(2)
        assert json.loads(subscriber.payloads()[-1])["status"] == "COMPLETED_SUCCESSFULLY"
    with MqttAsker(broker, f"{ASKED}/8") as asker:
        asker.ask(ASKED, a_body(customId="8"))
        asker.wait_for(1)


@needs_broker
def test_a_request_of_more_bytes_than_allowed_is_refused(broker, a_house):
    house = a_house(broker, max_request=Size(10_000))
    house.listens(broker)
    with MqttAsker(broker, "answers/mine") as asker:
        asker.ask(ASKED, a_body(fill="x" * 12_000), response_topic="answers/mine")
        (answer,) = asker.wait_for(1)
    assert error_of(answer.payload)["code"] == "REQUEST_TOO_LARGE"
    assert house.clerk.requests == []


@needs_broker
def test_a_request_that_is_not_even_read_is_refused_too(broker, a_house):
    house = a_house(broker, max_request=Size(10_000), protocol="3.1.1")
    house.listens(broker)
    with MqttAsker(broker, f"{ASKED}/+") as asker:
        asker.ask(ASKED, a_body(fill="x" * 120_000))
        (answer,) = asker.wait_for(1)
    assert error_of(answer.payload)["code"] == "REQUEST_TOO_LARGE"
    assert house.clerk.requests == []


@needs_broker
def test_a_broker_with_mqtt_5_keeps_back_what_could_not_even_be_refused_cheaply(broker, a_house):
    house = a_house(broker, max_request=Size(10_000))
    house.listens(broker)
    with MqttAsker(broker, "answers/mine") as asker:
        asker.ask(ASKED, a_body(fill="x" * 1_000_000), response_topic="answers/mine")
        asker.ask(ASKED, a_body(), response_topic="answers/mine")
        (answer,) = asker.wait_for(1)
    assert json.loads(answer.payload)["status"] == "IN_PROGRESS"
    assert house.requests.counts == {"accepted": 1}


@needs_broker
@pytest.mark.skipif(DYNAMIC_SECURITY is None, reason="needs mosquitto's dynamic security plugin")
@pytest.mark.parametrize("is_old", [False, True])
def test_a_broker_that_forbids_the_subscription_is_complained_of(a_house, tmp_path, caplog, is_old):
    rights = tmp_path / "rights.json"

    def allow(*, subscribe: bool) -> None:
        access = {"publishClientSend": True, "publishClientReceive": True, "subscribe": subscribe}
        rights.write_text(json.dumps({"defaultACLAccess": access}))

    allow(subscribe=False)
    extra = [f"plugin {DYNAMIC_SECURITY}", f"plugin_opt_config_file {rights}"]
    with Mosquitto(extra=extra) as broker, OldBroker(broker, says_why=True) as door:
        house = a_house(door if is_old else broker)
        eventually(lambda: f"does not let it read {ASKED}" in house.condition, house.condition)
        # The complaint is logged by the sink's thread, a moment after the condition says so.
        eventually(
            lambda: any(
                r.levelno == logging.ERROR and "gets no requests" in r.message for r in caplog.records
            ),
            house.condition,
        )
        if is_old:
            return  # the door does not outlive its broker
        broker.stop()
        allow(subscribe=True)
        broker.start()
        eventually(
            lambda: house.condition.startswith("connected") and "read" not in house.condition,
            house.condition,
        )


@needs_broker
def test_a_webhook_of_the_request_is_told_too_and_let_go_where_nothing_comes_of_it(broker, a_house):
    house = a_house(broker)
    house.listens(broker)
    with MqttAsker(broker, "answers/mine") as asker:
        asker.ask(ASKED, a_body(webhookUrl="https://hook.example/a"), response_topic="answers/mine")
        asker.wait_for(1)
        assert (house.made_hooks, house.released_hooks) == (["https://hook.example/a"], [])
        house.clerk.refusal = Problem(Code.UNAVAILABLE, "edged ends")
        asker.ask(ASKED, a_body(webhookUrl="https://hook.example/b"), response_topic="answers/mine")
        asker.wait_for(2)
    assert house.released_hooks == ["hook:2"]


DOCUMENTED = re.findall(
    r"```sh\n(mosquitto_sub .*?) &\n(mosquitto_pub .*?)```",
    (ROOT / "docs" / "delivery.md").read_text("utf-8"),
    re.DOTALL,
)


@needs_broker
@pytest.mark.parametrize(("listen", "ask"), DOCUMENTED)
def test_the_commands_of_the_documentation_get_an_answer(broker, a_house, listen, ask):
    house = a_house(broker)
    house.listens(broker)
    where = ("-h broker.example", f"-h {broker.host} -p {broker.port}")
    listener = subprocess.Popen(
        shlex.split(listen.replace(*where).replace("\\\n", "")), stdout=subprocess.PIPE, text=True
    )
    assert listener.stdout is not None
    answers: list[str] = []
    reader = threading.Thread(target=answers.extend, args=(listener.stdout,))
    reader.start()
    try:
        # A reader in the background has not said when it listens: it is asked until it does.
        for _ in range(20):
            subprocess.run(shlex.split(ask.replace(*where).replace("\\\n", "")), check=True)
            reader.join(0.2)
            if answers:
                break
    finally:
        listener.terminate()
        reader.join(10.0)
        listener.wait(10.0)
        listener.stdout.close()
    assert any('"status":"IN_PROGRESS"' in line for line in answers)
