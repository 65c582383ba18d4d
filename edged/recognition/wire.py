"""From a sighting to what is written on the wire.

Identifiers derive from what they name, so that a replay makes the same ones.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

import msgspec

from edged.domain.box import Box
from edged.domain.event import Event, Presence, PresentPerson
from edged.domain.group import Membership
from edged.domain.identifiers import derived_id
from edged.domain.job import (
    FaceEdge,
    ImageStatus,
    Job,
    JobEdge,
    JobImage,
    JobObject,
    Verdict,
    WireBox,
)
from edged.domain.message import Message, MessageKind
from edged.domain.moment import Moment
from edged.domain.picture_address import PictureAddresses
from edged.recognition.decision import Decision
from edged.recognition.gallery import ALONE
from edged.recognition.presence import Appearance
from edged.recognition.sighting import Observation, Update, View

BoxUnit = Literal["fractions", "pixels"]

_BOX_DIGITS = 5
_SHARE_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Origin:
    """Who speaks: the parts that every identifier of a feed's jobs derives from.

    Attributes:
        device, namespace, feed_id: as configured.
        run: counts the starts of the daemon on its data folder, so that no two runs give the same id; of a
            replay, counts those that began after one that was broken off.
        is_replay: the feed tells of a clip's own time.
    """

    device: str
    namespace: str
    feed_id: str
    run: int
    is_replay: bool

    def job_id(self, number: int, opened: Moment) -> str:
        """Id of the feed's job of that number, from 1."""
        return self._id("job", number, opened)

    def track_id(self, number: int, started: Moment) -> str:
        """Id of the feed's track of that number."""
        return self._id("track", number, started)

    def presence_sequence(self, number: int) -> int:
        """Sequence of the feed's presence message of that number, which no other run of the daemon gives."""
        return self.run * 1_000_000_000 + number

    def _id(self, what: str, number: int, begun: Moment) -> str:
        # With the time: on a new data folder, runs and numbers begin anew, and ids must not come again.
        return derived_id(what, self.device, self.namespace, self.feed_id, self.run, number, begun.utc_ms)


def job_message(origin: Origin, job: Job) -> Message:
    """A telling of a job, ready for the outbox."""
    return Message(
        kind=MessageKind.JOB,
        namespace=origin.namespace,
        feed_id=origin.feed_id,
        subject_id=job.id,
        sequence=job.edge.sequence,
        is_final=job.is_final,
        body=msgspec.json.encode(job),
        at_ms=job.edge.updated_at,
        is_replay=origin.is_replay,
    )


def job_of(
    origin: Origin,
    update: Update,
    unit: BoxUnit,
    addresses: PictureAddresses,
    pictured: Collection[str] = (),
) -> Job:
    """A telling of a job in the API's shape. Every face says what is known of its track by now.

    `pictured` has the ids of the images whose picture is kept.
    """
    job_id = origin.job_id(update.job_number, update.opened)
    return Job(
        id=job_id,
        created_at=update.opened.utc_ms,
        status=update.status,
        feed_id=origin.feed_id,
        images=tuple(
            _image(origin, job_id, view, update, unit, addresses, pictured) for view in update.views
        ),
        edge=JobEdge(
            namespace=origin.namespace,
            device=origin.device,
            sequence=update.sequence,
            origin="camera",
            updated_at=update.at.utc_ms,
            delayed_ms=0,
        ),
    )


def event_message(origin: Origin, appearance: Appearance) -> Message:
    """Somebody came or left, ready for the outbox."""
    event = Event(
        id=derived_id("event", appearance.job_id, appearance.track_id, appearance.type, appearance.at.utc_ms),
        type=appearance.type,
        namespace=origin.namespace,
        feed_id=origin.feed_id,
        device=origin.device,
        job_id=appearance.job_id,
        track_id=appearance.track_id,
        identity_id=appearance.identity_id,
        name=appearance.name,
        confidence=_share(appearance.confidence),
        group_id=appearance.group.group_id if appearance.group else None,
        seen_before=appearance.group.seen_before if appearance.group else None,
        first_seen_at=appearance.group.first_seen_ms if appearance.group else None,
        at=appearance.at.utc_ms,
        age_ms=0,
    )
    return Message(
        kind=MessageKind.EVENT,
        namespace=origin.namespace,
        feed_id=origin.feed_id,
        subject_id=event.id,
        sequence=1,
        is_final=True,
        body=msgspec.json.encode(event),
        at_ms=appearance.at.utc_ms,
        is_replay=origin.is_replay,
    )


