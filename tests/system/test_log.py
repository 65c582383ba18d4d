import io
import json
import logging
import os
import re
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

from edged.domain.errors import CameraError, CameraFault
from edged.settings.quantities import Secret
from edged.settings.root import Log
from edged.system.log import LimitedHandler, configure_logging, is_journal, log_counts

LOGGER = logging.getLogger("edged.camera")


@pytest.fixture(autouse=True)
def root_logger() -> Iterator[None]:
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    yield
    for handler in [each for each in root.handlers if isinstance(each, LimitedHandler)]:
        root.removeHandler(handler)
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    assert root.handlers == handlers


def a_log(form: Literal["text", "journal", "json", "auto"] = "text") -> io.StringIO:
    stream = io.StringIO()
    configure_logging(Log(format=form), environ={}, stream=stream)
    return stream


def a_record(created_s: float, template: str = "%s is %s", *arguments: object) -> logging.LogRecord:
    record = logging.LogRecord("edged.camera", logging.WARNING, "", 0, template, arguments, None)
    record.created = created_s
    return record


class Unprintable:
    """A value that cannot even be told."""

    def __str__(self) -> str:
        raise RuntimeError("no words")

    __repr__ = __str__


def test_a_line_has_time_level_place_and_message() -> None:
    stream = a_log()
    LOGGER.warning("feed %s is %s", "door", "silent")
    form = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d warning camera: feed door is silent\n"
    assert re.fullmatch(form, stream.getvalue())


def test_the_journal_gets_a_priority_on_every_line() -> None:
    stream = a_log("journal")
    LOGGER.error(
        "feed %s: %s", "door", CameraError(CameraFault.SILENT, "nothing came", remedy="look at the cable")
    )
    LOGGER.info("well")
    assert (
        stream.getvalue()
        == "<3>camera: feed door: nothing came\n<3>      look at the cable\n<6>camera: well\n"
    )


def test_json_is_one_object_a_line() -> None:
    stream = a_log("json")
    LOGGER.warning("feed %s\nis silent", "Tür")
    (line,) = stream.getvalue().splitlines()
    fields = json.loads(line)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", fields.pop("time"))
    assert fields == {"level": "warning", "logger": "edged.camera", "message": "feed Tür\nis silent"}


def test_an_error_that_a_person_can_act_on_comes_without_its_traceback() -> None:
    stream = a_log()
    error = CameraError(CameraFault.SILENT, "nothing came", remedy="look at the cable")
    LOGGER.error("feed %s stopped", "door", exc_info=error)
    assert "feed door stopped: nothing came\n      look at the cable\n" in stream.getvalue()
    assert "Traceback" not in stream.getvalue()


def test_any_other_error_comes_with_its_traceback_indented() -> None:
    stream = a_log()
    try:
        Unprintable().__str__()
    except RuntimeError:
        LOGGER.exception("this is a bug")
    first, second, *_, last = stream.getvalue().splitlines()
    assert first.endswith("this is a bug")
    assert second == "    Traceback (most recent call last):"
    assert last == "    RuntimeError: no words"


def test_what_repeats_is_told_once_a_second_with_its_count() -> None:
    stream = a_log("journal")
    handler = logging.getLogger().handlers[-1]
    for tenth in range(25):
        handler.handle(a_record(tenth / 10, "%s is %s", "door", tenth))
    assert stream.getvalue().splitlines() == [
        "<4>camera: door is 0",
        "<4>camera: door is 10 (9 more like it before)",
        "<4>camera: door is 20 (9 more like it before)",
    ]


def test_two_feeds_that_fail_at_once_are_both_heard() -> None:
    stream = a_log("journal")
    for feed in ("door", "gate", "door"):
        LOGGER.warning("%s is %s", feed, "silent")
    assert stream.getvalue() == "<4>camera: door is silent\n<4>camera: gate is silent\n"


def test_what_was_held_back_last_is_told_when_its_kind_falls_silent() -> None:
    stream = a_log("journal")
    handler = logging.getLogger().handlers[-1]
    for _ in range(3):
        handler.handle(a_record(0, "%s is %s", "door", "silent"))
    handler.handle(a_record(5, "all well"))
    assert stream.getvalue().splitlines()[1:] == [
        "<4>camera: 2 more like `door is …`",
        "<4>camera: all well",
    ]


def test_what_was_held_back_last_is_told_at_the_end() -> None:
    stream = a_log("journal")
    for _ in range(3):
        LOGGER.info("well")
    logging.getLogger().handlers[-1].close()
    assert stream.getvalue() == "<6>camera: well\n<6>camera: 2 more like `well`\n"


