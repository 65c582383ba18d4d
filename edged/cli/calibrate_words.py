"""How the survey of a house is told to a person."""

import shlex
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from edged.cli.identities_words import counted
from edged.evaluation.rate import Rate
from edged.evaluation.site_proposal import Verdict
from edged.evaluation.site_report import AtLevel, LikeEnrolled, PersonTried, SiteReport

_SHORT: Final = 8
"""Characters of a group's id, as `edged groups` shows them."""
_ENOUGH_PICTURES: Final = 3
_LISTED: Final = 20
_HEADINGS: Final = ("", "LEVEL", "RIGHT", "MISSED", "WRONG NAME", "STRANGERS' TRACKS NAMED")


def told(found: SiteReport, notes: Sequence[str], namespace: str) -> str:
    """All of it, a part under each heading."""
    return "\n".join(
        [
            _told_head(found, namespace),
            *(f"note: {note}" for note in notes),
            *_told_levels(found),
            *_told_people(found),
            *_told_pairs(found),
            *_told_strangers(found),
            *_told_groups(found, namespace),
            *_told_proposal(found),
        ]
    )


def _told_head(found: SiteReport, namespace: str) -> str:
    return (
        f"namespace {namespace}: {counted(found.people, 'person', 'people')} with"
        f" {counted(found.pictures, 'picture', 'pictures')};"
        f" {counted(found.groups, 'group', 'groups')} of unknown people with"
        f" {counted(found.tracks, 'track', 'tracks')}"
    )


def _told_levels(found: SiteReport) -> Iterator[str]:
    yield "\nWhat the levels mean here"
    rows = [_HEADINGS, *(_row("*" if one.is_configured else "", one) for one in found.levels)]
    if found.as_proposed is not None:
        rows.append(_row("+", found.as_proposed))
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield f"  {'  '.join(cells)}".rstrip()
    yield "  * is the level asked about" + ("; + with the proposed offset" if found.as_proposed else "")
    if found.pictures_tried:
        yield (
            "  Right, missed and wrong are of single pictures, each tried against the person's others. A"
            " track fuses several faces and does better."
        )
    if found.pictures_of_one_moment:
        yield (
            f"  {found.pictures_of_one_moment} of them had only pictures of the same moment to be tried"
            " against: of these it says too much good."
        )


def _row(mark: str, one: AtLevel) -> tuple[str, ...]:
    return mark, one.level, _of(one.right), _share(one.missed), _share(one.wrong), _share(one.strangers_named)


def _told_people(found: SiteReport) -> Iterator[str]:
    if not found.not_recognised and not found.with_one_picture:
        return
    yield "\nWho would not be recognised"
    for one in found.not_recognised[:_LISTED]:
        yield f"  {one.person.name}: {_mistakes(one)}. {_remedy(one)}"
    yield from _rest(found.not_recognised)
    for person in found.with_one_picture[:_LISTED]:
        yield f"  {person.name}: has one picture, so that nothing can be said. Add two or more of other days."
    yield from _rest(found.with_one_picture)


def _mistakes(one: PersonTried) -> str:
    words = [f"{one.missed} of {one.tried} pictures missed"] if one.missed else []
    words += [f"{one.wrong} of {one.tried} taken for somebody else"] if one.wrong else []
    return ", ".join(words)


def _remedy(one: PersonTried) -> str:
    if one.pictures <= _ENOUGH_PICTURES:
        return f"{one.pictures} are enrolled: add more, of other days, light and angles."
    return (
        f"{one.pictures} are enrolled: add some that look like those missed, and see with `edged identities"
        " show` whether one is of somebody else."
    )


def _told_pairs(found: SiteReport) -> Iterator[str]:
    if not found.look_alikes:
        return
    yield "\nWho would be taken for one another"
    for pair in found.look_alikes[:_LISTED]:
        yield (
            f"  {pair.one.name} and {pair.other.name} ({pair.similarity:.3f}): enrol more, varied pictures of"
            " both; if they are one person, remove one and give the pictures to the other."
        )
    yield from _rest(found.look_alikes)


def _told_strangers(found: SiteReport) -> Iterator[str]:
    if not found.strangers:
        return
    yield "\nDo strangers resemble the enrolled people as often as they should?"
    for share in found.strangers:
        yield f"  expected {_percent(share.expected)}, seen {_of(share.seen)}: {_share(share.seen)}"


def _told_groups(found: SiteReport, namespace: str) -> Iterator[str]:
    if not found.like_enrolled:
        return
    yield "\nUnknown people who may be enrolled"
    where = "" if namespace == "home" else f" --namespace {shlex.quote(namespace)}"
    for one in found.like_enrolled[:_LISTED]:
        yield f"  {_like(one, where)}"
    yield from _rest(found.like_enrolled)


def _like(one: LikeEnrolled, where: str) -> str:
    group, into = one.group_id[:_SHORT], shlex.quote(one.person.name)
    words = f"group {group} looks like {one.person.name} ({one.similarity:.3f})"
    if one.is_left_out:
        naming = f"edged groups name {group} --into {into}{where}"
        return f"{words} and was left out: name it with `{naming}`, or forget it"
    looking = f"edged groups show {group}{where}"
    return f"{words} and was counted as a stranger: `{looking}` tells whether it is"


def _told_proposal(found: SiteReport) -> Iterator[str]:
    proposal = found.proposal
    yield "\nWhat to change"
    if proposal.reason == Verdict.NO_STRANGERS:
        yield "  Nothing: without recorded strangers no offset can be found."
        return
    if proposal.reason == Verdict.TOO_FEW:
        missing = proposal.strangers_needed - proposal.strangers
        yield (
            f"  Nothing yet: {proposal.strangers} strangers were recorded, and with {found.people} enrolled"
            f" it takes {proposal.strangers_needed} to find an offset. {missing} are missing."
        )
        return
    words = proposal.reason[0].upper() + proposal.reason[1:]
    yield (
        f"  {words}: the offset would be {proposal.estimate:+.4f} ({proposal.low:+.4f} to"
        f" {proposal.high:+.4f}), and {proposal.present:+g} is set."
    )
    if proposal.proposed is None:
        yield "  Nothing needs to be changed."
        return
    yield "  Write into the configuration:\n"
    yield f"    recognition:\n      similarity_offset: {proposal.proposed:g}\n"
    yield (
        f"  It would change what is said of {proposal.pictures_changed} of {found.pictures_tried} enrolled"
        f" pictures and of {proposal.tracks_changed} strangers' tracks. A running daemon takes it over on"
        " SIGHUP."
    )


def _rest(listed: Sequence[object]) -> Iterable[str]:
    return [f"  and {len(listed) - _LISTED} more; --json has all"] if len(listed) > _LISTED else []


def _of(rate: Rate | None) -> str:
    return "-" if rate is None else f"{rate.events} of {rate.trials}"


def _share(rate: Rate | None) -> str:
    if rate is None:
        return "-"
    return f"{_percent(rate.value)} ({_percent(rate.low)} to {_percent(rate.high)})"


def _percent(share: float) -> str:
    return f"{share * 100:.3g} %"
