import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.domain.identifiers import FEED_ID, NAMESPACE, derived_id, random_id

parts = st.lists(st.one_of(st.text(max_size=20), st.integers()), min_size=1, max_size=5)


@given(parts)
def test_a_derived_id_is_a_uuid_of_version_8_and_always_the_same(some):
    made = uuid.UUID(derived_id(*some))

    assert made.version == 8
    assert made.variant == uuid.RFC_4122
    assert derived_id(*some) == str(made)


def test_parts_that_read_the_same_in_one_go_make_different_ids():
    assert derived_id("ab", "c") != derived_id("a", "bc")
    assert derived_id("ab") != derived_id("ab", "")


@given(st.binary(min_size=16, max_size=16))
def test_a_random_id_is_a_uuid_of_version_4(entropy):
    made = uuid.UUID(random_id(entropy))

    assert made.version == 4
    assert made.variant == uuid.RFC_4122


@pytest.mark.parametrize(
    ("name", "fits_feed", "fits_namespace"),
    [("front-door", True, True), ("a" * 64, True, True), ("a" * 65, False, True), ("a" * 129, False, False)]
    + [(bad, False, False) for bad in ("", "two words", "a/b", "a+b", "#", "türe", "a\n")],
)
def test_names_are_what_topics_and_files_can_bear(name, fits_feed, fits_namespace):
    assert bool(FEED_ID.fullmatch(name)) is fits_feed
    assert bool(NAMESPACE.fullmatch(name)) is fits_namespace
