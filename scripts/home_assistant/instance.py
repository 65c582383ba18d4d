"""A running Home Assistant: configured without a click, asked over its own API."""

import base64
import hashlib
import hmac
import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

from bench.mosquitto import free_port
from home_assistant.versions import Version

START_S = 180.0
PATIENCE_S = 30.0
_KEY = "00" * 32
_TOKEN_ID = "b" * 32
_USER_ID = "a" * 32
_LONG_AGO = "2024-01-01T00:00:00+00:00"


class HomeAssistant:
    """One, with an MQTT broker and automations, in a folder of its own."""

    def __init__(
        self,
        version: Version,
        folder: Path,
        *,
        broker_port: int,
        automations: str,
        blueprints: Mapping[str, str],
    ) -> None:
        self.version = version
        self.folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        (folder / ".storage").mkdir(parents=True)
        (folder / "configuration.yaml").write_text(
            "homeassistant:\n  name: Trial\n  time_zone: UTC\n  unit_system: metric\n  country: DE\n"
            f"http:\n  server_host: 127.0.0.1\n  server_port: {self.port}\n"
            "api:\nfrontend:\nautomation: !include automations.yaml\nlogger:\n  default: warning\n"
        )
        (folder / "automations.yaml").write_text(automations)
        for name, text in blueprints.items():
            path = folder / "blueprints" / "automation" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self._store("auth", _AUTH)
        self._store("onboarding", {"done": ["user", "core_config", "analytics", "integration"]}, version=4)
        self._store("core.config_entries", {"entries": [_mqtt_entry(broker_port)]})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it; returns when it has started whole."""
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
        with (self.folder / "out.log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(self.version.program), "--config", str(self.folder), "--skip-pip"],
                stdout=log,
                stderr=log,
                env=environment,
            )
        self.until(lambda: self._state() == "RUNNING", "Home Assistant to start", START_S)

    def stop(self) -> None:
        """End it, as its service does."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def get(self, path: str) -> Any:
        """Ask the API; None where there is no such thing."""
        return self._ask("GET", path)

    def call(self, domain: str, service: str, **data: object) -> None:
        """Call a service."""
        self._ask("POST", f"services/{domain}/{service}", data)

    def render(self, template: str) -> str:
        """Render one of its templates."""
        return str(self._ask("POST", "template", {"template": template}))

    def picture(self, entity: str) -> bytes:
        """What an image shows; empty where it shows nothing."""
        try:
            return self._answer("GET", f"image_proxy/{entity}")
        except OSError:
            return b""

    def states(self) -> dict[str, dict[str, Any]]:
        """Every entity with its state and attributes."""
        return {state["entity_id"]: state for state in self.get("states") or ()}

    def state(self, entity: str) -> str:
        """The state of an entity; empty where there is none of that id."""
        found = self.get(f"states/{entity}")
        return str(found["state"]) if found else ""

    def attributes(self, entity: str) -> dict[str, Any]:
        """Its attributes."""
        found = self.get(f"states/{entity}")
        return dict(found["attributes"]) if found else {}

    def until(
        self, holds: Callable[[], object], what: str | Callable[[], str], timeout_s: float = PATIENCE_S
    ) -> None:
        """Wait until something holds; ends the trial with what was waited for."""
        end = time.monotonic() + timeout_s
        while not holds():
            if self._process is not None and self._process.poll() is not None:
                raise SystemExit(f"Home Assistant ended:\n{self.log()[-4000:]}")
            if time.monotonic() > end:
                words = what if isinstance(what, str) else what()
                raise SystemExit(f"FAILED  waited {timeout_s:.0f} s in vain: {words}\n{self.log()[-4000:]}")
            time.sleep(0.1)

    def log(self) -> str:
        """What it said."""
        path = self.folder / "out.log"
        return path.read_text("utf-8", "replace") if path.exists() else ""

    def _state(self) -> str:
        found = self.get("config")
        return str(found["state"]) if found else ""

    def _ask(self, method: str, path: str, data: object = None) -> Any:
        try:
            body = self._answer(method, path, data).decode()
        except urllib.error.HTTPError as error:
            if error.code == 404:  # noqa: PLR2004
                return None
            words = error.read().decode("utf-8", "replace")
            raise SystemExit(f"Home Assistant answered {error.code} to {method} {path}: {words}") from None
        except OSError:
            return None
        return body if path == "template" else json.loads(body)

    def _answer(self, method: str, path: str, data: object = None) -> bytes:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/{path}",
            method=method,
            data=None if data is None else json.dumps(data).encode(),
            headers={"Authorization": f"Bearer {_token()}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return bytes(answer.read())

    def _store(self, key: str, data: object, version: int = 1) -> None:
        content = {"version": version, "minor_version": 1, "key": key, "data": data}
        (self.folder / ".storage" / key).write_text(json.dumps(content))


_AUTH = {
    "users": [
        {
            "id": _USER_ID,
            "group_ids": ["system-admin"],
            "is_owner": True,
            "is_active": True,
            "name": "Trial",
            "system_generated": False,
            "local_only": False,
        }
    ],
    "groups": [
        {"id": "system-admin", "name": "Administrators"},
        {"id": "system-users", "name": "Users"},
        {"id": "system-read-only", "name": "Read Only"},
    ],
    "credentials": [],
    "refresh_tokens": [
        {
            "id": _TOKEN_ID,
            "user_id": _USER_ID,
            "client_id": None,
            "client_name": "trial",
            "client_icon": None,
            "token_type": "long_lived_access_token",
            "created_at": _LONG_AGO,
            "access_token_expiration": 315360000.0,
            "token": "c" * 128,
            "jwt_key": _KEY,
            "last_used_at": None,
            "last_used_ip": None,
            "credential_id": None,
            "version": "2024.3.3",
        }
    ],
}


def _mqtt_entry(port: int) -> dict[str, object]:
    return {
        "entry_id": "d" * 32,
        "version": 1,
        "minor_version": 1,
        "domain": "mqtt",
        "title": "broker",
        "data": {"broker": "127.0.0.1", "port": port},
        "options": {},
        "pref_disable_new_entities": False,
        "pref_disable_polling": False,
        "source": "user",
        "unique_id": None,
        "disabled_by": None,
    }


def _token() -> str:
    """The access token that its own page would make for the stored refresh token (RFC 7519, HS256)."""
    issued = int(time.time()) - 60
    head = _part({"alg": "HS256", "typ": "JWT"})
    body = _part({"iss": _TOKEN_ID, "iat": issued, "exp": issued + 315360000})
    signature = hmac.new(_KEY.encode(), f"{head}.{body}".encode(), hashlib.sha256).digest()
    return f"{head}.{body}.{_base64(signature)}"


def _part(value: object) -> str:
    return _base64(json.dumps(value, separators=(",", ":")).encode())


def _base64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
