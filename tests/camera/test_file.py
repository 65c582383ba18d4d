"""Video files, by both decoders."""

import os
import shutil
import stat
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.clips import ffmpeg, pattern
from builders.capture import grab_to_the_end, grab_until_it_fails
from edged.domain.errors import CameraError, CameraFault, EndOfMediaError
from edged.domain.frame import Pixels
from edged.pipeline.ports import Source
from edged.settings.sources import FileSource

SourceOf = Callable[..., Source]
FaultOf = Callable[..., CameraError]
FOOTAGE = Path(__file__).resolve().parents[3] / "shared" / "fixtures" / "clips"


@pytest.fixture(params=["opencv", "ffmpeg"])
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def settings(path: Path | str, backend: str = "opencv", **more: Any) -> FileSource:
    return FileSource(path=str(path), backend=backend, **more)  # type: ignore[arg-type]


def played(source: Source, most: int = 10_000) -> list[tuple[float, Pixels]]:
    """All frames of a source, with their times, to its end."""
    frames: list[tuple[float, Pixels]] = []
    source.open()
    try:
        for _ in range(most):
            at = source.grab()
            assert at is not None
            frames.append((at, source.retrieve()))
    except EndOfMediaError:
        pass
    source.close()
    return frames


def test_a_clip_gives_all_its_frames_with_their_times(source_of: SourceOf, backend: str):
    frames = played(source_of(settings(pattern(seconds=2, fps=25), backend)))

    assert [at for at, _ in frames] == pytest.approx([number / 25 for number in range(50)], abs=0.001)
    assert frames[0][1].shape == (240, 320, 3)
    assert not np.array_equal(frames[0][1], frames[-1][1])


def test_a_clip_gives_the_same_pictures_and_times_again(source_of: SourceOf, backend: str):
    source = source_of(settings(pattern(seconds=1), backend))
    first, second = played(source), played(source)

    assert [at for at, _ in first] == [at for at, _ in second]
    assert all(np.array_equal(one, other) for (_, one), (_, other) in zip(first, second, strict=True))


def test_both_decoders_see_the_same(source_of: SourceOf):
    clip = pattern(seconds=1)
    ours, theirs = played(source_of(settings(clip))), played(source_of(settings(clip, "ffmpeg")))

    assert len(ours) == len(theirs)
    differences = [
        np.abs(one.astype(int) - other.astype(int)).mean()
        for (_, one), (_, other) in zip(ours, theirs, strict=True)
    ]
    assert max(differences) < 3


def test_a_loop_goes_on_in_time(source_of: SourceOf, backend: str):
    times = [at for at, _ in played(source_of(settings(pattern(seconds=1), backend, loop=True)), most=60)]

    assert len(times) == 60
    assert [later - earlier for earlier, later in pairwise(times)] == pytest.approx([0.04] * 59, abs=0.001)


def test_only_a_clip_in_real_time_is_live(source_of: SourceOf, backend: str):
    assert source_of(settings("x", backend, pace="realtime")).is_live
    assert not source_of(settings("x", backend, pace="fast")).is_live


def test_the_decoder_is_named(source_of: SourceOf, backend: str):
    source = source_of(settings(pattern(), backend))
    source.open()

    assert source.decoder == {"opencv": "opencv/ffmpeg h264", "ffmpeg": "ffmpeg h264 (native)"}[backend]


def test_a_stream_without_times_goes_by_its_rate(source_of: SourceOf, tmp_path: Path):
    raw = tmp_path / "clip.h264"
    ffmpeg("-i", pattern(seconds=1), "-c:v", "copy", "-f", "h264", raw)
    times = [at for at, _ in played(source_of(settings(raw)))]

    assert len(times) == 25
    assert [later - earlier for earlier, later in pairwise(times)] == pytest.approx([0.04] * 24, abs=0.001)


def test_a_path_counts_from_the_configuration_file(source_of: SourceOf, backend: str, tmp_path: Path):
    shutil.copy(pattern(seconds=1), tmp_path / "a clip's name: 50% off.mp4")

    assert played(source_of(settings("a clip's name: 50% off.mp4", backend), tmp_path))


@pytest.mark.parametrize("name", ["notes.txt", "notes.mp4", "notes.mkv", "notes"])
def test_a_text_file_is_not_video(fault_of: FaultOf, backend: str, tmp_path: Path, name: str):
    (tmp_path / name).write_text("Lorem ipsum dolor sit amet.\n" * 500)
    error = fault_of(settings(name, backend), tmp_path)

    assert error.fault is CameraFault.NOT_VIDEO
    assert "ffprobe" in error.remedy


