"""Identifiers that a replay makes again, and the names that users may give."""

import hashlib
import re

FEED_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")
NAMESPACE = re.compile(r"[A-Za-z0-9_.-]{1,128}")
RESERVED_NAMESPACES = frozenset({"device", "sync"})
"""Topics of these names belong to the daemon itself."""


def derived_id(*parts: str | int) -> str:
    """A UUID (version 8, RFC 9562) that the same parts always give and other parts practically never.

    The parts are hashed with SHA-256, each with its length, so that no two lists of parts read the same.
    """
    digest = hashlib.sha256()
    for part in parts:
        encoded = str(part).encode()
        digest.update(len(encoded).to_bytes(4, "big") + encoded)
    raw = bytearray(digest.digest()[:16])
    return _formatted(raw, version=8)


def random_id(entropy: bytes) -> str:
    """A UUID (version 4) of 16 random bytes, which the caller brings."""
    return _formatted(bytearray(entropy[:16]), version=4)


def _formatted(raw: bytearray, *, version: int) -> str:
    raw[6] = (raw[6] & 0x0F) | (version << 4)
    raw[8] = (raw[8] & 0x3F) | 0x80
    text = raw.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
