"""Files that are for their owner alone from the first byte on."""

import os
import stat

import pytest

from edged.domain.errors import InputError
from edged.system.private_file import write_new


def test_it_is_for_its_owner_alone_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        write_new(tmp_path / "key", "secret\n")
    finally:
        os.umask(before)

    assert (tmp_path / "key").read_text() == "secret\n"
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600


def test_what_is_there_is_left_alone_even_a_link_to_nowhere(tmp_path):
    (tmp_path / "key").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(InputError, match="is there already"):
        write_new(tmp_path / "key", "secret\n")

    assert not (tmp_path / "elsewhere").exists()


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        write_new(tmp_path / "nowhere" / "key", "secret\n")
