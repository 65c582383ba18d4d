"""What happens to a frame of one feed, from the gate to the messages."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from edged.domain.face import Detection, Face
from edged.domain.frame import Frame
from edged.domain.message import Message
from edged.domain.moment import Moment
from edged.pipeline.examine import look_closely
from edged.pipeline.ports import Models
from edged.recognition.decision import NOT_YET, Decision, decide
from edged.recognition.evidence import Evidence
from edged.recognition.gallery import Gallery
from edged.recognition.presence import Appearance, PresenceBook
from edged.recognition.sighting import Limits, Observation, SightingBook, Update
from edged.recognition.wire import Origin, event_message, job_message, presence_message
from edged.settings.recognition import Sightings
from edged.settings.root import Settings
from edged.tracking.track import Track, TrackState
from edged.tracking.tracker import Tracker
from edged.vision.motion import MotionGate


@dataclass(slots=True)
class _Person:
    """What the pipeline knows of one track beyond its box."""

    evidence: Evidence = field(default_factory=Evidence)
    decision: Decision = NOT_YET
    next_embedding_ms: int = 0


class FeedPipeline:
    """The gate, tracks and sighting of one feed. Owned by the recogniser's thread.

    `process`, `tick` and `end` return what is to be told, oldest first; nothing else leaves the pipeline.
    """

    def __init__(self, origin: Origin, settings: Settings, models: Models) -> None:
        self.namespace = origin.namespace
        self.is_live = not origin.is_replay
        self.has_ended = False
        self.rejected: Counter[str] = Counter()
        """Faces that were not good enough, by reason."""
        self._origin = origin
        self._settings = settings
        self._models = models
        self._gate = MotionGate(settings.motion)
        self._tracker = Tracker(settings.tracking)
        self._people: dict[int, _Person] = {}
        self._sightings = SightingBook(_limits(settings.sightings))
        self._presence = PresenceBook(round(settings.sightings.close_after * 1000))
        self._presence_told = 0
        self._last_at: Moment | None = None
        self._size: tuple[int, int] | None = None

    def configure(self, settings: Settings) -> None:
        """Go on with other settings; tracks and the open sighting stay."""
        if settings.motion != self._settings.motion:
            self._gate = MotionGate(settings.motion)
        self._settings = settings
        self._sightings.limits = _limits(settings.sightings)
        self._presence.leave_after_ms = self._sightings.limits.close_after_ms

    def begin(self, at: Moment) -> list[Message]:
        """Nobody is there: whatever was told before the daemon started no longer holds."""
        self._last_at = at
        return [self._presence_message(at)]

    def process(self, frame: Frame, gallery: Gallery) -> list[Message]:
        """Look at one frame, `gallery` being who is enrolled at this moment."""
        told = [] if self._last_at else self.begin(frame.at)
        self._last_at = frame.at
        if self._size != (frame.width_px, frame.height_px):
            self._size = (frame.width_px, frame.height_px)
            self._forget(self._tracker.reset())
        if not self._gate.update(frame.at, frame.pixels, busy=self._tracker.is_busy):
            return told + self.tick(frame.at)
        detections = [
            detection
            for detection in self._models.detector.detect(frame.pixels)
            if min(detection.box.width, detection.box.height) >= self._settings.detection.min_face_px
        ]
        followed = self._tracker.update(frame.at, detections)
        self._forget(followed.ended)
        observations = [
            observation
            for track in followed.tracks
            if track.detection is not None
            for observation in self._observe(frame, track, detections[track.detection], gallery)
        ]
        updates = self._sightings.observe(frame.at, frame.width_px, frame.height_px, observations)
        return told + self._tell(frame.at, updates, self._seen(frame.at, observations))

    def tick(self, at: Moment) -> list[Message]:
        """Let time pass without a frame."""
        return self._tell(at, self._sightings.tick(at), [])

    def end(self, at: Moment) -> list[Message]:
        """The feed or the daemon ends: close the sighting, nobody is there any more."""
        if self.has_ended or self._last_at is None:
            self.has_ended = True
            return []
        self.has_ended = True
        # A clip's own time has nothing to do with the clock's: it ends with its last frame.
        last = at if self.is_live else self._last_at
        updates = self._sightings.close(last)
        return self._tell(last, updates, self._presence.clear(last))

    def _observe(
        self, frame: Frame, track: Track, detection: Detection, gallery: Gallery
    ) -> list[Observation]:
        """Look closer where that is due; the observation of a track that is confirmed by now."""
        person = self._people.setdefault(track.number, _Person())
        face = Face(detection)
        due = frame.at.steady_ms >= person.next_embedding_ms
        if track.wants_verdict or due:
            look = look_closely(self._models, self._settings.quality, frame.pixels, detection)
            is_face = look.presence >= self._settings.quality.min_presence
            track = self._tracker.judge(track.number, is_face=is_face)
            face = look.face
            if due and look.is_good:
                face = look.embedded(self._models.embedder.embed(look.chip))
                self._weigh(person, face, frame.at, gallery)
            elif face.quality is not None:
                self.rejected.update(face.quality.rejections)
        if track.state is not TrackState.CONFIRMED:
            return []
        return [Observation(self._origin.track_id(track.number, track.started_at), face, person.decision)]

    def _weigh(self, person: _Person, face: Face, at: Moment, gallery: Gallery) -> None:
        """Fuse one good face and decide anew."""
        settings = self._settings.recognition
        if face.embedding is None or face.quality is None:
            return
        person.evidence.add(face.embedding, face.quality.score)
        person.decision = decide(person.evidence, gallery, settings, person.decision)
        decided = person.decision.verdict != NOT_YET.verdict
        rate = settings.embeddings_per_s_decided if decided else settings.embeddings_per_s
        person.next_embedding_ms = at.steady_ms + round(1000 / rate)

    def _forget(self, ended: Sequence[Track]) -> None:
        for track in ended:
            self._people.pop(track.number, None)

    def _seen(self, at: Moment, observations: Sequence[Observation]) -> list[Appearance]:
        if self._sightings.latest is None:
            return []
        job_id = self._origin.job_id(*self._sightings.latest)
        return [
            appearance
            for observation in observations
            for appearance in self._presence.see(job_id, observation.track_id, observation.decision, at)
        ]

    def _tell(
        self, at: Moment, updates: Sequence[Update], appearances: Sequence[Appearance]
    ) -> list[Message]:
        changes = [*appearances, *self._presence.expire(at)]
        unit = self._settings.sightings.bounding_box
        messages = [job_message(self._origin, update, unit) for update in updates]
        messages += [event_message(self._origin, change) for change in changes]
        if changes:
            messages.append(self._presence_message(at))
        return messages

    def _presence_message(self, at: Moment) -> Message:
        self._presence_told += 1
        return presence_message(self._origin, self._presence.persons(), self._presence_told, at)


def _limits(sightings: Sightings) -> Limits:
    return Limits(
        close_after_ms=round(sightings.close_after * 1000),
        max_age_ms=round(sightings.max_age * 1000),
        max_images=sightings.max_images,
        min_interval_ms=round(sightings.min_interval * 1000),
    )
