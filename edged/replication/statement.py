"""Something that a node says, signed: one line of JSON, and one with the signature in base64.

What is signed is the kind, a zero byte and the very bytes of the first line, so that nothing need be written
anew to be checked, and nothing of one kind is ever taken for another. Each kind says its namespace itself.
There is one form only: a manifest goes by the hash of what was sent, and one that anybody could write in two
ways would look as if two nodes had written it.
"""

import base64
import binascii
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeVar

import msgspec

from edged.replication.keys import SIGNATURE_BYTES, SigningKey, is_signed
from edged.replication.refusal import Refusal, RefusedError

_Body = TypeVar("_Body", bound=msgspec.Struct)
_BESIDE_BYTES: Final = 90
"""Two ends of lines, and the signature in base64."""


class StatementKind(StrEnum):
    """What can be said."""

    MANIFEST = "edged sync manifest 1"
    ALIVE = "edged sync alive 1"
    MEMBER = "edged sync member 1"
    HANDOVER = "edged sync handover 1"
    REPORT = "edged sync report 1"
    PROPOSAL = "edged sync proposal 1"
    JOIN = "edged sync join 1"


MOST_BYTES: Final = {
    StatementKind.MANIFEST: 2_000_000,
    StatementKind.ALIVE: 2_000,
    StatementKind.MEMBER: 2_000_000,
    StatementKind.HANDOVER: 2_000,
    StatementKind.REPORT: 64_000,
    StatementKind.PROPOSAL: 1_000_000,
    StatementKind.JOIN: 4_000,
}
"""A larger one is none, and is not even read."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement that was taken apart, and believed by nobody yet.

    Attributes:
        kind: what it was sent as.
        text: the JSON, as it came.
        signature: 64 bytes.
    """

    kind: StatementKind
    text: bytes
    signature: bytes

    def is_by(self, public: bytes) -> bool:
        """Whether the owner of a public key said it."""
        return is_signed(public, self.signature, _signed_bytes(self.kind, self.text))

    def require(self, public: bytes) -> None:
        """Raise RefusedError (UNSIGNED) where the owner of the key did not say it."""
        if not self.is_by(public):
            raise RefusedError(Refusal.UNSIGNED, f"{self.words} is not signed by whom it must be")

    def body(self, form: type[_Body]) -> _Body:
        """What it says; raises RefusedError (MALFORMED)."""
        try:
            return msgspec.json.decode(self.text, type=form)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise RefusedError(Refusal.MALFORMED, f"{self.words} cannot be read: {error}") from None

    @property
    def words(self) -> str:
        """What it is, for errors."""
        return f"the {self.kind.split()[2]}"


def signed(kind: StatementKind, body: msgspec.Struct, key: SigningKey) -> bytes:
    """The statement as it is sent."""
    text = msgspec.json.encode(body)
    return _as_sent(text, key.sign(_signed_bytes(kind, text)))


def taken_apart(kind: StatementKind, payload: bytes) -> Statement:
    """A statement as it came, not believed yet; raises RefusedError for what cannot be one."""
    if len(payload) > MOST_BYTES[kind] + _BESIDE_BYTES:
        raise RefusedError(
            Refusal.OVERSIZED, f"a statement of {len(payload)} bytes came; {MOST_BYTES[kind]} can be"
        )
    text, _, rest = payload.partition(b"\n")
    try:
        signature = base64.b64decode(rest.removesuffix(b"\n"), validate=True)
    except (binascii.Error, ValueError):
        signature = b""
    if len(signature) != SIGNATURE_BYTES or payload != _as_sent(text, signature):
        raise RefusedError(Refusal.UNSIGNED, "a statement without a signature came")
    return Statement(kind, text, signature)


def _as_sent(text: bytes, signature: bytes) -> bytes:
    return text + b"\n" + base64.b64encode(signature) + b"\n"


def _signed_bytes(kind: StatementKind, text: bytes) -> bytes:
    return kind.encode() + b"\0" + text
