"""Announcing feeds to Home Assistant by MQTT discovery: what is published where.

A feed is a device of Home Assistant's, and so is the machine, which also has what is known of whole
namespaces. In the form `device` (2024.11 and newer) each device is one message with all its entities; in the
form `components` each entity is one. Both are made of the same description.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from edged.delivery import home_assistant_entities as entities
from edged.delivery import home_assistant_names as names
from edged.delivery.announcement import Announcement
from edged.delivery.home_assistant_entities import Entity
from edged.delivery.kept_topics import is_of_sink, is_told, told_namespaces
from edged.delivery.topics import Topics
from edged.settings.feeds import Feed
from edged.settings.sinks import HomeAssistant, MqttSink

DEFAULT_BIRTH_TOPIC: Final = "homeassistant/status"
"""Where it says `online` when it has started, whatever its discovery prefix, unless somebody changed that."""


@dataclass(frozen=True, slots=True)
class House:
    """What is announced.

    Attributes:
        device: the id of this device, which is stored: neither the machine's name nor its address.
        version: edged's.
        feeds: all of the configuration.
        has_switch: whether feeds can be switched.
        synced: the namespaces that are kept the same on many nodes.
    """

    device: str
    version: str
    feeds: Sequence[Feed]
    has_switch: bool
    synced: Sequence[str] = ()


def announcements(settings: MqttSink, wanted: HomeAssistant, house: House) -> list[Announcement]:
    """Every discovery message of a sink."""
    topics = Topics(settings.prefix, house.device)
    devices = [_Device.of_machine(house, topics, _machine_entities(settings, topics, house))]
    devices += [
        _Device.of_feed(house, topics, feed, _feed_entities(settings, topics, feed, house))
        for feed in house.feeds
    ]
    if wanted.form == "device":
        return [device.announced(wanted.discovery_prefix) for device in devices]
    return [one for device in devices for one in device.announced_singly(wanted.discovery_prefix)]


def birth_topics(wanted: HomeAssistant) -> tuple[str, ...]:
    """Where Home Assistant may say that it has started."""
    return tuple(dict.fromkeys((DEFAULT_BIRTH_TOPIC, f"{wanted.discovery_prefix}/status")))


def _machine_entities(settings: MqttSink, topics: Topics, house: House) -> list[Entity]:
    found = entities.machine_entities(topics)
    for namespace in told_namespaces(settings, house.feeds):
        found += entities.namespace_entities(topics, namespace)
    for namespace in house.synced:
        if is_of_sink(settings, namespace):
            found += entities.sync_entities(topics, namespace)
    return found


def _feed_entities(settings: MqttSink, topics: Topics, feed: Feed, house: House) -> list[Entity]:
    found = entities.feed_entities(topics, feed.id, has_switch=house.has_switch)
    if is_told(settings, "presence", feed.namespace):
        found += entities.presence_entities(topics, feed.namespace, feed.id)
    if is_told(settings, "event", feed.namespace):
        found += entities.event_entities(topics, feed.namespace, feed.id)
    if settings.image != "none" and is_of_sink(settings, feed.namespace):
        found.append(entities.image_entity(topics, feed.namespace, feed.id))
    return found


@dataclass(frozen=True, slots=True)
class _Device:
    """A device of Home Assistant's: its id in topics, what it is, and its entities with their unique ids."""

    id: str
    card: Mapping[str, object]
    origin: Mapping[str, object]
    status: str
    entities: Mapping[str, Entity]

    @classmethod
    def of_machine(cls, house: House, topics: Topics, found: Iterable[Entity]) -> "_Device":
        return cls(
            id=names.machine_id(house.device),
            card=_card(names.machine_id(house.device), names.machine_name(house.device))
            | {"model": "Recognition camera", "sw_version": house.version},
            origin=_origin(house),
            status=topics.status,
            entities={names.of_machine(house.device, one.key): one for one in found},
        )

    @classmethod
    def of_feed(cls, house: House, topics: Topics, feed: Feed, found: Iterable[Entity]) -> "_Device":
        return cls(
            id=names.feed_id(house.device, feed.id),
            card=_card(names.feed_id(house.device, feed.id), feed.id)
            | {"model": "Feed", "via_device": names.machine_id(house.device)},
            origin=_origin(house),
            status=topics.status,
            entities={names.of_feed(house.device, feed.id, one.key): one for one in found},
        )

    def announced(self, prefix: str) -> Announcement:
        """All entities in one message."""
        components = {
            one.key: {"platform": one.platform, **self._described(unique_id, one)}
            | _wish("default_entity_id", f"{one.platform}.{self._slug(one)}", one)
            for unique_id, one in self.entities.items()
        }
        return Announcement(
            topic=f"{prefix}/device/{self.id}/config",
            payload={"device": self.card, "origin": self.origin, "components": components},
            components={one.key: one.platform for one in self.entities.values()},
        )

    def announced_singly(self, prefix: str) -> list[Announcement]:
        """A message an entity."""
        return [
            Announcement(
                topic=f"{prefix}/{one.platform}/{self.id}/{one.key}/config",
                payload=self._described(unique_id, one)
                # What came before `default_entity_id`, which 2024.3 does not know.
                | _wish("object_id", self._slug(one), one)
                | {"device": self.card, "origin": self.origin},
            )
            for unique_id, one in self.entities.items()
        ]

    def _described(self, unique_id: str, entity: Entity) -> dict[str, object]:
        if entity.is_trigger:
            return dict(entity.options)
        heard = [{"topic": topic, "value_template": made} for topic, made in entity.hears.items()]
        return {
            "unique_id": unique_id,
            "name": entity.name,
            **entity.options,
            "availability": [{"topic": self.status}, *heard],
            "availability_mode": "all",
        }

    def _slug(self, entity: Entity) -> str:
        return names.slug(f"{self.card['name']} {entity.name}")


def _wish(key: str, value: str, entity: Entity) -> dict[str, object]:
    return {} if entity.is_trigger else {key: value}


def _card(identifier: str, name: str) -> dict[str, object]:
    return {"identifiers": [identifier], "name": name, "manufacturer": "edged"}


def _origin(house: House) -> dict[str, object]:
    return {"name": "edged", "sw_version": house.version}
