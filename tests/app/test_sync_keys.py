"""A node's own secret: of the configuration, else a file of the data folder."""

import base64
import stat

import pytest

from edged.app.sync_keys import key_path, make_seed, new_key, node_keys, seed_of, write_seed
from edged.domain.errors import ConfigurationError, StoreError
from edged.settings.quantities import Secret
from edged.settings.sync import Sync, SyncKey

SEED = bytes(range(32))


def a_section(text):
    return Sync(keys=(SyncKey(namespace="home", key=Secret("node", text)),))


def test_a_secret_is_made_once_and_only_its_owner_may_read_it(tmp_path):
    made = make_seed(None, tmp_path, "home", lambda count: SEED[:count])
    again = make_seed(None, tmp_path, "home", bytes)
    assert made.node.public == again.node.public
    assert seed_of(None, tmp_path, "home") == SEED
    assert stat.S_IMODE(key_path(tmp_path, "home").stat().st_mode) == 0o600


def test_the_configurations_secret_goes_before_the_file(tmp_path):
    write_seed(tmp_path, "home", bytes(32))
    section = a_section(base64.b64encode(SEED).decode())
    assert seed_of(section, tmp_path, "home") == SEED
    assert seed_of(section, tmp_path, "office") is None


def test_a_node_without_a_secret_has_no_keys(tmp_path):
    assert node_keys(None, tmp_path, "home") is None


def test_what_is_no_secret_is_refused_and_never_repeated(tmp_path):
    with pytest.raises(ConfigurationError) as refusal:
        seed_of(a_section("c2hvcnQ="), tmp_path, "home")
    assert "c2hvcnQ=" not in str(refusal.value)


def test_a_secret_that_is_there_is_not_written_over(tmp_path):
    write_seed(tmp_path, "home", SEED)
    with pytest.raises(StoreError, match="is there already"):
        write_seed(tmp_path, "home", bytes(32))
    assert seed_of(None, tmp_path, "home") == SEED


def test_a_new_key_is_one_that_the_configuration_takes(tmp_path):
    assert seed_of(a_section(new_key(lambda count: SEED[:count])), tmp_path, "home") == SEED
