"""Three real processes and a real broker: a bare authority and two cameras, set up by the commands."""

import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from bench.clips import pattern
from bench.daemon import PROJECT, Daemon, edged, eventually
from bench.mosquitto import IS_INSTALLED, WHY_NOT, Mosquitto, free_port
from edged.store.namespace_files import namespace_path
from edged.store.namespace_store import NamespaceStore
from edged.system.chance import new_id
from edged.system.clock import SystemClock

pytestmark = pytest.mark.skipif(not IS_INSTALLED, reason=WHY_NOT)

PORTRAIT = PROJECT / "edged" / "cli" / "sample" / "eileen-collins.jpg"


class Authority(Daemon):
    """`edged authority` on a configuration of its own."""

    def start(self, *options: str, **_environment: str) -> "Authority":
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "edged", "authority", "--config", str(self.config), *options]
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        return self


def settings(broker, name, feeds):
    sink = {"type": "mqtt", "host": broker.host, "port": broker.port}
    return {"device": name, "feeds": feeds, "sinks": [sink]}


def said(daemon, *words):
    """What a command says on a node's configuration."""
    done = edged(*words, "--config", daemon.config)
    assert done.returncode == 0, f"{words}: {done.stdout}\n{done.stderr}\n{daemon.log_text()}"
    return done.stdout


def got(address, path):
    """What a node answers over HTTP."""
    with urllib.request.urlopen(f"http://{address}{path}", timeout=10) as answer:
        return answer.read()


def names(daemon):
    path = namespace_path(daemon.data_dir, "home")
    if not path.exists():
        return []
    with NamespaceStore.open(path, SystemClock(), new_id, read_only=True) as store:
        return [person.name for person in store.identities()]


def a_folder(folder: Path) -> Path:
    folder.mkdir()
    return folder


def test_who_is_enrolled_at_a_bare_authority_is_known_to_cameras_until_erased_with_receipts(tmp_path):
    clip = pattern()
    feed = {"id": "hall", "source": {"type": "file", "path": str(clip), "pace": "realtime", "loop": True}}
    address = f"127.0.0.1:{free_port()}"
    http = {"http": {"listen": address, "metrics": {}}}
    with (
        Mosquitto(persistence=False) as broker,
        Authority(a_folder(tmp_path / "office"), settings(broker, "office", []) | http) as office,
        Daemon(a_folder(tmp_path / "barn"), settings(broker, "barn", [feed])) as barn,
        Daemon(a_folder(tmp_path / "cellar"), settings(broker, "cellar", [feed])) as cellar,
    ):
        # Nothing of a daemon's configuration says that it syncs: the commands do, also while it runs.
        barn.start()
        said(office, "sync", "init")
        office.start()
        invitation = said(office, "sync", "invite", "--uses", "2")
        code = next(word for word in invitation.split() if word.startswith("edged1-"))
        barn.wait_until_ready()
        said(barn, "sync", "join", code)
        # No daemon runs there yet: the command drives the exchange.
        said(cellar, "sync", "join", code)
        cellar.start()

        said(office, "identities", "add", "Eileen", PORTRAIT)
        eventually(lambda: names(barn) == names(cellar) == ["Eileen"], 20, barn.log_text)

        assert b'edged_sync_role{namespace="home",role="authority"} 1.0' in got(address, "/metrics")
        assert got(address, "/healthz")
        eventually(lambda: "daemon     in step" in said(office, "sync", "status"), 20, office.log_text)

        receipt = said(office, "erase", "Eileen", "--yes", "--wait", "20 s")
        assert "barn  confirmed" in receipt
        assert "cellar  confirmed" in receipt
        assert names(barn) == names(cellar) == []

        assert office.stop() == 0, office.log_text()
        assert barn.stop() == 0, barn.log_text()
        assert cellar.stop() == 0, cellar.log_text()
