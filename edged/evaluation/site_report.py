"""What `edged calibrate` says of a house: findings as its JSON has them."""

from edged.domain.identity import Identity
from edged.evaluation.rate import Finding, Rate


class Person(Finding, frozen=True, kw_only=True):
    """Somebody enrolled."""

    id: str
    name: str

    @classmethod
    def of(cls, identity: Identity) -> "Person":
        """With the best there is to call them by."""
        return cls(id=identity.id, name=identity.label)


class AtLevel(Finding, frozen=True, kw_only=True):
    """What would be said at one level and offset."""

    level: str
    """Such as `1 in 10_000`."""
    false_accept: float
    is_configured: bool
    similarity_offset: float
    right: Rate | None
    """Of single enrolled pictures; None where nobody has two."""
    missed: Rate | None
    wrong: Rate | None
    strangers_named: Rate | None
    """Of tracks of unknown people; None where there are none."""


class PersonTried(Finding, frozen=True, kw_only=True):
    """Somebody of whom not every picture was recognised by their others, at the configured level."""

    person: Person
    pictures: int
    """Enrolled ones."""
    tried: int
    missed: int
    wrong: int


class LookAlikePair(Finding, frozen=True, kw_only=True):
    """Two people enrolled who would be taken for one another at the configured level."""

    one: Person
    other: Person
    similarity: float


class ShareSeen(Finding, frozen=True, kw_only=True):
    """How many strangers resemble somebody enrolled so much that only this share should."""

    expected: float
    seen: Rate


class LikeEnrolled(Finding, frozen=True, kw_only=True):
    """A group that looks like somebody enrolled."""

    group_id: str
    person: Person
    similarity: float
    is_left_out: bool
    """It looks so much like them that it was not counted as a stranger."""


class Proposal(Finding, frozen=True, kw_only=True):
    """What to do about `recognition.similarity_offset`."""

    present: float
    """The setting as it is."""
    strangers: int
    """Groups that nobody enrolled is in, as far as can be told."""
    strangers_needed: int
    estimate: float | None
    low: float | None
    high: float | None
    """The interval holds the right offset in 95 of 100 cases; None where there are too few strangers."""
    proposed: float | None
    """What to set; None where nothing is to be changed."""
    reason: str
    pictures_changed: int
    """Enrolled pictures of which something else would be said."""
    tracks_changed: int
    """Strangers' tracks likewise."""


class SiteReport(Finding, frozen=True, kw_only=True):
    """All of it."""

    people: int
    pictures: int
    pictures_tried: int
    pictures_of_one_moment: int
    """Tried against pictures of the same moment only, so that it was all too easy."""
    with_one_picture: tuple[Person, ...]
    groups: int
    tracks: int
    levels: tuple[AtLevel, ...]
    """The named ones, and the configured one."""
    as_proposed: AtLevel | None
    """The configured level with the proposed offset."""
    not_recognised: tuple[PersonTried, ...]
    look_alikes: tuple[LookAlikePair, ...]
    strangers: tuple[ShareSeen, ...]
    like_enrolled: tuple[LikeEnrolled, ...]
    proposal: Proposal
