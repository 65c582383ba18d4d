"""People as pages carry them, and which page carries whom.

A namespace is cut into buckets by a hash of the identity's id, so that one changed person is one changed
bucket. The content of a bucket is its people in the order of their ids, as MessagePack: the same people
always give the same bytes. It goes out in one or more pages, each sealed by itself.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from edged.replication.keys import NamespaceKey
from edged.replication.refusal import Refusal, RefusedError

MOST_BUCKETS: Final = 1024
PAGE_BYTES: Final = 96_000
"""A sealed page, at most."""
CONTENT_BYTES: Final = PAGE_BYTES - 1_000
"""Of a bucket's content, in one page."""
_WANTED_BYTES: Final = 40_000
"""Of content in a bucket, about. People fall into buckets by chance, so that some have twice as much, and a
bucket that fits one page is what lets one changed person move one page."""


class SharedFace(msgspec.Struct, frozen=True, array_like=True):
    """An enrolled face.

    Attributes:
        id: UUID.
        quality: 0 to 1.
        source: where it came from, for people.
        created_ms: UTC milliseconds.
        vector: of the manifest's model: little-endian float32, unit length; None where it has none of it.
        png: the aligned crop, where crops are shared; else None.
    """

    id: str
    quality: float
    source: str
    created_ms: int
    vector: bytes | None
    png: bytes | None = None


class SharedPerson(msgspec.Struct, frozen=True, array_like=True):
    """An identity with its faces, in the order of their ids."""

    id: str
    name: str
    custom_id: str | None
    created_ms: int
    updated_ms: int
    faces: tuple[SharedFace, ...]


_PEOPLE: Final = msgspec.msgpack.Decoder(tuple[SharedPerson, ...])


def bucket_of(identity_id: str, buckets: int) -> int:
    """The bucket that carries a person, 0 to buckets - 1; `buckets` is a power of two up to MOST_BUCKETS."""
    spread = int.from_bytes(hashlib.sha256(identity_id.encode()).digest()[:2])
    return spread * buckets >> 16


def buckets_for(content_bytes: int, present: int = 0) -> int:
    """Into how many buckets so much content goes: a power of two, 1 to MOST_BUCKETS.

    `present` is how many there are: it stays until the content is a quarter more than it is meant for, or
    needs a quarter of them, because another number makes every page another one.
    """
    fitting = 1
    while fitting < MOST_BUCKETS and content_bytes > fitting * _WANTED_BYTES:
        fitting *= 2
    fits = content_bytes <= present * _WANTED_BYTES * 5 // 4
    if present and fits and present <= fitting * 4:
        return present
    return fitting


def content_of(people: Iterable[SharedPerson]) -> bytes:
    """The content of a bucket with these people: the same bytes whatever order they come in."""
    ordered = sorted(people, key=lambda person: person.id)
    return msgspec.msgpack.encode(ordered)


def people_of(content: bytes) -> tuple[SharedPerson, ...]:
    """The people in a bucket's content; raises RefusedError (MALFORMED)."""
    try:
        return _PEOPLE.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RefusedError(Refusal.MALFORMED, f"a page cannot be read: {error}") from None


def parts_of(content: bytes) -> Sequence[bytes]:
    """A bucket's content cut for its pages, in their order; at least one."""
    return [content[start : start + CONTENT_BYTES] for start in range(0, max(len(content), 1), CONTENT_BYTES)]


def page_place(namespace: str, bucket: int, part: int) -> str:
    """What a sealed page is bound to."""
    return f"{namespace}\0page\0{bucket}\0{part}"


def page_name(sealed: bytes) -> str:
    """The name of a sealed page: SHA-256 of its bytes, in hex."""
    return hashlib.sha256(sealed).hexdigest()


def content_hash(content: bytes) -> bytes:
    """SHA-256 of a bucket's content, 32 bytes."""
    return hashlib.sha256(content).digest()


def whole_digest(key: NamespaceKey, hashes: Mapping[int, bytes], buckets: int) -> str:
    """The manifest's `content`: of the content hashes of all buckets, in their order, in hex."""
    return key.digest(b"".join(hashes[bucket] for bucket in range(buckets))).hex()
