"""What edged keeps about whom, for how long, and where it goes: as plain values, for people and programs."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from edged.app.privacy_outward import api_clients, feeds_of, sinks_of, sync_of
from edged.domain.errors import IdentityError, StoreError
from edged.domain.identity import Identity
from edged.domain.moment import Moment
from edged.settings.root import Settings
from edged.store.api_store import FILE_NAME as API_FILE_NAME
from edged.store.api_store import ApiStore
from edged.store.database import open_database, reading
from edged.store.erasures import outbox_in
from edged.store.feed_switches import FeedSwitches
from edged.store.kept_figures import Kept, feeds_of_person, is_encrypted, kept_of_all, kept_of_person
from edged.store.namespace_files import NAMESPACE_SCHEMA, namespace_path, namespaces_in
from edged.store.namespace_lookup import find_identity, people_meant
from edged.store.namespace_queries import identities
from edged.store.namespace_snapshots import Snapshots
from edged.store.sync_inspection import sync_sight

UNTIL_ERASED: Final = "until somebody erases them"


def report(data_dir: Path, settings: Settings | None, now: Moment) -> dict[str, Any]:
    """Everything. What cannot be read is among it as a trouble, in words.

    Nothing is changed, but that an outbox or an api.db of an older edged is migrated.
    """
    told: dict[str, Any] = {"at": now.utc_ms, "dataDir": str(data_dir), "namespaces": []}
    for namespace in namespaces_in(data_dir):
        told["namespaces"].append(_of_namespace(data_dir, namespace, settings))
    told["outbox"] = _of_outbox(data_dir, now)
    told["tokens"] = _tokens(data_dir, settings, now)
    told["damagedCopies"] = damaged_files(data_dir)
    if settings is not None:
        told |= {
            "feeds": _switched(feeds_of(settings), data_dir),
            "sinks": sinks_of(settings),
            "api": api_clients(settings),
        }
    return told


def report_of_person(
    data_dir: Path, settings: Settings | None, now: Moment, reference: str, namespace: str | None
) -> dict[str, Any]:
    """What is kept of one person: what to answer to "what do you keep about me?".

    Raises IdentityError where nobody, or more than one person, is meant; StoreError for a file that cannot be
    read: an answer that leaves something out would be wrong.
    """
    names = namespaces_in(data_dir) if namespace is None else [namespace]
    found: list[tuple[str, Identity]] = []
    everybody: list[Identity] = []
    for name in names:
        path = namespace_path(data_dir, name)
        if not path.exists():
            continue
        with closing(open_database(path, NAMESPACE_SCHEMA, read_only=True)) as file:
            people = identities(file)
        everybody += people
        found += [(name, one) for one in people_meant(people, reference)]
    if not everybody:
        raise IdentityError(f"nobody is enrolled in {data_dir}")
    if not found:
        # It raises, and says who is near.
        find_identity(everybody, reference)
    if len(found) > 1:
        listed = ", ".join(f"{one.label} ({one.id}) in namespace {name}" for name, one in found)
        raise IdentityError(
            f"{reference!r} is more than one person: {listed}",
            remedy="Name one by the id, or say --namespace.",
        )
    return _of_person(data_dir, *found[0], settings, now)


def _switched(feeds: list[dict[str, Any]], data_dir: Path) -> list[dict[str, Any]]:
    """The feeds, each with whether its switch is on."""
    try:
        off = FeedSwitches(data_dir).off()
    except StoreError as error:
        return [feed | {"trouble": error.what} for feed in feeds]
    return [feed | {"on": feed["feedId"] not in off} for feed in feeds]


def _of_person(
    data_dir: Path, namespace: str, person: Identity, settings: Settings | None, now: Moment
) -> dict[str, Any]:
    path = namespace_path(data_dir, namespace)
    with closing(open_database(path, NAMESPACE_SCHEMA, read_only=True)) as file, reading(file):
        kept = [_line(one, settings) for one in kept_of_person(file, person.id)]
        feeds, sealed, sight = feeds_of_person(file, person.id), is_encrypted(file), sync_sight(file)
    outbox = outbox_in(data_dir)
    waiting = 0
    if outbox is not None:
        with closing(outbox):
            waiting = outbox.mentions_of(namespace, [person.id]).mentioning
    told: dict[str, Any] = {
        "at": now.utc_ms,
        "namespace": namespace,
        "id": person.id,
        "name": person.name,
        "enrolledAt": person.created_ms,
        "changedAt": person.updated_ms,
        "encrypted": sealed,
        "kept": kept,
        "seenAt": feeds,
        "unsentMessages": waiting,
        "snapshots": len(Snapshots(path).newest_first()),
        "damagedCopies": damaged_files(data_dir),
    }
    if sight is not None:
        told["sync"] = sync_of(settings, sight)
    if person.custom_id is not None:
        told["customId"] = person.custom_id
    if settings is not None:
        told["toldTo"] = [
            sink for sink in sinks_of(settings) if not sink["namespaces"] or namespace in sink["namespaces"]
        ]
    return told


def _of_namespace(data_dir: Path, namespace: str, settings: Settings | None) -> dict[str, Any]:
    path = namespace_path(data_dir, namespace)
    told: dict[str, Any] = {"namespace": namespace, "sizeBytes": _size(path)}
    try:
        with closing(open_database(path, NAMESPACE_SCHEMA, read_only=True)) as file, reading(file):
            told["encrypted"] = is_encrypted(file)
            told["kept"] = [_line(one, settings) for one in kept_of_all(file)]
            told["people"] = [_person(file, one) for one in identities(file)]
            sight = sync_sight(file)
            if sight is not None:
                told["sync"] = sync_of(settings, sight)
    except StoreError as error:
        told["trouble"] = error.what
    told["snapshots"] = [
        {"file": str(one.path), "madeAt": one.made_ms, "sizeBytes": _size(one.path)}
        for one in Snapshots(path).newest_first()
    ]
    return told


def _person(connection: sqlite3.Connection, person: Identity) -> dict[str, Any]:
    kept = {one.what: one.number for one in kept_of_person(connection, person.id)}
    told: dict[str, Any] = {
        "id": person.id,
        "name": person.name,
        "enrolledAt": person.created_ms,
        "changedAt": person.updated_ms,
    }
    return told | kept


def _line(kept: Kept, settings: Settings | None) -> dict[str, Any]:
    """How much of something, with its limits where the configuration is known."""
    told: dict[str, Any] = {"what": kept.what, "number": kept.number}
    if kept.size_bytes is not None:
        told["sizeBytes"] = kept.size_bytes
    if kept.number and kept.oldest_ms is not None:
        told |= {"oldestAt": kept.oldest_ms, "newestAt": kept.newest_ms}
    limits = {} if settings is None else _limits(settings).get(kept.what, {})
    told |= limits
    max_age_ms = limits.get("maxAgeMs")
    if max_age_ms is not None and "oldestAt" in told:
        told["oldestGoesAt"] = told["oldestAt"] + max_age_ms
    return told


def _limits(settings: Settings) -> Mapping[str, Mapping[str, Any]]:
    """By what is kept: its limits, as the configuration has them."""
    history, groups, chips = settings.history, settings.groups, settings.privacy.chips
    of_groups = {"maxAgeMs": _ms(groups.max_age), "most": groups.max_groups, "maxBytes": groups.max_bytes}
    of_chips: dict[str, Any] = {"keep": chips.keep}
    if chips.max_age is not None:
        of_chips["maxAgeMs"] = _ms(chips.max_age)
    if chips.max_bytes is not None:
        of_chips["maxBytes"] = chips.max_bytes
    return {
        "people": {"kept": UNTIL_ERASED},
        "faces": {"kept": UNTIL_ERASED},
        "embeddings": {"kept": UNTIL_ERASED},
        "crops": of_chips,
        "unknownPeople": of_groups | {"keep": groups.enabled},
        "jobs": {
            "maxAgeMs": _ms(history.jobs.max_age),
            "most": history.jobs.most,
            "maxBytes": history.jobs.max_bytes,
        },
        "seenFaces": {
            "maxAgeMs": _ms(history.faces.max_age),
            "most": history.faces.most,
            "maxBytes": history.faces.max_bytes,
        },
        "pictures": {
            "keep": history.pictures.keep,
            "maxAgeMs": _ms(history.pictures.max_age),
            "maxBytes": history.pictures.max_bytes,
        },
    }


def _of_outbox(data_dir: Path, now: Moment) -> dict[str, Any]:
    try:
        outbox = outbox_in(data_dir)
        if outbox is None:
            return {}
        with closing(outbox):
            status = outbox.status(now)
    except StoreError as error:
        return {"trouble": error.what}
    return {
        "messages": status.messages,
        "sizeBytes": status.bytes,
        "openJobs": status.open_jobs,
        "sinks": [
            {"sink": one.sink, "waiting": one.waiting, "deadLetters": one.dead}
            | ({} if one.oldest_age_ms is None else {"oldestForMs": one.oldest_age_ms})
            for one in status.sinks
        ],
        "webhooks": [
            {"where": one.where, "waiting": one.waiting}
            | ({} if one.client_id is None else {"clientId": one.client_id})
            for one in status.hooks
        ],
    }


def _tokens(data_dir: Path, settings: Settings | None, now: Moment) -> dict[str, Any]:
    """How many access tokens each client of the API has that are not over."""
    if settings is None or settings.http is None or not (data_dir / API_FILE_NAME).exists():
        return {}
    try:
        with closing(ApiStore(data_dir)) as store:
            return {
                client.id: sum(token.expires_ms > now.utc_ms for token in store.tokens(client.id))
                for client in settings.http.clients
            }
    except StoreError as error:
        return {"trouble": error.what}


def damaged_files(data_dir: Path) -> list[dict[str, Any]]:
    """Files that the daemon put aside because they were damaged: whoever was in them is in them still."""
    found = [*data_dir.glob("*.db.corrupt-*"), *(data_dir / "namespaces").glob("*.db.corrupt-*")]
    return [{"file": str(path), "sizeBytes": _size(path)} for path in sorted(found)]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
