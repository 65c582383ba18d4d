"""The data folder: its disk, its databases, and what waits in the outbox."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from edged.app.checkup.disk import file_system_of, flush_ms
from edged.app.checkup.finding import Check, Finding, doubtful, ill, well
from edged.app.checkup.premises import Premises
from edged.app.encryption import configured_key
from edged.delivery.route import sink_id
from edged.domain.errors import ConfigurationError
from edged.store import api_store, outbox_file
from edged.store.faults import is_there
from edged.store.fsck import fsck
from edged.store.inspection import (
    NamespaceSight,
    OutboxSight,
    Sight,
    integrity_of,
    look_at_api,
    look_at_namespace,
    look_at_outbox,
)
from edged.store.namespace_files import namespace_path
from edged.store.outbox import FILE_NAME
from edged.store.sealing import EncryptionKey

LEAST_FREE_BYTES: Final = 200_000_000
OLD_OUTBOX_MS: Final = 60_000
SLOW_FLUSH_MS: Final = 100.0
_AHEAD_MS: Final = 60_000
_UNFIT: Final = {
    "tmpfs": "it is memory: all is lost with the power",
    "ramfs": "it is memory: all is lost with the power",
    "vfat": "it knows no rights and breaks at power cuts",
    "exfat": "it knows no rights and breaks at power cuts",
    "nfs": "it is in the network, where write-ahead mode does not work",
    "nfs4": "it is in the network, where write-ahead mode does not work",
    "cifs": "it is in the network, where write-ahead mode does not work",
    "9p": "it is shared with another machine, where write-ahead mode does not work",
    "fuse.sshfs": "it is in the network, where write-ahead mode does not work",
}
_SEE_STORE: Final = "see docs/store.md"


def checks(premises: Premises) -> Iterator[tuple[str, Check]]:
    """The checks by name."""
    yield "data folder", lambda: [_folder(premises.folder)]
    yield "disk", lambda: [_disk(premises.folder)]
    for namespace in premises.namespaces:
        yield (
            f"namespace {namespace}",
            lambda namespace=namespace: [_namespace(premises, namespace)],  # type: ignore[misc]
        )
    yield "outbox", lambda: [_outbox(premises)]
    yield "api.db", lambda: _api(premises)


def _folder(folder: Path) -> Finding:
    there = next(parent for parent in (folder, *folder.parents) if is_there(parent))
    free = shutil.disk_usage(there).free
    seen = f"{folder}, {free // 1_000_000} MB free"
    if not os.access(there, os.W_OK):
        return ill("data folder", f"{folder} cannot be written", "run as the user of the daemon")
    if free < LEAST_FREE_BYTES:
        return ill("data folder", seen, "make room: a full disk holds jobs up")
    return well("data folder", seen)


def _disk(folder: Path) -> Finding:
    if not is_there(folder):
        return well("disk", "the data folder is made when the daemon starts")
    kind = file_system_of(folder)
    took = flush_ms(folder)
    seen = f"{kind}, writing to the disk takes {took:.1f} ms (median)"
    if kind in _UNFIT:
        return doubtful("disk", f"{seen}; {_UNFIT[kind]}", f"put `data_dir` on a local disk; {_SEE_STORE}")
    if took > SLOW_FLUSH_MS:
        return doubtful("disk", seen, "each job waits for it: look at the card, or take an SSD")
    return well("disk", seen)


def _namespace(premises: Premises, namespace: str) -> Finding:
    what = f"namespace {namespace}"
    path = namespace_path(premises.folder, namespace)
    if not is_there(path):
        remedy = f"enrol somebody: edged identities add NAME IMAGE --namespace {namespace}"
        return doubtful(what, "nobody is enrolled", remedy)
    sight = look_at_namespace(path)
    seen = f"{path}: {_of_namespace(sight, premises.clock.moment().utc_ms)}"
    wrong = fsck(path, faces_key(premises)) if premises.with_fsck else []
    if wrong:
        return ill(what, f"{seen}; {'; '.join(wrong)}", _SEE_STORE)
    if sight.damaged:
        return doubtful(what, seen, f"look at the damaged copies, then delete them; {_SEE_STORE}")
    if not sight.counts["people"]:
        return doubtful(what, f"{seen}; nobody is enrolled", "enrol somebody: edged identities add")
    return well(
        what, f"{seen}; {'every invariant holds' if premises.with_fsck else '`--fsck` proves it whole'}"
    )


def faces_key(premises: Premises) -> EncryptionKey | None:
    """The key that faces are encrypted with; None also where it is not to be had: then fsck says so."""
    try:
        return configured_key(premises.settings.privacy)
    except ConfigurationError:
        return None


def _of_namespace(sight: NamespaceSight, now_ms: int) -> str:
    parts = [_in_words(sight)]
    if sight.newest_snapshot_ms is None:
        parts.append("no snapshot")
    else:
        hours = (now_ms - sight.newest_snapshot_ms) / 3_600_000
        parts.append(f"{sight.snapshots} snapshots, the newest {hours:.1f} hours old")
    if sight.model_hashes:
        parts.append(f"embedded by {' and '.join(one[:12] for one in sight.model_hashes)}")
    if sight.damaged:
        parts.append(f"{sight.damaged} damaged copies put aside")
    return ", ".join(parts)


def _in_words(sight: Sight) -> str:
    counts = ", ".join(f"{count} {words}" for words, count in sight.counts.items())
    return f"schema {sight.version}, {sight.size_bytes / 1e6:.1f} MB, {counts}"


def _outbox(premises: Premises) -> Finding:
    path = premises.folder / FILE_NAME
    if not is_there(path):
        return well("outbox", "is made when the daemon starts")
    now = premises.clock.moment()
    sight = look_at_outbox(path, tuple(map(sink_id, premises.settings.sinks)), now)
    seen = _of_outbox(sight)
    wrong = integrity_of(path, outbox_file.SCHEMA) if premises.with_fsck else []
    if wrong:
        return ill("outbox", f"{seen}; {'; '.join(wrong)}", _SEE_STORE)
    ages = [one.oldest_age_ms for one in sight.status.sinks if one.oldest_age_ms is not None]
    if sight.newest_ms is not None and sight.newest_ms > now.utc_ms + _AHEAD_MS:
        return doubtful(
            "outbox", f"{seen}; its newest message is of the future: the clock went back", "see to the clock"
        )
    if sight.dead or max(ages, default=0) > OLD_OUTBOX_MS:
        return doubtful("outbox", seen, "see `edged outbox` and `edged outbox dead`")
    return well("outbox", seen)


def _of_outbox(sight: OutboxSight) -> str:
    status = sight.status
    parts = [
        f"{sum(one.waiting for one in status.sinks)} messages wait, {len(sight.dead)} are dead letters",
        f"schema {sight.version}, {sight.size_bytes / 1e6:.1f} MB",
    ]
    for one in status.sinks:
        if one.waiting:
            age = (one.oldest_age_ms or 0) / 1000
            why = f": {one.last_reason}" if one.last_reason else ""
            parts.append(f"`{one.sink}` waits with {one.waiting}, the oldest for {age:.0f} s{why}")
    reasons = {f"`{letter.sink}`: {letter.reason}" for letter in sight.dead}
    parts += [f"dead at {reason}" for reason in sorted(reasons)]
    return "; ".join(parts)


def _api(premises: Premises) -> list[Finding]:
    path = premises.folder / "api.db"
    if not is_there(path):
        return []
    seen = _in_words(look_at_api(path))
    wrong = integrity_of(path, api_store.SCHEMA) if premises.with_fsck else []
    return [ill("api.db", f"{seen}; {'; '.join(wrong)}", _SEE_STORE) if wrong else well("api.db", seen)]
