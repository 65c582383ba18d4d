"""Keeping a connection to a broker: making it, judging it, waiting longer after each failure."""

import logging
from collections.abc import Callable
from enum import StrEnum
from typing import Final

from edged.delivery import mqtt_answer
from edged.delivery.mqtt_version import VersionChoice
from edged.delivery.rivalry import Rivalry
from edged.domain.backoff import Backoff
from edged.domain.errors import ConfigurationError
from edged.domain.moment import Clock
from edged.publish.complaints import Complaints
from edged.publish.mqtt_client import Address
from edged.publish.mqtt_link import Ack, MqttLink, Reader
from edged.publish.network_words import in_words
from edged.publish.tls import client_context
from edged.publish.wake_up import WakeUp
from edged.settings.sinks import MqttSink as Settings

_CONNACK_MS: Final = 10_000
_STEADY_MS: Final = 10_000
"""A connection that stood so long was a success: the next wait to reconnect is a short one again."""

_LOG = logging.getLogger(__name__)


class Turn(StrEnum):
    """What a look at the connection found."""

    NOTHING = "nothing"
    """No news."""
    UP = "up"
    """The broker has let us in; told once a connection."""
    LOST = "lost"
    """It is over: `end` is to be called."""


class LinkKeeper:
    """One connection at a time to one broker, made anew whenever it ends. All calls are one thread's.

    Args:
        who: who keeps it, at the beginning of a sentence: "The sink `mqtt`".
        meanwhile: what becomes of its work while there is no connection: "messages wait".
        address: the broker, and who we are there.
        settings: of the sink that names the broker: version, window, TLS, waits.
        clock: who knows the time.
        jitter: gives numbers from 0 to below 1, by chance.
        alarm: ends the waits.
        reader: takes what comes; None where nothing is read.
        rename: what to change where another client has our name, for a person.
    """

    def __init__(
        self,
        who: str,
        meanwhile: str,
        address: Address,
        settings: Settings,
        clock: Clock,
        jitter: Callable[[], float],
        alarm: WakeUp,
        reader: Reader | None,
        *,
        rename: str,
    ) -> None:
        self.where = f"{address.host}:{address.port}"
        self.link: MqttLink | None = None
        self.trouble = "not connected yet"
        """Why there is no connection; any thread may look."""
        self.complaints = Complaints(_LOG, clock)
        self._who = who
        self._meanwhile = meanwhile
        self._address = address
        self._settings = settings
        self._clock = clock
        self._jitter = jitter
        self._alarm = alarm
        self._reader = reader
        self._version = VersionChoice(settings.protocol)
        self._backoff = Backoff(first_s=settings.retry.first, most_s=settings.retry.most)
        self._rivalry = Rivalry(address.client_id, rename)
        self._read_past = Complaints(_LOG, clock)
        self._unread = ""
        self._is_greeted = False
        self._since_ms = 0
        self._progress_ms = 0
        self._retry_at_ms = 0

    @property
    def is_greeted(self) -> bool:
        """Whether the connection stands and `look` has said so."""
        return self.link is not None and self._is_greeted

    @property
    def remark(self) -> str:
        """What is wrong, or may be, though the connection stands: another client has our name."""
        return self._rivalry.words

    def wait_s(self) -> float:
        """How long it is until a connection may be made; 0: now."""
        return max(0.0, (self._retry_at_ms - self._clock.moment().steady_ms) / 1000)

    def connect(self) -> None:
        """Make a connection; blocks for some seconds at most. Where that fails it is said and waited for."""
        tls = self._settings.tls
        try:
            link = MqttLink(
                self._address,
                self._version.next,
                None if tls is None else client_context(tls),
                self._settings.in_flight,
                self._alarm,
                self._reader,
            )
            link.connect()
        except ConfigurationError as error:
            self._failed(error.what)
        except OSError as error:
            # A broker that is not there is what ended the last connection, and not another client.
            self._rivalry.ended()
            self._failed(in_words(error))
        else:
            self.link = link
            self._is_greeted = False
            self._since_ms = self._progress_ms = self._clock.moment().steady_ms

    def service(self, timeout_s: float) -> list[Ack]:
        """Wait for the broker or the alarm, and do what is to do; returns what was acknowledged."""
        if self.link is None:
            return []
        acks = self.link.service(timeout_s)
        for unread in self.link.unread():
            topic = mqtt_answer.said_by_broker(unread.topic)
            # The first stands for all: others choose the topics, and would fill the log.
            self._unread = (
                self._unread or f"{self._who} leaves messages unread, as one at {topic}: {unread.why}"
            )
            self._read_past.tell(self._unread)
        return acks

    def look(self, *, has_moved: bool) -> Turn:
        """See how the connection is.

        `has_moved`: something was acknowledged since the last look, or nothing waits for that.
        """
        link = self.link
        if link is None:
            return Turn.NOTHING
        now_ms = self._clock.moment().steady_ms
        if has_moved:
            self._progress_ms = now_ms
        if link.is_lost:
            return Turn.LOST
        if link.is_up and not self._is_greeted:
            self._is_greeted = True
            self._version.accepted()
            return Turn.UP
        if link.is_up and now_ms - self._progress_ms > self._settings.keep_alive * 1000:
            link.abandon("no acknowledgement in time")
            return Turn.LOST
        if not link.is_up and now_ms - self._since_ms > _CONNACK_MS:
            link.abandon("no answer to the CONNECT in time")
            return Turn.LOST
        if link.is_up and now_ms - self._since_ms > _STEADY_MS:
            self._rivalry.stands(now_ms - self._since_ms)
            if not self.remark:
                self._backoff.succeeded()
                self.complaints.settle(f"{self._who} is connected to {self.where}")
        return Turn.NOTHING

    def greeting_level(self) -> int:
        """How important the news is that a connection stands.

        One that comes and goes is not told of each time: it is one trouble until it is steady.
        """
        return logging.DEBUG if self._backoff.failures > 1 else logging.INFO

    def end(self, *, is_idle: bool = True) -> None:
        """Let go of a connection that is over, and say why; the next one comes after a wait.

        `is_idle`: nothing waited for its acknowledgement. Else what was sent may be why it ended.
        """
        link, self.link = self.link, None
        if link is None:
            return
        link.abandon(link.reason)
        if self._is_greeted:
            self._put_out(link, is_idle=is_idle)
        elif link.refusal is None:
            self._version.closed()
            words = "" if link.is_at_fault else " before the broker said anything"
            self._failed(f"{link.reason}{words} (MQTT {link.version})")
        elif link.refusal == mqtt_answer.UNSUPPORTED_PROTOCOL and self._version.refused():
            _LOG.info("The broker at %s has no MQTT 5: speaking 3.1.1", self.where)
        else:
            must_act = link.refusal in mqtt_answer.PERSON_MUST_ACT
            words = mqtt_answer.connect_refusal(link.refusal)
            self._failed(words, level=logging.ERROR if must_act else logging.WARNING)

    def _put_out(self, link: MqttLink, *, is_idle: bool) -> None:
        """A connection that stood is over: by another client of our name, or otherwise."""
        if link.farewell == mqtt_answer.SESSION_TAKEN_OVER:
            wait_s = self._rivalry.put_out(self._jitter())
            self._failed(self.remark, level=logging.ERROR, least_s=wait_s)
            return
        wait_s = 0.0
        if link.is_hung_up and is_idle:
            stood_ms = self._clock.moment().steady_ms - self._since_ms
            wait_s = self._rivalry.closed(stood_ms, self._jitter())
        elif not link.is_hung_up:
            self._rivalry.ended()
        self._failed(self.remark or link.reason, least_s=wait_s)

    def part(self, trouble: str) -> None:
        """End a connection that is of no use, and say why; the next one comes after the longest wait."""
        self.say_goodbye()
        self._failed(trouble, level=logging.ERROR, least_s=self._settings.retry.most)

    def say_goodbye(self) -> None:
        """End the connection in order, where there is one."""
        link, self.link = self.link, None
        if link is not None:
            link.disconnect()

    def _failed(self, trouble: str, *, level: int = logging.WARNING, least_s: float = 0.0) -> None:
        wait_s = max(least_s, self._backoff.failed(self._jitter()))
        self._retry_at_ms = self._clock.moment().steady_ms + int(wait_s * 1000)
        self.trouble = trouble
        words = f"{self._who} is not connected to {self.where}, {self._meanwhile}: {trouble}"
        self.complaints.tell(words, level=level)
