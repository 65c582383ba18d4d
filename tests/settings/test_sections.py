import re
from collections.abc import Iterator

import pytest

from edged.domain.identifiers import FEED_ID, NAMESPACE, RESERVED_NAMESPACES
from edged.settings import names
from edged.settings.kinds import Block, Key, Kind, Listing, Text, Variants, keys_of
from edged.settings.quantities import Section
from edged.settings.root import Settings


def _sections(kind: Kind) -> Iterator[type[Section]]:
    match kind:
        case Block():
            yield kind.section
            for key in keys_of(kind.section).values():
                yield from _sections(key.kind)
        case Variants():
            for section in kind.sections.values():
                yield from _sections(Block(section))
        case Listing():
            yield from _sections(kind.item)
        case _:
            return


KEYS = [
    pytest.param(key, id=f"{section.__name__}.{key.name}")
    for section in dict.fromkeys(_sections(Block(Settings)))
    for key in keys_of(section).values()
]


@pytest.mark.parametrize("key", KEYS)
def test_a_key_is_described_in_a_sentence(key: Key) -> None:
    assert key.description[:1].isupper() or key.description.startswith("`")
    assert key.description.endswith(".")


@pytest.mark.parametrize("key", KEYS)
def test_a_pattern_is_said_in_words(key: Key) -> None:
    for kind in (key.kind, key.kind.item if isinstance(key.kind, Listing) else key.kind):
        assert not isinstance(kind, Text) or (kind.pattern is None) == (kind.form is None)


@pytest.mark.parametrize("key", KEYS)
def test_a_key_that_may_be_left_out_and_may_be_null_is_null_or_switched_off_by_it(key: Key) -> None:
    # None must not be the default of a key that cannot be written as `null`: nobody could go back to it.
    assert key.required or key.default is not None or key.nullable


@pytest.mark.parametrize(
    "text", ["a", "front-door", "A_b.9", "x" * 64, "x" * 65, "", "a b", "ä", "device", "sync"]
)
def test_the_files_names_are_the_domains(text: str) -> None:
    assert bool(re.fullmatch(names.FEED_ID["pattern"], text)) == bool(FEED_ID.fullmatch(text))
    is_namespace = bool(NAMESPACE.fullmatch(text)) and text not in RESERVED_NAMESPACES
    assert bool(re.fullmatch(names.NAMESPACE["pattern"], text)) == is_namespace
