"""Known, unknown or undecided: said of a track from all its good faces, never from one frame."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from edged.domain.identity import Identity
from edged.domain.job import Verdict
from edged.recognition.calibration import Calibration
from edged.recognition.evidence import Evidence
from edged.recognition.gallery import Gallery, Match
from edged.settings.recognition import Recognition

LINGER: Final = 0.01
"""How far below the threshold a name once given is kept, so that it does not flicker."""

EARLY: Final = 10
"""Evidence that would do for a false-accept rate so many times smaller is strong: one face less is asked. A
face that resembles somebody so nearly that a rate so many times larger would do is doubtful: one face more
is waited for before it is called unknown."""

NOBODY_LIKE_IT: Final = 0.2
"""Where so many strangers are as similar to somebody, the track is nobody's: no further face is awaited."""


class Reason(StrEnum):
    """Why a decision is as it is. The set is closed."""

    NO_GOOD_FACE = "no good face yet"
    TOO_FEW_FACES = "too few good faces"
    NOBODY_ENROLLED = "nobody is enrolled"
    SIMILAR = "similar enough"
    STRONG = "strong evidence"
    KEPT = "nearly similar enough, and named before"
    NOT_SIMILAR = "not similar enough"
    TWO_FIT = "two people fit"
    NO_LONGER_ENROLLED = "no longer enrolled"


@dataclass(frozen=True, slots=True)
class Rule:
    """What decisions go by: the settings, and what similarities of this embedder are worth.

    In a house whose people are more alike than those that were measured, similarities are worth less by the
    settings' `similarity_offset`: here, and in the groups of unknown people, it is reckoned with.
    """

    settings: Recognition
    calibration: Calibration

    def required(self, match: Match, *, enrolled: int, faces: float) -> float:
        """Least adjusted similarity at which a probe of so many effective faces is taken for the match."""
        required = self.calibration.required_similarity(
            float(self.settings.false_accept), enrolled=enrolled, pictures=match.pictures, faces=faces
        )
        return required + self.settings.similarity_offset

    def false_accept_at(self, match: Match, *, enrolled: int, faces: float) -> float:
        """Share of strangers' tracks that look as much like somebody enrolled, 0 to 1."""
        return self.calibration.false_accept_at(
            match.adjusted - self.settings.similarity_offset,
            enrolled=enrolled,
            pictures=match.pictures,
            faces=faces,
        )

    def confidence(self, match: Match, *, enrolled: int, faces: float) -> float:
        """How likely the match is right, 0 to .999."""
        return self.calibration.confidence(
            match.adjusted - self.settings.similarity_offset,
            enrolled=enrolled,
            pictures=match.pictures,
            faces=faces,
        )


@dataclass(frozen=True, slots=True)
class Decision:
    """What is said of a track.

    Attributes:
        verdict: known, unknown or undecided.
        identity: who it is; only when known.
        similarity, margin: of the best identity, known or not; None where nobody is enrolled or no face
            was good enough.
        confidence: how likely it is this person, 0 to 1; only when known.
        reason: why.
        required: the similarity that was asked for; None like `similarity`.
        false_accept: share of strangers' tracks that look as much like somebody enrolled, 0 to 1; None like
            `similarity`.
        faces: good faces behind it, repetitions left out.
        corrected: whether something else had been said of the track before.
    """

    verdict: Verdict
    identity: Identity | None = None
    similarity: float | None = None
    margin: float | None = None
    confidence: float | None = None
    reason: str = Reason.NO_GOOD_FACE
    required: float | None = None
    false_accept: float | None = None
    faces: int = 0
    corrected: bool = False

    @property
    def identity_id(self) -> str | None:
        """The id of who it is, if known."""
        return self.identity.id if self.identity else None

    def differs_from(self, other: "Decision") -> bool:
        """Whether a reader would care: another verdict or another person."""
        return (self.verdict, self.identity_id) != (other.verdict, other.identity_id)


NOT_YET: Final = Decision(Verdict.UNDECIDED)

ERASED: Final = Decision(Verdict.UNKNOWN, reason=Reason.NO_LONGER_ENROLLED, corrected=True)
"""Said of a track that has ended, or of which nothing else can be said yet, when its person was erased."""