def test_half_an_mp4_is_not_video(fault_of: FaultOf, backend: str, tmp_path: Path):
    whole = pattern(seconds=2).read_bytes()
    (tmp_path / "half.mp4").write_bytes(whole[: len(whole) // 2])

    assert fault_of(settings("half.mp4", backend), tmp_path).fault is CameraFault.NOT_VIDEO


def test_half_a_matroska_file_is_played_as_far_as_it_goes_and_called_cut_off(
    source_of: SourceOf, tmp_path: Path
):
    ffmpeg("-i", pattern(seconds=6), "-c:v", "copy", tmp_path / "whole.mkv")
    whole = (tmp_path / "whole.mkv").read_bytes()
    (tmp_path / "half.mkv").write_bytes(whole[: len(whole) // 2])
    source = source_of(settings("half.mkv"), tmp_path)
    source.open()

    with pytest.raises(EndOfMediaError, match=r"half\.mkv is cut off: it ends at"):
        grab_until_it_fails(source)


def test_a_missing_file_is_not_found(fault_of: FaultOf, backend: str, tmp_path: Path):
    error = fault_of(settings("nowhere.mp4", backend), tmp_path)

    assert error.fault is CameraFault.NOT_FOUND
    assert str(tmp_path / "nowhere.mp4") in error.what


def test_a_folder_is_no_clip_and_the_right_type_is_named(fault_of: FaultOf, backend: str, tmp_path: Path):
    error = fault_of(settings(tmp_path, backend))

    assert error.fault is CameraFault.NOT_VIDEO
    assert "type: images" in error.remedy


def test_an_empty_file_is_not_video(fault_of: FaultOf, backend: str, tmp_path: Path):
    (tmp_path / "empty.mp4").touch()

    assert fault_of(settings("empty.mp4", backend), tmp_path).fault is CameraFault.NOT_VIDEO


@pytest.mark.parametrize("special", ["/dev/zero", "/dev/null"])
def test_a_device_is_no_clip(fault_of: FaultOf, backend: str, special: str):
    assert fault_of(settings(special, backend)).fault is CameraFault.NOT_VIDEO


def test_a_pipe_without_a_writer_does_not_hold_us(fault_of: FaultOf, backend: str, tmp_path: Path):
    os.mkfifo(tmp_path / "pipe.mp4")

    assert fault_of(settings("pipe.mp4", backend), tmp_path).fault is CameraFault.NOT_VIDEO


def test_a_file_of_somebody_else_is_refused_in_words(fault_of: FaultOf, backend: str, tmp_path: Path):
    clip = tmp_path / "private.mp4"
    shutil.copy(pattern(), clip)
    clip.chmod(stat.S_IWUSR)
    if os.access(clip, os.R_OK):
        pytest.skip("root reads everything")

    assert fault_of(settings(clip, backend)).fault is CameraFault.UNAUTHORISED


def test_nothing_is_printed_for_garbage(
    fault_of: FaultOf, backend: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    (tmp_path / "garbage.mp4").write_bytes(os.urandom(100_000))
    fault_of(settings("garbage.mp4", backend), tmp_path)

    assert "".join(capfd.readouterr()) == ""


def test_a_loop_whose_file_was_taken_away_ends_in_a_fault(source_of: SourceOf, tmp_path: Path):
    shutil.copy(pattern(seconds=1), tmp_path / "clip.mp4")
    source = source_of(settings("clip.mp4", loop=True), tmp_path)
    source.open()
    (tmp_path / "clip.mp4").unlink()

    with pytest.raises(CameraError):
        grab_until_it_fails(source)


@pytest.mark.footage
@pytest.mark.parametrize("clip", ["book.mkv", "bottle-detection.mp4"])
def test_real_footage_has_strictly_increasing_times(source_of: SourceOf, backend: str, clip: str):
    if not FOOTAGE.is_dir():
        pytest.skip(f"no footage at {FOOTAGE}")
    source = source_of(settings(FOOTAGE / clip, backend))
    source.open()
    times = [at for at in grab_to_the_end(source) if at is not None]

    assert len(times) >= 109
    assert all(later > earlier for earlier, later in pairwise(times))
