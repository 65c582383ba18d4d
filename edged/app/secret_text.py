"""Secrets of a fixed length, as a configuration and files have them: in base64."""

import base64
import binascii


def secret_in(text: str, size_bytes: int) -> bytes | None:
    """The secret that a text holds, white space around it or not; None where it holds none of that size."""
    try:
        secret = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        return None
    return secret if len(secret) == size_bytes else None


def text_of(secret: bytes) -> str:
    """The text that holds it."""
    return base64.b64encode(secret).decode()
