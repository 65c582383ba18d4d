"""Known, unknown or undecided: said of a track from all its good faces, never from one frame."""

from dataclasses import dataclass
from typing import Final

from edged.domain.identity import Identity
from edged.domain.job import Verdict
from edged.recognition.evidence import Evidence
from edged.recognition.gallery import Gallery, Match
from edged.recognition.threshold import FALSE_ACCEPT, confidence, required_similarity
from edged.settings.recognition import Recognition

LINGER: Final = 0.01
"""How far below the threshold a name once given is kept, so that it does not flicker."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What is said of a track.

    Attributes:
        verdict: known, unknown or undecided.
        identity: who it is; only when known.
        similarity, margin: of the best identity, known or not; None where nobody is enrolled or no face
            was good enough.
        confidence: how likely it is this person, 0 to 1; only when known.
        reason: why, for people and logs.
    """

    verdict: Verdict
    identity: Identity | None = None
    similarity: float | None = None
    margin: float | None = None
    confidence: float | None = None
    reason: str = ""

    @property
    def identity_id(self) -> str | None:
        """The id of who it is, if known."""
        return self.identity.id if self.identity else None

    def differs_from(self, other: "Decision") -> bool:
        """Whether a reader would care: another verdict or another person."""
        return (self.verdict, self.identity_id) != (other.verdict, other.identity_id)


NOT_YET: Final = Decision(Verdict.UNDECIDED, reason="no good face yet")


def decide(
    evidence: Evidence, gallery: Gallery, settings: Recognition, before: Decision = NOT_YET
) -> Decision:
    """Say who a track is, given what was said before.

    A name once given is kept while the evidence still nearly reaches it and nobody else fits better.
    """
    if evidence.faces < settings.min_faces:
        return Decision(Verdict.UNDECIDED, reason=f"{evidence.faces} of {settings.min_faces} good faces")
    probe = evidence.fused()
    match = gallery.best_match(probe)
    if match is None:
        return _not_known(evidence, settings, None, "nobody is enrolled")
    least = required_similarity(
        FALSE_ACCEPT[settings.false_accept],
        enrolled=len(gallery),
        pictures=match.pictures,
        faces=evidence.faces,
    )
    keeps_name = before.identity_id == match.identity.id
    if match.similarity < least - (LINGER if keeps_name else 0.0):
        return _not_known(evidence, settings, match, f"similarity {match.similarity:.3f} below {least:.3f}")
    if match.margin < settings.margin and not keeps_name:
        return _not_known(evidence, settings, match, f"margin {match.margin:.3f} below {settings.margin:.3f}")
    return Decision(
        Verdict.KNOWN,
        identity=match.identity,
        similarity=match.similarity,
        margin=match.margin,
        confidence=confidence(match.similarity, pictures=match.pictures, faces=evidence.faces),
        reason=f"similarity {match.similarity:.3f}, at least {least:.3f} asked",
    )


def _not_known(evidence: Evidence, settings: Recognition, match: Match | None, reason: str) -> Decision:
    verdict = Verdict.UNKNOWN if evidence.faces >= settings.unknown_after else Verdict.UNDECIDED
    return Decision(
        verdict,
        similarity=match.similarity if match else None,
        margin=match.margin if match else None,
        reason=reason,
    )