def presence_message(origin: Origin, persons: tuple[PresentPerson, ...], number: int, at: Moment) -> Message:
    """Who is in view now, ready for the outbox; `number` counts the feed's presence messages."""
    presence = Presence(
        feed_id=origin.feed_id,
        namespace=origin.namespace,
        device=origin.device,
        persons=persons,
        at=at.utc_ms,
    )
    return Message(
        kind=MessageKind.PRESENCE,
        namespace=origin.namespace,
        feed_id=origin.feed_id,
        subject_id=origin.feed_id,
        sequence=origin.presence_sequence(number),
        is_final=False,
        body=msgspec.json.encode(presence),
        at_ms=at.utc_ms,
        is_replay=origin.is_replay,
    )


def wire_box(box: Box, width_px: int, height_px: int, unit: BoxUnit) -> WireBox:
    """A box as jobs write it, clipped to the frame: fractions to five digits, or whole pixels."""
    if unit == "pixels":
        inside = box.clipped(width_px, height_px)
        return WireBox(
            x_min=round(inside.x_min),
            y_min=round(inside.y_min),
            x_max=round(inside.x_max),
            y_max=round(inside.y_max),
        )
    share = box.fraction_of(width_px, height_px)
    return WireBox(
        x_min=round(share.x_min, _BOX_DIGITS),
        y_min=round(share.y_min, _BOX_DIGITS),
        x_max=round(share.x_max, _BOX_DIGITS),
        y_max=round(share.y_max, _BOX_DIGITS),
    )


def image_id_of(job_id: str, view: View) -> str:
    """Id of the image that a view becomes in its job."""
    return derived_id("image", job_id, view.number)


def _image(
    origin: Origin,
    job_id: str,
    view: View,
    update: Update,
    unit: BoxUnit,
    addresses: PictureAddresses,
    pictured: Collection[str],
) -> JobImage:
    image_id = image_id_of(job_id, view)
    return JobImage(
        id=image_id,
        url=addresses.image(origin.namespace, origin.feed_id, image_id, is_kept=image_id in pictured),
        status=ImageStatus.COMPLETED_SUCCESSFULLY,
        objects=tuple(
            object_of(
                observation,
                update.decisions[observation.track_id],
                group=update.groups.get(observation.track_id),
                face_id=derived_id("face", image_id, observation.track_id),
                at=view.at,
                box=wire_box(observation.face.detection.box, view.width_px, view.height_px, unit),
            )
            for observation in view.observations
        ),
    )


def object_of(
    observation: Observation,
    decision: Decision,
    *,
    face_id: str,
    at: Moment,
    box: WireBox,
    group: Membership | None = None,
) -> JobObject:
    """One face of one image. Without an identity, `confidence` is the detector's score."""
    face = observation.face
    known = decision.verdict is Verdict.KNOWN
    score = round(face.detection.score, _SHARE_DIGITS)
    sure = decision.confidence if known and decision.confidence is not None else score
    margin = decision.margin if decision.margin is not None and decision.margin < ALONE else None
    return JobObject(
        identity_id=decision.identity_id,
        confidence=round(sure, _SHARE_DIGITS),
        created_at=at.utc_ms,
        bounding_box=box,
        edge=FaceEdge(
            face_id=face_id,
            track_id=observation.track_id,
            decision=decision.verdict,
            reason=decision.reason or None,
            corrected=True if decision.corrected else None,
            name=(decision.identity.name or None) if decision.identity else None,
            similarity=_share(decision.similarity),
            required_similarity=_share(decision.required),
            margin=_share(margin),
            quality=_share(face.quality.score if face.quality else None),
            detection_score=score,
            group_id=group.group_id if group else None,
            seen_before=group.seen_before if group else None,
            first_seen_at=group.first_seen_ms if group else None,
        ),
    )


def _share(value: float | None) -> float | None:
    return None if value is None else round(value, _SHARE_DIGITS)
