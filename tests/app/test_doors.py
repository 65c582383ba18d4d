"""An HTTP server for nobody but health and metrics, on real parts."""

import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from bench.mosquitto import free_port
from edged.app.composition import assemble
from edged.domain.errors import ConfigurationError
from edged.settings.feeds import Feed
from edged.settings.http import Http, Metrics
from edged.settings.quantities import Secret
from edged.settings.root import Settings
from edged.settings.sinks import FileSink
from edged.settings.sources import FileSource
from edged.system.clock import SystemClock
from edged.system.thermal import Heat


def _settings(folder: Path, port: int, **metrics: Secret) -> Settings:
    source = FileSource(path=str(folder / "nothing.mp4"), pace="realtime")
    return Settings(
        feeds=(Feed(id="hall", namespace="home", source=source),),
        sinks=(FileSink(path=str(folder / "told")),),
        http=Http(listen=f"127.0.0.1:{port}", metrics=Metrics(**metrics)),
    )


def test_without_clients_nothing_is_kept_for_an_api(tmp_path: Path) -> None:
    port = free_port()
    machinery = assemble(
        _settings(tmp_path, port),
        tmp_path,
        SystemClock(),
        None,
        sensors=lambda: Heat(61.5, ("under-voltage",)),
    )
    machinery.start()
    try:
        machinery.go_round(SystemClock().moment())
        base = f"http://127.0.0.1:{port}"
        assert httpx.get(f"{base}/readyz").status_code == 200
        text = httpx.get(f"{base}/metrics").text
        assert httpx.get(f"{base}/v2/webhooks", headers={"authorization": "Bearer x"}).status_code == 404
    finally:
        machinery.stop()

    assert "edged_temperature_celsius 61.5\n" in text
    assert 'edged_throttled{reason="under-voltage"} 1.0\n' in text
    assert "edged_requests_total" not in text
    assert 'queue="historian"' not in text
    assert not (tmp_path / "api.db").exists()


def test_a_token_that_could_be_guessed_is_refused(tmp_path: Path) -> None:
    settings = _settings(tmp_path, 1, token=Secret("prometheus", "short"))

    with pytest.raises(ConfigurationError, match=r"http\.metrics\.token") as refusal:
        assemble(settings, tmp_path, SystemClock(), None)

    assert "short" not in str(refusal.value)


def test_a_daemon_that_serves_and_posts_nothing_loads_nothing_for_it() -> None:
    heavy = {"prometheus_client", "uvicorn", "urllib3"}
    asking = f"import edged.app.daemon, sys; print(*({heavy} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", asking], capture_output=True, text=True, check=True)

    assert done.stdout.split() == []
