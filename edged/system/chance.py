"""The one file that asks the machine for chance."""

import os
import random

from edged.domain.identifiers import random_id


def new_id() -> str:
    """A random UUID."""
    return random_id(os.urandom(16))


def jitter() -> float:
    """A number from 0 to below 1, for back-off; nothing secret hangs on it."""
    return random.random()  # noqa: S311
