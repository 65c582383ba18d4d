"""Headers of the Standard Webhooks specification, version 1.0.0 (standardwebhooks.com)."""

import base64
import binascii
import hashlib
import hmac

from edged.domain.identifiers import derived_id
from edged.domain.message import Message, MessageKind

_PREFIX = "whsec_"
_LEAST_BYTES = 8
"""The specification recommends 24 to 64 bytes; receivers with shorter secrets exist."""


def signing_key(secret: str) -> bytes:
    """The key that a secret stands for: base64, with or without its prefix `whsec_`.

    Raises ValueError, without the secret, for anything else.
    """
    try:
        key = base64.b64decode(secret.strip().removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        # Not chained: the cause could tell the secret.
        raise ValueError("the secret is not `whsec_` and base64") from None
    if len(key) < _LEAST_BYTES:
        raise ValueError(f"the secret is shorter than {_LEAST_BYTES} bytes")
    return key


def hook_key(secret: str) -> bytes:
    """The key that a client's `secretKey` stands for: `whsec_` and base64, or else its own bytes."""
    if secret.startswith(_PREFIX):
        try:
            return signing_key(secret)
        except ValueError:
            pass
    return secret.encode()


def webhook_id(message: Message) -> str:
    """What a receiver knows a message by, however often it comes. Holds no full stop: signatures need that.

    A job's update is `<job id>-<sequence>`, an event its id with the sequence; a presence, whose sequence
    begins again with every start of the daemon, has an id derived from its time too.
    """
    if message.kind is MessageKind.PRESENCE:
        return derived_id("presence", message.namespace, message.subject_id, message.at_ms, message.sequence)
    return f"{message.subject_id.replace('.', '_')}-{message.sequence}"


def webhook_headers(webhook_id: str, timestamp_s: int, body: bytes, key: bytes | None) -> dict[str, str]:
    """The headers that identify and, with a key, sign a body; the timestamp is that of this try."""
    headers = {"webhook-id": webhook_id, "webhook-timestamp": str(timestamp_s)}
    if key is not None:
        signed = b".".join((webhook_id.encode(), str(timestamp_s).encode(), body))
        digest = hmac.new(key, signed, hashlib.sha256).digest()
        headers["webhook-signature"] = "v1," + base64.b64encode(digest).decode()
    return headers
