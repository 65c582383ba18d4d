"""Surveys a house: would its people be recognised, do its strangers resemble them, what should be changed?"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edged.evaluation.offset import groups_needed
from edged.evaluation.rate import Rate, exact_rate
from edged.evaluation.site import LEVELS, Look, Site, rule_at
from edged.evaluation.site_friends import Picture, look_alikes, pictures_tried
from edged.evaluation.site_proposal import Advice, advice
from edged.evaluation.site_report import (
    AtLevel,
    LikeEnrolled,
    LookAlikePair,
    Person,
    PersonTried,
    Proposal,
    ShareSeen,
    SiteReport,
)
from edged.evaluation.site_strangers import (
    SHARES,
    Stranger,
    is_somebody,
    real_rate,
    resembles_somebody,
    strangers_of,
)
from edged.recognition.calibration import Calibration
from edged.recognition.decision import Rule
from edged.settings.recognition import Recognition


def surveyed(site: Site, recognition: Recognition, calibration: Calibration) -> SiteReport:
    """Everything that there is to say; at least one person must be enrolled. Changes nothing.

    `recognition` are the settings as they are. The order of people, faces, groups and tracks makes no
    difference.
    """
    site = site.in_order()
    return _Survey(site, recognition, calibration).report()


@dataclass(frozen=True, slots=True)
class _Seen:
    """Everybody who was looked at.

    Attributes:
        pictures: of the enrolled people.
        strangers: groups that nobody enrolled is in, as far as can be told.
        somebody: groups that somebody enrolled very probably is in.
        doubtful: of the strangers, those who may be somebody enrolled.
    """

    pictures: list[Picture]
    strangers: list[Stranger]
    somebody: list[Stranger]
    doubtful: list[Stranger]


class _Survey:
    def __init__(self, site: Site, recognition: Recognition, calibration: Calibration) -> None:
        self._site = site
        self._recognition = recognition
        self._calibration = calibration
        self._present = recognition.similarity_offset
        self._rule = Rule(recognition, calibration)
        groups = strangers_of(site, calibration)
        strictest, balanced = self._at(min(LEVELS)), self._at(1e-3)
        somebody = [one for one in groups if is_somebody(one, strictest)]
        strangers = [one for one in groups if not is_somebody(one, strictest)]
        doubtful = [one for one in strangers if resembles_somebody(one, balanced)]
        self._seen = _Seen(pictures_tried(site, calibration), strangers, somebody, doubtful)

    def report(self) -> SiteReport:
        site, seen = self._site, self._seen
        doubtful = frozenset(one.group_id for one in seen.doubtful)
        told = advice(seen.strangers, doubtful, self._calibration, self._present)
        configured = self._recognition.false_accept
        levels = sorted({*map(float, LEVELS), float(configured)}, reverse=True)
        pairs = look_alikes(site, self._calibration, self._rule)
        return SiteReport(
            people=len(site.people),
            pictures=sum(len(person.embeddings) for person in site.people),
            pictures_tried=len(seen.pictures),
            pictures_of_one_moment=sum(picture.is_of_one_moment for picture in seen.pictures),
            with_one_picture=tuple(
                Person.of(one.identity) for one in site.people if len(one.embeddings) == 1
            ),
            groups=len(seen.strangers) + len(seen.somebody),
            tracks=sum(len(one.looks) for one in (*seen.strangers, *seen.somebody)),
            levels=tuple(self._said_at(self._at(level)) for level in levels),
            as_proposed=None
            if told.value is None
            else self._said_at(self._at(float(configured), told.value)),
            not_recognised=_not_recognised(site, seen.pictures, self._rule),
            look_alikes=tuple(
                LookAlikePair(
                    one=Person.of(pair.one), other=Person.of(pair.other), similarity=round(pair.similarity, 4)
                )
                for pair in pairs
            ),
            strangers=tuple(self._share_seen(share) for share in SHARES if seen.strangers),
            like_enrolled=(
                *(_like_enrolled(one, is_left_out=True) for one in seen.somebody),
                *(_like_enrolled(one, is_left_out=False) for one in seen.doubtful),
            ),
            proposal=self._proposal(told),
        )

    def _at(self, level: float, offset: float | None = None) -> Rule:
        return rule_at(
            self._recognition, self._calibration, level, self._present if offset is None else offset
        )

    def _said_at(self, rule: Rule) -> AtLevel:
        level = rule.settings.false_accept
        return AtLevel(
            level=str(level),
            false_accept=float(level),
            is_configured=float(level) == float(self._recognition.false_accept),
            similarity_offset=rule.settings.similarity_offset,
            right=self._share_of_pictures(lambda picture: picture.is_right(rule)),
            missed=self._share_of_pictures(lambda picture: picture.is_missed(rule)),
            wrong=self._share_of_pictures(lambda picture: picture.is_wrong(rule)),
            strangers_named=_tracks_named(self._seen.strangers, rule),
        )

    def _share_of_pictures(self, is_so: Callable[[Picture], bool]) -> Rate | None:
        pictures = self._seen.pictures
        return exact_rate(sum(map(is_so, pictures)), len(pictures)) if pictures else None

    def _share_seen(self, share: float) -> ShareSeen:
        rates = [real_rate(one.newest, self._calibration, self._present) for one in self._seen.strangers]
        return ShareSeen(expected=share, seen=exact_rate(sum(rate <= share for rate in rates), len(rates)))

    def _proposal(self, told: Advice) -> Proposal:
        seen, found = self._seen, told.found
        after = (
            self._rule
            if told.value is None
            else self._at(float(self._rule.settings.false_accept), told.value)
        )
        tracks = [look for one in seen.strangers for look in one.looks]
        return Proposal(
            present=self._present,
            strangers=len(seen.strangers),
            strangers_needed=groups_needed(len(self._site.people)),
            estimate=None if found is None else round(found.value, 4),
            low=None if found is None else round(found.low, 4),
            high=None if found is None else round(found.high, 4),
            proposed=told.value,
            reason=told.verdict,
            pictures_changed=_changed([picture.look for picture in seen.pictures], self._rule, after),
            tracks_changed=_changed(tracks, self._rule, after),
        )


def _not_recognised(site: Site, pictures: Sequence[Picture], rule: Rule) -> tuple[PersonTried, ...]:
    """The people who were missed or taken for others, those of the fewest pictures first."""
    found = []
    for person in site.people:
        own = [picture for picture in pictures if picture.owner.id == person.identity.id]
        tried = PersonTried(
            person=Person.of(person.identity),
            pictures=len(person.embeddings),
            tried=len(own),
            missed=sum(picture.is_missed(rule) for picture in own),
            wrong=sum(picture.is_wrong(rule) for picture in own),
        )
        if tried.missed or tried.wrong:
            found.append(tried)
    return tuple(sorted(found, key=lambda one: (one.pictures, one.person.name, one.person.id)))


def _tracks_named(strangers: Sequence[Stranger], rule: Rule) -> Rate | None:
    """The share of strangers' tracks that get a name; a person's tracks prove no more than one."""
    named = [look.is_named(rule) for one in strangers for look in one.looks]
    return exact_rate(sum(named), len(named), len(strangers)) if named else None


def _changed(looks: Sequence[Look], before: Rule, after: Rule) -> int:
    return sum(look.is_named(before) != look.is_named(after) for look in looks)


def _like_enrolled(stranger: Stranger, *, is_left_out: bool) -> LikeEnrolled:
    match = stranger.whole.match
    return LikeEnrolled(
        group_id=stranger.group_id,
        person=Person.of(match.identity),
        similarity=round(match.similarity, 4),
        is_left_out=is_left_out,
    )
