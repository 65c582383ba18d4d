"""A sink `mqtt` with everything that it reads, keeps and announces."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from edged import __version__
from edged.delivery.kept_topics import kept_topics
from edged.delivery.route import sink_id
from edged.delivery.topics import Topics
from edged.domain.moment import Clock
from edged.publish.announcer import Announcer
from edged.publish.mqtt import MqttSink
from edged.publish.mqtt_address import address_of
from edged.publish.mqtt_inbox import MqttRequest, RequestInbox
from edged.publish.mqtt_subscriptions import BirthTaker, Subscriptions, SwitchTaker, Taker
from edged.publish.retained_topics import RetainedLedger, RetainedTopics
from edged.publish.tls import client_context
from edged.settings.feeds import Feed
from edged.settings.sinks import MqttSink as Settings


@dataclass(frozen=True, slots=True)
class RequestTaker:
    """Who takes the requests that come in over MQTT.

    Attributes:
        take: where they go; never waits, see `app.mqtt_requests`.
        served: namespaces, for sinks that name none of their own.
    """

    take: Callable[[MqttRequest], None]
    served: Collection[str]


@dataclass(frozen=True, slots=True)
class MqttParts:
    """What the MQTT sinks of a configuration have in common.

    Attributes:
        device: the device's id.
        clock: who knows the time.
        jitter: gives numbers from 0 to below 1, by chance.
        requests: takes requests; None where there is nobody to work on them.
        prefixes: of all sinks' topics.
        feeds: all of the configuration.
        ledger: where it is written down what brokers keep; None: nothing that was kept is ever cleared.
        switch: called with a feed and whether it is to be on, and does not wait; None: nobody can switch.
        synced: the namespaces whose sync the device's state tells of.
    """

    device: str
    clock: Clock
    jitter: Callable[[], float]
    requests: RequestTaker | None = None
    prefixes: Collection[str] = ()
    feeds: Sequence[Feed] = ()
    ledger: RetainedLedger | None = None
    switch: Callable[[str, bool], None] | None = None
    synced: Sequence[str] = ()


def make_mqtt_sink(section: Settings, parts: MqttParts) -> MqttSink:
    """The sink, not connected yet; raises ConfigurationError where a certificate cannot be used."""
    if section.tls is not None:
        client_context(section.tls)
    name, topics = sink_id(section), Topics(section.prefix, parts.device)
    wanted = kept_topics(section, topics, parts.feeds)
    announcer = None
    takers: list[Taker] = []
    requests = _request_inbox(section, topics, parts)
    if requests is not None:
        takers.append(requests)
    if parts.switch is not None and parts.feeds:
        switches = {topics.feed_switch(feed.id): feed.id for feed in parts.feeds}
        takers.append(SwitchTaker(switches, parts.switch, parts.clock))
    if section.home_assistant is not None:
        # Only who announces has the words for it in memory.
        from edged.delivery import home_assistant  # noqa: PLC0415

        house = home_assistant.House(
            parts.device, __version__, parts.feeds, parts.switch is not None, parts.synced
        )
        told = home_assistant.announcements(section, section.home_assistant, house)
        wanted = replace(wanted, lasting=wanted.lasting | {one.topic: one.parts for one in told})
        announcer = Announcer(told, round(section.home_assistant.jitter * 1000), parts.jitter)
        takers.append(BirthTaker(home_assistant.birth_topics(section.home_assistant), announcer.want))
    address = address_of(section, parts.device, topics)
    retained = None
    if parts.ledger is not None:
        retained = RetainedTopics(parts.ledger, name, f"{address.host}:{address.port}", wanted)
    subscriptions = Subscriptions(name, takers, parts.clock) if takers else None
    return MqttSink(
        name, section, parts.device, parts.clock, parts.jitter, subscriptions, retained, announcer
    )


def _request_inbox(section: Settings, topics: Topics, parts: MqttParts) -> RequestInbox | None:
    """Where the requests of a sink come in; None where it takes none."""
    requests = parts.requests
    namespaces = section.namespaces or (requests.served if requests else ())
    if not section.recognize or requests is None or not namespaces:
        return None
    return RequestInbox(
        sink_id(section),
        topics,
        namespaces,
        most_bytes=section.max_request,
        prefixes=parts.prefixes,
        take=requests.take,
        clock=parts.clock,
    )
