"""Leaves out of a text what is nobody else's business: secrets, people, addresses."""

import ipaddress
import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import quote, urlsplit

from edged.app.checkup.whole_words import WholeWords
from edged.domain.redaction import redacted

LEFT_OUT: Final = "…"
_URL: Final = re.compile(r"\b(?:https?|rtsps?|mqtts?|ffmpeg|tcp|udp)://[^\s'\"<>`]+", re.IGNORECASE)
_IPV4: Final = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.]*\d)")
_COLONS: Final = re.compile(r"(?<![\w:.])[0-9A-Fa-f:]{3,45}(?![\w:])")
_MAC: Final = re.compile(r"(?<![\w:-])(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}(?![\w:-])")
_EMAIL: Final = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_HOME: Final = re.compile(r"(?<![\w.])/home/[^/\s:;,'\"]+")
_PLAIN_LEVEL: Final = re.compile(
    r"(?=.{1,16}$)(?:h26[45][_-]?)?[A-Za-z]*(?:[_-][A-Za-z]+)*[_-]?\d{0,3}(?:\.[A-Za-z]{2,5})?"
)
"""Words and channels, such as `Streaming`, `102`, `h264_stream`, `live0.sdp`: a token mixes its digits in."""
_TELLTALE: Final = re.compile(r"pass|pwd|user|token|key|auth|secret", re.IGNORECASE)
_PLACEHOLDER: Final = re.compile(r"host-\d+")
_LEAST_NUMBER: Final = 5
_LEAST_PART: Final = 3


class Censor:
    """Knows what must not be told, and replaces it: the same thing by the same placeholder everywhere.

    Args:
        secrets: left out wherever they are, in any spelling.
        people: names and customIds, left out where they stand as words of their own, whatever their case;
            of a name of several words, each of three letters or more too. A number of less than five digits
            is no customId that tells anybody anything, and stays.
        hosts: names and addresses of machines.
        users: names of accounts.
    """

    def __init__(
        self,
        *,
        secrets: Iterable[str] = (),
        people: Sequence[str] = (),
        hosts: Iterable[str] = (),
        users: Iterable[str] = (),
    ) -> None:
        self._secrets = sorted({form for one in secrets for form in _spellings(one)}, key=len, reverse=True)
        self._hosts: dict[str, str] = {}
        for host in hosts:
            self.host(host)
        self._known_hosts = WholeWords(self._hosts)
        self._person: dict[str, str] = {}
        forms: set[str] = set()
        for number, name in enumerate(people, 1):
            for form in (form for part in _parts(name) for form in _spellings(part)):
                self._person.setdefault(form.casefold(), f"person-{number}")
                forms.add(form)
        self._people = WholeWords(forms)
        self._users = WholeWords(users)
        self._user: dict[str, str] = {}

    def text(self, text: str) -> str:
        """The text without all of it."""
        text = redacted(text, self._secrets)
        text = _URL.sub(lambda found: self.url(found[0]), text)
        text = _EMAIL.sub(LEFT_OUT, text)
        text = self._known_hosts.replaced(text, self.host)
        text = _MAC.sub("(hardware address)", text)
        text = _IPV4.sub(lambda found: self.host(found[0]), text)
        text = _COLONS.sub(lambda found: self.host(found[0]) if _is_ipv6(found[0]) else found[0], text)
        text = _HOME.sub(f"/home/{LEFT_OUT}", text)
        text = self._people.replaced(text, lambda word: self._person.get(word.casefold(), "person"))
        return self._users.replaced(text, lambda word: _numbered(self._user, word, "user"))

    def host(self, host: str) -> str:
        """The placeholder of a host; those of this very machine stay."""
        plain = host.strip("[]").casefold()
        if not plain or _is_own(plain) or _PLACEHOLDER.fullmatch(plain):
            return host
        return _numbered(self._hosts, plain, "host")

    def url(self, url: str) -> str:
        """A URL with its scheme, port and (of RTSP) what of its path is no secret."""
        try:
            parts = urlsplit(url)
            port = f":{parts.port}" if parts.port else ""
            host = self.host(parts.hostname or "")
        except ValueError:
            return f"{url.partition(':')[0]}://{LEFT_OUT}"
        path = _told_path(parts.path) if parts.scheme.startswith("rtsp") else _short(parts.path)
        query = "&".join(
            f"{_level(pair.partition('=')[0])}={LEFT_OUT}" for pair in parts.query.split("&") if pair
        )
        return f"{parts.scheme}://{host}{port}{path}{'?' if query else ''}{query}"


def _told_path(path: str) -> str:
    return "/".join(_level(level) for level in path.split("/"))


def _short(path: str) -> str:
    # Paths of webhooks are often all that a caller has to know.
    return path if path in ("", "/", "/healthz", "/metrics") else f"/{LEFT_OUT}"


def _level(level: str) -> str:
    is_plain = not level or (_PLAIN_LEVEL.fullmatch(level) and not _TELLTALE.search(level))
    return level if is_plain else LEFT_OUT


def _spellings(word: str) -> set[str]:
    """The word as it may stand in a text: in capitals, without accents, percent-encoded, escaped for JSON."""
    apart = unicodedata.normalize("NFD", word)
    bare = "".join(letter for letter in apart if not unicodedata.combining(letter))
    forms = {word, unicodedata.normalize("NFC", word), apart, bare}
    # Where capitals are other letters (ß, SS), whoever ignores case does not find them.
    forms |= {changed for form in forms for changed in (form.upper(), form.casefold())}
    forms |= {json.dumps(form)[1:-1] for form in forms} | {
        json.dumps(form, ensure_ascii=False)[1:-1] for form in forms
    }
    return {*forms, *(quote(form) for form in forms), *(quote(form, safe="") for form in forms)} - {""}


def _parts(name: str) -> set[str]:
    words = {name.strip(), *(part for part in name.split() if len(part) >= _LEAST_PART)}
    return {word for word in words if word and not (word.isdecimal() and len(word) < _LEAST_NUMBER)}


def _numbered(known: dict[str, str], word: str, kind: str) -> str:
    return known.setdefault(word, f"{kind}-{len(known) + 1}")


def _is_own(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _is_ipv6(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).version == 6  # noqa: PLR2004 - the version's name
    except ValueError:
        return False
