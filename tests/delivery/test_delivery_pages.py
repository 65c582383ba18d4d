"""What goes over the wire, and every counter of a loss, is in the docs."""

import re
from pathlib import Path

import msgspec
import pytest

from edged.domain.errors import CameraFault
from edged.domain.event import Event, EventType, Presence, PresentPerson
from edged.domain.feed_state import FeedState
from edged.domain.job import FaceEdge, ImageStatus, Job, JobEdge, JobImage, JobObject, JobStatus, WireBox

ROOT = Path(__file__).parents[2]
JOBS = (ROOT / "docs" / "jobs.md").read_text("utf-8")
DELIVERY = (ROOT / "docs" / "delivery.md").read_text("utf-8")
STRUCTS = (Job, JobEdge, JobImage, JobObject, FaceEdge, WireBox, Event, Presence, PresentPerson, FeedState)


@pytest.mark.parametrize("struct", STRUCTS, ids=lambda struct: struct.__name__)
def test_every_field_on_the_wire_is_explained(struct):
    missing = [f.encode_name for f in msgspec.structs.fields(struct) if f"`{f.encode_name}`" not in JOBS]
    assert missing == []


@pytest.mark.parametrize("words", [JobStatus, ImageStatus, EventType, CameraFault])
def test_every_word_on_the_wire_is_explained(words):
    assert [word for word in words if f"`{word}`" not in JOBS] == []


def test_every_counter_is_explained():
    sources = [path.read_text("utf-8") for path in (ROOT / "edged" / "store").glob("outbox*.py")]
    names = r'(?:count\(connection, [^,]+, |_forget\(.*, |^        )"([a-z_]+)"'
    counters = {name for text in sources for name in re.findall(names, text, re.MULTILINE)}
    assert {"sent", "replaced", "buried", "given_up_age", "sink_removed"} <= counters
    assert [name for name in sorted(counters) if f"`{name}`" not in DELIVERY] == []
