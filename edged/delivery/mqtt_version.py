"""Which version of MQTT the next connection speaks."""

from enum import StrEnum
from typing import Literal


class MqttVersion(StrEnum):
    """The versions that are spoken."""

    V5 = "5"
    V311 = "3.1.1"


class VersionChoice:
    """Chooses the version for each connection: MQTT 5, and 3.1.1 where the broker has no 5.

    A broker without 5 says so in its CONNACK, or just closes the connection. What was said is remembered;
    a mere closing is not, because a broker that is being restarted closes connections too, and 3.1.1 for
    years (it has no reason codes) would be a high price for that. So a closing makes the next connection
    speak 3.1.1, and the one after it is asked for 5 again.
    """

    def __init__(self, configured: Literal["auto", "5", "3.1.1"]) -> None:
        self._is_free = configured == "auto"
        self._next = MqttVersion.V311 if configured == "3.1.1" else MqttVersion.V5
        self._has_5 = True

    @property
    def next(self) -> MqttVersion:
        """What the next connection speaks."""
        return self._next

    def accepted(self) -> None:
        """The broker let us in."""
        if self._is_free and self._has_5:
            self._next = MqttVersion.V5

    def refused(self) -> bool:
        """The broker said that it does not speak this version; returns whether another is left to try."""
        if not self._is_free or self._next is MqttVersion.V311:
            return False
        self._has_5 = False
        self._next = MqttVersion.V311
        return True

    def closed(self) -> None:
        """The connection was closed before the broker said anything."""
        if self._is_free and self._has_5:
            self._next = MqttVersion.V311 if self._next is MqttVersion.V5 else MqttVersion.V5
