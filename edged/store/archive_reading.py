"""Reading an archive of enrolled people: everything in it is proved before anything is believed."""

import hashlib
import os
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

import msgspec

from edged.domain.errors import IdentityError, InputError, StoreError
from edged.domain.identity import checked_custom_id, checked_name
from edged.store.archive_format import (
    FORMAT,
    MANIFEST,
    MOST_FACES,
    MOST_PEOPLE,
    MOST_VECTOR_BYTES,
    SOURCE_LIMIT,
    VERSION,
    ArchivedFace,
    Manifest,
    chip_member,
    embeddings_member,
)
from edged.store.namespace_chips import CHIP_LIMIT_BYTES, chip_from_png, embeddings_from_bytes

_MANIFEST_LIMIT_BYTES: Final = 512 * 1024 * 1024
_MOST_RATIO: Final = 50
"""An honest archive unpacks to about its own size: chips and embeddings do not compress, JSON by five."""
_SMALL_BYTES: Final = 1024 * 1024
"""Below this the ratio says nothing and harms nobody."""
_PACKINGS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_LEAST_VECTOR_BYTES: Final = 64
_UNIT_TOLERANCE: Final = 1e-3
_LATEST_MS: Final = 2**53
"""Beyond it, readers that have only floats lose milliseconds."""

_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


class _Header(msgspec.Struct):
    """What every version has, read before anything else is believed."""

    format: str
    version: int


class Archive:
    """An archive that was checked whole: nothing in it can still be wrong.

    Attributes:
        manifest: who is in it.
    """

    def __init__(self, path: Path, file: zipfile.ZipFile, manifest: Manifest) -> None:
        self._path = path
        self._file = file
        self._vectors: dict[str, bytes] = {}
        self._vector_bytes: dict[str, int] = {}
        self.manifest = manifest

    def vector(self, model_hash: str, row: int) -> bytes:
        """One embedding, in the size that its model has."""
        member = embeddings_member(model_hash)
        if model_hash not in self._vectors:
            self._vectors[model_hash] = self._content(member)
        size = self._vector_bytes[member]
        return self._vectors[model_hash][row * size : (row + 1) * size]

    def png(self, member: str) -> bytes:
        """A chip as PNG."""
        return self._content(member)

    def check(self) -> None:
        """Prove all of it; raises InputError with the first thing that is wrong."""
        _check_people(self._path, self.manifest)
        self._check_members()
        for member in self.manifest.members:
            content = self._content(member)
            if member.endswith(".png"):
                self._check_chip(member, content)
            else:
                self._check_vectors(member, content)

    def _check_members(self) -> None:
        present = {info.filename for info in self._file.infolist()} - {MANIFEST}
        rows: dict[str, set[int]] = {}
        wanted: set[str] = set()
        for face in (face for one in self.manifest.identities for face in one.faces):
            for model_hash, row in face.embeddings.items():
                rows.setdefault(embeddings_member(model_hash), set()).add(row)
            if face.chip is not None:
                wanted.add(face.chip)
        listed = self.manifest.members
        if present != listed.keys() or listed.keys() != wanted | rows.keys():
            odd = sorted((present ^ listed.keys()) | (listed.keys() ^ (wanted | rows.keys())))
            raise _refusal(
                self._path, f"its list of contents does not fit its contents: {', '.join(odd[:5])}"
            )
        for member, used in rows.items():
            size, rest = divmod(listed[member].bytes, len(used))
            if (
                used != set(range(len(used)))
                or rest
                or size % 4
                or not _LEAST_VECTOR_BYTES <= size <= MOST_VECTOR_BYTES
            ):
                raise _refusal(self._path, f"{member} has not one embedding for each face")
            self._vector_bytes[member] = size

    def _content(self, member: str) -> bytes:
        """A member's bytes, with the size and the hash that the manifest says."""
        expected = self.manifest.members[member]
        with _translated(self._path), self._file.open(member) as stream:
            content = stream.read(expected.bytes + 1)
        if len(content) != expected.bytes or hashlib.sha256(content).hexdigest() != expected.sha256:
            raise _refusal(self._path, f"{member} is not what was exported (its size or its hash is another)")
        return content

    def _check_chip(self, member: str, content: bytes) -> None:
        try:
            chip_from_png(content)
        except StoreError as error:
            raise _refusal(self._path, f"{member}: {error.what}") from None

    def _check_vectors(self, member: str, content: bytes) -> None:
        size = self._vector_bytes[member]
        vectors = [content[start : start + size] for start in range(0, len(content), size)]
        lengths = (embeddings_from_bytes(vectors).astype("f8") ** 2).sum(axis=1) ** 0.5
        # Written so that a length that is no number fails too.
        if not (abs(lengths - 1) <= _UNIT_TOLERANCE).all():
            raise _refusal(self._path, f"{member} holds an embedding that is not of unit length")


