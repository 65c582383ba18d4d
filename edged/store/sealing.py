"""What pictures and embeddings look like in a namespace's database: as they are, or sealed with a key.

Sealed is AES-256-GCM (NIST SP 800-38D): 12 bytes of chance as the nonce, the ciphertext, 16 bytes of tag.
The key of a file is made by HKDF (RFC 5869) of the owner's key and of 32 bytes of chance that the file has
for itself, so that nothing of one file opens in another, and nonces are counted a file: after 2^32 of them,
ten a second for 13 years, two are equal with a probability of 2^-33. What a blob is, and whose, is
authenticated with it: one that was moved to another row does not open.

A connection knows the key; the file says, in its table `sealing`, whether it is sealed. It is asked each
time, within the caller's transaction: a file that another program sealed is never written to as if it were
plain.
"""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from edged.domain.errors import StoreError, StoreFault
from edged.store.database import path_of

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES: Final = 32
SALT_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
OVERHEAD_BYTES: Final = _NONCE_BYTES + _TAG_BYTES
"""How much longer a sealed blob is."""

_PURPOSE: Final = b"edged: pictures and embeddings of a namespace, 1"
_PROVED: Final = b"the key is right"

_FIT_KEY: Final = (
    "Give the key back as `privacy.encryption_key`, or decrypt with it: `edged privacy decrypt --key-file"
    " FILE`."
)


class Kind(StrEnum):
    """What a blob is. An enrolled face and the seen face of the same id are one: their blobs may be moved."""

    FACE_CHIP = "face chip"
    FACE_EMBEDDING = "face embedding"
    GROUP_CHIP = "group chip"
    GROUP_EMBEDDING = "group embedding"
    TRACK_MEAN = "track mean"
    SHARED_MEAN = "shared mean"
    PICTURE = "picture"
    PROPOSAL = "proposal"
    PROOF = "proof"


class EncryptionKey:
    """The owner's key: 32 bytes. Prints as stars.

    Args:
        secret: the bytes.
        chance: gives so many bytes that nobody can guess, for nonces and salts.
    """

    __slots__ = ("chance", "secret")

    def __init__(self, secret: bytes, chance: Callable[[int], bytes]) -> None:
        if len(secret) != KEY_BYTES:
            raise ValueError(f"a key has {KEY_BYTES} bytes, not {len(secret)}")
        self.secret = secret
        self.chance = chance

    def __repr__(self) -> str:
        return "EncryptionKey(****)"


@dataclass(frozen=True, slots=True)
class UnreadableKey:
    """There is a key, and this process may not have it.

    Attributes:
        why: in words, for whoever wants something that needs it.
    """

    why: str


Key: TypeAlias = EncryptionKey | UnreadableKey


class Seal(Protocol):
    """Closes what is written to one file, and opens what is read from it.

    `owner` is whose the blob is: the face's id, the image's, or the number of a group's face or track.
    """

    @property
    def is_sealed(self) -> bool:
        """Whether blobs of the file are encrypted."""
        ...

    def close(self, kind: Kind, owner: str | int, content: bytes, model_hash: str = "") -> bytes:
        """The blob as it is written; raises StoreError (SEALED) where nothing may be written."""
        ...

    def open(self, kind: Kind, owner: str | int, blob: bytes, model_hash: str = "") -> bytes:
        """What was closed.

        Raises StoreError: SEALED without a key, CORRUPT where the blob was altered or is another's.
        """
        ...


class NamespaceConnection(sqlite3.Connection):
    """A connection that has the key of its file, where there is one."""

    key: Key | None = None
    _row: tuple[bytes | None, bytes | None] | None = None
    _seal: Seal | None = None

    def seal_for(self, row: tuple[bytes | None, bytes | None]) -> Seal:
        """The seal for what the table says, made once."""
        if self._seal is None or row != self._row:
            self._seal = _seal(self, row, self.key)
            self._row = row
        return self._seal

    def take(self, key: Key | None) -> None:
        """Go over to another key."""
        self.key = key
        self._seal = None


def seal_of(connection: sqlite3.Connection) -> Seal:
    """The seal of the file, as it says now. To be called in the transaction that reads or writes the blobs.

    Raises StoreError (SEALED) where the key is another one's.
    """
    row = connection.execute("SELECT salt, proof FROM sealing").fetchone()
    if row is None:
        raise StoreError(
            f"{path_of(connection)} does not say whether it is encrypted", fault=StoreFault.CORRUPT
        )
    if isinstance(connection, NamespaceConnection):
        return connection.seal_for(row)
    return _seal(connection, row, None)


def opened_or_none(
    seal: Seal, kind: Kind, owner: str | int, blob: bytes, model_hash: str = ""
) -> bytes | None:
    """What was closed; None where the blob was altered or is another's. Raises StoreError without a key."""
    try:
        return seal.open(kind, owner, blob, model_hash)
    except StoreError as error:
        if error.fault is not StoreFault.CORRUPT:
            raise
        return None


