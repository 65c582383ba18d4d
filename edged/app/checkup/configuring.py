"""The configuration: who may read and change it, its secrets, the devices it names, and privacy in a line."""

import grp
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from edged.app.checkup.finding import Check, Finding, doubtful, ill, well
from edged.app.checkup.premises import Premises
from edged.settings import sources
from edged.settings.sinks import MqttSink
from edged.store.faults import is_there

_PRIVATE: Final = 0o077
_OTHERS_WRITE: Final = 0o022
_DRI: Final = "/dev/dri/renderD128"
_HARDWARE_NODES: Final = {
    "vaapi": (_DRI,),
    "pi3": ("/dev/video10",),
    "pi4": ("/dev/video10",),
    "pi5": ("/dev/video19",),
}
_MOST_TELLING: Final = 10


def checks(premises: Premises) -> Iterator[tuple[str, Check]]:
    """The checks by name."""
    yield "permissions", lambda: _permissions(premises)
    yield "privacy", lambda: [_privacy(premises)]


def _permissions(premises: Premises) -> Iterator[Finding]:
    wrong = [*_of_configuration(premises), *_of_secrets(premises), *_of_keys(premises), *_of_folder(premises)]
    for seen, remedy in wrong[:_MOST_TELLING]:
        yield ill("permissions", seen, remedy)
    for node in _nodes(premises):
        yield from _of_node(node)
    if os.geteuid() == 0 and premises.daemon is None:
        yield doubtful(
            "permissions", "this is root, who may do what the daemon's user may not", "run as that user too"
        )
    elif not wrong:
        yield well("permissions", f"user {os.geteuid()} may use what is configured; nobody else may read it")


def _of_configuration(premises: Premises) -> Iterator[tuple[str, str]]:
    status = premises.path.stat()
    if status.st_mode & _OTHERS_WRITE:
        yield f"{premises.path} can be written by others", f"`chmod go-w {premises.path}`"


def _of_secrets(premises: Premises) -> Iterator[tuple[str, str]]:
    folder = premises.base_dir / "secrets"
    if not os.access(folder, os.R_OK | os.X_OK):
        return
    for path in sorted(folder.iterdir()):
        status = path.lstat()
        if stat.S_ISREG(status.st_mode) and status.st_mode & _PRIVATE:
            yield f"{path} can be read by others", f"`chmod 600 {path}`"


def _of_keys(premises: Premises) -> Iterator[tuple[str, str]]:
    """The keys of certificates, ours and those that brokers are shown."""
    http = premises.settings.http
    files = [http.tls.key_file] if http is not None and http.tls is not None else []
    shields = [sink.tls for sink in premises.settings.sinks if isinstance(sink, MqttSink) and sink.tls]
    files += [tls.key_file for tls in shields if tls.key_file is not None]
    for path in map(Path, files):
        if is_there(path) and path.stat().st_mode & _PRIVATE:
            yield f"the key {path} can be read by others", f"`chmod 600 {path}`"


def _of_folder(premises: Premises) -> Iterator[tuple[str, str]]:
    folder = premises.folder
    if not is_there(folder):
        return
    if stat.S_IMODE(folder.stat().st_mode) & 0o007:
        yield f"{folder} can be looked into by everybody", f"`chmod 700 {folder}`"
    owner = folder.stat().st_uid
    files = [*folder.glob("*.db*"), *folder.glob("namespaces/*.db*")]
    strangers = [path for path in files if path.stat().st_uid != owner]
    for path in strangers[:1]:
        yield (
            f"{len(strangers)} files in {folder} belong to another user than it, such as {path.name}",
            f"`chown -R --reference={folder} {folder}`",
        )


def _nodes(premises: Premises) -> list[str]:
    """The device files that the configuration needs, of the feeds and the delegate."""
    found: list[str] = []
    for feed in premises.settings.feeds:
        if isinstance(feed.source, sources.UsbSource):
            found.append(feed.source.device)
        elif isinstance(feed.source, sources.RtspSource | sources.FileSource):
            found += _HARDWARE_NODES.get(feed.source.hardware, ())
            found += [one for one in feed.source.ffmpeg_input if one.startswith("/dev/")]
    return list(dict.fromkeys(found))


def _of_node(node: str) -> Iterator[Finding]:
    path = Path(node)
    if not is_there(path):
        yield ill("permissions", f"{node} is not there", "see `ls -l /dev`, and whether its driver is loaded")
    elif not os.access(path, os.R_OK | os.W_OK):
        group = _group_of(path)
        yield ill(
            "permissions",
            f"{node} may not be used by user {os.geteuid()}; it belongs to the group {group}",
            f"add the user to the group {group}, or to `SupplementaryGroups=` of the unit",
        )


def _group_of(path: Path) -> str:
    number = path.stat().st_gid
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def _privacy(premises: Premises) -> Finding:
    """What is kept and for how long, in a line."""
    settings = premises.settings
    history, chips = settings.history, settings.privacy.chips
    parts = ["encrypted on the disk" if settings.privacy.encryption_key else "not encrypted on the disk"]
    parts.append("crops of enrolled faces kept" if chips.keep else "no crops of enrolled faces kept")
    if settings.http is not None and settings.http.clients:
        parts.append(f"jobs for {history.jobs.max_age}, seen faces for {history.faces.max_age}")
        pictures = f"pictures for {history.pictures.max_age}" if history.pictures.keep else "no pictures"
        parts.append(pictures)
    else:
        parts.append("no history kept")
    masked = sum(bool(feed.masks) for feed in settings.feeds)
    scheduled = sum(bool(feed.schedule) for feed in settings.feeds)
    parts.append(f"{masked} feeds masked, {scheduled} with hours")
    return well("privacy", ", ".join(parts))
