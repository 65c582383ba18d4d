"""Brokers die, daemons are killed: every final job arrives, no job stays open."""

import json
import random
import time

import pytest

from bench.daemon import CLIPS, Daemon, enrol, eventually, final, json_lines
from bench.mosquitto import Mosquitto, Subscriber

pytestmark = [
    pytest.mark.footage,
    pytest.mark.skipif(not CLIPS.is_dir(), reason=f"the shared footage is not at {CLIPS}"),
]

KILLS = 20
OUTAGE_S = 30


def _settings(broker, out):
    """Clips for ever, and a job ends every second: final ones all the time."""
    return {
        "feeds": [
            {
                "id": clip,
                "source": {
                    "type": "file",
                    "path": str(CLIPS / f"{clip}.mkv"),
                    "pace": "realtime",
                    "loop": True,
                },
            }
            for clip in ("brother", "hungry")
        ],
        "sinks": [
            {
                "type": "mqtt",
                "host": "127.0.0.1",
                "port": broker.port,
                "retry": {"first": "100 ms", "most": "1 s"},
            },
            {"type": "file", "path": str(out)},
        ],
        "sightings": {"max_age": "1 s", "close_after": "500 ms", "min_interval": "200 ms"},
    }


def _jobs(subscriber):
    return [json.loads(payload) for payload in subscriber.payloads("/job")]


def _assert_complete(heard, written):
    """Both sinks were told the same final jobs; nothing stays open; what came twice is the same."""
    assert {job["id"] for job in final(heard)} == {job["id"] for job in final(written)}
    assert {job["id"] for job in heard} == {job["id"] for job in final(heard)}, "every job was closed"
    told = {}
    for job in heard + written:
        key = job["id"], job["edge"]["sequence"]
        job["edge"]["delayedMs"] = 0
        assert told.setdefault(key, job) == job, "a duplicate carries the same id, sequence and content"
    for job in final(heard):
        last = max(other["edge"]["sequence"] for other in heard if other["id"] == job["id"])
        assert job["edge"]["sequence"] == last, "nothing comes after the final word"


@pytest.mark.timeout(180)
def test_a_broker_that_is_gone_for_half_a_minute_costs_no_job(tmp_path):
    with Mosquitto() as broker, Subscriber(broker, session="house") as subscriber:
        with Daemon(tmp_path, _settings(broker, tmp_path / "jobs")) as daemon:
            enrol(daemon.data_dir, {"asl_A": "again.mkv"})
            daemon.start()
            eventually(lambda: len(final(_jobs(subscriber))) >= 3, what="jobs before the outage")

            # SIGTERM, so that it saves what it has acknowledged: a SIGKILL could make it forget that.
            broker.stop()
            time.sleep(OUTAGE_S)
            written = len(final(json_lines(tmp_path / "jobs")))
            broker.start()

            eventually(lambda: len(final(_jobs(subscriber))) >= written, 60, "what waited meanwhile")
            assert daemon.stop() == 0, daemon.log_text()
        jobs = json_lines(tmp_path / "jobs")
        eventually(lambda: len(final(_jobs(subscriber))) >= len(final(jobs)), 30, "the rest")

        _assert_complete(_jobs(subscriber), jobs)
        assert any(job["edge"]["delayedMs"] > 1000 for job in _jobs(subscriber)), "late ones say so"


@pytest.mark.timeout(300)
def test_a_daemon_killed_at_random_loses_no_final_job_and_leaves_none_open(tmp_path):
    chance = random.Random(20)
    with Mosquitto() as broker, Subscriber(broker, session="house") as subscriber:
        with Daemon(tmp_path, _settings(broker, tmp_path / "jobs")) as daemon:
            enrol(daemon.data_dir, {"asl_A": "again.mkv"})
            for _ in range(KILLS):
                before = len(json_lines(tmp_path / "jobs"))
                daemon.start()
                eventually(lambda n=before: len(json_lines(tmp_path / "jobs")) > n, 60, daemon.log_text)
                time.sleep(chance.uniform(0, 1.2))
                daemon.kill()

            daemon.start()
            daemon.wait_until_ready()
            assert daemon.stop() == 0, daemon.log_text()
        jobs = json_lines(tmp_path / "jobs")
        eventually(lambda: len(final(_jobs(subscriber))) >= len(final(jobs)), 30, "the rest")

        _assert_complete(_jobs(subscriber), jobs)
        assert {job["status"] for job in final(jobs)} >= {"COMPLETED_SUCCESSFULLY", "COMPLETED_PARTIAL_ERROR"}