def require_open(seal: Seal) -> None:
    """Raise StoreError (SEALED) where the file is sealed and its key is not there."""
    if isinstance(seal, _Locked):
        raise seal.refusal()


def write_seal(connection: sqlite3.Connection, key: EncryptionKey | None, *, is_swept: bool) -> Seal:
    """Have the file say that it is sealed with a key, or plain without one; returns the seal for its blobs.

    To be called in the transaction that changes them. `is_swept`: whether nothing of before can be left.
    """
    if key is None:
        connection.execute("UPDATE sealing SET salt = NULL, proof = NULL, is_swept = ?", (is_swept,))
        return _Plain()
    salt = key.chance(SALT_BYTES)
    seal = _Sealed(key, salt)
    proof = seal.close(Kind.PROOF, "", _PROVED)
    connection.execute("UPDATE sealing SET salt = ?, proof = ?, is_swept = ?", (salt, proof, is_swept))
    return seal


def _seal(connection: sqlite3.Connection, row: tuple[bytes | None, bytes | None], key: Key | None) -> Seal:
    salt, proof = row
    if salt is None or proof is None:
        if key is None:
            return _Plain()
        return _Refusing(f"{path_of(connection)} is not encrypted yet, and a key is configured")
    if key is None:
        return _Locked(f"{path_of(connection)} is encrypted, and no key is configured", _FIT_KEY)
    if isinstance(key, UnreadableKey):
        return _Locked(f"{path_of(connection)} is encrypted, and its key cannot be read: {key.why}", "")
    seal = _Sealed(key, salt)
    if opened_or_none(seal, Kind.PROOF, "", proof) != _PROVED:
        raise StoreError(
            f"{path_of(connection)} is encrypted with another key than the one that is given",
            fault=StoreFault.SEALED,
            remedy="Give the old key back; or, if the key was changed on purpose: `edged privacy rotate"
            " --old-key-file FILE`. Nothing was changed.",
        )
    return seal


class _Plain:
    """Blobs as they are."""

    is_sealed = False

    def close(self, kind: Kind, owner: str | int, content: bytes, model_hash: str = "") -> bytes:  # noqa: ARG002
        return content

    def open(self, kind: Kind, owner: str | int, blob: bytes, model_hash: str = "") -> bytes:  # noqa: ARG002
        return blob


class _Refusing(_Plain):
    """Of a plain file whose owner wants it sealed: what is there can be read, nothing is added."""

    def __init__(self, why: str) -> None:
        self._why = why

    def close(self, kind: Kind, owner: str | int, content: bytes, model_hash: str = "") -> bytes:  # noqa: ARG002
        raise StoreError(
            self._why,
            fault=StoreFault.SEALED,
            remedy="Start the daemon anew, or run `edged privacy encrypt`: until then no face is added.",
        )


class _Locked:
    """Of a sealed file without its key."""

    is_sealed = True

    def __init__(self, why: str, remedy: str) -> None:
        self._why = why
        self._remedy = remedy

    def refusal(self) -> StoreError:
        return StoreError(self._why, fault=StoreFault.SEALED, remedy=self._remedy)

    def close(self, kind: Kind, owner: str | int, content: bytes, model_hash: str = "") -> bytes:  # noqa: ARG002
        raise self.refusal()

    def open(self, kind: Kind, owner: str | int, blob: bytes, model_hash: str = "") -> bytes:  # noqa: ARG002
        raise self.refusal()


class _Sealed:
    """AES-256-GCM."""

    is_sealed = True

    def __init__(self, key: EncryptionKey, salt: bytes) -> None:
        # Some MiB, which a daemon without a key does without.
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415

        self._chance = key.chance
        self._cipher = _cipher_of(key.secret, salt)
        self._altered = InvalidTag

    def close(self, kind: Kind, owner: str | int, content: bytes, model_hash: str = "") -> bytes:
        nonce = self._chance(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, content, _place(kind, owner, model_hash))

    def open(self, kind: Kind, owner: str | int, blob: bytes, model_hash: str = "") -> bytes:
        try:
            if len(blob) >= OVERHEAD_BYTES:
                place = _place(kind, owner, model_hash)
                return self._cipher.decrypt(blob[:_NONCE_BYTES], blob[_NONCE_BYTES:], place)
        except self._altered:
            pass
        raise StoreError(
            f"the {kind} of {owner} does not open: it was altered, or is another's", fault=StoreFault.CORRUPT
        )


def _cipher_of(secret: bytes, salt: bytes) -> "AESGCM":
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF  # noqa: PLC0415

    return AESGCM(HKDF(SHA256(), KEY_BYTES, salt, _PURPOSE).derive(secret))


def _place(kind: Kind, owner: str | int, model_hash: str) -> bytes:
    """What a blob is and whose. No part has a zero byte in it, so no two places are written alike."""
    return f"{kind}\0{owner}\0{model_hash}".encode()
