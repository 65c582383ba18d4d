"""The one file that asks the machine for chance."""

import base64
import os
import random
import secrets

from edged.domain.identifiers import random_id


def new_id() -> str:
    """A random UUID."""
    return random_id(os.urandom(16))


def jitter() -> float:
    """A number from 0 to below 1, for back-off; nothing secret hangs on it."""
    return random.random()  # noqa: S311


def random_bytes(count: int) -> bytes:
    """So many bytes that nobody can guess."""
    return os.urandom(count)


def new_token() -> str:
    """An access token: 43 characters out of `A-Za-z0-9_-` that nobody guesses (256 bits)."""
    return secrets.token_urlsafe(32)


def new_secret() -> str:
    """A signing secret as the Standard Webhooks specification has it: `whsec_` and 32 bytes in base64."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"
