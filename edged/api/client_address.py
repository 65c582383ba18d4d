"""From which address a request comes, where proxies stand between."""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network


def networks(written: Sequence[str]) -> tuple[Network, ...]:
    """Addresses and networks as the configuration has them; raises ValueError for what is none."""
    return tuple(ip_network(one, strict=False) for one in written)


def client_address(peer: str, forwarded: Sequence[str], trusted: Sequence[Network]) -> str:
    """The address of whoever asks.

    The peer's, unless that is a proxy that is trusted: then what `X-Forwarded-For` says, read from the
    right, where each proxy writes whom it talked to, up to the first that is not trusted. What stands
    further left anybody may have written.

    Args:
        peer: address at the other end of the connection.
        forwarded: every `X-Forwarded-For` header, in its order.
        trusted: the proxies.
    """
    address = _plain(peer)
    hops = [hop.strip() for header in forwarded for hop in header.split(",")]
    while hops and _is_among(address, trusted):
        hop = _plain(hops.pop())
        if not _is_address(hop):
            break
        address = hop
    return address


def neighbourhood(address: str) -> str:
    """What attempts are counted by: an IPv4 address; of IPv6 the /64, all of which one machine may have."""
    if not _is_address(address):
        return address
    parsed = ip_address(address)
    if isinstance(parsed, IPv6Address):
        return str(IPv6Network((int(parsed) >> 64 << 64, 64)))
    return str(parsed)


def _plain(text: str) -> str:
    """An address without port and zone; IPv4 as such where it is written within IPv6."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    text = text.partition("%")[0]
    if not _is_address(text):
        return text
    parsed = ip_address(text)
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(parsed)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _is_among(address: str, trusted: Sequence[Network]) -> bool:
    return _is_address(address) and any(ip_address(address) in network for network in trusted)
