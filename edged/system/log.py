"""The log: to standard error, in the form that whoever reads it wants, and never too much of it."""

import logging
import os
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TextIO

from edged.settings.root import Log
from edged.system.log_format import JournalFormat, JsonFormat, TextFormat
from edged.system.repeats import RepeatLimit

_FORMATS: Final = {"text": TextFormat, "journal": JournalFormat, "json": JsonFormat}
_NOISY: Final = ("paho", "urllib3")
"""Libraries whose debug lines hold addresses and messages."""
_LONGEST_SUBJECT: Final = 64
_PLACEHOLDER: Final = re.compile(r"%(%|[-#0 +]*[\d*]*(?:\.[\d*]+)?[a-zA-Z])")


@dataclass(slots=True)
class LogCounts:
    """What was logged since the start.

    Attributes:
        lines: written, by level in lower case.
        held_back: lines that were not, being too much like one just written.
    """

    lines: dict[str, int] = field(default_factory=dict)
    held_back: int = 0


def log_counts() -> LogCounts:
    """The counts of the present log; of nothing where logging is not configured."""
    handlers = [one for one in logging.getLogger().handlers if isinstance(one, LimitedHandler)]
    counts = handlers[0].counts if handlers else LogCounts()
    return LogCounts(dict(counts.lines), counts.held_back)


def configure_logging(
    settings: Log, *, environ: Mapping[str, str] | None = None, stream: TextIO | None = None
) -> None:
    """Send all logging to standard error (or `stream`) as the settings say; may be called again."""
    to = sys.stderr if stream is None else stream
    name = settings.format
    if name == "auto":
        name = "journal" if is_journal(to, os.environ if environ is None else environ) else "text"
    handler = LimitedHandler(to, log_counts())
    handler.setFormatter(_FORMATS[name]())
    root = logging.getLogger()
    for old in [old for old in root.handlers if isinstance(old, LimitedHandler)]:
        root.removeHandler(old)
        old.close()
    root.addHandler(handler)
    level = logging.getLevelNamesMapping()[settings.level.upper()]
    root.setLevel(level)
    for library in _NOISY:
        logging.getLogger(library).setLevel(max(level, logging.WARNING))
    logging.captureWarnings(capture=True)


def is_journal(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether the stream goes to journald: `JOURNAL_STREAM` names its device and inode (systemd.exec(5)).

    That the variable is set says nothing yet: whoever was started with its output elsewhere inherits it.
    """
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


class _LineKind(NamedTuple):
    """What makes two lines the same but for their figures."""

    logger: str
    level: int
    template: str
    subject: str


class LimitedHandler(logging.StreamHandler[TextIO]):
    """Writes records to a stream, of each kind at most one a second; never raises.

    A kind is the logger, the message before its arguments are put in, and the first argument, which says
    whom it is about: two cameras that fail at once are both heard. What is held back is counted, and the
    count told with the next line of its kind, or by itself when none comes.
    """

    def __init__(self, stream: TextIO, counts: LogCounts | None = None) -> None:
        super().__init__(stream)
        self.counts = counts or LogCounts()
        self._limit: RepeatLimit[_LineKind] = RepeatLimit()

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record, or count it as held back."""
        # Logging must not break what it tells about, not even for an argument that cannot be printed.
        with suppress(Exception):
            for kind, count in self._limit.overdue(record.created):
                self._tell_held_back(kind, count)
            held_back = self._limit.admit(_kind_of(record), record.created)
            if held_back is None:
                self.counts.held_back += 1
            else:
                level = record.levelname.lower()
                self.counts.lines[level] = self.counts.lines.get(level, 0) + 1
                record.held_back = held_back
                super().emit(record)

    def close(self) -> None:
        """Tell what was held back and not told yet."""
        with suppress(Exception):
            for kind, count in self._limit.all_held_back():
                self._tell_held_back(kind, count)
        super().close()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Nothing: where standard error cannot be written, there is nobody to tell."""

    def _tell_held_back(self, kind: _LineKind, count: int) -> None:
        what = f"{count} more like `{_shown(kind)}`"
        super().emit(logging.LogRecord(kind.logger, kind.level, "", 0, what, None, None))


def _kind_of(record: logging.LogRecord) -> _LineKind:
    subject = record.args[0] if isinstance(record.args, tuple) and record.args else ""
    return _LineKind(record.name, record.levelno, str(record.msg), str(subject)[:_LONGEST_SUBJECT])


def _shown(kind: _LineKind) -> str:
    """The kind's line with its subject, and dots for the figures that its lines did not share."""
    values = iter([kind.subject] if kind.subject else [])
    return _PLACEHOLDER.sub(lambda found: "%" if found[1] == "%" else next(values, "…"), kind.template)
