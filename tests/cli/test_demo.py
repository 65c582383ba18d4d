import argparse
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Self

import msgspec
import pytest

from bench.daemon import eventually
from bench.mosquitto import Mosquitto, Subscriber
from bench.require import require
from edged.app.configuration import load
from edged.cli.demo import Broker, broker, configuration
from edged.domain.job import Job
from edged.settings.sinks import ConsoleSink, MqttSink
from edged.settings.sources import FileSource


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("localhost", Broker("localhost", None)),
        ("broker.lan:1884", Broker("broker.lan", 1884)),
        ("192.168.1.2:1883", Broker("192.168.1.2", 1883)),
        ("[::1]", Broker("::1", None)),
        ("[fe80::1%eth0]:8883", Broker("fe80::1%eth0", 8883)),
    ],
)
def test_a_broker_is_a_host_and_perhaps_a_port(text: str, expected: Broker) -> None:
    assert broker(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", ":1883", "host:", "host:0", "host:65536", "host:mqtt", "::1", "[::1", "[]", "mqtt://host", "a b"],
)
def test_what_is_no_broker_is_refused_with_what_would_be_one(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="HOST:PORT"):
        broker(text)


@pytest.mark.parametrize("loop", [False, True])
def test_the_configuration_is_one_that_the_daemon_takes(tmp_path: Path, *, loop: bool) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(configuration(None, loop=loop), encoding="utf-8")
    loaded = load(path)
    (feed,) = loaded.settings.feeds
    assert isinstance(feed.source, FileSource)
    assert (feed.source.pace, feed.source.loop) == ("realtime", loop)
    assert loaded.resolved(feed.source.path).is_file()
    assert loaded.settings.sinks == (ConsoleSink(),)
    assert loaded.doubts == ()


def test_a_broker_is_told_beside_the_console(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(configuration(Broker("::1", 1884), loop=False), encoding="utf-8")
    assert load(path).settings.sinks == (ConsoleSink(), MqttSink(host="::1", port=1884))


class Demo:
    """`edged demo` as somebody starts it, its two outputs in files."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.temporary = folder / "temporary"
        self.temporary.mkdir()
        self._stdout, self._stderr = folder / "stdout", folder / "stderr"
        with self._stdout.open("wb") as stdout, self._stderr.open("wb") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "edged", "demo", *options],
                stdout=stdout,
                stderr=stderr,
                env={**os.environ, "TMPDIR": str(self.temporary)},
            )

    def has_ended(self) -> bool:
        return self.process.poll() is not None

    def told(self) -> str:
        return self._stderr.read_text("utf-8")

    def jobs(self) -> list[Job]:
        return [msgspec.json.decode(line, type=Job) for line in self._stdout.read_bytes().splitlines()]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if not self.has_ended():
            self.process.kill()
            self.process.wait()


def names_of(job: Job) -> set[str | None]:
    return {face.edge.name for image in job.images for face in image.objects}


def test_ctrl_c_ends_the_demo_cleanly(tmp_path: Path) -> None:
    with Demo(tmp_path) as demo:
        eventually(lambda: "Eileen Collins came" in demo.told() or demo.has_ended(), timeout_s=60)
        demo.process.send_signal(signal.SIGINT)
        assert demo.process.wait(30) == 0
        assert demo.told().endswith("that was all: Eileen Collins came once; 1 job\n")
        assert "Traceback" not in demo.told()
        assert [names_of(job) for job in demo.jobs() if job.is_final] == [{"Eileen Collins"}]
        assert list(demo.temporary.iterdir()) == []


def test_the_demo_tells_the_whole_story_to_the_console_and_to_a_broker(tmp_path: Path) -> None:
    require("mosquitto", "mosquitto")
    require("mosquitto_sub", "mosquitto-clients")
    kept = tmp_path / "kept"
    with Mosquitto() as broker, Subscriber(broker) as subscriber:
        with Demo(tmp_path, "--mqtt", f"127.0.0.1:{broker.port}", "--keep", str(kept)) as demo:
            assert demo.process.wait(120) == 0
            lines = [line.partition("  ")[2] for line in demo.told().splitlines() if "  " in line]
            jobs = demo.jobs()
        heard = [msgspec.json.decode(text, type=Job) for text in subscriber.wait_for(len(jobs), "/job")]
    assert [line.partition(" (")[0] for line in lines] == [
        "Eileen Collins came",
        "Eileen Collins left",
        "somebody unknown came",
        "somebody unknown left",
        "Eileen Collins came",
        "Eileen Collins left",
    ]
    assert demo.told().endswith("Eileen Collins came twice, somebody unknown came once; 3 jobs\n")
    final = [job for job in jobs if job.is_final]
    assert [names_of(job) for job in final] == [{"Eileen Collins"}, {None}, {"Eileen Collins"}]
    assert [job for job in heard if job.is_final] == final
    assert list(demo.temporary.iterdir()) == []
    assert (kept / "config.yaml").is_file()
    assert any((kept / "data").iterdir())


def test_a_folder_that_has_something_in_it_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "diary.txt").write_text("mine")
    with Demo(tmp_path, "--keep", str(tmp_path / "kept")) as demo:
        assert demo.process.wait(30) == 78
        assert "kept is not empty\n  name a new folder" in demo.told()
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["diary.txt"]
