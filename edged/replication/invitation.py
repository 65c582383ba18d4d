"""Codes that let a node join a namespace.

A code says which namespace it is of, whose word counts there, and a secret that its owner made for it: so the
node knows whom to believe before it heard anything, and the authority knows that the node was invited. It is
typed or pasted: groups of four letters in base32, which has no two that look alike in capitals.
"""

import base64
import binascii
import hashlib
import hmac
import re
from dataclasses import dataclass, field
from typing import Final

from edged.domain.errors import InputError
from edged.replication.keys import PUBLIC_BYTES
from edged.replication.statements import Join

SECRET_BYTES: Final = 16
_MARK: Final = "edged1-"
_TIME_BYTES: Final = 6
_CHECK_BYTES: Final = 4
_HEAD_BYTES: Final = PUBLIC_BYTES + SECRET_BYTES + _TIME_BYTES
_MOST_NAME_BYTES: Final = 128
_MOST_CHARACTERS: Final = 1_000
_GROUP: Final = 4
_REMEDY: Final = "Copy the whole of what `edged sync invite` wrote, from `edged1-` to the end."


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation to a namespace. The secret is kept out of the representation.

    Attributes:
        namespace: which.
        authority: the key of its authority, 32 bytes.
        secret: SECRET_BYTES bytes that nobody can guess.
        expires_ms: UTC milliseconds after which nobody is let in with it.
    """

    namespace: str
    authority: bytes
    secret: bytes = field(repr=False)
    expires_ms: int

    def code(self) -> str:
        """The text that `read_code` reads."""
        content = (
            self.authority
            + self.secret
            + self.expires_ms.to_bytes(_TIME_BYTES, "big")
            + self.namespace.encode()
        )
        letters = base64.b32encode(content + _check(content)).decode().rstrip("=")
        return _MARK + "-".join(letters[at : at + _GROUP] for at in range(0, len(letters), _GROUP))

    @property
    def hash(self) -> bytes:
        """What the authority knows it by: SHA-256 of the secret, 32 bytes."""
        return hashlib.sha256(self.secret).digest()


def read_code(text: str) -> Invitation:
    """The invitation that a code is; capitals, spaces and hyphens do not matter. Raises InputError."""
    plain = re.sub(r"\s", "", text[:_MOST_CHARACTERS]).lower()
    if not plain.startswith(_MARK):
        raise InputError("this is no invitation of edged: one begins with `edged1-`", remedy=_REMEDY)
    letters = plain.removeprefix(_MARK).replace("-", "").upper()
    try:
        content = base64.b32decode(letters + "=" * (-len(letters) % 8))
        body, check = content[:-_CHECK_BYTES], content[-_CHECK_BYTES:]
        namespace = body[_HEAD_BYTES:].decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        body, check, namespace = b"", b"", ""
    if not 0 < len(body) - _HEAD_BYTES <= _MOST_NAME_BYTES or not hmac.compare_digest(check, _check(body)):
        raise InputError("the invitation is not whole, or was mistyped", remedy=_REMEDY)
    return Invitation(
        namespace,
        body[:PUBLIC_BYTES],
        body[PUBLIC_BYTES : PUBLIC_BYTES + SECRET_BYTES],
        int.from_bytes(body[PUBLIC_BYTES + SECRET_BYTES : _HEAD_BYTES], "big"),
    )


def proof_of(secret: bytes, join: Join) -> str:
    """That whoever asks to join has the invitation: HMAC-SHA256 over what it asks for, in hex."""
    said = f"edged sync join 1\0{join.namespace}\0{join.node}\0{join.node_key}"
    said += f"\0{join.sealing_key}\0{join.authority_key}"
    return hmac.digest(secret, said.encode(), hashlib.sha256).hex()


def is_proved(secret: bytes, join: Join) -> bool:
    """Whether who asks to join has the invitation with this secret."""
    return hmac.compare_digest(proof_of(secret, join), join.proof)


def _check(content: bytes) -> bytes:
    return hashlib.sha256(b"edged sync invitation, 1" + content).digest()[:_CHECK_BYTES]