def open_archive(path: Path, stream: IO[bytes]) -> Archive:
    """Read an archive's manifest and prove everything in it; raises InputError that says what is wrong.

    `path` is what errors call it. Sizes are limited before anything is unpacked, and nothing is ever
    unpacked to the disk.
    """
    with _translated(path):
        file = zipfile.ZipFile(stream)
        infos = file.infolist()
    if len({info.filename for info in infos}) != len(infos):
        raise _refusal(path, "it has two members of the same name")
    by_name = {info.filename: info for info in infos}
    if MANIFEST not in by_name:
        raise _refusal(path, f"it has no {MANIFEST}: it was not made by `edged identities export`")
    for info in infos:
        _check_size(path, info)
    unpacked = sum(info.file_size for info in infos)
    if unpacked > max(_SMALL_BYTES, _MOST_RATIO * stream.seek(0, os.SEEK_END)):
        raise _refusal(path, f"it would unpack to {unpacked} bytes, far more than such an archive does")
    with _translated(path):
        raw = file.read(MANIFEST)
    archive = Archive(path, file, _manifest(path, raw))
    archive.check()
    return archive


def _check_size(path: Path, info: zipfile.ZipInfo) -> None:
    if info.flag_bits & 1 or info.compress_type not in _PACKINGS:
        raise _refusal(path, "it is encrypted, or packed in a way that is not used here")
    limit = CHIP_LIMIT_BYTES
    if info.filename == MANIFEST:
        limit = _MANIFEST_LIMIT_BYTES
    elif info.filename.startswith("embeddings/"):
        limit = MOST_FACES * MOST_VECTOR_BYTES
    if info.file_size > limit:
        raise _refusal(
            path, f"{info.filename!r} would unpack to {info.file_size} bytes, at most {limit} is right"
        )


def _manifest(path: Path, raw: bytes) -> Manifest:
    try:
        header = msgspec.json.decode(raw, type=_Header)
        if header.format != FORMAT:
            raise _refusal(path, f"it calls itself {header.format!r}, not {FORMAT!r}")
        if header.version != VERSION:
            raise _refusal(path, f"its version is {header.version}; this edged reads {VERSION}")
        return msgspec.json.decode(raw, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _refusal(path, f"its {MANIFEST} is not as it should be: {error}") from None


def _check_people(path: Path, manifest: Manifest) -> None:
    """Everything that the manifest alone can have wrong."""
    people = manifest.identities
    faces = [face for one in people for face in one.faces]
    if len(people) > MOST_PEOPLE or len(faces) > MOST_FACES:
        raise _refusal(path, f"it has {len(people)} people and {len(faces)} faces, which is too many")
    _require_all_different(path, "id", [one.id for one in people])
    _require_all_different(path, "customId", [one.custom_id for one in people if one.custom_id is not None])
    _require_all_different(path, "face's id", [face.id for face in faces])
    for member in manifest.members.values():
        if not _SHA256.fullmatch(member.sha256) or member.bytes < 0:
            raise _refusal(path, "its list of contents has a hash or a size that is none")
    for one in people:
        try:
            is_clean = checked_name(one.name) == one.name
            is_clean &= one.custom_id is None or checked_custom_id(one.custom_id) == one.custom_id
        except IdentityError as error:
            raise _refusal(path, f"{one.id!r}: {error.what}") from None
        if (
            not is_clean
            or not _UUID.fullmatch(one.id)
            or not 0 <= one.created_at <= one.updated_at < _LATEST_MS
        ):
            raise _refusal(path, f"the person {one.id!r} has an id, a name or a time that cannot be")
    for face in faces:
        _check_face(path, face)


def _check_face(path: Path, face: ArchivedFace) -> None:
    is_right = (
        _UUID.fullmatch(face.id) is not None
        and 0 <= face.quality <= 1
        and len(face.source) <= SOURCE_LIMIT
        and "\0" not in face.source
        and 0 <= face.created_at < _LATEST_MS
        and face.chip in (None, chip_member(face.id))
        and bool(face.embeddings or face.chip)
        and all(_SHA256.fullmatch(model) and row >= 0 for model, row in face.embeddings.items())
    )
    if not is_right:
        raise _refusal(path, f"the face {face.id!r} has an id, a quality, a time or a content that cannot be")


def _require_all_different(path: Path, what: str, values: list[str]) -> None:
    seen: set[str] = set()
    for value in values:
        if value in seen:
            raise _refusal(path, f"the {what} {value!r} is in it twice")
        seen.add(value)


def _refusal(path: Path, why: str) -> InputError:
    return InputError(f"{path} cannot be imported: {why}", remedy="Nothing was changed. Export it once more.")


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """Turn what zipfile and zlib raise in the body into InputError about the archive."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, ValueError) as error:
        raise _refusal(path, f"it is no whole ZIP file ({error})") from error
    except OSError as error:
        raise _refusal(path, f"it cannot be read ({error.strerror or error})") from error
