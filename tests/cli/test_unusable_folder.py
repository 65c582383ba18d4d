"""A data folder that the system will not even look at is named, without a traceback."""

import pytest

from bench.daemon import edged


@pytest.mark.parametrize("command", [["identities", "list"], ["identities", "show", "Ada"], ["outbox"]])
def test_a_folder_that_cannot_be_looked_at_is_named(tmp_path, command):
    folder = tmp_path / ("x" * 300)  # longer than any file system takes: as refused as somebody else's folder

    done = edged(*command, "--data-dir", folder)

    assert done.returncode == 74, done.stderr
    assert str(folder) in done.stderr
    assert "Traceback" not in done.stderr
