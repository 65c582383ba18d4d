"""The authority in one encrypted file: its secret, and the people with what it knows of its members.

The file is a line of JSON, then pieces of AES-256-GCM with a key that scrypt (RFC 7914) makes of a
passphrase. Each piece's nonce has its number and whether it is the last (the construction STREAM, Hoang and
others 2015), so that pieces can neither be exchanged nor left out. The line of JSON is authenticated with
each.
"""

import base64
import binascii
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

import msgspec

from edged.domain.errors import InputError
from edged.replication.keys import SEED_BYTES

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_FORMAT: Final = "edged sync backup, 1"
_SALT_BYTES: Final = 16
_PREFIX_BYTES: Final = 7
_PIECE_BYTES: Final = 1 << 20
_TAG_BYTES: Final = 16
_MOST_HEAD_BYTES: Final = 4096
_MOST_PIECES: Final = 1 << 32
_SCRYPT_COST: Final = 1 << 15
"""With blocks of 8 it needs 32 MiB of memory, which the smallest machine that runs edged has to spare."""
_SCRYPT_BLOCKS: Final = 8
_SCRYPT_LANES: Final = 3


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """What is legible of a backup, and authenticated."""

    format: str
    namespace: str
    node: str
    made_ms: int
    salt: str
    prefix: str


@dataclass(frozen=True, slots=True)
class Saved:
    """What a backup is of: the namespace, the node's name, when it was made (UTC milliseconds)."""

    namespace: str
    node: str
    made_ms: int


def save(
    file: Path,
    passphrase: str,
    saved: Saved,
    seed: bytes,
    database: Path,
    chance: Callable[[int], bytes],
) -> None:
    """Write a backup: a new file, for its owner alone, flushed to the disk.

    Raises InputError where it is there already or cannot be written.
    """
    salt, prefix = chance(_SALT_BYTES), chance(_PREFIX_BYTES)
    head = Head(
        format=_FORMAT,
        namespace=saved.namespace,
        node=saved.node,
        made_ms=saved.made_ms,
        salt=base64.b64encode(salt).decode(),
        prefix=base64.b64encode(prefix).decode(),
    )
    line = msgspec.json.encode(head) + b"\n"
    cipher = _cipher(passphrase, salt)
    try:
        descriptor = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as target, database.open("rb") as source:
            target.write(line)
            for number, piece, is_last in _numbered(_plain_pieces(seed, source)):
                target.write(cipher.encrypt(_nonce(prefix, number, is_last=is_last), piece, line))
            target.flush()
            os.fsync(target.fileno())
    except FileExistsError:
        raise InputError(f"{file} is there already", remedy="Choose another name.") from None
    except OSError as error:
        file.unlink(missing_ok=True)
        raise InputError(f"{file} cannot be written: {error.strerror or error}") from error


def head_of(file: Path) -> Saved:
    """What a file says that it is a backup of, before that is proved; raises InputError for no backup."""
    try:
        with file.open("rb") as source:
            head = _head(source.readline(_MOST_HEAD_BYTES), file)
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror or error}") from error
    return Saved(head.namespace, head.node, head.made_ms)


def load(file: Path, passphrase: str, database: Path) -> tuple[Saved, bytes]:
    """Read a backup: the database into a file that is there, and what the backup is of, and the seed.

    Raises InputError for another passphrase, what was altered or cut, and what cannot be read or written;
    what is in `database` is of no use then.
    """
    try:
        with file.open("rb") as source, database.open("wb") as target:
            line = source.readline(_MOST_HEAD_BYTES)
            head = _head(line, file)
            salt, prefix = base64.b64decode(head.salt), base64.b64decode(head.prefix)
            pieces = _opened(source, _cipher(passphrase, salt), prefix, line, file)
            first = next(pieces)
            seed = first[:SEED_BYTES]
            target.write(first[SEED_BYTES:])
            for piece in pieces:
                target.write(piece)
            target.flush()
            os.fsync(target.fileno())
    except OSError as error:
        raise InputError(f"{file} cannot be read back: {error.strerror or error}") from error
    except binascii.Error:
        raise InputError(f"{file} is damaged: its first line is no longer right") from None
    return Saved(head.namespace, head.node, head.made_ms), seed


def _head(line: bytes, file: Path) -> Head:
    try:
        head = msgspec.json.decode(line, type=Head)
    except msgspec.MsgspecError:
        head = None
    if head is None or head.format != _FORMAT:
        raise InputError(f"{file} is no backup of a sync authority", remedy="`edged sync backup` makes one.")
    return head


def _opened(source: IO[bytes], cipher: "AESGCM", prefix: bytes, line: bytes, file: Path) -> Iterator[bytes]:
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415

    for number, sealed, is_last in _numbered(_pieces(source, _PIECE_BYTES + _TAG_BYTES)):
        try:
            yield cipher.decrypt(_nonce(prefix, number, is_last=is_last), sealed, line)
        except (InvalidTag, ValueError):
            raise InputError(
                f"{file} does not open: the passphrase is another one, or the file is damaged"
            ) from None


def _plain_pieces(seed: bytes, source: IO[bytes]) -> Iterator[bytes]:
    yield seed + source.read(_PIECE_BYTES - len(seed))
    yield from _pieces(source, _PIECE_BYTES)


def _pieces(source: IO[bytes], size: int) -> Iterator[bytes]:
    while piece := source.read(size):
        yield piece


def _numbered(pieces: Iterator[bytes]) -> Iterator[tuple[int, bytes, bool]]:
    """Each piece, its number, and whether it is the last; an empty one where there is none."""
    present = next(pieces, b"")
    for number in range(_MOST_PIECES):
        following = next(pieces, None)
        yield number, present, following is None
        if following is None:
            return
        present = following


def _nonce(prefix: bytes, number: int, *, is_last: bool) -> bytes:
    return prefix + number.to_bytes(4, "big") + bytes([is_last])


def _cipher(passphrase: str, salt: bytes) -> "AESGCM":
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt  # noqa: PLC0415

    kdf = Scrypt(salt=salt, length=32, n=_SCRYPT_COST, r=_SCRYPT_BLOCKS, p=_SCRYPT_LANES)
    return AESGCM(kdf.derive(passphrase.encode()))
