"""RabbitMQ nodes with the plugin for MQTT on loopback, each in a folder of its own, ended by their ids."""

import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Self

import broker_cluster  # noqa: F401 - lets the tests' bench be imported
from bench.mosquitto import eventually, free_port

_FOLDERS = sorted(Path("/usr/lib/rabbitmq/lib").glob("rabbitmq_server-*/sbin"))
EPMD = shutil.which("epmd")
IS_INSTALLED = bool(_FOLDERS) and EPMD is not None
START_S = 120.0


class RabbitNode:
    """One node; the cluster starts it."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = f"{name}@localhost"
        self.folder = folder / name
        self.mqtt_port, self.amqp_port, self.dist_port = free_port(), free_port(), free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def is_running(self) -> bool:
        """Whether it was started and not killed."""
        return self._process is not None

    def start(self, environment: dict[str, str], others: list["RabbitNode"]) -> None:
        """Begin; it joins the others."""
        self.folder.mkdir(exist_ok=True)
        lines = [
            f"listeners.tcp.1 = 127.0.0.1:{self.amqp_port}",
            f"mqtt.listeners.tcp.1 = 127.0.0.1:{self.mqtt_port}",
            "mqtt.allow_anonymous = true",
            *(f"cluster_formation.classic_config.nodes.{n} = {o.name}" for n, o in enumerate(others, 1)),
        ]
        (self.folder / "rabbitmq.conf").write_text("\n".join(lines) + "\n")
        (self.folder / "enabled_plugins").write_text("[rabbitmq_mqtt].\n")
        with (self.folder / "console").open("wb") as console:
            self._process = subprocess.Popen(
                [_FOLDERS[-1] / "rabbitmq-server"],
                env=environment | self.environment,
                stdout=console,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def environment(self) -> dict[str, str]:
        """What makes the scripts mean this node."""
        return {
            "RABBITMQ_NODENAME": self.name,
            "RABBITMQ_NODE_PORT": str(self.amqp_port),
            "RABBITMQ_DIST_PORT": str(self.dist_port),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
        }

    @property
    def is_up(self) -> bool:
        """Whether its start is complete."""
        return "Server startup complete" in "".join(
            path.read_text(errors="replace") for path in (self.folder / "log").glob("*.log")
        )

    def kill(self) -> None:
        """End it without a word, with all processes that it started."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(20)
            self._process = None


class RabbitCluster:
    """Some nodes that know each other, with a name service of their own."""

    def __init__(self, folder: Path, count: int) -> None:
        self._folder = folder
        self.nodes = [RabbitNode(folder, chr(ord("a") + number)) for number in range(count)]
        self._epmd: subprocess.Popen[bytes] | None = None
        self.environment: dict[str, str] = {}

    def __enter__(self) -> Self:
        port = str(free_port())
        home = self._folder / "home"
        home.mkdir()
        cookie = home / ".erlang.cookie"
        cookie.write_text(secrets.token_hex(16))
        cookie.chmod(0o400)
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "ERL_EPMD_PORT": port,
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_CONF_ENV_FILE": "/nonexistent",
        }
        self._epmd = subprocess.Popen([EPMD or "epmd", "-port", port, "-address", "127.0.0.1"])
        try:
            for node in self.nodes:
                node.start(self.environment, self.nodes)
            eventually(lambda: all(node.is_up for node in self.nodes), "RabbitMQ to start", START_S)
            eventually(lambda: len(self.running()) == len(self.nodes), "the cluster to form", START_S)
            # Otherwise a client whose node died is let in nowhere: its queue is known, and its home is down.
            self._control("set_policy", "mqtt", "^mqtt-subscription-", '{"ha-mode":"all"}')
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for node in self.nodes:
            node.kill()
        if self._epmd is not None:
            self._epmd.kill()
            self._epmd.wait(10)

    def running(self) -> list[str]:
        """The nodes that the first running one sees."""
        answer = self._control("cluster_status", "--formatter", "json")
        return list(json.loads(answer.stdout)["running_nodes"]) if answer.returncode == 0 else []

    def _control(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        """Have the first running node do something."""
        witness = next(node for node in self.nodes if node.is_running)
        return subprocess.run(
            [_FOLDERS[-1] / "rabbitmqctl", "-n", witness.name, *words],
            env=self.environment | witness.environment,
            capture_output=True,
            timeout=60,
            check=False,
        )
