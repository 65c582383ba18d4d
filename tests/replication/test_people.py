"""People as pages carry them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.domain.identifiers import derived_id
from edged.replication.keys import NamespaceKey
from edged.replication.people import (
    CONTENT_BYTES,
    MOST_BUCKETS,
    PAGE_BYTES,
    SharedFace,
    SharedPerson,
    bucket_of,
    buckets_for,
    content_hash,
    content_of,
    page_place,
    parts_of,
    people_of,
    whole_digest,
)
from edged.replication.refusal import RefusedError


def person(number: int, faces: int = 2) -> SharedPerson:
    shared = tuple(
        SharedFace(derived_id("face", number, face), 0.5, "portrait.jpg", 1000 + face, bytes(512))
        for face in range(faces)
    )
    return SharedPerson(derived_id(number), f"Person {number}", None, 1000, 2000, shared)


@given(st.permutations([person(number) for number in range(6)]))
def test_the_same_people_give_the_same_content_in_any_order(people: list[SharedPerson]) -> None:
    content = content_of(people)
    assert content == content_of(reversed(people))
    assert sorted(people_of(content), key=lambda one: one.name) == sorted(people, key=lambda one: one.name)


@given(st.binary(max_size=60))
def test_a_content_that_cannot_be_read_is_refused_and_never_guessed(content: bytes) -> None:
    try:
        people = people_of(content)
    except RefusedError:
        return
    else:
        assert all(isinstance(one, SharedPerson) for one in people)


def test_everybody_has_one_bucket_and_buckets_are_filled_alike() -> None:
    ids = [derived_id(number) for number in range(5120)]
    for buckets in (1, 2, 64, 128):
        filled = [0] * buckets
        for identity_id in ids:
            filled[bucket_of(identity_id, buckets)] += 1
        assert min(filled) > 0
        assert max(filled) < 2.5 * len(ids) / buckets


def test_twice_as_many_buckets_only_split_those_there_are() -> None:
    for number in range(200):
        identity_id = derived_id(number)
        assert bucket_of(identity_id, 128) == bucket_of(identity_id, 256) // 2


def test_ten_thousand_people_with_three_faces_fit_pages_with_a_bucket_each() -> None:
    content_bytes = 10_000 * len(content_of([person(1, faces=3)]))
    buckets = buckets_for(content_bytes)
    filled = [0] * buckets
    for number in range(10_000):
        filled[bucket_of(derived_id(number), buckets)] += 1
    assert max(filled) * content_bytes / 10_000 < CONTENT_BYTES


def test_the_number_of_buckets_stays_where_the_people_change_little() -> None:
    wanted = buckets_for(1_000_000)
    assert buckets_for(1_500_000, wanted) == wanted
    assert buckets_for(400_000, wanted) == wanted
    assert buckets_for(1_700_000, wanted) > wanted
    assert buckets_for(8_000_000, wanted) > wanted
    assert buckets_for(0, 64) == 1
    assert buckets_for(10**9) == MOST_BUCKETS


@given(st.integers(0, 3 * CONTENT_BYTES + 5))
def test_parts_make_the_content_and_each_fits_a_page(size: int) -> None:
    content = bytes(size)
    parts = parts_of(content)
    assert b"".join(parts) == content
    assert len(parts) >= 1
    key = NamespaceKey(bytes(32), 1)
    assert all(
        len(key.seal(part, page_place("home", 0, number))) <= PAGE_BYTES for number, part in enumerate(parts)
    )


def test_the_whole_digest_needs_every_bucket() -> None:
    key = NamespaceKey(bytes(32), 1)
    hashes = {0: content_hash(b"a"), 1: content_hash(b"b")}
    assert whole_digest(key, hashes, 2) != whole_digest(key, {0: hashes[1], 1: hashes[0]}, 2)
    with pytest.raises(KeyError):
        whole_digest(key, {0: hashes[0]}, 2)
