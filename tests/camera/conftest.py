"""What the tests of sources share."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench.ports import listening
from edged.camera.factory import make_source
from edged.domain.errors import CameraError
from edged.pipeline.ports import Source
from edged.settings import sources
from edged.system.clock import SystemClock


@pytest.fixture
def source_of() -> Iterator[Callable[..., Source]]:
    """Makes sources from settings, and closes them at the end."""
    made: list[Source] = []

    def make(settings: sources.Source, base_dir: Path = Path("/")) -> Source:
        made.append(make_source(settings, base_dir, SystemClock()))
        return made[-1]

    yield make
    for source in made:
        source.close()


@pytest.fixture
def fault_of(source_of: Callable[..., Source]) -> Callable[..., CameraError]:
    """Opens a source and takes a frame, which must fail; gives the error."""

    def fail(settings: sources.Source, base_dir: Path = Path("/")) -> CameraError:
        source = source_of(settings, base_dir)
        with pytest.raises(CameraError) as caught:
            _first_frame(source)
        # What a log could show of it, the chain included.
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None or caught.value.__suppress_context__
        return caught.value

    return fail


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Takes connections and says nothing."""
    with listening(None) as port:
        yield port


@pytest.fixture
def web_page_port() -> Iterator[int]:
    """Answers as a web server does."""
    with listening(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n") as port:
        yield port


@pytest.fixture
def closed_port() -> int:
    """Nobody listens there."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _first_frame(source: Source) -> None:
    source.open()
    source.grab()
    source.retrieve()
