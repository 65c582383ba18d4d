"""What a real broker keeps of a sink, and what the sink hears, from one run to the next."""

import json
import subprocess
from pathlib import Path

import pytest

from bench.mosquitto import IS_INSTALLED, WHY_NOT, Mosquitto, OldBroker, Subscriber, eventually
from edged.domain.device_state import DeviceState
from edged.domain.event import NamespacePresence
from edged.domain.face_image import FaceImage
from edged.domain.message import MessageKind
from edged.publish.assembly import make_publishing
from edged.settings.feeds import Feed, Retry
from edged.settings.quantities import Duration, Secret
from edged.settings.sinks import HomeAssistant, MqttSink
from edged.settings.sources import FileSource
from edged.system.clock import SystemClock

pytestmark = pytest.mark.skipif(not IS_INSTALLED, reason=WHY_NOT)

DYNAMIC_SECURITY = next(Path("/usr/lib").glob("*/mosquitto_dynamic_security.so"), None)
CLOCK = SystemClock()
QUICK = Retry(first=Duration(0.02), most=Duration(0.2))
AT_ONCE = HomeAssistant(jitter=Duration(0))
DOOR, YARD = (Feed(id=name, source=FileSource(path="a.mp4")) for name in ("door", "yard"))
DOOR_CONFIG = "homeassistant/device/edged-dev1_feed-door/config"
YARD_CONFIG = "homeassistant/device/edged-dev1_feed-yard/config"
EVERYTHING = ("edged/#", "homeassistant/#")


@pytest.fixture
def broker():
    with Mosquitto() as running:
        yield running


class Run:
    """One run of the daemon's publishing half, on an outbox that stays."""

    def __init__(self, outbox, broker, *, feeds=(DOOR,), device="dev1", **changes):
        self.switched = []
        self.outbox = outbox
        section = MqttSink(host=broker.host, port=broker.port, retry=QUICK, **changes)
        self.publishing = make_publishing(
            [section],
            outbox,
            attempts=3,
            device=device,
            clock=CLOCK,
            jitter=lambda: 0.5,
            feeds=feeds,
            ledger=outbox,
            switch=lambda *word: self.switched.append(word),
        )
        self.publishing.start()
        self.broker_key = f"{broker.host}:{broker.port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        assert self.publishing.stop(5.0) == ()

    def kept(self):
        """What is written down."""
        return set(self.outbox.retained("mqtt", self.broker_key))


def retained(broker, *topics):
    """What the broker keeps, by topic, at this moment."""
    # It ends by itself only when something comes; so a mark is kept, which comes last of all.
    publish(broker, "mark", "here", "-r")
    address = ["-h", broker.host, "-p", str(broker.port)]
    command = ["mosquitto_sub", *address, "-F", "%t\t%p", "--retained-only"]
    for topic in (*(topics or EVERYTHING), "mark"):
        command += ["-t", topic]
    found = {}
    with subprocess.Popen(command, stdout=subprocess.PIPE) as reader:
        for line in reader.stdout:
            topic, _, body = line.decode("utf-8", "replace").rstrip("\n").partition("\t")
            if topic == "mark":
                break
            found[topic] = body
        reader.kill()
    return found


def publish(broker, topic, payload, *options):
    address = ["-h", broker.host, "-p", str(broker.port)]
    subprocess.run(["mosquitto_pub", *address, "-q", "1", "-t", topic, "-m", payload, *options], check=True)


def until_online(subscriber, times=1, device="dev1"):
    topic = f"/device/{device}/status"
    eventually(lambda: subscriber.payloads(topic).count("online") >= times, "the device to be online")


def test_it_is_announced_before_it_is_online_and_again_with_all_states_when_home_assistant_starts(
    broker, an_outbox
):
    with (
        Subscriber(broker, *EVERYTHING) as subscriber,
        Run(an_outbox("mqtt"), broker, home_assistant=AT_ONCE) as run,
    ):
        until_online(subscriber)
        run.publishing.report_enabled("door", is_on=True)
        topics = [heard.topic for heard in subscriber.heard]
        assert topics.index(DOOR_CONFIG) < topics.index("edged/device/dev1/status")
        announced, states = len(subscriber.payloads(DOOR_CONFIG)), len(subscriber.wait_for(1, "/enabled"))
        publish(broker, "homeassistant/status", "online")
        eventually(lambda: len(subscriber.payloads(DOOR_CONFIG)) > announced, "another announcement")
        eventually(lambda: len(subscriber.payloads("/enabled")) > states, "the states again")
        assert json.loads(subscriber.payloads(DOOR_CONFIG)[-1])["device"]["name"] == "door"


