"""What `edged doctor` looks at. Each check is independent of the others and never raises."""

import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from edged.app.absolute_paths import with_absolute_paths
from edged.app.chosen_models import with_chosen_embedder
from edged.app.configuration import Loaded, load
from edged.app.data_dir import data_dir_of
from edged.camera.factory import make_source
from edged.delivery.route import sink_id
from edged.domain.errors import EdgedError, EndOfMediaError
from edged.domain.moment import Clock
from edged.inference.catalogue import Catalogue
from edged.inference.runtime import find_runtime
from edged.inference.verify import verify
from edged.publish.probe import probe
from edged.settings.feeds import Feed
from edged.settings.recognition import Models
from edged.settings.root import Settings
from edged.store.faults import is_there
from edged.store.fsck import fsck
from edged.store.namespace_files import namespace_path
from edged.store.outbox import FILE_NAME, Outbox

PYTHONS: Final = ((3, 11), (3, 13))
"""First and last Python that edged is made for."""
LEAST_FREE_BYTES: Final = 200_000_000
OLD_OUTBOX_MS: Final = 60_000
FRAMES_TRIED: Final = 10


class Health(StrEnum):
    """How a check came out."""

    WELL = "ok"
    DOUBTFUL = "doubtful"
    ILL = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what was looked at, how it is, what was seen, and what to do about it."""

    what: str
    health: Health
    seen: str
    remedy: str = ""


def examine(path: Path, clock: Clock, *, with_fsck: bool) -> Iterator[Finding]:
    """Look at everything, from the ground up; a finding as soon as it is made."""
    yield _python()
    yield from _runtime_and_models(Models())
    try:
        loaded = load(path)
    except EdgedError as error:
        yield Finding("configuration", Health.ILL, error.what, error.remedy or "see `edged config check`")
        return
    yield Finding("configuration", Health.WELL, f"{path} is right")
    yield from (Finding("configuration", Health.DOUBTFUL, doubt) for doubt in loaded.doubts)
    settings = with_absolute_paths(loaded.settings, loaded.base_dir)
    folder = data_dir_of(loaded.settings.data_dir, loaded.base_dir)
    try:
        models = with_chosen_embedder(settings.models, folder)
    except EdgedError as error:
        yield Finding("embedder", Health.ILL, error.what, error.remedy)
        models = settings.models
    if models != Models():
        yield from _runtime_and_models(models)
    yield from _data(loaded, settings, clock, with_fsck=with_fsck)
    for feed in settings.feeds:
        yield _guarded(f"feed {feed.id}", lambda feed=feed: _feed(feed, clock))  # type: ignore[misc]
    for sink in settings.sinks:
        yield _guarded(f"sink {sink_id(sink)}", lambda sink=sink: probe(sink))  # type: ignore[misc]


def _guarded(what: str, check: Callable[[], str | Finding]) -> Finding:
    """A check's own finding, what it saw, or the error that stopped it."""
    try:
        seen = check()
    except EdgedError as error:
        return Finding(what, Health.ILL, error.what, error.remedy)
    return seen if isinstance(seen, Finding) else Finding(what, Health.WELL, seen)


def _python() -> Finding:
    seen = (
        f"Python {platform.python_version()} on {platform.machine()}, "
        f"NumPy {np.__version__}, OpenCV {cv2.__version__}"
    )
    if PYTHONS[0] <= sys.version_info[:2] <= PYTHONS[1]:
        return Finding("Python", Health.WELL, seen)
    made_for = " to ".join(f"{major}.{minor}" for major, minor in PYTHONS)
    return Finding("Python", Health.DOUBTFUL, seen, f"edged is made for Python {made_for}")


