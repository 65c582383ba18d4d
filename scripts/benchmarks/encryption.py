"""Reading and writing an encrypted store, over the same of a plain one in the same run."""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from edged.app.encryption import key_from, new_key
from edged.domain.face import CHIP_SIZE_PX, EMBEDDING_SIZE
from edged.domain.identity import NewFace
from edged.store.namespace_files import namespace_path
from edged.store.namespace_store import NamespaceStore
from edged.store.resealing import reseal, sweep_copies
from edged.store.sealing import EncryptionKey, Kind, seal_of
from edged.system.chance import new_id
from edged.system.clock import SystemClock

PEOPLE = 10_000
FACES = 3
CHIPS = 300
ROUNDS = 7
MODEL = "a" * 64
PICTURE_BYTES = 300_000


def filled(folder: Path, key: EncryptionKey | None) -> NamespaceStore:
    """PEOPLE with FACES each; CHIPS of them with a chip of noise."""
    random = np.random.default_rng(0)
    store = NamespaceStore.open(namespace_path(folder, "home"), SystemClock(), new_id, key=key)
    with store.change() as (revision, now_ms):
        for person in range(PEOPLE):
            vectors = random.standard_normal((FACES, EMBEDDING_SIZE), np.float32)
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
            identity_id = store.insert_identity(f"person {person}", None, revision, now_ms)
            for place, vector in enumerate(vectors):
                has_chip = person < CHIPS and place == 0
                size = (CHIP_SIZE_PX, CHIP_SIZE_PX, 3)
                chip = random.integers(0, 256, size, dtype=np.uint8) if has_chip else None
                number = store.insert_face(identity_id, 0.5, "bench", now_ms)
                store.keep_of_face(number, NewFace(MODEL, vector, chip, 0.5, "bench"))
    return store


def read_ms(store: NamespaceStore) -> float:
    """CPU milliseconds of one reading of the whole gallery."""
    begun = time.process_time()
    change = store.changes_since(0, MODEL)
    spent = (time.process_time() - begun) * 1000
    if change is None or sum(len(one.embeddings) for one in change.changed) != PEOPLE * FACES:
        raise SystemExit("not everything was read")
    return spent


def blob_ms(store: NamespaceStore, size: int) -> tuple[float, float]:
    """CPU milliseconds to close and to open one blob."""
    seal, content = seal_of(store.connection), os.urandom(size)
    begun = time.process_time()
    blobs = [seal.close(Kind.PICTURE, "image", content) for _ in range(100)]
    middle = time.process_time()
    for blob in blobs:
        seal.open(Kind.PICTURE, "image", blob)
    return (middle - begun) * 10, (time.process_time() - middle) * 10


def library_mib() -> float:
    """Resident memory that the library takes."""
    script = (
        "import cv2, numpy, sqlite3, edged.store.namespace_store\n"
        "from edged.app.encryption import key_from, new_key\n"
        "from edged.store.sealing import _Sealed\n"
        "from pathlib import Path\n"
        "def resident(): return int(Path('/proc/self/statm').read_text().split()[1])\n"
        "before = resident()\n"
        "_Sealed(key_from(new_key(), 'it'), b's' * 32)\n"
        "print(resident() - before)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    return int(done.stdout) * resource.getpagesize() / 2**20


def main() -> None:
    """Print the ratios, and what a conversion takes."""
    key = key_from(new_key(), "the bench's key")
    with (
        tempfile.TemporaryDirectory() as plain_dir,
        tempfile.TemporaryDirectory() as sealed_dir,
        filled(Path(plain_dir), None) as plain,
        filled(Path(sealed_dir), key) as sealed,
    ):
        rounds = [(read_ms(plain), read_ms(sealed)) for _ in range(ROUNDS)]
        floor, cost = (statistics.median(column) for column in zip(*rounds, strict=True))
        print(
            f"reading {PEOPLE * FACES} embeddings of {PEOPLE} people: encrypted {cost:.0f} ms of CPU,"
            f" {cost / floor:.2f} x plain ({floor:.0f} ms)"
        )
        closing, opening = blob_ms(sealed, PICTURE_BYTES)
        print(f"{PICTURE_BYTES} bytes of a picture: {closing:.2f} ms to encrypt, {opening:.2f} ms to decrypt")
        begun = time.perf_counter()
        done = reseal(plain, key)
        middle = time.perf_counter()
        warnings = list(sweep_copies(plain))
        print(
            f"encrypting {done.blobs} pictures and embeddings in place: {middle - begun:.1f} s, sweeping"
            f" copies {time.perf_counter() - middle:.1f} s, {len(warnings)} warnings"
        )
    print(f"memory that the library takes in the daemon: {library_mib():.1f} MiB")


if __name__ == "__main__":
    main()
