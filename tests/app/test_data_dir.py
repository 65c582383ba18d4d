"""Where the databases are."""

from pathlib import Path

from edged.app.data_dir import data_dir_of

BASE = Path("/etc/edged")


def test_what_is_configured_comes_first_and_counts_from_the_configuration():
    assert data_dir_of("/data", BASE, {"STATE_DIRECTORY": "/state"}) == Path("/data")
    assert data_dir_of("data", BASE, {}) == Path("/etc/edged/data")


def test_systemd_says_where_state_belongs():
    assert data_dir_of(None, BASE, {"STATE_DIRECTORY": "/var/lib/edged:/var/lib/other"}) == Path(
        "/var/lib/edged"
    )


def test_otherwise_it_is_the_users_own_folder():
    home = Path("~/.local/share/edged").expanduser()

    assert data_dir_of(None, BASE, {}) == home
    assert data_dir_of(None, BASE, {"STATE_DIRECTORY": ""}) == home
    assert data_dir_of("~/x", BASE, {}) == Path("~/x").expanduser()
