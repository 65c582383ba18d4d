"""Looking after what is kept: a file that cannot be swept keeps no other from it, and is named."""

import sqlite3
from pathlib import Path

import pytest

from builders.capture import HandClock
from edged.app.composition import assemble
from edged.settings.feeds import Feed
from edged.settings.http import Client, Http
from edged.settings.quantities import Secret
from edged.settings.root import Settings
from edged.settings.sinks import FileSink
from edged.settings.sources import FileSource


def test_what_cannot_be_swept_is_named_and_is_not_the_outbox(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    client = Client(id="integrator", secret=Secret("integrator", "long-enough-for-a-test"))
    source = FileSource(path=str(tmp_path / "nothing.mp4"), pace="realtime")
    settings = Settings(
        feeds=(Feed(id="hall", namespace="home", source=source),),
        sinks=(FileSink(path=str(tmp_path / "told")),),
        http=Http(listen="127.0.0.1:1", clients=(client,)),
    )
    clock = HandClock()
    machinery = assemble(settings, tmp_path, clock, None)
    try:
        with sqlite3.connect(tmp_path / "api.db") as other:
            for (table,) in other.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
                other.execute(f"DROP TABLE {table}")
        other.close()

        machinery.upkeep(clock.moment())
    finally:
        machinery.stop()

    errors = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert any(
        error.startswith("Old requests and tokens of the API could not be deleted") for error in errors
    )
    assert not any("outbox" in error for error in errors)
