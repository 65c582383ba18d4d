"""Foreign words without the secrets that may be in them."""

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote

_USER_IN_URL: Final = re.compile(r"(?<=://)[^/\s'\"]+@")


def redacted(text: str, secrets: Iterable[str] = ()) -> str:
    """The text with stars for every secret, as it is or percent-encoded, and for users inside URLs."""
    for secret in secrets:
        for form in {secret, quote(secret), quote(secret, safe="")} - {""}:
            text = text.replace(form, "****")
    return _USER_IN_URL.sub("****@", text)
