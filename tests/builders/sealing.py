"""Keys, and a namespace that has a picture or an embedding in every table that has any."""

import hashlib
import itertools
from collections.abc import Callable
from pathlib import Path

from builders.groups import a_grouped_track
from builders.history import a_job, a_picture, a_seen_face
from builders.namespaces import HandClock, Ids, a_new_face, random_chip, random_unit
from edged.domain.history import HistoryEntry
from edged.settings.groups import Groups
from edged.store.group_records import GroupRecords
from edged.store.history_store import HistoryStore
from edged.store.namespace_chips import chip_to_png
from edged.store.namespace_files import namespace_path
from edged.store.namespace_store import NamespaceStore
from edged.store.sealing import EncryptionKey, Key

A_JPEG = b"\xff\xd8" + random_unit(99).tobytes() + b"\xff\xd9"


def counted_chance(seed: str = "chance") -> Callable[[int], bytes]:
    """Bytes that are the same in every run, and never the same twice in one."""
    numbers = itertools.count()
    return lambda count: hashlib.shake_128(f"{seed}-{next(numbers)}".encode()).digest(count)


def a_key(number: int = 1) -> EncryptionKey:
    """The key of that number."""
    return EncryptionKey(hashlib.sha256(b"%d" % number).digest(), counted_chance(f"key-{number}"))


_OPENINGS = itertools.count()


def opened(data_dir: Path, key: Key | None, *, namespace: str = "home", seed: str = "") -> NamespaceStore:
    """The store of a namespace, opened with a key; without a seed its ids are new each time."""
    ids = Ids(seed or f"opening-{next(_OPENINGS)}")
    return NamespaceStore.open(namespace_path(data_dir, namespace), HandClock(), ids, key=key)


def fill(data_dir: Path, key: EncryptionKey | None, *, namespace: str = "home") -> str:
    """Enrol Ada of two faces, with a snapshot; keep a job with a face and a picture, and a group. Her id."""
    with opened(data_dir, key, namespace=namespace, seed=namespace) as store:
        ada = store.add_identity("Ada", [a_new_face(1, chip=True), a_new_face(2, chip=True)])
        seen = a_seen_face(3)
        HistoryStore(store).record([HistoryEntry(a_job(3, [seen]), (seen,), (a_picture(seen, A_JPEG),))])
        store.snapshots.take(store.connection, store.now_ms)
    records = GroupRecords(data_dir, [namespace], Groups(), HandClock(), Ids("groups"), key=key)
    try:
        records.record([(namespace, a_grouped_track(1, person=7, faces=2, chips=True))])
    finally:
        records.close()
    return ada.id


def plain_bytes() -> list[bytes]:
    """Pieces of what `fill` keeps: of chips, of embeddings, of the picture."""
    pieces = []
    for number in (1, 2, 3):
        png = chip_to_png(random_chip(number))
        pieces += [png[:16], png[20_000:20_032], random_unit(number).tobytes()[:32]]
    strange = a_grouped_track(1, person=7, faces=2)
    pieces += [vector.tobytes()[:32] for vector in (strange.mean, strange.faces[0].embedding)]
    return [*pieces, chip_to_png(random_chip(100))[20_000:20_032], A_JPEG[:32]]
