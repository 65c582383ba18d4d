"""A real mosquitto broker and a real mosquitto_sub, each on its own free port, ended by process id."""

import contextlib
import secrets
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import trustme

DEADLINE_S = 20.0
PATIENCE_S = 5.0
_PORTS = range(15_000, 32_000)

# Debian puts it where only root's PATH looks.
BROKER = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
IS_INSTALLED = BROKER is not None and shutil.which("mosquitto_sub") is not None
WHY_NOT = "needs the Debian packages mosquitto and mosquitto-clients"


def eventually(condition: Callable[[], bool], what: str, timeout_s: float = DEADLINE_S) -> None:
    """Wait until the condition holds; fail with `what` when it does not in time."""
    end = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"waited {timeout_s:.0f} s in vain: {what}")
        time.sleep(0.01)


def free_port() -> int:
    """A port of the loopback interface that nobody listens on.

    None of those that the kernel gives to connections going out: a client that tries again and again to reach
    such a port is given it itself one day, is connected to itself, and keeps the server from coming back.
    """
    while True:
        port = secrets.choice(_PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class Mosquitto:
    """A broker in a folder of its own; `start`, `stop`, `kill` and `start` again keep its port and its data.

    Args:
        tls: speaks TLS only, with a certificate for localhost of `ca`.
        client_certificates: lets in only who has a certificate of `ca`.
        users: names and passwords; nobody else is let in.
        acl: lines of an access list.
        persistence: keeps what it has over a restart, a SIGKILL included.
        extra: further lines of its configuration.
    """

    def __init__(
        self,
        *,
        tls: bool = False,
        client_certificates: bool = False,
        users: dict[str, str] | None = None,
        acl: Sequence[str] | None = None,
        persistence: bool = True,
        extra: Sequence[str] = (),
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="mosquitto-"))
        self.port = free_port()
        self.host = "localhost" if tls else "127.0.0.1"
        self.ca = trustme.CA() if tls else None
        self.ca_file = self.folder / "ca.pem"
        self.users = users or {}
        self._process: subprocess.Popen[bytes] | None = None
        self._write_configuration(
            tls=tls, client_certificates=client_certificates, acl=acl, persistence=persistence, extra=extra
        )

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def pid(self) -> int:
        """Of the running broker."""
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        """What it told so far."""
        path = self.folder / "log"
        return path.read_text("utf-8", "replace") if path.exists() else ""

    def start(self) -> None:
        """Start it; returns when it takes connections."""
        assert BROKER is not None
        self._process = subprocess.Popen(
            [BROKER, "-c", str(self.folder / "mosquitto.conf")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        eventually(self._listens, f"mosquitto to listen\n{self.log}")

    def stop(self) -> None:
        """End it as a service manager would."""
        self._end(kill=False)

    def kill(self) -> None:
        """End it as a power cut would."""
        self._end(kill=True)

    def client_files(self) -> tuple[str, str]:
        """A client's certificate and key of the broker's authority."""
        assert self.ca is not None
        certificate, key = self.folder / "client.pem", self.folder / "client.key"
        issued = self.ca.issue_cert("client@example.org")
        issued.cert_chain_pems[0].write_to_path(certificate)
        issued.private_key_pem.write_to_path(key)
        return str(certificate), str(key)

    def _end(self, *, kill: bool) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill() if kill else process.terminate()
        process.wait(DEADLINE_S)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(1.0)
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def _write_configuration(
        self,
        *,
        tls: bool,
        client_certificates: bool,
        acl: Sequence[str] | None,
        persistence: bool,
        extra: Sequence[str],
    ) -> None:
        folder = self.folder
        lines = [
            # Started as root it would become `mosquitto`, who may not read this folder.
            "user root",
            f"log_dest file {folder}/log",
            "max_queued_messages 100000",
            "max_queued_bytes 0",
            f"persistence {'true' if persistence else 'false'}",
            f"allow_anonymous {'false' if self.users else 'true'}",
        ]
        if persistence:
            (folder / "data").mkdir()
            lines += [
                f"persistence_location {folder}/data/",
                "autosave_interval 1",
                "autosave_on_changes true",
            ]
        if self.users:
            lines.append(f"password_file {folder}/users")
            self._write_users()
        if acl is not None:
            lines.append(f"acl_file {folder}/acl")
            (folder / "acl").write_text("\n".join(acl) + "\n", "utf-8")
            (folder / "acl").chmod(0o600)
        lines += [*extra, f"listener {self.port} 127.0.0.1"]
        if tls:
            lines += self._tls_lines()
        if client_certificates:
            lines.append("require_certificate true")
        (folder / "mosquitto.conf").write_text("\n".join(lines) + "\n", "utf-8")

    def _write_users(self) -> None:
        path = self.folder / "users"
        path.touch(0o600)
        for name, password in self.users.items():
            subprocess.run(["mosquitto_passwd", "-b", str(path), name, password], check=True)

    def _tls_lines(self) -> list[str]:
        assert self.ca is not None
        issued = self.ca.issue_cert("localhost", "127.0.0.1")
        self.ca.cert_pem.write_to_path(self.ca_file)
        issued.cert_chain_pems[0].write_to_path(self.folder / "server.pem")
        issued.private_key_pem.write_to_path(self.folder / "server.key")
        return [
            f"cafile {self.ca_file}",
            f"certfile {self.folder}/server.pem",
            f"keyfile {self.folder}/server.key",
        ]


@dataclass(frozen=True, slots=True)
class Heard:
    """One message as mosquitto_sub printed it."""

    topic: str
    retained: bool
    payload: str


class Subscriber:
    """A mosquitto_sub that prints what it hears; connects again by itself when the broker comes back.

    With `session` it has a persistent session of that name: the broker keeps for it what it missed.
    """

    def __init__(
        self,
        broker: Mosquitto,
        *topics: str,
        user: str | None = None,
        session: str | None = None,
        credentials: Sequence[str] = (),
    ) -> None:
        self._broker = broker
        self._access = ["-h", broker.host, "-p", str(broker.port), *credentials]
        if broker.ca is not None:
            self._access += ["--cafile", str(broker.ca_file)]
        if user is not None:
            self._access += ["-u", user, "-P", broker.users[user]]
        self._ready_topic = f"test/ready/{free_port()}"
        arguments = ["mosquitto_sub", *self._access, "-q", "1", "-F", "%r\t%t\t%p", "-t", self._ready_topic]
        for topic in topics or ("edged/#",):
            arguments += ["-t", topic]
        if session is not None:
            arguments += ["-i", session, "-c"]
        self._lines: list[Heard] = []
        self._process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._wait_until_subscribed()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def heard(self) -> list[Heard]:
        """Everything so far."""
        return [line for line in self._lines if line.topic != self._ready_topic]

    def payloads(self, topic_end: str = "") -> list[str]:
        """Payloads of the topics that end so."""
        return [line.payload for line in self.heard if line.topic.endswith(topic_end)]

    def wait_for(self, number: int, topic_end: str = "", timeout_s: float = DEADLINE_S) -> list[str]:
        """Payloads of the topics that end so, once there are as many."""
        eventually(
            lambda: len(self.payloads(topic_end)) >= number,
            f"{number} messages on …{topic_end}",
            timeout_s,
        )
        return self.payloads(topic_end)

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        try:
            self._process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            # Now and then mosquitto_sub misses the signal between two packets.
            self._process.kill()
            self._process.wait(DEADLINE_S)
        self._reader.join(DEADLINE_S)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            retained, topic, payload = line.decode("utf-8").rstrip("\n").split("\t", 2)
            self._lines.append(Heard(topic, retained == "1", payload))

    def _wait_until_subscribed(self) -> None:
        publish = ["mosquitto_pub", *self._access, "-t", self._ready_topic, "-m", "ready", "-q", "1"]
        end = time.monotonic() + DEADLINE_S
        while not self._lines:
            assert time.monotonic() < end, "mosquitto_sub did not subscribe"
            assert self._process.poll() is None, "mosquitto_sub ended"
            subprocess.run(publish, check=False, stderr=subprocess.DEVNULL)
            time.sleep(0.02)


class OldBroker:
    """A door before a broker that lets no MQTT 5 in: a stand-in for brokers that speak 3.1.1 only.

    Everything but the CONNECT packet of a newer client goes through untouched.

    Args:
        broker: who is behind the door.
        says_why: answers such a CONNECT with return code 1, else just closes the connection.
    """

    def __init__(self, broker: Mosquitto, *, says_why: bool) -> None:
        self._broker = broker
        self._says_why = says_why
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.host = "127.0.0.1"
        self.port = int(self._listener.getsockname()[1])
        self.levels: list[int] = []
        self._threads: list[threading.Thread] = []
        self._sockets: list[socket.socket] = []
        self._go(self._accept)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        for thread in self._threads:
            thread.join(DEADLINE_S)
        for one in self._sockets:
            one.close()

    def cut(self) -> None:
        """Cut the connections that stand; new ones are let in."""
        for one in list(self._sockets):
            _hang_up(one)

    def _go(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._sockets.append(client)
            self._go(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        # Fixed header of 2 bytes (a test's CONNECT is short), protocol name of 6, then the level.
        first = client.recv(4096)
        level = first[8] if len(first) > 8 else 0
        self.levels.append(level)
        if level >= 5:
            if self._says_why:
                client.sendall(b"\x20\x02\x00\x01")
            client.shutdown(socket.SHUT_RDWR)
            return
        server = socket.create_connection(("127.0.0.1", self._broker.port))
        self._sockets.append(server)
        server.sendall(first)
        self._go(_pump, client, server)
        _pump(server, client)


def _pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while chunk := source.recv(65536):
            target.sendall(chunk)
    except OSError:
        pass
    # Whoever hung up, how ever they did it: the other side sees it too.
    _hang_up(source)
    _hang_up(target)


def _hang_up(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
