"""Six cameras over RTSP at real time, a real broker with a real subscriber, a real HTTPS receiver."""

import contextlib
import json

import pytest

from bench.daemon import BOTTLE, CLIPS, Daemon, enrol, eventually, final, names, secret
from bench.mosquitto import Mosquitto, Subscriber
from bench.rtsp import RtspServer
from bench.webhook_receiver import SECRET, WebhookReceiver

pytestmark = [
    pytest.mark.footage,
    pytest.mark.skipif(not CLIPS.is_dir(), reason=f"the shared footage is not at {CLIPS}"),
]

EXPECTED = {
    "brother": {"asl_A"},
    "milk": {"asl_C"},
    "learn": {"asl_D"},
    "eat": {"unknown"},
    "hungry": {"unknown"},
}
BOTTLE_FRAMES = 160
"""Ten a second, and the bottle clip lasts 13 s."""


@pytest.mark.timeout(240)
def test_five_people_and_a_bottle_at_six_cameras(tmp_path):
    with contextlib.ExitStack() as stack:
        cameras = {name: stack.enter_context(_camera(f"{name}.mkv")) for name in EXPECTED}
        cameras["bottle"] = stack.enter_context(_camera(BOTTLE))
        broker = stack.enter_context(Mosquitto())
        receiver = stack.enter_context(WebhookReceiver())
        subscriber = stack.enter_context(Subscriber(broker))
        daemon = stack.enter_context(Daemon(tmp_path, _settings(cameras, broker, receiver)))
        enrol(daemon.data_dir)

        daemon.start(EDGED_SECRET_HOOK=SECRET)
        eventually(lambda: len(final(_jobs(subscriber))) >= len(EXPECTED), 90, "a final job a person")
        eventually(
            lambda: _frames_of(subscriber, "bottle") >= BOTTLE_FRAMES, 90, "the bottle clip to be over"
        )
        eventually(lambda: len(final(_bodies(receiver))) >= len(EXPECTED), 30, "webhooks")

        assert daemon.stop() == 0, daemon.log_text()
        _assert_everybody_told_once(_jobs(subscriber))
        _assert_everybody_told_once(_bodies(receiver))
        assert {received.answered for received in receiver.received} == {200}, "every signature was right"
        _assert_nothing_old_can_open_a_door(subscriber)


def _camera(clip):
    return RtspServer(CLIPS / clip, after="empty", before_s=2)


def _settings(cameras, broker, receiver):
    return {
        "feeds": [
            {"id": name, "source": {"type": "rtsp", "url": camera.url}} for name, camera in cameras.items()
        ],
        "sinks": [
            {"type": "mqtt", "host": "127.0.0.1", "port": broker.port},
            {"type": "webhook", "url": receiver.url, "secret": secret("hook"), "ca_file": receiver.ca_file},
        ],
    }


def _jobs(subscriber):
    return [json.loads(payload) for payload in subscriber.payloads("/job")]


def _bodies(receiver):
    return [json.loads(body) for body in receiver.bodies()]


def _frames_of(subscriber, feed):
    states = subscriber.payloads(f"/feed/{feed}/state")
    return json.loads(states[-1])["frames"] if states else 0


def _assert_everybody_told_once(jobs):
    finals = final(jobs)
    assert {job["feedId"]: names(job) for job in finals} == EXPECTED
    assert len(finals) == len(EXPECTED)
    for job in finals:
        sequences = [other["edge"]["sequence"] for other in jobs if other["id"] == job["id"]]
        assert sequences == sorted(set(sequences)), "in order, each once"


def _assert_nothing_old_can_open_a_door(subscriber):
    assert not [heard for heard in subscriber.heard if heard.retained]
    assert {json.loads(p)["type"] for p in subscriber.payloads("/event")} == {"known", "unknown", "left"}
    for feed in EXPECTED:
        presence = [json.loads(payload) for payload in subscriber.payloads(f"/{feed}/presence")]
        assert presence[0]["persons"] == []
        assert presence[-1]["persons"] == []
    assert subscriber.payloads("/status")[-1] == "offline"
