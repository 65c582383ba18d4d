"""A person somebody enrolled, and the faces that stand for them."""

import unicodedata
from dataclasses import dataclass
from typing import Final

from edged.domain.errors import IdentityError
from edged.domain.face import Chip, Embedding, Floats

NAME_LIMIT: Final = 200
"""Characters of a name, at most."""

CUSTOM_ID_LIMIT: Final = 256
"""Characters of a customId, at most, as the API has it."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A person somebody enrolled.

    Attributes:
        id: UUID.
        name: what people call them; may be empty.
        custom_id: what another program calls them, at most 256 characters; unique in its namespace.
        created_ms, updated_ms: UTC milliseconds.
        faces: how many enrolled faces stand for them.
    """

    id: str
    name: str
    custom_id: str | None
    created_ms: int
    updated_ms: int
    faces: int = 0

    @property
    def label(self) -> str:
        """The name, or the best substitute there is."""
        return self.name or self.custom_id or self.id


@dataclass(frozen=True, slots=True, eq=False)
class EnrolledFace:
    """One face that stands for an identity.

    Attributes:
        id: UUID.
        identity_id: whose face it is.
        model_hash: SHA-256 (hex) of the embedder's file; embeddings of two models are never compared.
        embedding: unit length, see `Embedding`.
        chip: the aligned crop, or None where chips are not kept.
        quality: 0 to 1.
        source: where it came from, for people: a file's name, a frame's time.
        created_ms: UTC milliseconds.
    """

    id: str
    identity_id: str
    model_hash: str
    embedding: Embedding
    chip: Chip | None
    quality: float
    source: str
    created_ms: int


@dataclass(frozen=True, slots=True, eq=False)
class NewFace:
    """A face that is about to be enrolled.

    Attributes:
        model_hash: SHA-256 (hex) of the embedder's file.
        embedding: unit length.
        chip: the aligned crop, or None where chips are not kept.
        quality: 0 to 1.
        source: where it came from, for people.
    """

    model_hash: str
    embedding: Embedding
    chip: Chip | None
    quality: float
    source: str


@dataclass(frozen=True, slots=True, eq=False)
class IdentityFaces:
    """An identity with the embeddings that stand for it, all of one model.

    Attributes:
        identity: who.
        embeddings: K x EMBEDDING_SIZE float32, each of unit length, read-only, K >= 1.
    """

    identity: Identity
    embeddings: Floats


@dataclass(frozen=True, slots=True)
class GalleryChange:
    """What became of a namespace's enrolled people since a revision.

    Attributes:
        revision: the store's revision after the change; counts up with every change.
        changed: people who are new or different, whole.
        removed: identities that are gone, or have no face left for the model.
    """

    revision: int
    changed: tuple[IdentityFaces, ...]
    removed: tuple[str, ...]


def checked_name(text: str) -> str:
    """The name as it is kept: composed Unicode (NFC), no spaces around it.

    Raises `IdentityError` for one that is too long or not one line of readable text.
    """
    return _checked(text, "name", NAME_LIMIT)


def checked_custom_id(text: str) -> str:
    """The customId as it is kept; raises `IdentityError` like `checked_name`, and for an empty one."""
    checked = _checked(text, "customId", CUSTOM_ID_LIMIT)
    if not checked:
        raise IdentityError("a customId cannot be empty", remedy="Leave it out instead.")
    return checked


def _checked(text: str, what: str, limit: int) -> str:
    composed = unicodedata.normalize("NFC", text).strip()
    if any(unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} for character in composed):
        raise IdentityError(f"a {what} is one line of readable text, and {composed!r} is not")
    if len(composed) > limit:
        raise IdentityError(f"a {what} has at most {limit} characters, and this one has {len(composed)}")
    return composed
