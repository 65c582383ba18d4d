"""A multipart stream, taken apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.http_camera import BOUNDARY, a_part
from edged.camera.multipart import PartReader

# No boundary occurs in a picture; without a length nobody can tell a line's end before it from data.
BODIES = st.lists(st.binary(min_size=1).filter(lambda body: b"--" not in body and body[-1:] not in b"\r\n"))


def parts_of(data: bytes, piece: int, reader: PartReader | None = None) -> list[bytes]:
    reader = reader or PartReader(BOUNDARY)
    parts = []
    for begin in range(0, len(data), piece):
        reader.feed(data[begin : begin + piece])
        while (part := reader.next_part()) is not None:
            parts.append(part)
    return parts


@given(bodies=BODIES, piece=st.integers(1, 100))
def test_parts_with_a_length_come_out_whole_however_they_arrive(bodies: list[bytes], piece: int):
    assert parts_of(b"".join(map(a_part, bodies)), piece) == bodies


@given(bodies=BODIES, piece=st.integers(1, 100))
def test_parts_without_a_length_end_at_the_next_boundary(bodies: list[bytes], piece: int):
    stream = b"".join(a_part(body, length=False) for body in bodies)

    assert parts_of(stream + f"--{BOUNDARY}--\r\n".encode(), piece) == bodies


def test_a_boundary_named_with_its_dashes_is_found_all_the_same():
    reader = PartReader(f"--{BOUNDARY}")

    assert parts_of(a_part(b"picture"), 1000, reader) == [b"picture"]


def test_lines_may_end_without_carriage_returns():
    stream = f"--{BOUNDARY}\nContent-Type: image/jpeg\ncontent-length: 7\n\npicture\n--{BOUNDARY}\n".encode()

    assert parts_of(stream, 5) == [b"picture"]


def test_a_picture_that_holds_the_boundary_is_whole_when_its_length_is_said():
    body = b"a" + f"--{BOUNDARY}".encode() + b"b"

    assert parts_of(a_part(body), 3) == [body]


def test_a_part_that_says_it_is_too_long_is_refused_before_it_is_received():
    reader = PartReader(BOUNDARY, most_bytes=1000)
    reader.feed(f"--{BOUNDARY}\r\nContent-Length: 999999999\r\n\r\n".encode())

    with pytest.raises(ValueError, match="too long"):
        reader.next_part()


def test_a_stream_without_any_boundary_does_not_fill_the_memory():
    reader = PartReader(BOUNDARY, most_bytes=1000)

    with pytest.raises(ValueError, match="boundary never comes"):
        parts_of(b"x" * 5000, 100, reader)
