"""What happens to a frame of one feed, from the gate to the messages."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import msgspec

from edged.domain.face import Detection, Face, Rejection
from edged.domain.feed_state import FeedState
from edged.domain.frame import Frame
from edged.domain.message import Message
from edged.domain.moment import Moment
from edged.pipeline.examine import look_closer
from edged.pipeline.face_picture import FacePicture
from edged.pipeline.ports import Models
from edged.pipeline.remembering import CameraHistory
from edged.pipeline.stages import Stage, StageTimes
from edged.pipeline.telling import Teller
from edged.pipeline.unknown_people import UnknownPeople
from edged.recognition.decision import NOT_YET, Decision, Rule, decide
from edged.recognition.evidence import Evidence
from edged.recognition.gallery import Gallery
from edged.recognition.presence import Sight, key_of
from edged.recognition.sighting import Limits, Observation, SightingBook
from edged.recognition.takeover import LIKE_NOBODY_FROM, GoodFace, TakeoverWatch
from edged.recognition.wire import Origin
from edged.settings.root import Settings
from edged.tracking.belief import Glance
from edged.tracking.track import Track, TrackState
from edged.tracking.tracker import Tracker
from edged.vision.fit import fit_of
from edged.vision.motion import MotionGate

SETTLED_LOOKS: Final = 12
"""After so many good faces a decided person is looked at half as often: somebody who stays costs little."""


@dataclass(slots=True)
class _Person:
    """What the pipeline knows of one track beyond its box."""

    evidence: Evidence = field(default_factory=Evidence)
    watch: TakeoverWatch = field(default_factory=TakeoverWatch)
    decision: Decision = NOT_YET
    next_embedding_ms: int = 0


class FeedPipeline:
    """The gate, tracks and sighting of one feed. Owned by the recogniser's thread.

    `process`, `tick` and `end` return what is to be told, oldest first; nothing else leaves the pipeline.
    """

    def __init__(
        self,
        origin: Origin,
        settings: Settings,
        models: Models,
        unknown: UnknownPeople | None = None,
        history: CameraHistory | None = None,
        times: StageTimes | None = None,
        picture: FacePicture | None = None,
    ) -> None:
        self.namespace = origin.namespace
        self.is_live = not origin.is_replay
        self.has_ended = False
        self.rejected: Counter[str] = Counter()
        """Faces that were not used, by reason; one with several reasons is counted under each."""
        self.refused: Counter[str] = Counter()
        """Tracks that were never believed, by reason."""
        self.takeovers = 0
        """Tracks that were split because somebody else had them."""
        self.decided: Counter[str] = Counter()
        """Decisions of tracks, by verdict: each new one, and undecided where a track ended without."""
        self.is_grey = False
        """Whether the last good face had no colours."""
        self._origin = origin
        self._settings = settings
        self._models = models
        self._rule = Rule(settings.recognition, models.calibrated())
        times = times or StageTimes()
        self._gate_watch = times.watch(Stage.GATE)
        self._decide_watch = times.watch(Stage.DECIDE)
        self._gate = MotionGate(settings.motion)
        self._tracker = Tracker(settings.tracking)
        self._people: dict[int, _Person] = {}
        self._unknown = unknown or UnknownPeople(origin.feed_id)
        self._teller = Teller(origin, settings, history)
        self._picture = picture
        self._gallery: Gallery | None = None
        self._sightings = SightingBook(Limits.of(settings.sightings))
        self._last_at: Moment | None = None
        self._size: tuple[int, int] | None = None

    def configure(self, settings: Settings) -> None:
        """Go on with other settings; tracks and the open sighting stay."""
        if settings.motion != self._settings.motion:
            self._gate = MotionGate(settings.motion)
        self._settings = settings
        self._rule = Rule(settings.recognition, self._rule.calibration)
        self._sightings.limits = Limits.of(settings.sightings)
        self._teller.configure(settings)

    def begin(self, at: Moment) -> list[Message]:
        """Nobody is there: whatever was told before the daemon started no longer holds."""
        self._last_at = at
        return [self._teller.presence_message(at)]

    def process(self, frame: Frame, gallery: Gallery) -> list[Message]:
        """Look at one frame, `gallery` being who is enrolled at this moment."""
        told = [] if self._last_at else self.begin(frame.at)
        self._last_at = frame.at
        told += self._heed(frame.at, gallery)
        if self._size != (frame.width_px, frame.height_px):
            self._size = (frame.width_px, frame.height_px)
            self._forget(self._tracker.reset())
        with self._gate_watch:
            moves = self._gate.update(frame.at, frame.pixels, busy=self._tracker.is_busy)
        if not moves:
            return told + self.tick(frame.at)
        detections = self._detect(frame)
        followed = self._tracker.update(frame.at, detections)
        self._forget(followed.ended)
        observations = [
            observation
            for track in followed.tracks
            if track.detection is not None
            for observation in self._observe(frame, track, detections[track.detection], gallery)
        ]
        updates = self._sightings.observe(frame.at, frame.width_px, frame.height_px, observations)
        if self._sightings.kept is not None:
            self._teller.memory.keep_picture(self._sightings.kept, frame)
        appearances = self._teller.seen(self._sightings.latest, frame.at, observations)
        if self._picture is not None and (appearances or self._sightings.kept is not None):
            self._picture.look(frame, observations, {key_of(one.person) for one in self.sights()})
        return told + self._teller.tell(frame.at, updates, appearances)

    def tick(self, at: Moment, gallery: Gallery | None = None) -> list[Message]:
        """Let time pass without a frame; `gallery` is who is enrolled by now."""
        told = self._heed(at, gallery) if gallery is not None else []
        return told + self._teller.tell(at, self._sightings.tick(at), [])

    def end(self, at: Moment) -> list[Message]:
        """The feed or the daemon ends: close the sighting, nobody is there any more."""
        if self.has_ended or self._last_at is None:
            self.has_ended = True
            return []
        self.has_ended = True
        self._gallery = None
        # A clip's own time has nothing to do with the clock's: it ends with its last frame.
        return self._close(at if self.is_live else self._last_at)

    def switch_off(self, at: Moment) -> list[Message]:
        """The feed is not looked at any more: as at its end, but that it may begin again with any frame."""
        if self._picture is not None:
            self._picture.hide()
        self._gate = MotionGate(self._settings.motion)
        return self._close(at)

    def sights(self) -> list[Sight]:
        """Who is in view now, each with when they were seen last."""
        return self._teller.presence.sights()

    def take_mistaken(self) -> set[str]:
        """Keys of people who were somebody else, since this was last asked; see `PresenceBook`."""
        return self._teller.presence.take_mistaken()

    def added_to(self, state: FeedState) -> FeedState:
        """The feed's state with what the pipeline counts; may be called from any thread."""
        return msgspec.structs.replace(
            state,
            rejected=dict(self.rejected),
            refused=dict(self.refused),
            takeovers=self.takeovers,
            grey=self.is_grey,
        )

    def _heed(self, at: Moment, gallery: Gallery) -> list[Message]:
        """Name nobody any more who is no longer enrolled; what is to be told of it at once."""
        if gallery is self._gallery:
            return []
        self._gallery = gallery
        gone = gallery.absent(self._named())
        if not gone:
            return []
        if self._picture is not None and self._picture.identity_id in gone:
            self._picture.hide()
        instead = {}
        for track in self._tracker.tracks:
            person = self._people.get(track.number)
            if person is not None and person.decision.identity_id in gone:
                person.decision = decide(person.evidence, gallery, self._rule, person.decision)
                person.next_embedding_ms = at.steady_ms
                instead[self._id_of(track)] = person.decision
        erased = self._sightings.erase(gone, instead)
        self._teller.memory.forget(erased)
        self._unknown.forget([*erased, *instead])
        return self._teller.tell(at, [], self._teller.presence.erase(gone, at))

    def _named(self) -> set[str]:
        """The ids of everybody whose name is anywhere here."""
        named = {one.decision.identity_id for one in self._people.values() if one.decision.identity_id}
        if self._picture is not None and self._picture.identity_id is not None:
            named.add(self._picture.identity_id)
        return named | self._sightings.identities() | self._teller.presence.identities()

    def _close(self, at: Moment) -> list[Message]:
        """End the tracks and the sighting, and let go everybody."""
        self._forget(self._tracker.reset())
        return self._teller.tell(at, self._sightings.close(at), self._teller.presence.clear(at))

    def _detect(self, frame: Frame) -> list[Detection]:
        """The detections that are large enough."""
        found = self._models.detector.detect(frame.pixels)
        least_px = self._settings.detection.min_face_px
        large = [one for one in found if min(one.box.width, one.box.height) >= least_px]
        if len(large) < len(found):
            self.rejected[Rejection.TINY] += len(found) - len(large)
        return large

    def _observe(
        self, frame: Frame, track: Track, detection: Detection, gallery: Gallery
    ) -> list[Observation]:
        """Look closer where that is due; the observation of a track that is confirmed by now."""
        person = self._people.setdefault(track.number, _Person())
        face = Face(detection)
        due = frame.at.steady_ms >= person.next_embedding_ms
        if track.wants_verdict or due:
            quality = self._settings.quality
            landmarks = self._models.landmarker.locate(frame.pixels, detection)
            glance = Glance(landmarks.presence, quality.min_presence, fit_of(detection, landmarks))
            track = self._tracker.judge(track.number, glance)
        if due:
            look = look_closer(quality, frame.pixels, detection, landmarks)
            face = look.face
            if look.is_good:
                face = look.embedded(self._models.embedder.embed(look.chip))
                with self._decide_watch:
                    track, person = self._weigh(track, person, face, frame.at, gallery)
                if person.watch.is_in_doubt:
                    # Perhaps somebody else: no picture of this face under that track's name.
                    return []
            elif face.quality is not None:
                self.rejected.update(face.quality.rejections)
        if track.state is not TrackState.CONFIRMED:
            return []
        track_id = self._id_of(track)
        self._unknown.weigh(track_id, face, person.evidence, person.decision.verdict, frame.at)
        return [Observation(track_id, face, person.decision, self._unknown.membership(track_id))]

    def _weigh(
        self, track: Track, person: _Person, face: Face, at: Moment, gallery: Gallery
    ) -> tuple[Track, _Person]:
        """Fuse one good face and decide anew; another track and person where somebody else has the track."""
        if face.embedding is None or face.quality is None:
            return track, person
        self.is_grey = face.quality.is_grey
        good = GoodFace(face.embedding, face.quality.score, at)
        judged = person.watch.see(_told_apart(good, person.decision, gallery, self._rule))
        if judged.dropped:
            self.rejected[Rejection.ODD] += judged.dropped
        if judged.newcomer:
            track, person = self._taken_over(track, person, judged.newcomer)
        for good in judged.newcomer or judged.fitting:
            person.evidence.add(good.embedding, good.quality)
        if judged.newcomer or judged.fitting:
            before, person.decision = (
                person.decision,
                decide(person.evidence, gallery, self._rule, person.decision),
            )
            if person.decision.verdict is not before.verdict:
                self.decided[person.decision.verdict] += 1
        person.next_embedding_ms = at.steady_ms + round(1000 / self._embeddings_per_s(person))
        return track, person

    def _embeddings_per_s(self, person: _Person) -> float:
        settings = self._settings.recognition
        if person.decision.verdict == NOT_YET.verdict or person.watch.is_in_doubt:
            return settings.embeddings_per_s
        is_settled = person.evidence.looks >= SETTLED_LOOKS
        return settings.embeddings_per_s_decided / (2 if is_settled else 1)

    def _taken_over(
        self, track: Track, person: _Person, newcomer: tuple[GoodFace, ...]
    ) -> tuple[Track, _Person]:
        """Go on with the newcomer: as a track of their own, or in place of one odd face before them."""
        new = _Person(watch=TakeoverWatch.begun_with(newcomer))
        if person.evidence.faces == 1 and person.decision.verdict == NOT_YET.verdict:
            self.rejected[Rejection.ODD] += 1
            self._unknown.ended(self._id_of(track))
        else:
            self.takeovers += 1
            ended, track = self._tracker.split(track.number, newcomer[0].at)
            self._forget([ended])
        self._people[track.number] = new
        return track, new

    def _forget(self, ended: Sequence[Track]) -> None:
        for track in ended:
            person = self._people.pop(track.number, None)
            if person is not None and track.refusal is None and person.decision.verdict is NOT_YET.verdict:
                self.decided[NOT_YET.verdict] += 1
            self._unknown.ended(self._id_of(track))
            if track.refusal is not None:
                self.refused[track.refusal] += 1

    def _id_of(self, track: Track) -> str:
        return self._origin.track_id(track.number, track.started_at)


def _told_apart(face: GoodFace, decision: Decision, gallery: Gallery, rule: Rule) -> GoodFace:
    """The face with what speaks against its track's name; a track without a name has nothing to lose."""
    best = gallery.best_match(face.embedding) if decision.identity_id is not None else None
    if best is None:
        return face
    rate = rule.false_accept_at(best, enrolled=len(gallery), faces=1)
    is_another = best.identity.id != decision.identity_id
    return replace(
        face, rival=best.similarity if is_another else -1.0, is_like_nobody=rate >= LIKE_NOBODY_FROM
    )
