"""The sync begins when it is wanted, and not before."""

from collections.abc import Callable
from typing import Any

import pytest

from builders.namespaces import EMBEDDER
from builders.recognition import at
from edged.app.configuration import load
from edged.app.sync_keys import write_seed
from edged.app.sync_starting import SyncStarter, is_wanted
from edged.app.syncing import SyncGround, Syncing
from edged.domain.errors import ConfigurationError
from edged.settings.root import Settings
from edged.sync.board import SyncBoard
from edged.system.clock import SystemClock

BROKER = "{type: mqtt, host: 127.0.0.1, port: 1}"


@pytest.fixture
def settings(tmp_path) -> Callable[..., Settings]:
    def made(sinks: str = f"[{BROKER}]", more: str = "") -> Settings:
        path = tmp_path / "config.yaml"
        path.write_text(f"feeds: []\nsinks: {sinks}\n{more}")
        return load(path).settings

    return made


def a_starter(settings: Settings, folder: Any) -> SyncStarter:
    ground = SyncGround(settings, folder, "hall", EMBEDDER, SystemClock())
    return SyncStarter(settings, folder, lambda: Syncing(ground, SyncBoard()))


def test_a_daemon_that_syncs_nothing_has_no_thread_for_it(settings, tmp_path):
    starter = a_starter(settings(), tmp_path)
    starter.start()
    starter(at(1000))

    assert not is_wanted(settings(), tmp_path)
    assert list(starter.hearts()) == []
    assert starter.stop(0)


def test_it_begins_while_the_daemon_runs_when_a_command_has_made_this_nodes_secret(settings, tmp_path):
    starter = a_starter(settings(), tmp_path)
    starter.start()
    write_seed(tmp_path, "home", bytes(32))
    starter(at(1000))
    starter(at(2000))

    assert [heart.name for heart in starter.hearts()] == ["sync"]
    assert starter.stop(10)


def test_the_section_is_enough(settings, tmp_path):
    starter = a_starter(settings(more="sync: {}"), tmp_path)
    starter.start()

    assert [heart.name for heart in starter.hearts()] == ["sync"]
    assert starter.stop(10)


def test_two_brokers_are_no_reason_to_stop_the_cameras_but_are_told(settings, tmp_path, caplog):
    two = f"[{BROKER[:-1]}, id: one}}, {BROKER[:-1]}, id: two}}]"
    starter = a_starter(settings(two), tmp_path)
    write_seed(tmp_path, "home", bytes(32))
    starter.start()
    starter(at(1000))

    assert "not clear which broker" in starter.trouble
    assert len(caplog.records) == 1
    assert list(starter.hearts()) == []
    with pytest.raises(ConfigurationError, match="not clear which broker"):
        a_starter(settings(two, "sync: {}"), tmp_path)