def test_json_has_the_count_apart() -> None:
    stream = a_log("json")
    handler = logging.getLogger().handlers[-1]
    for at in (0, 0, 1):
        handler.handle(a_record(at, "well"))
    assert [json.loads(line).get("heldBack") for line in stream.getvalue().splitlines()] == [None, 1]


def test_logging_never_raises() -> None:
    stream = a_log()
    handler = logging.getLogger().handlers[-1]
    handler.handle(a_record(0, "%s %s", Unprintable(), 1))
    handler.handle(a_record(0, "%s %s", 1, Unprintable()))
    stream.close()
    handler.handle(a_record(0, "to a closed stream"))
    handler.close()


@pytest.mark.parametrize(("template", "argument"), [("feed %d", "door"), ("feed %s %s", "door")])
def test_a_wrong_format_string_does_not_cost_the_line(template: str, argument: str) -> None:
    stream = a_log("journal")
    logging.getLogger().handlers[-1].handle(a_record(0, template, argument))
    assert stream.getvalue() == f"<4>camera: {template} ('door',)\n"


def test_control_characters_do_not_reach_the_terminal() -> None:
    stream = a_log("journal")
    LOGGER.info("enrolled %s", "Eve\x1b[2J\x07")
    assert stream.getvalue() == "<6>camera: enrolled Eve�[2J�\n"


def test_a_secret_shows_as_stars() -> None:
    stream = a_log()
    LOGGER.info("connecting with %s", Secret("mqtt", "hunter2"))
    assert "****" in stream.getvalue()
    assert "hunter2" not in stream.getvalue()


def test_the_level_is_held_and_can_be_changed() -> None:
    stream = io.StringIO()
    configure_logging(Log(level="warning", format="journal"), stream=stream)
    LOGGER.info("unheard")
    configure_logging(Log(level="debug", format="journal"), stream=stream)
    LOGGER.debug("heard")
    assert stream.getvalue() == "<7>camera: heard\n"
    assert sum(isinstance(handler, LimitedHandler) for handler in logging.getLogger().handlers) == 1


def test_libraries_never_log_below_warning() -> None:
    configure_logging(Log(level="debug"), stream=io.StringIO())
    assert not logging.getLogger("urllib3.connectionpool").isEnabledFor(logging.INFO)
    assert not logging.getLogger("paho.mqtt").isEnabledFor(logging.DEBUG)


def test_warnings_of_python_go_to_the_log() -> None:
    stream = a_log()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        configure_logging(Log(format="text"), environ={}, stream=stream)
        warnings.warn("old", DeprecationWarning, stacklevel=1)
        logging.captureWarnings(capture=False)
    assert "DeprecationWarning: old" in stream.getvalue()


def test_the_journal_is_known_by_its_device_and_inode(tmp_path: Path) -> None:
    with (tmp_path / "journal").open("w") as stream:
        status = os.fstat(stream.fileno())
        here = {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}
        assert is_journal(stream, here)
        assert not is_journal(stream, {"JOURNAL_STREAM": "1:2"})
        assert not is_journal(stream, {})
    assert not is_journal(io.StringIO(), here)


def test_auto_writes_for_the_journal_under_systemd_only(tmp_path: Path) -> None:
    with (tmp_path / "journal").open("w+") as stream:
        status = os.fstat(stream.fileno())
        configure_logging(
            Log(), environ={"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}, stream=stream
        )
        LOGGER.info("well")
        configure_logging(Log(), environ={}, stream=stream)
        LOGGER.info("well")
        stream.seek(0)
        journal, text = stream.read().splitlines()
    assert journal == "<6>camera: well"
    assert text.endswith("info    camera: well")


def test_what_was_held_back_is_told_when_the_process_ends() -> None:
    script = (
        "import logging\n"
        "from edged.settings.root import Log\n"
        "from edged.system.log import configure_logging\n"
        "configure_logging(Log(format='journal'))\n"
        "for _ in range(5): logging.getLogger('edged.run').info('well')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr == "<6>run: well\n<6>run: 4 more like `well`\n"


def test_lines_are_counted_by_level_across_a_new_configuration() -> None:
    a_log("text")
    before = log_counts()
    handler = logging.getLogger().handlers[-1]
    for _ in range(3):
        handler.handle(a_record(0, "%s is %s", "door", "silent"))

    a_log("json")

    after = log_counts()
    level = "warning"
    assert after.lines.get(level, 0) - before.lines.get(level, 0) == 1
    assert after.held_back - before.held_back == 2