def test_a_feed_that_left_the_configuration_is_taken_back_everywhere(broker, an_outbox, a_message):
    outbox = an_outbox("mqtt")
    with (
        Subscriber(broker, *EVERYTHING) as subscriber,
        Run(outbox, broker, feeds=(DOOR, YARD), home_assistant=AT_ONCE) as run,
    ):
        run.publishing.report_enabled("yard", is_on=True)
        presence = a_message("yard", kind=MessageKind.PRESENCE, feed_id="yard")
        outbox.commit([presence], CLOCK.moment())
        run.publishing.wake()
        until_online(subscriber)
        subscriber.wait_for(1, "/yard/presence")
        subscriber.wait_for(1, "/yard/enabled")
    assert YARD_CONFIG in retained(broker)
    # Somebody came just before the stop, and the broker never heard of it.
    outbox.commit([presence], CLOCK.moment())
    with Subscriber(broker, *EVERYTHING) as subscriber, Run(outbox, broker, home_assistant=AT_ONCE) as run:
        until_online(subscriber)
        eventually(lambda: outbox.is_empty("mqtt"), "the presence to be settled")
        eventually(lambda: not [topic for topic in run.kept() if "yard" in topic], "it to be forgotten")
        found = retained(broker)
        assert DOOR_CONFIG in found
        assert [topic for topic in found if "yard" in topic] == []
        assert subscriber.payloads(YARD_CONFIG).count("") == 1


@pytest.mark.parametrize(
    ("then", "device"),
    [
        ({}, "dev1"),
        ({"home_assistant": HomeAssistant(form="components", jitter=Duration(0))}, "dev1"),
        (
            {"home_assistant": HomeAssistant(discovery_prefix="other", jitter=Duration(0)), "prefix": "e2"},
            "dev2",
        ),
    ],
    ids=["no longer announced", "another form", "other prefixes and device"],
)
def test_what_was_kept_under_another_configuration_is_taken_back(broker, an_outbox, then, device):
    outbox = an_outbox("mqtt")
    everything = ("edged/#", "e2/#", "homeassistant/#", "other/#")
    with Subscriber(broker, *everything) as subscriber, Run(outbox, broker, home_assistant=AT_ONCE):
        until_online(subscriber)
    with Subscriber(broker, *everything) as subscriber, Run(outbox, broker, device=device, **then) as run:
        until_online(subscriber, device=device)
        eventually(lambda: set(retained(broker, *everything)) <= run.kept(), "the rest to be cleared")
        assert f"{then.get('prefix', 'edged')}/device/{device}/status" in retained(broker, *everything)
        assert DOOR_CONFIG not in retained(broker)


def test_an_entity_that_went_is_named_by_its_platform_alone_once(broker, an_outbox):
    outbox = an_outbox("mqtt")
    for times, changes in ((1, {"image": "sent"}), (2, {}), (3, {})):
        with Subscriber(broker, DOOR_CONFIG, "edged/#") as subscriber:
            with Run(outbox, broker, home_assistant=AT_ONCE, **changes):
                until_online(subscriber)
            last = json.loads(subscriber.payloads(DOOR_CONFIG)[-1])["components"].get("last_face")
        expected = {1: "image/jpeg", 2: None, 3: None}[times]
        assert (last or {}).get("content_type") == expected
        assert (last == {"platform": "image"}) == (times == 2)


def test_a_feed_is_switched_by_a_word_on_its_topic_and_not_by_a_retained_one(broker, an_outbox):
    publish(broker, "edged/device/dev1/feed/yard/set", "OFF", "-r")
    feeds = (DOOR, YARD)
    with Subscriber(broker) as subscriber, Run(an_outbox("mqtt"), broker, feeds=feeds) as run:
        until_online(subscriber)
        publish(broker, "edged/device/dev1/feed/door/set", "OFF")
        publish(broker, "edged/device/dev1/feed/door/set", "off")
        publish(broker, "edged/device/dev1/feed/door/set", "ON")
        eventually(lambda: len(run.switched) >= 2, "both words")
        assert run.switched == [("door", False), ("door", True)]


