"""What the history is told of one feed's jobs: each telling, what is new of its faces, and its pictures."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, Protocol

from edged.domain.face import Face
from edged.domain.frame import Frame, Pixels
from edged.domain.history import HistoryEntry, SeenFace
from edged.domain.job import Job, JobImage, JobObject
from edged.domain.picture_address import PictureAddresses
from edged.pipeline.compressor import HeldPicture
from edged.recognition.seen_face import seen_face_of
from edged.recognition.sighting import Kept, Update, View
from edged.recognition.wire import Origin, image_id_of, job_of
from edged.settings.root import Settings

_NEVER_TOLD: Final = ""


class TakePicture(Protocol):
    """Begins to compress a frame, see `Historian.take_picture`."""

    def __call__(
        self, image_id: str, pixels: Pixels, created_ms: int, *, may_wait: bool = False
    ) -> HeldPicture | None:
        """Take the frame by reference; None where too many wait and it may not."""
        ...


@dataclass(frozen=True, slots=True)
class CameraHistory:
    """What it takes to have a feed's jobs remembered.

    Attributes:
        tell: hands a telling over to whoever keeps them; does not wait.
        take_picture: begins to compress a frame; None where whole pictures are not kept.
        addresses: how pictures are called.
        model_hash: SHA-256 (hex) of the embedder.
    """

    tell: Callable[[HistoryEntry, tuple[HeldPicture, ...]], None]
    take_picture: TakePicture | None
    addresses: PictureAddresses
    model_hash: str


@dataclass(slots=True)
class _Remembered:
    """What is known of a job that is not final yet.

    Attributes:
        told: the faces that were told, each with who it was said to be.
        pictured: ids of the images whose picture is kept.
        untold: pictures that the next telling brings.
    """

    told: dict[str, str | None] = field(default_factory=dict)
    pictured: set[str] = field(default_factory=set)
    untold: list[HeldPicture] = field(default_factory=list)

    def take_pictures_of(self, job: Job) -> tuple[HeldPicture, ...]:
        """The pictures that this telling brings; one of a view that came a moment later waits."""
        images = {image.id for image in job.images}
        taken = tuple(picture for picture in self.untold if picture.image_id in images)
        self.untold = [picture for picture in self.untold if picture.image_id not in images]
        return taken


class JobMemory:
    """Makes the jobs of one feed and has them remembered. Owned by the recogniser's thread.

    Without a history it only makes the jobs.
    """

    def __init__(self, origin: Origin, history: CameraHistory | None = None) -> None:
        self._origin = origin
        self._history = history
        self._addresses = history.addresses if history else PictureAddresses(origin.device)
        self._jobs: dict[str, _Remembered] = {}
        """Those that are not final: one, or two while one gives way to the next."""
        self._forgotten: set[str] = set()
        """Tracks of people who were removed while a job was open. The few there are need no end."""

    def keep_picture(self, kept: Kept, frame: Frame) -> None:
        """Keep the frame of a view that a job has just got, where pictures are kept and few wait."""
        if self._history is None or self._history.take_picture is None:
            return
        job_id = self._origin.job_id(kept.job_number, kept.opened)
        image_id = image_id_of(job_id, kept.view)
        # A replay waits, as it does at every narrow place: the same clip gives the same addresses again.
        held = self._history.take_picture(
            image_id, frame.pixels, frame.at.utc_ms, may_wait=self._origin.is_replay
        )
        if held is not None:
            remembered = self._jobs.setdefault(job_id, _Remembered())
            remembered.pictured.add(image_id)
            remembered.untold.append(held)

    def forget(self, track_ids: Iterable[str]) -> None:
        """Have nothing more of these tracks remembered while nobody is named for them.

        Their people were removed, and whoever did that deleted what was told of them before.
        """
        if self._history is not None:
            self._forgotten.update(track_ids)

    def job(self, update: Update, settings: Settings) -> Job:
        """The telling of a job, of which the history is told as well."""
        unit = settings.sightings.bounding_box
        if self._history is None:
            return job_of(self._origin, update, unit, self._addresses)
        job_id = self._origin.job_id(update.job_number, update.opened)
        remembered = self._jobs.setdefault(job_id, _Remembered())
        if self._forgotten:
            self._drop_pictures(remembered, job_id, update)
        job = job_of(self._origin, update, unit, self._addresses, remembered.pictured)
        faces = tuple(
            self._seen(self._history, settings, image, view, obj, face)
            for image, view, obj, face in self._news(remembered, job, update)
        )
        pictures = remembered.take_pictures_of(job)
        if job.is_final:
            del self._jobs[job_id]
        self._history.tell(HistoryEntry(job, faces), pictures)
        return job

    def _seen(
        self,
        history: CameraHistory,
        settings: Settings,
        image: JobImage,
        view: View,
        obj: JobObject,
        face: Face,
    ) -> SeenFace:
        return seen_face_of(
            obj,
            face,
            image_id=image.id,
            feed_id=self._origin.feed_id,
            custom_id=None,
            model_hash=history.model_hash,
            min_sharpness=settings.quality.min_sharpness,
            width_px=view.width_px,
            height_px=view.height_px,
        )

    def _news(
        self, remembered: _Remembered, job: Job, update: Update
    ) -> Iterator[tuple[JobImage, View, JobObject, Face]]:
        """The faces that were not told yet, or told as somebody else."""
        for image, view in zip(job.images, update.views, strict=True):
            for obj, observation in zip(image.objects, view.observations, strict=True):
                face_id = obj.edge.face_id
                is_told = remembered.told.get(face_id, _NEVER_TOLD) == obj.identity_id
                if not is_told and not self._hides(obj.edge.track_id, obj.identity_id):
                    remembered.told[face_id] = obj.identity_id
                    yield image, view, obj, observation.face

    def _hides(self, track_id: str, identity_id: str | None) -> bool:
        """Whether a track of which this is said is that of somebody who was removed."""
        return identity_id is None and track_id in self._forgotten

    def _drop_pictures(self, remembered: _Remembered, job_id: str, update: Update) -> None:
        """Keep no picture that shows somebody who was removed."""
        hidden = {
            track_id
            for track_id, decision in update.decisions.items()
            if self._hides(track_id, decision.identity_id)
        }
        dropped = {
            image_id_of(job_id, view)
            for view in update.views
            if any(observation.track_id in hidden for observation in view.observations)
        }
        remembered.pictured -= dropped
        remembered.untold = [picture for picture in remembered.untold if picture.image_id not in dropped]
