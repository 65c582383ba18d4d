"""Which addresses may be reached because a request names them: those of the Internet, and those allowed.

Whoever can have the daemon fetch a URL or post to one must not reach by it what stands behind the same
router: other machines, the daemon itself, the metadata service of a cloud. A name is judged by the addresses
that it resolves to (see `edged.http.guard`), never by how it is spelled.
"""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Final
from urllib.parse import quote, urljoin, urlsplit

from edged.api.fetching import FetchError

Address = IPv4Address | IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

LONGEST_URL: Final = 2048
_LONGEST_HOST: Final = 253
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}

_FORBIDDEN_V4: Final = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network, RFC 791; Linux takes 0.0.0.0 for itself
        "10.0.0.0/8",  # private, RFC 1918
        "100.64.0.0/10",  # shared, behind a provider's NAT, RFC 6598
        "127.0.0.0/8",  # loopback, RFC 1122
        "168.63.129.16/32",  # Azure's own service to its machines, at an address that looks public
        "169.254.0.0/16",  # link-local, RFC 3927; metadata of most clouds
        "172.16.0.0/12",  # private, RFC 1918
        "192.0.0.0/24",  # protocol assignments, RFC 6890
        "192.0.2.0/24",  # documentation, RFC 5737
        "192.88.99.0/24",  # relays of 6to4, RFC 7526
        "192.168.0.0/16",  # private, RFC 1918
        "198.18.0.0/15",  # benchmarks, RFC 2544
        "198.51.100.0/24",  # documentation, RFC 5737
        "203.0.113.0/24",  # documentation, RFC 5737
        "224.0.0.0/4",  # multicast, RFC 5771
        "240.0.0.0/4",  # reserved, RFC 1112; broadcast
    )
)
"""From IANA's registry of special-purpose IPv4 addresses, and Azure's one."""

_UNICAST_V6: Final = ipaddress.IPv6Network("2000::/3")
"""All that is assigned to the Internet, RFC 4291: unique local addresses, link-local ones, multicast, and
IPv4 addresses in their older disguises (`::ffff:0:0/96`, `::/96`) are outside."""
_FORBIDDEN_V6: Final = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments, RFC 2928, Teredo among them: it reaches any IPv4 address
        "2001:db8::/32",  # documentation, RFC 3849
        "2002::/16",  # 6to4, RFC 3056: reaches any IPv4 address
        "3fff::/20",  # documentation, RFC 9637
    )
)
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
"""RFC 6052: how a network without IPv4 reaches it; the address of the other side is in the last 32 bits."""

_HOST: Final = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?")
# Controls, blanks, and the backslash, which some parsers take for a slash.
_NOT_IN_URL: Final = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029\\]")


class AddressRules:
    """Says which IP addresses may be reached; networks as the configuration has them."""

    def __init__(self, allow_networks: Sequence[str] = ()) -> None:
        self._allowed: tuple[Network, ...] = tuple(
            ipaddress.ip_network(network, strict=False) for network in allow_networks
        )

    def allow(self, address: str) -> bool:
        """Whether the address, in its usual spelling, may be reached. One with a zone (`%eth0`) never may."""
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        if isinstance(parsed, IPv6Address) and parsed.scope_id is not None:
            return False
        if isinstance(parsed, IPv6Address) and parsed in _NAT64:
            parsed = IPv4Address(int(parsed) & 0xFFFFFFFF)
        return is_global(parsed) or any(parsed in network for network in self._allowed)


def is_global(address: Address) -> bool:
    """Whether it is an address of one machine in the Internet."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _FORBIDDEN_V4)
    return address in _UNICAST_V6 and not any(address in network for network in _FORBIDDEN_V6)


@dataclass(frozen=True, slots=True)
class Target:
    """What a URL asks for.

    Attributes:
        scheme: `http` or `https`.
        host: name or address as it is resolved: lower case, IDNA, IPv6 without brackets.
        port: 1 to 65535.
        path: with the query, percent-encoded, from its first slash.
    """

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """What the header `Host` says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The URL again, in its plain form and without a fragment."""
        return f"{self.scheme}://{self.authority}{self.path}"

    def redirected(self, location: str) -> "Target":
        """What a redirect leads to; raises FetchError unless it stays where it is, or goes on with TLS."""
        _require_url_characters(location)
        try:
            joined = urljoin(self.url, location)
        except ValueError:
            raise FetchError("it redirects to what is no address") from None
        there = target_of(joined)
        is_same = (there.scheme, there.port) == (self.scheme, self.port)
        is_safer = (self.scheme, self.port, there.scheme, there.port) == ("http", 80, "https", 443)
        if there.host != self.host or not (is_same or is_safer):
            raise FetchError("it redirects to another server, which is not followed: name the final address")
        return there


def target_of(url: str) -> Target:
    """What a URL that a request names asks for; raises FetchError for one that is not taken.

    Whether its host may be reached is not asked here: that shows when its name is resolved.
    """
    if len(url) > LONGEST_URL:
        raise FetchError(f"the address is longer than {LONGEST_URL} characters")
    _require_url_characters(url)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise FetchError("the address is not a URL") from None
    if parts.scheme not in _DEFAULT_PORTS:
        raise FetchError("the address is neither `https://` nor `http://`")
    if "@" in parts.netloc:
        raise FetchError("the address holds a user or a password, which are not taken")
    if port == 0:
        raise FetchError("the address names port 0")
    return Target(
        scheme=parts.scheme,
        host=_host(parts.hostname or "", is_bracketed="[" in parts.netloc),
        port=port or _DEFAULT_PORTS[parts.scheme],
        path=_encoded(parts.path or "/") + (f"?{_encoded(parts.query)}" if parts.query else ""),
    )


def _require_url_characters(url: str) -> None:
    if _NOT_IN_URL.search(url):
        raise FetchError("the address holds characters that no URL may hold")


def _host(name: str, *, is_bracketed: bool) -> str:
    if is_bracketed:
        try:
            # Not with a zone: it names a network of this machine.
            address = IPv6Address(name)
        except ValueError:
            raise FetchError("the address's host is not an IPv6 address") from None
        if address.scope_id is not None:
            raise FetchError("the address's host has a zone, which is not taken")
        return str(address)
    try:
        host = name.encode("idna").decode("ascii").lower().removesuffix(".")
    except UnicodeError:
        raise FetchError("the address's host is not a name") from None
    if len(host) > _LONGEST_HOST or not _HOST.fullmatch(host):
        raise FetchError("the address's host is not a name")
    return host


def _encoded(part: str) -> str:
    """Percent-encoded where it is not ASCII; what is encoded stays so."""
    return quote(part, safe="/?:@!$&'()*+,;=%-._~[]")