@pytest.mark.skipif(DYNAMIC_SECURITY is None, reason="needs mosquitto's dynamic security plugin")
def test_a_switch_that_the_broker_lets_nobody_read_is_complained_of(an_outbox, tmp_path, caplog):
    rights = tmp_path / "rights.json"
    access = {"publishClientSend": True, "publishClientReceive": True, "subscribe": False}
    rights.write_text(json.dumps({"defaultACLAccess": access}))
    extra = [f"plugin {DYNAMIC_SECURITY}", f"plugin_opt_config_file {rights}"]
    with Mosquitto(extra=extra) as broker, Run(an_outbox("mqtt"), broker, home_assistant=AT_ONCE) as run:

        def condition():
            return run.publishing.status[0].condition

        eventually(lambda: "does not let it read edged/device/dev1/feed/door/set" in condition(), "")
        eventually(lambda: "cannot be told to switch feeds" in caplog.text, "the complaint")


def a_face(jpeg=b"jpeg"):
    return FaceImage(namespace="home", feed_id="door", identity_id="i", jpeg=jpeg, at_ms=1)


def test_a_picture_that_is_kept_goes_when_it_is_hidden_and_with_a_clean_stop(broker, an_outbox):
    outbox = an_outbox("mqtt")
    with Subscriber(broker) as subscriber, Run(outbox, broker, image="retained") as run:
        until_online(subscriber)
        run.publishing.show_face(a_face(b"one"))
        subscriber.wait_for(1, "/image")
        assert retained(broker)["edged/home/door/image"] == "one"
        run.publishing.hide_face("door")
        run.publishing.hide_face("door")
        assert subscriber.wait_for(2, "/image") == ["one", ""]
        assert "edged/home/door/image" not in retained(broker)
        run.publishing.show_face(a_face(b"two"))
        subscriber.wait_for(3, "/image")
    found = retained(broker)
    assert "edged/home/door/image" not in found
    assert found["edged/device/dev1/status"] == "offline"


def test_a_picture_that_a_crash_left_goes_with_the_next_start(broker, an_outbox):
    outbox = an_outbox("mqtt")
    publish(broker, "edged/home/door/image", "left", "-r")
    outbox.note_retained("mqtt", f"{broker.host}:{broker.port}", {"edged/home/door/image": ""})
    with Subscriber(broker) as subscriber, Run(outbox, broker, image="retained"):
        until_online(subscriber)
        assert "edged/home/door/image" not in retained(broker)


def test_a_picture_that_is_only_sent_is_never_kept_and_not_shown_again(broker, an_outbox):
    with (
        OldBroker(broker, says_why=True) as door,
        Subscriber(broker) as subscriber,
        Run(an_outbox("mqtt"), door, image="sent") as run,
    ):
        until_online(subscriber)
        run.publishing.show_face(a_face(b"one"))
        subscriber.wait_for(1, "/image")
        door.cut()
        until_online(subscriber, times=2)
        run.publishing.show_face(a_face(b"two"))
        assert subscriber.wait_for(2, "/image") == ["one", "two"]
        assert "edged/home/door/image" not in retained(broker)


def test_without_a_wish_for_pictures_none_is_shown(broker, an_outbox):
    with Subscriber(broker) as subscriber, Run(an_outbox("mqtt"), broker) as run:
        run.publishing.show_face(a_face())
        run.publishing.report_device(DeviceState(device="dev1", version="1", at=1))
        run.publishing.report_namespace(NamespacePresence(namespace="home", device="dev1", persons=(), at=1))
        subscriber.wait_for(1, "/namespace/home/presence")
        subscriber.wait_for(1, "/device/dev1/state")
        assert subscriber.payloads("/image") == []


def test_who_may_not_write_announcements_is_told_so_and_delivers_all_the_same(an_outbox, a_message, caplog):
    acl = ["user edged", "topic readwrite edged/#", "topic readwrite test/#"]
    with Mosquitto(users={"edged": "word"}, acl=acl) as broker:
        outbox = an_outbox("mqtt")
        access = {"username": "edged", "password": Secret("broker", "word")}
        with (
            Subscriber(broker, "edged/#", user="edged") as subscriber,
            Run(outbox, broker, home_assistant=AT_ONCE, **access) as run,
        ):
            outbox.commit([a_message("a")], CLOCK.moment())
            run.publishing.wake()
            subscriber.wait_for(1, "/job")
            until_online(subscriber)
            eventually(lambda: "may not write homeassistant/" in caplog.text, "the complaint")
