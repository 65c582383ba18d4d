"""The archive for an issue report: what the doctor found, without secrets, people, pictures and addresses.

It holds text alone. Nothing of a database goes into it but counts, and every text passes the censor last.
"""

import contextlib
import io
import os
import platform
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from edged.app.checkup.censor import Censor
from edged.app.checkup.examination import Examination, as_json
from edged.app.checkup.finding import Finding
from edged.app.checkup.premises import Premises
from edged.app.checkup.private_settings import hosts_in, secrets_in, users_in, without_privacy
from edged.app.checkup.service import UNIT, asked
from edged.delivery.route import sink_id
from edged.domain.errors import EdgedError, InputError
from edged.inference.catalogue import Catalogue
from edged.settings.recognition import Models
from edged.store.inspection import look_at_namespace, look_at_outbox, names_in
from edged.store.namespace_files import namespace_path
from edged.store.outbox import FILE_NAME

LOG_LINES: Final = 1000
_PATIENCE_S: Final = 15.0
_MOST_BYTES: Final = 2_000_000
_OK: Final = 200
_LEAST_HOSTNAME: Final = 3


@dataclass(frozen=True, slots=True)
class Written:
    """Where the archive is, and what is in it: name and words."""

    path: Path
    contents: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _Member:
    name: str
    words: str
    text: str


def write_bundle(
    examination: Examination,
    findings: Sequence[Finding],
    path: Path,
    read_log: Callable[[], str] | None = None,
) -> Written:
    """Write the archive, whole or not at all, for its owner alone.

    Args:
        examination: that was made.
        findings: of it.
        path: of the archive; a folder stands for a name with device and time in it.
        read_log: gives the last lines of the log; those of systemd's journal, where it is None.

    Raises InputError where a file of the name is there already or cannot be written.
    """
    premises = examination.premises
    now = datetime.fromtimestamp(examination.clock.moment().utc_ms / 1000, UTC)
    device = (premises and premises.device) or "unnamed"
    whole = path / f"edged-doctor-{device}-{now:%Y%m%dT%H%M%SZ}.tar.gz" if path.is_dir() else path
    censor, is_blind = _censor(premises)
    members = [*_of_findings(findings), *_of_premises(premises, censor)]
    # Where people's names are not known, nobody can promise that a line of the log holds none.
    members += [] if is_blind else _of_log(read_log or journal)
    members = [_Member(one.name, one.words, censor.text(one.text)) for one in members]
    members.insert(0, _Member("README.txt", "what this is", _readme(members)))
    _write(whole, members, int(now.timestamp()))
    return Written(whole, tuple((one.name, one.words) for one in members))


