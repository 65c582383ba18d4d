"""What the daemon last told of a namespace's sync, in a file: for a command beside it.

Tables say what was applied; that the broker is away, or that somebody else signs what it keeps, only the
daemon knows.
"""

import logging
import os
from pathlib import Path
from typing import Final

import msgspec

from edged.app.sync_keys import SECRETS_FOLDER
from edged.domain.moment import Moment
from edged.domain.sync_state import NamespaceSync

LEAST_MS: Final = 5_000
"""Between two writings of a namespace: what goes to and fro does not wear out a memory card."""
_MOST_BYTES: Final = 20_000

_LOG: Final = logging.getLogger(__name__)


class DaemonWord(msgspec.Struct, frozen=True, kw_only=True):
    """How a namespace's sync stands, in the daemon's words.

    Attributes:
        process: the daemon's number: what another one told counts no more.
        state: a `SyncState`.
        trouble: what is wrong and what to do; empty where nothing is.
        since_ms: since when it is so, UTC milliseconds.
    """

    process: int
    state: str
    trouble: str
    since_ms: int


def told_path(data_dir: Path, namespace: str) -> Path:
    """Where it is kept."""
    return data_dir / SECRETS_FOLDER / f"{namespace}.told"


def word_of(data_dir: Path, namespace: str, process: int | None) -> DaemonWord | None:
    """What the daemon with this number told; None where none runs, or it has not told anything yet."""
    try:
        with told_path(data_dir, namespace).open("rb") as file:
            word = msgspec.json.decode(file.read(_MOST_BYTES), type=DaemonWord)
    except (OSError, msgspec.MsgspecError):
        return None
    return word if word.process == process else None


class SyncTeller:
    """Writes down what is news. Where it cannot, nobody is worse off than without."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._written: dict[str, tuple[str, str, int]] = {}

    def __call__(self, standing: NamespaceSync, now: Moment) -> None:
        """Keep how a namespace stands, if that is another than what was kept last."""
        news = str(standing.state), standing.trouble
        state, trouble, at_ms = self._written.get(standing.namespace, ("", "", now.steady_ms - LEAST_MS))
        if (state, trouble) == news or now.steady_ms - at_ms < LEAST_MS:
            return
        word = DaemonWord(process=os.getpid(), state=news[0], trouble=news[1], since_ms=now.utc_ms)
        path = told_path(self._data_dir, standing.namespace)
        try:
            _write(path, msgspec.json.encode(word))
        except OSError as error:
            _LOG.debug("%s cannot be written: %s", path, error.strerror)
            # Due again, whether or not it is still so then.
            news = "", ""
        self._written[standing.namespace] = (*news, now.steady_ms)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_bytes(content)
    except OSError:
        # That the disk is full is to be told then: in the room of what was told before, if nowhere else.
        # Where that is no help either, nothing is better than what is not so any more.
        partial.unlink(missing_ok=True)
        path.unlink(missing_ok=True)
        partial.write_bytes(content)
    partial.chmod(0o600)
    partial.replace(path)
