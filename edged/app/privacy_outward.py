"""What the configuration says of privacy: which feeds look where and when, who is told, and who may ask."""

from typing import Any
from urllib.parse import urlsplit

from edged.delivery.route import sink_id
from edged.domain.sync_state import SyncRole
from edged.settings.root import Settings
from edged.settings.sinks import AnySink, ConsoleSink, FileSink, MqttSink
from edged.store.sync_inspection import SyncSight


def feeds_of(settings: Settings) -> list[dict[str, Any]]:
    """What of each feed is blacked out, and when it is looked at."""
    return [
        {
            "feedId": feed.id,
            "namespace": feed.namespace,
            "masks": [mask.name or f"mask {number}" for number, mask in enumerate(feed.masks, 1)],
            "schedule": [f"{', '.join(hours.days)} {hours.begin} to {hours.end}" for hours in feed.schedule],
        }
        for feed in settings.feeds
    ]


def sinks_of(settings: Settings) -> list[dict[str, Any]]:
    """Who is told what, and whether others can read along."""
    return [_sink(sink) for sink in settings.sinks]


def sync_of(settings: Settings | None, sight: SyncSight) -> dict[str, Any]:
    """What the sync of a namespace carries elsewhere, and by whom it can be read there."""
    member, sync = sight.membership, settings.sync if settings is not None else None
    told: dict[str, Any] = {
        "role": str(member.role),
        "node": member.node,
        "authority": member.authority.hex()[:16],
        "carried": ["names", "customIds", "embeddings"],
        "readableByBroker": False,
    }
    if settings is not None and sync is not None:
        told["carried"] += ["crops"] if sync.chips else []
        told["carried"] += ["unknownPeople"] if sync.groups and settings.groups.enabled else []
    if member.role is SyncRole.AUTHORITY:
        told["members"] = [one.node for one in sight.members]
        if sight.epoch is not None:
            late = [one.node for one in sight.members if one.swept_epoch < sight.epoch.erased_epoch]
            told["erasureNotConfirmedBy"] = late
    if settings is not None:
        told |= _sync_places(settings)
    return told


def _sync_places(settings: Settings) -> dict[str, Any]:
    """Where pages lie besides the nodes."""
    sync = settings.sync
    brokers = [sink for sink in settings.sinks if isinstance(sink, MqttSink)]
    if sync is not None and sync.broker is not None:
        brokers = [sink for sink in brokers if sink_id(sink) == sync.broker]
    places: dict[str, Any] = {}
    if len(brokers) == 1:
        told = _sink(brokers[0])
        places |= {"broker": told["where"], "encryptedInTransit": told["encryptedInTransit"]}
    if sync is not None and sync.mirror is not None:
        parts = urlsplit(sync.mirror)
        places["mirror"] = f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")
    if sync is not None and sync.export is not None:
        places["export"] = sync.export
    return places


def api_clients(settings: Settings) -> dict[str, Any]:
    """Who may ask for what is kept; empty where nobody may."""
    http = settings.http
    if http is None or not http.clients:
        return {}
    return {
        "listen": http.listen,
        "encryptedInTransit": http.tls is not None,
        "clients": [
            {"clientId": client.id, "scopes": list(client.scopes), "namespaces": list(client.namespaces)}
            for client in http.clients
        ],
    }


def _sink(sink: AnySink) -> dict[str, Any]:
    told: dict[str, Any] = {"namespaces": list(sink.namespaces), "sent": list(sink.send)}
    if isinstance(sink, MqttSink):
        port = sink.port or (1883 if sink.tls is None else 8883)
        return {
            "sink": sink.id or "mqtt",
            "type": "mqtt",
            "where": f"{sink.host}:{port}",
            "encryptedInTransit": sink.tls is not None,
            "image": sink.image,
            "homeAssistant": sink.home_assistant is not None,
            **told,
        }
    if isinstance(sink, FileSink):
        return {"sink": sink.id or "file", "type": "file", "where": sink.path, **told}
    if isinstance(sink, ConsoleSink):
        return {"sink": sink.id or "console", "type": "console", "where": "standard output", **told}
    # Without path, query and user: they may hold secrets.
    parts = urlsplit(sink.url)
    port_of = f":{parts.port}" if parts.port else ""
    return {
        "sink": sink.id or "webhook",
        "type": "webhook",
        "where": f"{parts.scheme}://{parts.hostname}{port_of}",
        "encryptedInTransit": parts.scheme == "https",
        **told,
    }