def journal() -> str:
    """The last lines that systemd kept of the daemon's log; empty where there are none for this user."""
    program = shutil.which("journalctl")
    if program is None:
        return ""
    command = [program, "--unit", UNIT, "--lines", str(LOG_LINES), "--no-pager", "--quiet", "--utc"]
    try:
        done = subprocess.run(  # noqa: S603 - a program that was looked up, with words of our own
            [*command, "--output", "short-iso"],
            capture_output=True,
            timeout=_PATIENCE_S,
            check=False,
            env=os.environ,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout[-_MOST_BYTES:].decode("utf-8", "replace")


def _censor(premises: Premises | None) -> tuple[Censor, bool]:
    """The censor, and whether it does not know everything that it ought to."""
    machine = platform.node()
    hosts = [machine] if len(machine) >= _LEAST_HOSTNAME else []
    if premises is None:
        return Censor(hosts=hosts), True
    settings = premises.settings
    secrets, has_all_secrets = secrets_in(settings)
    people: list[str] = []
    is_blind = not has_all_secrets
    try:
        people = names_in(premises.folder)
    except (EdgedError, OSError):
        is_blind = True
    hosts += hosts_in(settings)
    return Censor(secrets=secrets, people=people, hosts=hosts, users=users_in(settings)), is_blind


def _of_findings(findings: Sequence[Finding]) -> Iterator[_Member]:
    lines = [
        f"{one.health:9} {one.section}/{one.what}: {one.seen}"
        + (f"\n{'':9} -> {one.remedy}" if one.remedy else "")
        for one in findings
    ]
    yield _Member("findings.txt", "what `edged doctor` found", "\n".join(lines) + "\n")
    yield _Member("findings.jsonl", "the same, for programs", "\n".join(map(as_json, findings)) + "\n")


def _of_premises(premises: Premises | None, censor: Censor) -> Iterator[_Member]:
    models = Models() if premises is None else premises.settings.models
    with contextlib.suppress(EdgedError):
        yield _Member("models.json", "the models: names, hashes, runtimes", _models(models))
    if premises is None:
        return
    yield _Member(
        "configuration.yaml",
        "what is in force, as `edged config show` prints it, less what is private",
        without_privacy(premises.settings, censor),
    )
    yield _Member("databases.json", "counts, sizes and versions of the databases", _databases(premises))
    metrics = _metrics(premises)
    if metrics:
        yield _Member("metrics.txt", "the daemon's figures", metrics)


def _of_log(read_log: Callable[[], str]) -> Iterator[_Member]:
    text = read_log()
    if text:
        yield _Member("log.txt", f"the last {LOG_LINES} lines of the log at most", text)


def _models(chosen: Models) -> str:
    catalogue = Catalogue(chosen.directory)
    cards = [
        {
            "name": card.name,
            "role": card.role,
            "sha256": card.sha256,
            "runtimes": card.runtimes,
            "isShipped": catalogue.is_shipped(card),
        }
        for card in catalogue.cards()
    ]
    return _pretty(cards)


def _databases(premises: Premises) -> str:
    told: dict[str, object] = {}
    for namespace in premises.namespaces:
        with contextlib.suppress(EdgedError, OSError):
            told[f"namespace {namespace}"] = look_at_namespace(namespace_path(premises.folder, namespace))
    with contextlib.suppress(EdgedError, OSError):
        sinks = tuple(map(sink_id, premises.settings.sinks))
        told["outbox"] = look_at_outbox(premises.folder / FILE_NAME, sinks, premises.clock.moment())
    return _pretty(told)


def _metrics(premises: Premises) -> str:
    section = premises.settings.http
    if premises.daemon is None or section is None or section.metrics is None:
        return ""
    token = section.metrics.token
    try:
        status, body = asked(section, "/metrics", token.reveal() if token else None)
    except (OSError, EdgedError):
        return ""
    return body[:_MOST_BYTES].decode("utf-8", "replace") if status == _OK else ""


def _pretty(value: object) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n"


def _readme(members: Sequence[_Member]) -> str:
    lines = [f"  {one.name:20} {one.words}" for one in members]
    return "\n".join(
        [
            "What `edged doctor --bundle` found, for an issue report.",
            "",
            *lines,
            "",
            "Left out: secrets, people's names and customIds, pictures, embeddings, accounts, and addresses:",
            "host-1, person-1 and the like stand for the same host or person everywhere.",
            "Kept: names of feeds, namespaces, clients and of the device, and paths of files.",
            "Look at it before you send it.",
            "",
        ]
    )


def _write(path: Path, members: Sequence[_Member], mtime_s: int) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        descriptor = os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file, tarfile.open(fileobj=file, mode="w:gz") as archive:
                for member in members:
                    content = member.text.encode("utf-8", "replace")
                    entry = tarfile.TarInfo(f"edged-doctor/{member.name}")
                    entry.size, entry.mtime, entry.mode = len(content), mtime_s, 0o600
                    archive.addfile(entry, io.BytesIO(content))
            # Unlike a rename, a link replaces nothing.
            os.link(partial, path)
        finally:
            partial.unlink(missing_ok=True)
    except FileExistsError:
        raise InputError(f"{path} is there already", remedy="name another file, or delete that one") from None
    except OSError as error:
        raise InputError(
            f"{path} cannot be written: {error.strerror}", remedy="name a file in a folder of yours"
        ) from error
