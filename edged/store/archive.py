"""Export of enrolled people to an archive, and import from one."""

import os
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from edged.domain.errors import InputError
from edged.domain.identity import Identity
from edged.store import archive_format as form
from edged.store.archive_reading import Archive, open_archive
from edged.store.database import transaction
from edged.store.namespace_store import NamespaceStore, next_revision
from edged.store.sealing import Kind, seal_of

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""The oldest time a ZIP can tell. Members have no time of their own, so equal exports are equal files."""


@dataclass(slots=True)
class ImportReport:
    """What an import did, person by person.

    Attributes:
        new: who was not known before.
        updated: who was, and got a face, an embedding, a name or a customId.
        skipped: who was known exactly so.
        faces: how many faces were added.
        models: faces with an embedding in the archive, by model hash; what the daemon's own model is not
            among is recognised only after the chips were embedded again.
    """

    new: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    faces: int = 0
    models: dict[str, int] = field(default_factory=dict)


def export_archive(
    store: NamespaceStore,
    people: Sequence[Identity],
    target: Path,
    *,
    namespace: str,
    utc_ms: int,
    may_replace: bool = False,
) -> int:
    """Write people with all that is kept of them to an archive for its owner alone; returns the faces.

    The file appears whole or not at all. Raises InputError where it is there already, or cannot be written.
    """
    if target.exists() and not may_replace:
        raise InputError(f"{target} is there already", remedy="Choose another name, or say --force.")
    with _written(target) as stream, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:
        return _export(store, people, file, namespace, utc_ms)


def _export(
    store: NamespaceStore, people: Sequence[Identity], file: zipfile.ZipFile, namespace: str, utc_ms: int
) -> int:
    members: dict[str, form.Member] = {}
    vectors: dict[str, bytearray] = {}
    archived: list[form.ArchivedIdentity] = []

    def write(name: str, content: bytes) -> None:
        members[name] = form.member_of(content)
        _write(file, name, content)

    for person in people:
        faces: list[form.ArchivedFace] = []
        for face in store.face_records(person.id):
            if not face.vectors and face.png is None:
                # Only a database that was rescued from damage has such; nobody can be recognised by it.
                continue
            rows: dict[str, int] = {}
            for model_hash, vector in face.vectors:
                column = vectors.setdefault(model_hash, bytearray())
                rows[model_hash] = len(column) // len(vector)
                column += vector
            chip = None if face.png is None else form.chip_member(face.id)
            if chip is not None and face.png is not None:
                write(chip, face.png)
            faces.append(
                form.ArchivedFace(face.id, face.quality, face.source, face.created_ms, rows, chip),
            )
        archived.append(
            form.ArchivedIdentity(
                person.id, person.name, person.created_ms, person.updated_ms, faces, person.custom_id
            )
        )
    for model_hash, column in sorted(vectors.items()):
        write(form.embeddings_member(model_hash), bytes(column))
    manifest = form.Manifest(form.FORMAT, form.VERSION, namespace, utc_ms, archived, members)
    _write(file, form.MANIFEST, form.encoded(manifest))
    return sum(len(one.faces) for one in archived)


def import_archive(store: NamespaceStore, source: Path) -> ImportReport:
    """Take over the people of an archive, all or none.

    Somebody with the same id, or else the same customId, is the same person: they get the faces and the
    embeddings they lack, and the name and customId that were changed last. Raises InputError where anything
    in the archive is wrong or contradicts what is stored; then nothing was changed.
    """
    with _opened(source) as stream:
        archive = open_archive(source, stream)
        with transaction(store.connection):
            report = _Import(store, archive, source).run()
    return report


class _Import:
    """One import, inside its transaction."""

    def __init__(self, store: NamespaceStore, archive: Archive, source: Path) -> None:
        self._connection = store.connection
        self._archive = archive
        self._source = source
        self._report = ImportReport()

    def run(self) -> ImportReport:
        (revision,) = self._connection.execute("SELECT revision + 1 FROM ledger").fetchone()
        for person in self._archive.manifest.identities:
            self._take(person, revision)
        if self._report.new or self._report.updated:
            next_revision(self._connection)
        return self._report

    def _take(self, person: form.ArchivedIdentity, revision: int) -> None:
        label = person.name or person.custom_id or person.id
        known = self._connection.execute(
            "SELECT number, id, name, custom_id, updated_ms FROM identity WHERE id = ? OR custom_id = ?"
            " ORDER BY id = ? DESC",
            (person.id, person.custom_id, person.id),
        ).fetchall()
        if len(known) > 1:
            raise self._refusal(
                f"{label} ({person.id}) has the customId {person.custom_id!r}, which here is that of"
                f" {known[1][2] or 'somebody'} ({known[1][1]})"
            )
        if known:
            number = known[0][0]
            is_changed = self._take_names(person, *known[0])
        else:
            number = self._insert(person, revision)
            is_changed = True
        for face in person.faces:
            is_changed |= self._take_face(face, number)
        if not known:
            self._report.new.append(label)
        elif is_changed:
            self._connection.execute("UPDATE identity SET revision = ? WHERE number = ?", (revision, number))
            self._report.updated.append(label)
        else:
            self._report.skipped.append(label)

    def _insert(self, person: form.ArchivedIdentity, revision: int) -> int:
        cursor = self._connection.execute(
            "INSERT INTO identity (id, name, custom_id, created_ms, updated_ms, revision)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (person.id, person.name, person.custom_id, person.created_at, person.updated_at, revision),
        )
        # They are back: no reader may be told both.
        self._connection.execute("DELETE FROM tombstone WHERE identity_id = ?", (person.id,))
        return int(cursor.lastrowid or 0)

    def _take_names(
        self,
        person: form.ArchivedIdentity,
        number: int,
        _: str,
        name: str,
        custom_id: str | None,
        updated_ms: int,
    ) -> bool:
        if person.updated_at <= updated_ms or (person.name, person.custom_id) == (name, custom_id):
            return False
        self._connection.execute(
            "UPDATE identity SET name = ?, custom_id = ?, updated_ms = ? WHERE number = ?",
            (person.name, person.custom_id or custom_id, person.updated_at, number),
        )
        return True

    def _take_face(self, face: form.ArchivedFace, identity_number: int) -> bool:
        known = self._connection.execute(
            "SELECT number, identity FROM face WHERE id = ?", (face.id,)
        ).fetchone()
        if known and known[1] != identity_number:
            raise self._refusal(f"the face {face.id} is somebody else's here")
        number = known[0] if known else self._insert_face(face, identity_number)
        added = 0
        seal = seal_of(self._connection)
        for model_hash, row in face.embeddings.items():
            vector = self._archive.vector(model_hash, row)
            added += self._connection.execute(
                "INSERT OR IGNORE INTO embedding (face, model_hash, vector) VALUES (?, ?, ?)",
                (number, model_hash, seal.close(Kind.FACE_EMBEDDING, face.id, vector, model_hash)),
            ).rowcount
            self._report.models[model_hash] = self._report.models.get(model_hash, 0) + 1
        if face.chip is not None:
            added += self._connection.execute(
                "INSERT OR IGNORE INTO chip (face, png) SELECT ?, ?"
                " WHERE NOT EXISTS (SELECT 1 FROM chip WHERE face = ?)",
                (number, seal.close(Kind.FACE_CHIP, face.id, self._archive.png(face.chip)), number),
            ).rowcount
        return bool(added) or not known

    def _insert_face(self, face: form.ArchivedFace, identity_number: int) -> int:
        self._report.faces += 1
        cursor = self._connection.execute(
            "INSERT INTO face (id, identity, quality, source, created_ms) VALUES (?, ?, ?, ?, ?)",
            (face.id, identity_number, face.quality, face.source, face.created_at),
        )
        return int(cursor.lastrowid or 0)

    def _refusal(self, why: str) -> InputError:
        return InputError(f"{self._source} cannot be imported: {why}", remedy="Nothing was changed.")


def _write(file: zipfile.ZipFile, name: str, content: bytes) -> None:
    info = zipfile.ZipInfo(name, _EPOCH)
    # PNG is compressed already, and embeddings do not compress.
    info.compress_type = zipfile.ZIP_DEFLATED if name == form.MANIFEST else zipfile.ZIP_STORED
    info.external_attr = 0o600 << 16
    file.writestr(info, content)


@contextmanager
def _written(target: Path) -> Iterator[IO[bytes]]:
    """A stream that becomes `target`, for its owner alone, when the body is through."""
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        partial.unlink(missing_ok=True)
        with os.fdopen(
            os.open(partial, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600), "w+b"
        ) as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(target)
    except OSError as error:
        raise InputError(f"{target} cannot be written: {error.strerror or error}") from error
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def _opened(source: Path) -> Iterator[IO[bytes]]:
    try:
        stream = source.open("rb")
    except OSError as error:
        raise InputError(f"{source} cannot be read: {error.strerror or error}") from error
    with stream:
        yield stream