def _runtime_and_models(models: Models) -> Iterator[Finding]:
    try:
        runtime = find_runtime()
        catalogue = Catalogue(models.directory)
        names = [
            catalogue.detector_for(models.detector, runtime.name).name,
            models.landmarks,
            catalogue.embedder_for(models.embedder, runtime.name).name,
        ]
    except EdgedError as error:
        yield Finding("runtime", Health.ILL, error.what, error.remedy)
        return
    yield Finding("runtime", Health.WELL, f"{runtime.name} {runtime.version}")
    for name in names:
        verdict = verify(catalogue, name, runtime, models)
        if verdict.works:
            seen = "; ".join(verdict.deviations) or "as its card says"
            delegate = f"; computed by {verdict.delegate}" if verdict.delegate else ""
            yield Finding(f"model {name}", Health.WELL, seen + delegate)
        for remark in verdict.remarks:
            yield Finding(f"model {name}", Health.DOUBTFUL, remark, "see `models.delegate` in docs/models.md")
        for problem in verdict.problems:
            what, _, remedy = problem.partition("\n")
            yield Finding(f"model {name}", Health.ILL, what, remedy.strip())


def _data(loaded: Loaded, settings: Settings, clock: Clock, *, with_fsck: bool) -> Iterator[Finding]:
    folder = data_dir_of(loaded.settings.data_dir, loaded.base_dir)
    yield _guarded("data folder", lambda: _folder(folder))
    for namespace in dict.fromkeys(feed.namespace for feed in settings.feeds):
        path = namespace_path(folder, namespace)
        yield _guarded(
            f"namespace {namespace}",
            lambda path=path, namespace=namespace: _namespace(path, namespace, with_fsck=with_fsck),  # type: ignore[misc]
        )
    yield _guarded("outbox", lambda: _outbox(folder, clock))


def _namespace(path: Path, namespace: str, *, with_fsck: bool) -> str | Finding:
    what = f"namespace {namespace}"
    if not is_there(path):
        remedy = f"enrol somebody: edged identities add NAME IMAGE --namespace {namespace}"
        return Finding(what, Health.DOUBTFUL, "nobody is enrolled", remedy)
    wrong = fsck(path) if with_fsck else []
    if wrong:
        return Finding(what, Health.ILL, "; ".join(wrong), "see docs/store.md")
    return f"{path} {'every invariant holds' if with_fsck else 'is there; `--fsck` proves it whole'}"


def _folder(folder: Path) -> Finding:
    there = next(parent for parent in (folder, *folder.parents) if is_there(parent))
    free = shutil.disk_usage(there).free
    seen = f"{folder}, {free // 1_000_000} MB free"
    if not os.access(there, os.W_OK):
        return Finding(
            "data folder", Health.ILL, f"{folder} cannot be written", "run as the user of the daemon"
        )
    if free < LEAST_FREE_BYTES:
        return Finding("data folder", Health.ILL, seen, "make room: a full disk holds jobs up")
    return Finding("data folder", Health.WELL, seen)


def _outbox(folder: Path, clock: Clock) -> Finding:
    if not is_there(folder / FILE_NAME):
        return Finding("outbox", Health.WELL, "is made when the daemon starts")
    # Only the daemon may put a damaged one aside.
    outbox = Outbox(folder, may_replace=False)
    try:
        status = outbox.status(clock.moment())
    finally:
        outbox.close()
    waiting = sum(sink.waiting for sink in status.sinks)
    dead = sum(sink.dead for sink in status.sinks)
    ages = [sink.oldest_age_ms for sink in status.sinks if sink.oldest_age_ms is not None]
    seen = f"{waiting} messages wait, {dead} are dead letters"
    if dead or max(ages, default=0) > OLD_OUTBOX_MS:
        return Finding("outbox", Health.DOUBTFUL, seen, "see `edged outbox` and `edged outbox dead`")
    return Finding("outbox", Health.WELL, seen)


def _feed(feed: Feed, clock: Clock) -> str:
    """Open the feed and take some frames; a camera that serves only one reader may refuse a second."""
    source = make_source(feed.source, Path.cwd(), clock)
    try:
        source.open()
        begun = clock.moment().steady_ms
        taken = 0
        try:
            for _ in range(FRAMES_TRIED):
                source.grab()
                taken += 1
            pixels = source.retrieve()
        except EndOfMediaError:
            return f"a clip of {taken} frames" if taken else "is empty"
        took_s = max(clock.moment().steady_ms - begun, 1) / 1000
        rate = f", {taken / took_s:.1f} frames/s" if source.is_live else ""
        return f"{pixels.shape[1]} x {pixels.shape[0]}{rate}, decoded by {source.decoder}"
    finally:
        source.close()
