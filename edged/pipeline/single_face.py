"""A picture's faces are decided one by one: one face is all the evidence there is of each."""

from dataclasses import dataclass

import msgspec

from edged.domain.face import Face
from edged.domain.group import Membership
from edged.domain.identifiers import derived_id
from edged.domain.job import JobObject
from edged.domain.moment import Moment
from edged.recognition.calibration import Calibration
from edged.recognition.decision import NOT_YET, Decision, Rule, decide
from edged.recognition.evidence import Evidence
from edged.recognition.gallery import Gallery
from edged.recognition.sighting import Observation
from edged.recognition.wire import BoxUnit, object_of, wire_box
from edged.settings.recognition import Recognition


def rule_at_once(recognition: Recognition, calibration: Calibration) -> Rule:
    """The rule by which a single face is decided."""
    return Rule(msgspec.structs.replace(recognition, min_faces=1, unknown_after=1), calibration)


def decided(face: Face, gallery: Gallery, rule: Rule) -> tuple[Decision, Evidence]:
    """What is said of a single face, and what it was said from."""
    evidence = Evidence()
    if face.embedding is None or face.quality is None:
        reasons = ", ".join(face.quality.rejections) if face.quality else ""
        return Decision(NOT_YET.verdict, reason=reasons or NOT_YET.reason), evidence
    evidence.add(face.embedding, face.quality.score)
    return decide(evidence, gallery, rule), evidence


@dataclass(frozen=True, slots=True)
class Placed:
    """A picture as its objects are written: its id, its size in pixels, and when it was looked at."""

    image_id: str
    width_px: int
    height_px: int
    unit: BoxUnit
    at: Moment

    def track_id(self, number: int) -> str:
        """Of the face of that number, from 1: a single picture's faces are tracks of one face each."""
        return derived_id("track", self.image_id, number)

    def object_of(
        self, number: int, face: Face, decision: Decision, group: Membership | None = None
    ) -> JobObject:
        """The face of that number as the job tells it; its box is in pixels of the whole picture."""
        return object_of(
            Observation(self.track_id(number), face, decision),
            decision,
            face_id=derived_id("face", self.image_id, number),
            at=self.at,
            box=wire_box(face.detection.box, self.width_px, self.height_px, self.unit),
            group=group,
        )
