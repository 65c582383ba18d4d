"""How a log record is written: for people, for the journal, for programs."""

import json
import logging
import traceback
from datetime import UTC, datetime
from typing import Final

from edged.domain.errors import EdgedError

_PRIORITIES: Final = ((logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
"""Levels and the syslog priorities that the journal knows (sd-daemon(3)); below them is 7, debug."""


class TextFormat(logging.Formatter):
    """A time, a level and the message; further lines of a message are indented."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as text for a terminal or a file."""
        moment = datetime.fromtimestamp(record.created, tz=UTC).astimezone()
        time = moment.isoformat(sep=" ", timespec="milliseconds")
        first, *more = lines_of(record)
        lines = [f"{time} {record.levelname.lower():7} {short_name(record)}: {first}"]
        return "\n".join([*lines, *(f"    {line}" for line in more)])


class JournalFormat(logging.Formatter):
    """The message with the priority that journald reads, on every line: each line is an entry to it."""

    def format(self, record: logging.LogRecord) -> str:
        """The record for journald, which has the time itself."""
        priority = next((number for level, number in _PRIORITIES if record.levelno >= level), 7)
        first, *more = lines_of(record)
        lines = [f"{short_name(record)}: {first}", *(f"    {line}" for line in more)]
        return "\n".join(f"<{priority}>{line}" for line in lines)


class JsonFormat(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON: `time` (UTC), `level`, `logger`, `message`, `heldBack` where lines were."""
        moment = datetime.fromtimestamp(record.created, tz=UTC)
        fields: dict[str, object] = {
            "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": message_with_error(record),
        }
        if held_back(record):
            fields["heldBack"] = held_back(record)
        return json.dumps(fields, ensure_ascii=False)


def short_name(record: logging.LogRecord) -> str:
    """The logger's name without the package's."""
    return record.name.removeprefix("edged.")


def held_back(record: logging.LogRecord) -> int:
    """How many lines like this one were held back before it."""
    return int(getattr(record, "held_back", 0))


def lines_of(record: logging.LogRecord) -> list[str]:
    """The message, what went wrong, and how many like it were held back: at least one line, all printable.

    Names and errors come from elsewhere, and a terminal obeys control characters.
    """
    lines = message_with_error(record).splitlines() or [""]
    if held_back(record):
        lines[0] += f" ({held_back(record)} more like it before)"
    return ["".join(sign if sign.isprintable() else "�" for sign in line.expandtabs()) for line in lines]


def message_with_error(record: logging.LogRecord) -> str:
    """The message and its error: one that a person can act on without its traceback."""
    try:
        message = record.getMessage()
    except Exception:  # noqa: BLE001 - a wrong format string must not cost the line
        message = f"{record.msg} {record.args!r}"
    error = record.exc_info[1] if record.exc_info else None
    if error is None:
        return message
    if isinstance(error, EdgedError):
        return f"{message}: {error}"
    return f"{message}\n{''.join(traceback.format_exception(error)).rstrip()}"
