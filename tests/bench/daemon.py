"""The real daemon and its commands, as a user runs them."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Self

import yaml

PROJECT = Path(__file__).resolve().parents[2]
FIXTURES = PROJECT.parent / "shared" / "fixtures"
CLIPS = FIXTURES / "clips"

CLIPS_OF = {
    "asl_A": ("again.mkv", "brother.mkv"),
    "asl_B": ("eat.mkv",),
    "asl_C": ("bird.mkv", "milk.mkv"),
    "asl_D": ("book.mkv", "learn.mkv"),
    "asl_E": ("hungry.mkv",),
}
"""Who is in which clip; the first clip of asl_A, asl_C and asl_D is the one they are enrolled from."""

ENROLLED = {person: CLIPS_OF[person][0] for person in ("asl_A", "asl_C", "asl_D")}
BOTTLE = "bottle-detection.mp4"


def edged(
    *arguments: str | Path, timeout_s: float = 120, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "edged", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=timeout_s,
        env={**os.environ, **environment},
        check=False,
    )


def enrol(data_dir: Path, people: Mapping[str, str] = ENROLLED) -> None:
    """Enrol people, each from one clip of the footage."""
    for person, clip in people.items():
        done = edged("identities", "add", person, CLIPS / clip, "--data-dir", data_dir)
        assert done.returncode == 0, done.stderr


class Daemon:
    """`edged run` on a configuration of its own, in a folder of its own."""

    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        self.folder = folder
        self.data_dir = Path(settings.get("data_dir", folder / "data"))
        self.config = folder / "config.yaml"
        self.config.write_text(_yaml({"data_dir": str(self.data_dir), "device": "bench", **settings}))
        self.log = folder / "daemon.log"
        self.process: subprocess.Popen[bytes] | None = None
        self._log_before = 0

    def start(self, *options: str, **environment: str) -> "Daemon":
        """Begin; does not wait for anything."""
        self._log_before = len(self.log_text())
        with self.log.open("ab") as log, (self.folder / "daemon.out").open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "edged", "run", "--config", str(self.config), *options],
                stdout=out,
                stderr=log,
                env={**os.environ, **environment},
            )
        return self

    def wait_until_ready(self) -> None:
        """Return when this start has come to READY."""
        eventually(lambda: "Ready" in self.log_text()[self._log_before :], 60, self.log_text)

    def run_to_the_end(self, timeout_s: float = 120) -> int:
        """Run until every clip has been played and everything is delivered; the exit code."""
        self.start("--exit-when-done")
        return self.wait(timeout_s)

    def wait(self, timeout_s: float = 30) -> int:
        """Wait for the end; the exit code."""
        assert self.process is not None
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the daemon did not end in time\n{self.log_text()}") from None

    def stop(self, timeout_s: float = 10) -> int:
        """SIGTERM, as systemd stops it; the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.wait(timeout_s)

    def kill(self) -> None:
        """SIGKILL: power cut."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    @property
    def is_running(self) -> bool:
        """Whether the process lives."""
        return self.process is not None and self.process.poll() is None

    def log_text(self) -> str:
        """What it logged so far."""
        return self.log.read_text() if self.log.exists() else ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.is_running:
            self.kill()


def json_lines(path: Path) -> list[dict[str, Any]]:
    """Every line of a file of JSON lines."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def final(jobs: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The final jobs of these, each once, oldest first."""
    found = {job["id"]: job for job in jobs if job["status"] != "IN_PROGRESS"}
    return list(found.values())


def names(job: dict[str, Any]) -> set[str]:
    """What a job says of its faces: a name, or the decision where there is none."""
    return {
        face["edge"].get("name", face["edge"]["decision"])
        for image in job["images"]
        for face in image["objects"]
    }


def eventually(holds: Callable[[], Any], timeout_s: float = 30, what: str | Callable[[], str] = "") -> Any:
    """Wait until something holds and return what it gave; fails after the time-out."""
    deadline = time.monotonic() + timeout_s
    while True:
        value = holds()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_s} s: {what() if callable(what) else what or holds}")
        time.sleep(0.05)


class _Tagged(str):
    """Text behind a YAML tag."""

    __slots__ = ()


def secret(name: str) -> _Tagged:
    """`!secret name` for a configuration."""
    return _Tagged(name)


class _Dumper(yaml.SafeDumper):
    pass


_Dumper.add_representer(_Tagged, lambda dumper, value: dumper.represent_scalar("!secret", str(value)))


def _yaml(settings: Mapping[str, Any]) -> str:
    return yaml.dump(dict(settings), Dumper=_Dumper, sort_keys=False)
