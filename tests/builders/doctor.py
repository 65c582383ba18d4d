"""Configurations for the doctor, examined in this process."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.daemon import PROJECT, Daemon
from edged.app.checkup.examination import Examination
from edged.app.checkup.finding import NAMES, Finding
from edged.system.clock import SystemClock

SCENE = PROJECT / "edged" / "cli" / "sample" / "scene.mp4"
QUIET = ("configuration", "service", "store", "sinks")
"""Sections that run no model and read no camera."""


def a_configuration(folder: Path, **changes: Any) -> Path:
    """A file that is right: one clip, told to the console."""
    feeds = [{"id": "hall", "source": {"type": "file", "path": str(SCENE)}}]
    folder.mkdir(exist_ok=True)
    return Daemon(folder, {"feeds": feeds, "sinks": [{"type": "console"}]} | changes).config


def examined(config: Path, *sections: str, **options: Any) -> tuple[Examination, list[Finding]]:
    """The examination and what it found."""
    examination = Examination(config, SystemClock(), sections=sections or QUIET, **options)
    found = list(examination.findings())
    assert all(is_known(finding) for finding in found), found
    return examination, found


def by_name(findings: Sequence[Finding]) -> Mapping[str, Finding]:
    """The last finding of each name."""
    return {finding.what: finding for finding in findings}


def is_known(finding: Finding) -> bool:
    """Whether the check is among those that the page explains, in its section."""
    return any(
        re.fullmatch(rf"{re.escape(name)}( .+)?", finding.what) and finding.section == section
        for name, section in NAMES.items()
    )
