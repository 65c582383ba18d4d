"""`edged demo`: the real daemon on a sample clip that comes with the package."""

import argparse
import contextlib
import io
import json
import re
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edged.cli.telling import Teller
from edged.domain.errors import ConfigurationError

SAMPLE = Path(__file__).resolve().parent / "sample"
CLIP = SAMPLE / "scene.mp4"
PORTRAIT = SAMPLE / "eileen-collins.jpg"
PERSON = "Eileen Collins"
NAMESPACE = "demo"
FEED_ID = "porch"

_BROKER = re.compile(r"(?:\[(?P<address>[^\[\]\s]+)\]|(?P<host>[^:/\[\]\s]+))(?::(?P<port>[0-9]{1,5}))?")

DESCRIPTION = """\
Run the real daemon on a sample clip, with one person enrolled: Eileen Collins comes, goes and comes again,
and so does somebody that edged does not know. Who comes and who leaves is told on standard error as it
happens; the jobs are JSON lines on standard output. It ends with the clip, or with Ctrl-C.
"""


@dataclass(frozen=True, slots=True)
class Broker:
    """Where an MQTT broker listens."""

    host: str
    port: int | None


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "demo",
        help="watch the daemon recognise people in a sample clip",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--mqtt",
        type=broker,
        metavar="HOST[:PORT]",
        help="send to this broker too (IPv6 in brackets: [::1]:1883)",
    )
    parser.add_argument(
        "--keep", type=Path, metavar="DIR", help="keep configuration and databases in this new folder"
    )
    parser.add_argument("--loop", action="store_true", help="begin the clip again when it ends, until Ctrl-C")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Enrol, run, tell; 0 at the end of the clip and after Ctrl-C, else what failed."""
    with _folder(arguments.keep) as folder:
        path = folder / "config.yaml"
        path.write_text(configuration(arguments.mqtt, loop=arguments.loop), encoding="utf-8")
        with contextlib.suppress(KeyboardInterrupt):
            return _enrol(path) or _watch(path)
    return 0


def _enrol(configuration_path: Path) -> int:
    """What `edged identities add` does; what that prints must not get between the jobs."""
    from edged.cli.main import main

    _say(f"enrolling {PERSON} from {PORTRAIT.name}")
    add = ["identities", "add", PERSON, str(PORTRAIT)]
    with contextlib.redirect_stdout(io.StringIO()):
        return main([*add, "--namespace", NAMESPACE, "--config", str(configuration_path)])


def _watch(configuration_path: Path) -> int:
    """What `edged run` does, told as it happens; returns its exit code."""
    from edged.app.configuration import load
    from edged.app.daemon import Daemon
    from edged.system.clock import SystemClock
    from edged.system.log import configure_logging

    loaded = load(configuration_path)
    configure_logging(loaded.settings.log)
    _say("a clip of somebody's porch begins; Ctrl-C ends it")
    teller = Teller(SystemClock().moment().utc_ms, _say)
    code = Daemon(loaded, on_commit=teller.hear_all).run(exit_when_done=True)
    _say(f"that was all: {teller.summary()}" if code == 0 else "the daemon failed; see above")
    return code


def broker(text: str) -> Broker:
    """Read `HOST[:PORT]`; an IPv6 address is in brackets, so that its colons are not a port's."""
    match = _BROKER.fullmatch(text)
    port = int(match["port"]) if match and match["port"] else None
    if match is None or (port is not None and port not in range(1, 65536)):
        raise argparse.ArgumentTypeError(
            f"`{text}` is not HOST, HOST:PORT, [ADDRESS] or [ADDRESS]:PORT with a port from 1 to 65535"
        )
    return Broker(match["address"] or match["host"], port)


def configuration(mqtt: Broker | None, *, loop: bool) -> str:
    """The demo's configuration file; a kept one also works with `edged run --config`."""
    sinks = ["  - type: console"]
    if mqtt is not None:
        # JSON's strings are YAML's too, whatever is in them.
        sinks += ["  - type: mqtt", f"    host: {json.dumps(mqtt.host)}"]
        sinks += [] if mqtt.port is None else [f"    port: {mqtt.port}"]
    return "\n".join(
        [
            "# Made by `edged demo`.",
            "device: demo",
            "data_dir: data",
            "log:",
            "  level: warning",
            "feeds:",
            f"  - id: {FEED_ID}",
            f"    namespace: {NAMESPACE}",
            "    source:",
            "      type: file",
            f"      path: {json.dumps(str(CLIP))}",
            "      pace: realtime",
            f"      loop: {json.dumps(loop)}",
            "presence:",
            "  leave_after: 3 s  # the clip's visits are close together",
            "sinks:",
            *sinks,
            "",
        ]
    )


@contextlib.contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    """The folder of the demo: a new one that stays, or a temporary one."""
    if kept is None:
        with tempfile.TemporaryDirectory(prefix="edged-demo-") as temporary:
            yield Path(temporary)
        return
    try:
        kept.mkdir(mode=0o700, parents=True, exist_ok=True)
        is_empty = not any(kept.iterdir())
    except OSError as error:
        raise ConfigurationError(f"{kept} cannot be the demo's folder: {error.strerror}") from None
    if not is_empty:
        raise ConfigurationError(
            f"{kept} is not empty",
            remedy=f"name a new folder, or run what is there: edged run --config {kept}/config.yaml",
        )
    yield kept


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
