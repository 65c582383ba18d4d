"""The file that carries enrolled people from one machine to another; docs/identities.md describes it.

A ZIP of stored and deflated members: `manifest.json`, a PNG a chip, and one member a model with all its
embeddings, one after the other, all of one size (float32, little-endian). The manifest lists every other
member with its size and SHA-256, so that what is not whole, or not what was exported, is told before
anything is changed.
"""

import hashlib
from typing import Final

import msgspec

FORMAT: Final = "edged-identities"
VERSION: Final = 1
MANIFEST: Final = "manifest.json"
MOST_VECTOR_BYTES: Final = 16_384
"""Of one embedding, as the schema has it."""

SOURCE_LIMIT: Final = 300
"""Characters of a face's source, as the schema has it."""

MOST_PEOPLE: Final = 100_000
MOST_FACES: Final = 1_000_000


class Member(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a member must be."""

    bytes: int
    sha256: str


class ArchivedFace(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel", omit_defaults=True
):
    """One face. `embeddings`: model hash to the row in that model's member. `chip`: the member's name."""

    id: str
    quality: float
    source: str
    created_at: int
    embeddings: dict[str, int]
    chip: str | None = None


class ArchivedIdentity(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel", omit_defaults=True
):
    """One person."""

    id: str
    name: str
    created_at: int
    updated_at: int
    faces: list[ArchivedFace]
    custom_id: str | None = None


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """All of it."""

    format: str
    version: int
    namespace: str
    created_at: int
    identities: list[ArchivedIdentity]
    members: dict[str, Member]


def embeddings_member(model_hash: str) -> str:
    """The member with a model's embeddings."""
    return f"embeddings/{model_hash}.f32"


def chip_member(face_id: str) -> str:
    """The member with a face's chip."""
    return f"chips/{face_id}.png"


def member_of(content: bytes) -> Member:
    """A member's entry in the manifest."""
    return Member(bytes=len(content), sha256=hashlib.sha256(content).hexdigest())


def encoded(manifest: Manifest) -> bytes:
    """The manifest as JSON that people can read too."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=1)
