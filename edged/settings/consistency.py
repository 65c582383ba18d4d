"""What keys demand of each other: pure checks on sections whose keys are each right by themselves."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address, ip_network
from typing import Any, Final

from edged.settings.feeds import Crop, Hours, Retry
from edged.settings.governor import Governor
from edged.settings.http import Http
from edged.settings.presence import Presence
from edged.settings.quantities import Section
from edged.settings.recognition import Motion, Quality, Recognition, Sightings
from edged.settings.root import Settings
from edged.settings.sinks import MqttSink, MqttTls
from edged.settings.sources import FileSource, HttpSource, ImagesSource, RtspSource, SnapshotSource, UsbSource

_PASSWORD_IN_QUERY: Final = re.compile(r"[/?&](pass|passwd|password|pwd|token)=[^&]", re.IGNORECASE)
"""Some cameras take it in no other way, so it is not refused."""
_LAST_PORT: Final = 65_535


@dataclass(frozen=True, slots=True)
class Conflict:
    """A key that cannot be as it is, because of another one in the same section."""

    key: str
    what: str


def conflicts(section: Section) -> Iterator[Conflict]:
    """All conflicts between the keys of one section, not looking into sections inside it."""
    for check in _CHECKS.get(type(section), ()):
        conflict = check(section)
        if conflict is not None:
            yield conflict


def repeated(names: Sequence[str | None]) -> Iterator[tuple[int, int]]:
    """Positions of names that were there before, each with the position of the first; None is no name."""
    first: dict[str, int] = {}
    for position, name in enumerate(names):
        if name is not None and first.setdefault(name, position) != position:
            yield position, first[name]


def doubts(settings: Settings) -> Iterator[str]:
    """What is allowed and yet is most likely not meant."""
    for number, feed in enumerate(settings.feeds):
        if _PASSWORD_IN_QUERY.search(getattr(feed.source, "url", "")):
            yield f"feeds[{number}].source.url: holds a password, as it seems; the log may show it"
    known = {feed.namespace for feed in settings.feeds}
    for number, sink in enumerate(settings.sinks):
        for namespace in sink.namespaces:
            if namespace not in known:
                yield f"sinks[{number}].namespaces: no feed has the namespace `{namespace}`"


def _below(low: str, high: str, *, or_equal: bool = False) -> Callable[[Any], Conflict | None]:
    """The check that the key `low` is less than (or equal to) the key `high`."""

    def check(section: Any) -> Conflict | None:
        low_value, high_value = getattr(section, low), getattr(section, high)
        if low_value < high_value or (or_equal and low_value == high_value):
            return None
        relation = "at most" if or_equal else "less than"
        return Conflict(low, f"is {low_value}, and must be {relation} `{high}`, which is {high_value}")

    return check


def _needs(key: str, other: str) -> Callable[[Any], Conflict | None]:
    """The check that the key `key` is given only where the key `other` is."""

    def check(section: Any) -> Conflict | None:
        if getattr(section, key) is None or getattr(section, other) is not None:
            return None
        return Conflict(key, f"is given without `{other}`; give both or none")

    return check


def _arguments_have_their_program(source: RtspSource | FileSource) -> Conflict | None:
    if not source.ffmpeg_input or source.backend == "ffmpeg":
        return None
    return Conflict("ffmpeg_input", "is used with `backend: ffmpeg` only; add that, or leave this out")


def _start_is_a_day(source: FileSource | ImagesSource) -> Conflict | None:
    try:
        datetime.fromisoformat(source.start)
    except ValueError:
        return Conflict("start", "names a day that no calendar has")
    return None


def _port_exists(http: Http) -> Conflict | None:
    if int(http.listen.rpartition(":")[2]) <= _LAST_PORT:
        return None
    return Conflict("listen", f"is {http.listen}; ports end at {_LAST_PORT}")


def _is_safe_to_listen(http: Http) -> Conflict | None:
    if http.tls is not None or http.allow_plain or _is_loopback(http.listen.rpartition(":")[0]):
        return None
    return Conflict(
        "listen",
        f"is {http.listen}, where others reach it, and secrets and faces would cross the network unencrypted;"
        " give `tls`, or listen at 127.0.0.1, or set `allow_plain: true` where a proxy does the TLS",
    )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _proxies_are_addresses(http: Http) -> Conflict | None:
    for proxy in http.trusted_proxies:
        try:
            ip_network(proxy, strict=False)
        except ValueError:
            return Conflict("trusted_proxies", f"has `{proxy}`, which is no address and no network")
    return None


def _decodes_one_way(source: RtspSource | FileSource) -> Conflict | None:
    if source.hardware == "none" or (source.backend == "opencv" and not source.ffmpeg_input):
        return None
    return Conflict(
        "hardware", "chooses the decoder by itself; leave out `backend` and `ffmpeg_input`, or this"
    )


def _hours_are_some(hours: Hours) -> Conflict | None:
    if hours.begin != hours.end:
        return None
    return Conflict("end", "is the same as `begin`; leave the schedule out for a feed that is always on")


_CHECKS: Final[Mapping[type[Section], tuple[Callable[[Any], Conflict | None], ...]]] = {
    Retry: (_below("first", "most", or_equal=True),),
    Crop: (_below("x_min", "x_max"), _below("y_min", "y_max")),
    Hours: (_hours_are_some,),
    RtspSource: (_needs("password", "username"), _arguments_have_their_program, _decodes_one_way),
    HttpSource: (_needs("password", "username"),),
    SnapshotSource: (_needs("password", "username"),),
    UsbSource: (_needs("width_px", "height_px"), _needs("height_px", "width_px")),
    FileSource: (_arguments_have_their_program, _decodes_one_way, _start_is_a_day),
    ImagesSource: (_start_is_a_day,),
    MqttSink: (_needs("password", "username"),),
    MqttTls: (
        _needs("certificate_file", "key_file"),
        _needs("key_file", "certificate_file"),
        _needs("key_password", "key_file"),
    ),
    Motion: (_below("close_at", "open_at"),),
    Quality: (_below("min_brightness", "max_brightness"),),
    Recognition: (
        _below("min_faces", "unknown_after", or_equal=True),
        _below("embeddings_per_s_decided", "embeddings_per_s", or_equal=True),
    ),
    Http: (_port_exists, _is_safe_to_listen, _proxies_are_addresses),
    Presence: (_below("leave_after", "namespace_leave_after", or_equal=True),),
    Governor: (_below("cool_at_c", "hot_at_c"),),
    Sightings: (
        _below("min_interval", "close_after", or_equal=True),
        _below("close_after", "max_age", or_equal=True),
    ),
}
