"""A data folder with somebody to erase in everything that edged keeps."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from builders.history import a_job, a_seen_face, an_entry
from builders.namespaces import (
    START_UTC_MS,
    a_new_face,
    a_store,
    random_chip,
    random_unit,
    raw_bytes,
)
from edged.app.erasing import Receipt, erase
from edged.delivery.route import Route
from edged.delivery.settlement import Settlement
from edged.domain.event import Event, EventType, Presence, PresentPerson
from edged.domain.job import Job, JobStatus
from edged.domain.message import Message, MessageKind
from edged.domain.moment import Moment
from edged.store.history_store import HistoryStore
from edged.store.namespace_chips import chip_to_png, embedding_to_bytes
from edged.store.outbox import Outbox

NAME, CUSTOM_ID = "Zuzanna Quixwold", "staff-quixwold-77"
OTHER = "Bob Otherman"
NOW = Moment(steady_ms=5000, utc_ms=START_UTC_MS)
SINKS = ("broker", "hook-sink")


def with_names(job: Job, names: Mapping[str | None, str]) -> Job:
    """The job, in which whoever is known has their name."""
    images = []
    for image in job.images:
        objects = tuple(
            msgspec.structs.replace(
                one, edge=msgspec.structs.replace(one.edge, name=names.get(one.identity_id))
            )
            for one in image.objects
        )
        images.append(msgspec.structs.replace(image, objects=objects))
    return msgspec.structs.replace(job, images=tuple(images))


class Home:
    """A data folder with people in everything that edged keeps."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.outbox = Outbox(folder, [Route(sink, frozenset(MessageKind), frozenset()) for sink in SINKS])
        self.outbox.begin(NOW, "boot")
        with a_store(folder) as store:
            faces = [a_new_face(one, chip=True, source=f"{NAME}.jpg") for one in (1, 2)]
            self.her = store.add_identity(NAME, faces, custom_id=CUSTOM_ID).id
            self.him = store.add_identity(OTHER, [a_new_face(3, chip=True)]).id
            store.snapshots.take(store.connection, START_UTC_MS)
            history = HistoryStore(store)
            history.record(
                [
                    an_entry(1, [a_seen_face(11, identity_id=self.her)], pictures=True, name=NAME),
                    an_entry(2, [a_seen_face(12, identity_id=self.him)], pictures=True, name=OTHER),
                    # Of her track, before anybody knew.
                    an_entry(3, [a_seen_face(13, track_id=a_seen_face(11).track_id)]),
                ]
            )

    def tell(self, number: int = 1, *, final: bool = True, namespace: str = "home") -> None:
        """Commit what a job of both, her event and a presence of both say."""
        hers = a_seen_face(100 + number, identity_id=self.her)
        his = a_seen_face(200 + number, identity_id=self.him)
        before = a_seen_face(300 + number, track_id=hers.track_id)
        job = a_job(
            50 + number,
            [hers, his, before],
            status=JobStatus.COMPLETED_SUCCESSFULLY if final else JobStatus.IN_PROGRESS,
        )
        job = with_names(job, {self.her: NAME, self.him: OTHER})
        event = Event(
            id=f"event-{number}",
            type=EventType.KNOWN,
            namespace=namespace,
            feed_id="door",
            device="porch",
            job_id=job.id,
            track_id=hers.track_id,
            identity_id=self.her,
            name=NAME,
            confidence=0.9,
            at=START_UTC_MS,
            age_ms=0,
        )
        persons = tuple(
            PresentPerson(track_id=one.track_id, identity_id=who, name=name, since=1)
            for one, who, name in ((hers, self.her, NAME), (his, self.him, OTHER))
        )
        presence = Presence(feed_id="door", namespace=namespace, device="porch", persons=persons, at=1)
        told = (
            (MessageKind.JOB, job.id, job, final),
            (MessageKind.EVENT, event.id, event, True),
            (MessageKind.PRESENCE, "door", presence, False),
        )
        self.outbox.commit(
            [
                Message(kind, namespace, "door", subject, 1, is_final, msgspec.json.encode(body), 1)
                for kind, subject, body, is_final in told
            ],
            NOW,
        )

    def bury(self) -> None:
        """Make dead letters of all that waits for one sink."""
        parcels = self.outbox.claim("hook-sink", 1000, NOW, 60)
        self.outbox.settle("hook-sink", Settlement(buried=tuple((one.id, "no") for one in parcels)), NOW)

    def erase(self, who: str | None = None) -> Receipt:
        """Erase her, or whoever is named by the id."""
        with a_store(self.folder) as store:
            return erase(store, "home", [who or self.her], self.outbox)

    def sent(self, sink: str = "broker") -> list[tuple[MessageKind, dict[str, Any]]]:
        """What the sink is sent now, by kind."""
        parcels = self.outbox.claim(sink, 1000, NOW.plus_ms(120_000), 60)
        return [(one.message.kind, msgspec.json.decode(one.message.body)) for one in parcels]

    def traces(self) -> list[str]:
        """What of her is in any file; the bare id may be in the database and in the outbox's state."""
        self.outbox.close()
        content = raw_bytes(self.folder)
        wanted = {
            "name": NAME.encode(),
            "customId": CUSTOM_ID.encode(),
            "chip": chip_to_png(random_chip(1))[2000:2100],
            "second chip": chip_to_png(random_chip(2))[2000:2100],
            "embedding": embedding_to_bytes(random_unit(1))[:64],
            "seen chip": chip_to_png(random_chip(11))[2000:2100],
            "seen embedding": embedding_to_bytes(random_unit(11))[:64],
            "in a job": f'"identityId":"{self.her}"'.encode(),
        }
        return [what for what, needle in wanted.items() if needle in content]

    def is_his_all_there(self) -> bool:
        """Whether what is kept of him is on the disk still."""
        content = raw_bytes(self.folder)
        return all(
            needle in content
            for needle in (
                OTHER.encode(),
                chip_to_png(random_chip(3))[2000:2100],
                f'"identityId":"{self.him}"'.encode(),
            )
        )