def decide(evidence: Evidence, gallery: Gallery, rule: Rule, before: Decision = NOT_YET) -> Decision:
    """Say who a track is, given what was said before; `corrected` where that was something else.

    Known from `min_faces` good faces on, one earlier where the evidence is strong; unknown from
    `unknown_after` on, earlier where nobody resembles it, one later where somebody nearly fits. A name once
    given is kept while the evidence still nearly reaches it and nobody else fits better.
    """
    now = _decided(evidence, gallery, rule, before)
    was_said = before.verdict is not Verdict.UNDECIDED
    if before.corrected or (was_said and now.differs_from(before)):
        return replace(now, corrected=True)
    return now


def _decided(evidence: Evidence, gallery: Gallery, rule: Rule, before: Decision) -> Decision:
    settings = rule.settings
    least = max(1, settings.min_faces - 1)
    looks = evidence.looks - evidence.odd
    if looks < least:
        return Decision(Verdict.UNDECIDED, reason=Reason.TOO_FEW_FACES, faces=evidence.faces)
    match = gallery.best_match(evidence.fused())
    if match is None:
        verdict = Verdict.UNKNOWN if looks >= settings.unknown_after else Verdict.UNDECIDED
        return Decision(verdict, reason=Reason.NOBODY_ENROLLED, faces=evidence.faces)
    weighed = _Weighed.of(evidence, gallery, rule, match)
    reason = weighed.reason_to_know(keeps_name=before.identity_id == match.identity.id)
    verdict = Verdict.KNOWN if reason in _KNOWN else weighed.verdict_otherwise(reason)
    is_known = verdict is Verdict.KNOWN
    return Decision(
        verdict,
        identity=match.identity if is_known else None,
        similarity=match.similarity,
        margin=match.margin,
        confidence=weighed.confidence() if is_known else None,
        reason=reason,
        # As a cosine like `similarity`: what the crowds cost is asked for on top.
        required=weighed.required + (match.similarity - match.adjusted),
        false_accept=weighed.false_accept,
        faces=evidence.faces,
    )


_KNOWN: Final = frozenset({Reason.SIMILAR, Reason.STRONG, Reason.KEPT})


@dataclass(frozen=True, slots=True)
class _Weighed:
    """The best match of some evidence, and what it is worth."""

    rule: Rule
    match: Match
    enrolled: int
    looks: int
    faces: float
    required: float
    false_accept: float

    @classmethod
    def of(cls, evidence: Evidence, gallery: Gallery, rule: Rule, match: Match) -> "_Weighed":
        calibration = rule.calibration
        faces = calibration.effective(evidence.faces, evidence.spread)
        enrolled, looks = len(gallery), evidence.looks - evidence.odd
        required = rule.required(match, enrolled=enrolled, faces=faces)
        rate = rule.false_accept_at(match, enrolled=enrolled, faces=faces)
        return cls(rule, match, enrolled, looks, faces, required, rate)

    def reason_to_know(self, *, keeps_name: bool) -> Reason:
        """One that makes it known, or the first that speaks against it."""
        settings, short = self.rule.settings, self.required - self.match.adjusted
        if keeps_name and short <= LINGER:
            return Reason.SIMILAR if short <= 0 else Reason.KEPT
        if short > 0:
            return Reason.NOT_SIMILAR
        if self.match.margin < settings.margin:
            return Reason.TWO_FIT
        if self.looks >= settings.min_faces:
            return Reason.SIMILAR
        is_strong = self.false_accept * EARLY <= float(settings.false_accept)
        return Reason.STRONG if is_strong else Reason.TOO_FEW_FACES

    def verdict_otherwise(self, reason: Reason) -> Verdict:
        """Unknown or undecided."""
        settings = self.rule.settings
        if self.looks < settings.min_faces or reason is Reason.TOO_FEW_FACES:
            return Verdict.UNDECIDED
        if self.false_accept >= NOBODY_LIKE_IT:
            return Verdict.UNKNOWN
        is_doubtful = self.false_accept <= float(settings.false_accept) * EARLY
        # A single picture has no later face to wait for.
        patience = settings.unknown_after + (1 if is_doubtful and settings.unknown_after > 1 else 0)
        return Verdict.UNKNOWN if self.looks >= patience else Verdict.UNDECIDED

    def confidence(self) -> float:
        return self.rule.confidence(self.match, enrolled=self.enrolled, faces=self.faces)
