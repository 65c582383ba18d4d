"""How long a call into a source may take."""

import pytest

from edged.pipeline.patience import patience_of
from edged.settings.quantities import Duration
from edged.settings.sources import (
    CsiSource,
    FileSource,
    HttpSource,
    RtspSource,
    SnapshotSource,
    UsbSource,
)

CAMERAS = [
    RtspSource(url="rtsp://camera/", read_timeout=Duration(3), open_timeout=Duration(5)),
    HttpSource(url="http://camera/", read_timeout=Duration(3), open_timeout=Duration(5)),
    SnapshotSource(url="http://camera/", read_timeout=Duration(3), open_timeout=Duration(5)),
    UsbSource(read_timeout=Duration(3)),
    CsiSource(read_timeout=Duration(3)),
]


@pytest.mark.parametrize("source", CAMERAS, ids=lambda source: type(source).__name__)
def test_a_stall_is_found_at_the_time_out_and_a_stuck_call_only_after_it(source: RtspSource):
    patience = patience_of(source)

    assert patience.stall_s is not None
    assert 2 < patience.stall_s < 3
    assert patience.frame_s > 3
    assert patience.open_s > 5


def test_a_clip_stalls_nobody_and_a_disk_that_hangs_is_found():
    patience = patience_of(FileSource(path="clip.mp4"))

    assert patience.stall_s is None
    assert patience.frame_s > 0


def test_an_opening_that_tries_several_decoders_may_take_the_time_of_each():
    patience = patience_of(RtspSource(url="rtsp://camera/", open_timeout=Duration(5), hardware="auto"))

    assert patience.open_s > 3 * patience_of(CAMERAS[0]).open_s
