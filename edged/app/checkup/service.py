"""The daemon as it runs: its lock, its unit, its HTTP server."""

import http.client
import os
import shutil
import ssl
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from edged.app.checkup.certificates import certificate_doubt, own_certificate_end
from edged.app.checkup.finding import Check, Finding, doubtful, ill, well
from edged.app.checkup.premises import Premises
from edged.app.checkup.private_settings import secret_names_in
from edged.http.listening import listening_sockets
from edged.publish.network_words import in_words
from edged.settings.http import Http

UNIT: Final = "edged.service"
_PATIENCE_S: Final = 5.0
_LEAST_SECRET: Final = 16
_OK: Final = 200
_ASKED: Final = (
    *("LoadState", "ActiveState", "SubState", "Result", "NRestarts", "StatusText", "WatchdogUSec"),
    *("LoadCredential", "DynamicUser"),
)
_EVERY_ADDRESS: Final = {"0.0.0.0": "127.0.0.1", "[::]": "::1", "*": "127.0.0.1"}  # noqa: S104 (recognised)


def checks(premises: Premises) -> Iterator[tuple[str, Check]]:
    """The checks by name."""
    yield "daemon", lambda: [_daemon(premises)]
    yield "unit", lambda: _unit(secret_names_in(premises.settings))
    section = premises.settings.http
    if section is not None:
        yield "http", lambda: _http(premises, section)
        if section.tls is not None:
            yield "certificate", lambda: [_certificate(premises, section)]


def _daemon(premises: Premises) -> Finding:
    if premises.daemon is None:
        return well("daemon", f"none runs on {premises.folder}")
    seen = f"process {premises.daemon} runs on {premises.folder}"
    memory = _memory_of(premises.daemon)
    return well("daemon", seen + memory)


def _memory_of(process: int) -> str:
    try:
        text = Path(f"/proc/{process}/status").read_text("utf-8", "replace")
    except OSError:
        return ""
    told = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    resident = told.get("VmRSS", "").split()
    threads = told.get("Threads", "").strip()
    return f", {int(resident[0]) // 1024} MiB, {threads} threads" if resident else ""


def _unit(secrets: Sequence[str]) -> list[Finding]:
    """What systemd says of the unit; nothing where systemd does not run."""
    program = shutil.which("systemctl")
    if program is None or not Path("/run/systemd/system").is_dir():
        return []
    done = subprocess.run(  # noqa: S603 - a program that was looked up, without anybody's words
        [program, "show", UNIT, f"--property={','.join(_ASKED)}"],
        capture_output=True,
        text=True,
        timeout=_PATIENCE_S,
        check=False,
        env=os.environ,
    )
    told: dict[str, str] = {}
    for line in done.stdout.splitlines():
        key, _, value = line.partition("=")
        # Credentials may have a line each.
        told[key] = f"{told[key]} {value}" if key in told else value
    return [unit_finding(told, secrets)] if told else []


def unit_finding(told: Mapping[str, str], secrets: Sequence[str]) -> Finding:
    """A finding of what `systemctl show` told, and of the `secrets` that the configuration names."""
    if told.get("LoadState") != "loaded":
        return well("unit", "no unit `edged` is installed")
    restarts = int(told.get("NRestarts", "0") or 0)
    seen = (
        f"{told.get('ActiveState', '?')} ({told.get('SubState', '?')}), {restarts} restarts,"
        f" watchdog {told.get('WatchdogUSec', '?')}, result {told.get('Result', '?')}"
    )
    seen += f", says: {told['StatusText']}" if told.get("StatusText") else ""
    if told.get("ActiveState") == "failed":
        return ill("unit", seen, "see `journalctl -u edged`, then `systemctl restart edged`")
    credentials = told.get("LoadCredential", "")
    missing = [name for name in secrets if f"{name}:" not in credentials]
    if missing and told.get("DynamicUser") == "yes" and "unprintable" not in credentials:
        return doubtful(
            "unit",
            f"{seen}; it loads no credential {', '.join(missing)}",
            "add `LoadCredential=` lines: `systemctl edit edged`; see docs/service.md",
        )
    if restarts or told.get("Result") == "watchdog":
        return doubtful("unit", seen, "see in `journalctl -u edged` why it was started again")
    return well("unit", seen)


def _http(premises: Premises, section: Http) -> Iterator[Finding]:
    for client in section.clients:
        yield from _secret(f"the secret of the client `{client.id}`", client.secret.reveal())
    if section.metrics is not None and section.metrics.token is not None:
        yield from _secret("the token of `http.metrics`", section.metrics.token.reveal())
    if premises.daemon is None:
        for one in listening_sockets(section.listen):
            one.close()
        yield well("http", f"{section.listen} can be listened at")
        return
    try:
        status, _ = asked(section, "/healthz")
    except OSError as error:
        words = f"the daemon runs, and nobody answers at {section.listen}: {in_words(error)}"
        yield ill("http", words, "see the daemon's log; it takes a new `http.listen` only when it starts")
        return
    seen = f"the daemon answers at {section.listen} with {status}"
    if status == _OK:
        yield well("http", seen)
    else:
        yield doubtful("http", seen, "see the daemon's log, and what its states say")


def _secret(what: str, value: str) -> Iterator[Finding]:
    if len(value) < _LEAST_SECRET:
        yield ill("http", f"{what} has fewer than {_LEAST_SECRET} characters", "take a longer one")


def _certificate(premises: Premises, section: Http) -> Finding:
    if section.tls is None:
        return well("certificate", "none is configured")
    now_ms = premises.clock.moment().utc_ms
    doubt, end = certificate_doubt(own_certificate_end(section.tls), now_ms)
    seen = f"{section.tls.certificate_file} and its key fit{end}"
    return doubtful("certificate", seen, doubt) if doubt else well("certificate", seen)


def asked(section: Http, path: str, token: str | None = None) -> tuple[int, bytes]:
    """What our own server answers: its status and body; raises OSError where nobody answers."""
    host, _, port = section.listen.rpartition(":")
    host = _EVERY_ADDRESS.get(host, host.strip("[]"))
    connection: http.client.HTTPConnection
    if section.tls is None:
        connection = http.client.HTTPConnection(host, int(port), timeout=_PATIENCE_S)
    else:
        # Our own server on our own machine: its certificate is looked at by a check of its own.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        connection = http.client.HTTPSConnection(host, int(port), timeout=_PATIENCE_S, context=context)
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"} if token else {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    except http.client.HTTPException as error:
        raise OSError(0, f"no HTTP is spoken at {section.listen}") from error
    finally:
        connection.close()
