"""Requests to recognise pictures, over HTTP or MQTT: how many may wait, and what may be fetched for them."""

from typing import Annotated

from edged.settings.names import NETWORK
from edged.settings.quantities import Duration, Section, Size, key


class Fetch(Section, frozen=True, kw_only=True):
    """What is reached at addresses that a request names: pictures, and its webhooks."""

    allow_networks: Annotated[
        tuple[Annotated[str, key("A network.", **NETWORK)], ...],
        key(
            "Networks, like `192.168.1.0/24`, that may be reached although they are private, loopback or"
            " otherwise not of the Internet.",
            max_length=64,
        ),
    ] = ()
    timeout: Annotated[
        Duration, key("How long fetching one picture may take in all.", at_least="100 ms", at_most="2 min")
    ] = Duration(10)
    max_bytes: Annotated[
        Size, key("A picture with more bytes is refused.", at_least="1 kB", at_most="64 MB")
    ] = Size(10_000_000)


class Requests(Section, frozen=True, kw_only=True):
    """Requests to recognise pictures."""

    max_images: Annotated[
        int, key("Pictures that may wait; a request that does not fit is answered 429.", ge=64, le=100_000)
    ] = 512
    max_bytes: Annotated[
        Size,
        key("Bytes of pictures that may wait in memory, likewise.", at_least="1 MB", at_most="4 GB"),
    ] = Size(32_000_000)
    max_pixels: Annotated[
        int, key("A picture with more pixels is refused before it is decoded.", ge=10_000, le=100_000_000)
    ] = 20_000_000
    share: Annotated[
        float,
        key("Part of the models' time that requests may take while the feeds have frames.", ge=0.05, le=0.9),
    ] = 0.25
    fetch: Annotated[Fetch, key("What is fetched for them.")] = Fetch()
