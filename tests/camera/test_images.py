"""A folder of pictures."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.http_camera import a_jpeg
from edged.camera.images import natural_order
from edged.domain.errors import CameraError, CameraFault, EndOfMediaError
from edged.pipeline.ports import Source
from edged.settings.quantities import Duration
from edged.settings.sources import ImagesSource

SourceOf = Callable[..., Source]
FaultOf = Callable[..., CameraError]


def settings(path: Path, **more: Any) -> ImagesSource:
    return ImagesSource(path=str(path), **{"every": Duration(0.5), **more})


def shades(source: Source, most: int = 100) -> list[int | None]:
    """The blue of every picture, to the nearest ten; None for a broken one."""
    seen: list[int | None] = []
    source.open()
    try:
        for _ in range(most):
            source.grab()
            try:
                seen.append(round(float(source.retrieve()[:, :, 0].mean()) / 10) * 10)
            except CameraError:
                seen.append(None)
    except EndOfMediaError:
        pass
    return seen


def fill(folder: Path, *names: str) -> None:
    """Write pictures, each twenty shades lighter than the one before."""
    for number, name in enumerate(names):
        (folder / name).write_bytes(a_jpeg(20 * number))


def test_pictures_come_in_the_order_of_their_numbers(source_of: SourceOf, tmp_path: Path):
    fill(tmp_path, "frame1.jpg", "frame2.JPG", "frame10.jpeg")

    assert shades(source_of(settings(tmp_path))) == [0, 20, 40]


def test_times_are_counted_from_the_first(source_of: SourceOf, tmp_path: Path):
    fill(tmp_path, "1.jpg", "2.jpg", "3.jpg")
    source = source_of(settings(tmp_path))
    source.open()

    assert [source.grab() for _ in range(3)] == [0.0, 0.5, 1.0]


def test_a_loop_begins_again_and_its_time_goes_on(source_of: SourceOf, tmp_path: Path):
    fill(tmp_path, "1.jpg", "2.jpg")
    source = source_of(settings(tmp_path, loop=True))

    assert shades(source, most=5) == [0, 20, 0, 20, 0]
    assert source.grab() == 2.5


def test_other_files_and_folders_are_not_pictures(source_of: SourceOf, tmp_path: Path):
    fill(tmp_path, "1.jpg")
    (tmp_path / "readme.txt").write_text("no picture")
    (tmp_path / "folder.jpg").mkdir()

    assert shades(source_of(settings(tmp_path))) == [0]


def test_a_broken_picture_is_told_and_the_others_are_given(source_of: SourceOf, tmp_path: Path):
    fill(tmp_path, "1.jpg", "2.jpg", "3.jpg")
    (tmp_path / "2.jpg").write_bytes(a_jpeg()[:1000])

    assert shades(source_of(settings(tmp_path))) == [0, None, 40]


def test_a_folder_of_broken_pictures_is_not_video(source_of: SourceOf, tmp_path: Path):
    for name in ("1.jpg", "2.png"):
        (tmp_path / name).write_text("no picture")
    source = source_of(settings(tmp_path, loop=True))

    with pytest.raises(CameraError, match=r"no picture in .* can be decoded") as caught:
        shades(source)
    assert caught.value.fault is CameraFault.NOT_VIDEO


def test_a_folder_without_pictures_is_not_video(fault_of: FaultOf, tmp_path: Path):
    assert fault_of(settings(tmp_path)).fault is CameraFault.NOT_VIDEO


def test_a_missing_folder_is_not_found(fault_of: FaultOf, tmp_path: Path):
    assert fault_of(settings(tmp_path / "nowhere")).fault is CameraFault.NOT_FOUND


def test_a_file_is_no_folder_and_the_right_type_is_named(fault_of: FaultOf, tmp_path: Path):
    fill(tmp_path, "1.jpg")
    error = fault_of(settings(tmp_path / "1.jpg"))

    assert error.fault is CameraFault.NOT_VIDEO
    assert "type: file" in error.remedy


@pytest.mark.parametrize(
    "names",
    [["1.jpg", "2.jpg", "10.jpg"], ["a1b2", "a1b10", "a2b1"], ["x", "x1", "x1y"], ["01.jpg", "1.jpg"]],
)
def test_the_natural_order(names: list[str]):
    shuffled = names[1:] + names[:1]

    assert sorted(shuffled, key=natural_order) == names
