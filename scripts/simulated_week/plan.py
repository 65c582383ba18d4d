"""The house of the simulated week: its feeds, its people, its settings."""

from typing import Final

from edged.settings.feeds import Feed, Hours, Retry
from edged.settings.quantities import Duration
from edged.settings.root import Settings
from edged.settings.sinks import MqttSink
from edged.settings.sources import RtspSource

DEVICE: Final = "house"
BEGIN_MS: Final = 1_772_409_600_000
"""Monday 2 March 2026, midnight UTC, which is the local time of the house."""

KNOWN: Final = {1: "Ada", 2: "Ben", 3: "Cem"}
STRANGERS: Final = (4, 5)

OPEN_H: Final = (7, 22)
"""The hours in which the shop's feed is looked at."""


def feeds() -> tuple[Feed, ...]:
    """Two feeds at home, and one of another namespace with hours."""
    hours = (Hours(begin=f"{OPEN_H[0]:02}:00", end=f"{OPEN_H[1]:02}:00"),)
    return (
        Feed(id="door", namespace="home", source=RtspSource(url="rtsp://camera/door")),
        Feed(id="hall", namespace="home", source=RtspSource(url="rtsp://camera/hall")),
        Feed(id="shop", namespace="shop", source=RtspSource(url="rtsp://camera/shop"), schedule=hours),
    )


def settings(port: int) -> Settings:
    """The configuration, but that its cameras are played by the script."""
    sink = MqttSink(
        host="127.0.0.1",
        port=port,
        send=("event", "presence"),
        retry=Retry(first=Duration(0.05), most=Duration(0.2)),
    )
    return Settings(device=DEVICE, feeds=feeds(), sinks=(sink,))
