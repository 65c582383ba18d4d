"""Finding a person by what somebody typed: an id or its beginning, a customId, a name."""

import difflib
import unicodedata
from collections.abc import Callable, Sequence
from typing import Final

from edged.domain.errors import IdentityError
from edged.domain.identity import Identity

_PREFIX_AT_LEAST: Final = 4
_SHOWN: Final = 5


def find_identity(everybody: Sequence[Identity], reference: str) -> Identity:
    """The one person that `reference` means.

    For who that can be see `people_meant`. Raises IdentityError, with the candidates, where that is nobody
    or more than one.
    """
    found = people_meant(everybody, reference)
    if len(found) > 1:
        raise IdentityError(
            f"{reference!r} is more than one person: {_listed(found)}", remedy="Name one by the id."
        )
    if not found:
        raise IdentityError(
            f"nobody enrolled here is {reference!r}", remedy=_advice(everybody, _wanted(reference).casefold())
        )
    return found[0]


def people_meant(everybody: Sequence[Identity], reference: str) -> list[Identity]:
    """Everybody that `reference` can mean.

    An id, a customId or a name as it is written comes first; then a name in other letters' case; then the
    beginning of an id.
    """
    wanted = _wanted(reference)
    folded = wanted.casefold()
    ways: tuple[Callable[[Identity], bool], ...] = (
        lambda one: wanted != "" and wanted in (one.id, one.custom_id, one.name),
        lambda one: folded != "" and folded in (one.id, one.name.casefold()),
        lambda one: len(folded) >= _PREFIX_AT_LEAST and one.id.startswith(folded),
    )
    for fits in ways:
        found = [one for one in everybody if fits(one)]
        if found:
            return found
    return []


def _wanted(reference: str) -> str:
    return unicodedata.normalize("NFC", reference).strip()


def _listed(people: Sequence[Identity]) -> str:
    words = [f"{one.label} ({one.id})" if one.label != one.id else one.id for one in people[:_SHOWN]]
    more = [f"and {len(people) - _SHOWN} more"] if len(people) > _SHOWN else []
    return ", ".join(words + more)


def _advice(everybody: Sequence[Identity], folded: str) -> str:
    if not everybody:
        return "Nobody is enrolled in this namespace yet; `edged identities add` enrols."
    by_word = {word.casefold(): one for one in everybody for word in (one.name, one.custom_id or "") if word}
    near = difflib.get_close_matches(folded, by_word, n=_SHOWN, cutoff=0.5)
    near += [word for word in by_word if folded and folded in word and word not in near]
    if near:
        return f"Near to it: {_listed([by_word[word] for word in near])}."
    return "`edged identities list` shows everybody."
