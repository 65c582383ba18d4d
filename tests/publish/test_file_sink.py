import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from edged.delivery.outcome import Fate
from edged.publish.file import FileSink
from edged.system.clock import SystemClock


@pytest.fixture
def a_sink(tmp_path) -> Iterator[FileSink]:
    sink = FileSink("file", tmp_path / "jobs.jsonl", SystemClock())
    yield sink
    sink.close()


@pytest.fixture
def a_small_disk(tmp_path) -> Iterator[Path]:
    """A file system of 128 kB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(folder)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("needs the right to mount a small file system")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_messages_are_appended_as_lines_in_their_order_and_for_the_owner_alone(a_sink, a_parcel, tmp_path):
    parcels = [a_parcel() for _ in range(3)]
    a_sink.deliver(parcels[:2])
    a_sink.deliver(parcels[2:])
    path = tmp_path / "jobs.jsonl"
    assert path.read_bytes() == b"".join(p.message.body + b"\n" for p in parcels)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_half_a_line_that_a_crash_left_is_cut_off_before_the_next_one(a_sink, a_parcel, tmp_path):
    path = tmp_path / "jobs.jsonl"
    path.write_bytes(b'{"id":"a"}\n{"id":"b","ima')
    parcel = a_parcel()
    a_sink.deliver([parcel])
    assert path.read_bytes() == b'{"id":"a"}\n' + parcel.message.body + b"\n"


def test_a_whole_line_that_only_lacks_its_end_is_kept(a_sink, a_parcel, tmp_path):
    path = tmp_path / "jobs.jsonl"
    path.write_bytes(b'{"id":"a"}')
    parcel = a_parcel()
    a_sink.deliver([parcel])
    assert path.read_bytes() == b'{"id":"a"}\n' + parcel.message.body + b"\n"


def test_somebody_elses_text_is_never_cut(a_sink, a_parcel, tmp_path):
    path = tmp_path / "jobs.jsonl"
    path.write_bytes(b"my notes")
    a_sink.deliver([a_parcel()])
    assert path.read_bytes().startswith(b"my notes\n{")


def test_a_file_that_was_moved_away_is_made_anew(a_sink, a_parcel, tmp_path):
    path = tmp_path / "jobs.jsonl"
    first, second = a_parcel(), a_parcel()
    a_sink.deliver([first])
    path.rename(tmp_path / "jobs.jsonl.1")
    a_sink.deliver([second])
    assert path.read_bytes() == second.message.body + b"\n"
    assert (tmp_path / "jobs.jsonl.1").read_bytes() == first.message.body + b"\n"


def test_a_folder_that_is_not_there_is_told_and_met_again(tmp_path, a_parcel):
    folder = tmp_path / "usb-stick"
    sink = FileSink("file", folder / "jobs.jsonl", SystemClock())
    (outcome,) = sink.deliver([a_parcel()])
    assert outcome.fate is Fate.UNREACHABLE
    assert "No such file" in outcome.reason
    folder.mkdir()
    assert sink.deliver([a_parcel()])[0].fate is Fate.DELIVERED
    sink.close()


def test_on_a_full_disk_nothing_is_half_written_and_it_goes_on_when_there_is_room(a_small_disk, a_parcel):
    path = a_small_disk / "jobs.jsonl"
    sink = FileSink("file", path, SystemClock())
    small = a_parcel()
    assert sink.deliver([small])[0].fate is Fate.DELIVERED
    large = [a_parcel(body=b'{"x":"' + b"y" * 60_000 + b'"}') for _ in range(3)]
    outcomes = sink.deliver(large)
    assert [o.fate for o in outcomes] == [Fate.UNREACHABLE, Fate.UNTRIED, Fate.UNTRIED]
    assert "No space left" in outcomes[0].reason
    assert path.read_bytes() == small.message.body + b"\n"
    assert sink.deliver(large[:1])[0].fate is Fate.DELIVERED
    sink.close()
    assert path.read_bytes().count(b"\n") == 2


def test_a_device_can_be_written_to(a_parcel):
    sink = FileSink("file", Path(os.devnull), SystemClock())
    assert sink.deliver([a_parcel()])[0].fate is Fate.DELIVERED
    sink.close()
