"""How a client proves who it is in RTSP: Basic and Digest, as in HTTP (RFC 7616, RFC 7617). Pure."""

import base64
import hashlib
import re
from collections.abc import Callable, Sequence
from typing import Final

from edged.camera.credentials import Credentials

_PARAMETER: Final = re.compile(r'([A-Za-z]+)=(?:"([^"]*)"|([^\s,]+))')


def authorization(
    challenges: Sequence[str], credentials: Credentials, method: str, uri: str, cnonce: str
) -> str | None:
    """The answer to the strongest challenge that is understood; None where there is none.

    Args:
        challenges: values of `WWW-Authenticate`, as they came.
        credentials: who we are.
        method: of the request that is repeated.
        uri: of the request that is repeated.
        cnonce: chosen by us; it proves nothing here and may be anything.
    """
    parsed = [_parsed(challenge) for challenge in challenges]
    digests = [fields for scheme, fields in parsed if scheme == "digest"]
    for algorithm, hasher in (("sha-256", _sha256), ("md5", _md5)):
        for fields in digests:
            if fields.get("algorithm", "md5").lower() == algorithm:
                return _digest(fields, credentials, method, uri, cnonce, hasher)
    if any(scheme == "basic" for scheme, _ in parsed):
        pair = f"{credentials.username}:{credentials.password}"
        return "Basic " + base64.b64encode(pair.encode()).decode()
    return None


def _parsed(challenge: str) -> tuple[str, dict[str, str]]:
    scheme, _, rest = challenge.strip().partition(" ")
    return scheme.lower(), {name.lower(): quoted or bare for name, quoted, bare in _PARAMETER.findall(rest)}


def _digest(
    fields: dict[str, str],
    credentials: Credentials,
    method: str,
    uri: str,
    cnonce: str,
    hashed: Callable[[str], str],
) -> str:
    realm, nonce = fields.get("realm", ""), fields.get("nonce", "")
    secret = hashed(f"{credentials.username}:{realm}:{credentials.password}")
    request = hashed(f"{method}:{uri}")
    words = [f'username="{credentials.username}"', f'realm="{realm}"', f'nonce="{nonce}"', f'uri="{uri}"']
    if "auth" in re.split(r"\s*,\s*", fields.get("qop", "")):
        answer = hashed(f"{secret}:{nonce}:00000001:{cnonce}:auth:{request}")
        words += ["qop=auth", "nc=00000001", f'cnonce="{cnonce}"']
    else:
        answer = hashed(f"{secret}:{nonce}:{request}")
    words.append(f'response="{answer}"')
    words += [f'{name}="{fields[name]}"' for name in ("opaque",) if name in fields]
    words += [f"{name}={fields[name]}" for name in ("algorithm",) if name in fields]
    return "Digest " + ", ".join(words)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _md5(text: str) -> str:
    # The protocol's own algorithm: cameras know no other.
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
