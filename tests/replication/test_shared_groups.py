"""What nodes say of groups of unknown people: as much as fits, read as it was, and nothing else taken."""

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.groups import looks_of
from edged.domain.identifiers import derived_id
from edged.replication.keys import NamespaceKey
from edged.replication.refusal import Refusal, RefusedError
from edged.replication.shared_groups import (
    MOST_GROUPS_BYTES,
    SharedFate,
    SharedGroup,
    SharedGroups,
    groups_place,
    half_of,
    heard,
    id_bytes,
    id_text,
    said,
    unit_of,
)

KEY = NamespaceKey(bytes(32), 3)
MODEL = "a" * 64
PLACE = groups_place("home", "porch")
THEN_MS = 1_700_000_000_000


def a_group(number: int, **changes) -> SharedGroup:
    group = SharedGroup(
        id_bytes(derived_id("group", number)),
        THEN_MS,
        THEN_MS + number,
        1 + number,
        THEN_MS + number,
        2.5,
        half_of(looks_of(number)),
    )
    return msgspec.structs.replace(group, **changes)


def a_fate(number: int, fate: str = "forgotten", heir: int | None = None) -> SharedFate:
    named = None if heir is None else id_bytes(derived_id("group", heir))
    return SharedFate(id_bytes(derived_id("group", number)), fate, named, THEN_MS)


def payload_of(groups, fates=(), *, key=KEY, place=PLACE, model=MODEL, most_bytes=MOST_GROUPS_BYTES) -> bytes:
    return said(groups, fates, at_ms=5, model=model, key=key, place=place, most_bytes=most_bytes).payload


def refusal_of(payload, *, key=KEY, place=PLACE, model=MODEL, size=None) -> Refusal:
    with pytest.raises(RefusedError) as caught:
        heard(payload, key, place, model, size)
    return caught.value.refusal


@settings(max_examples=20)
@given(st.integers(0, 12), st.integers(0, 12))
def test_what_is_said_is_heard(groups, fates):
    shared = [a_group(number) for number in range(groups)]
    ends = [a_fate(number, "merged", number + 1) for number in range(fates)]
    word = heard(payload_of(shared, ends), KEY, PLACE, MODEL)
    assert (word.at_ms, word.left_out) == (5, 0)
    assert (list(word.groups), list(word.fates)) == (shared, ends)


@settings(max_examples=40)
@given(st.integers(300, 40_000), st.integers(0, 150), st.integers(0, 60))
def test_as_many_as_fit_are_said_the_first_ones_and_the_others_are_counted(most_bytes, groups, fates):
    shared = [a_group(number % 5, id=number.to_bytes(16)) for number in range(groups)]
    word = said(
        shared,
        [a_fate(number) for number in range(fates)],
        at_ms=5,
        model=MODEL,
        key=KEY,
        place=PLACE,
        most_bytes=most_bytes,
    )
    assert len(word.payload) <= most_bytes
    told = heard(word.payload, KEY, PLACE, MODEL)
    assert list(told.groups) == shared[: word.groups]
    assert told.left_out == word.left_out == groups - word.groups
    if len(word.payload) < most_bytes - 700:
        assert word.left_out == 0


@pytest.mark.parametrize("person", range(1, 40))
def test_half_precision_keeps_who_somebody_is(person):
    looks = looks_of(person)
    again = unit_of(half_of(looks))
    assert again @ looks > 0.9999
    assert abs(float(np.linalg.norm(again)) - 1) < 1e-5


def test_an_id_is_the_same_again():
    assert id_text(id_bytes(derived_id("group", 1))) == derived_id("group", 1)


def test_what_is_sent_shows_neither_groups_nor_looks():
    payload = payload_of([a_group(1)])
    assert a_group(1).id not in payload
    assert a_group(1).vector[:16] not in payload


@given(st.data())
def test_any_changed_byte_is_refused(data):
    payload = bytearray(payload_of([a_group(1)]))
    at = data.draw(st.integers(0, len(payload) - 1))
    payload[at] ^= data.draw(st.integers(1, 255))
    assert refusal_of(bytes(payload)) in {Refusal.ALTERED, Refusal.MALFORMED, Refusal.OLD, Refusal.NO_KEY}


@given(st.binary(max_size=200))
def test_anything_else_is_refused(payload):
    refusal_of(payload)


def test_another_node_s_another_key_s_and_another_model_s_are_refused():
    payload = payload_of([a_group(1)])
    assert refusal_of(payload, place=groups_place("home", "attic")) is Refusal.ALTERED
    assert refusal_of(payload, place=groups_place("work", "porch")) is Refusal.ALTERED
    assert refusal_of(payload, key=NamespaceKey(b"x" * 32, 3)) is Refusal.ALTERED
    assert refusal_of(payload, key=NamespaceKey(bytes(32), 2)) is Refusal.NO_KEY
    assert refusal_of(payload, key=NamespaceKey(bytes(32), 4)) is Refusal.OLD
    assert refusal_of(payload, model="b" * 64) is Refusal.OTHER_MODEL
    assert refusal_of(b"x" * (MOST_GROUPS_BYTES + 1)) is Refusal.OVERSIZED


@pytest.mark.parametrize(
    "changes",
    [
        {"first_seen_ms": THEN_MS + 9},
        {"visits": 0},
        {"visits": 2**40},
        {"effective": 0.5},
        {"effective": float("nan")},
        {"effective": float("inf")},
        {"id": b"short"},
        {"vector": bytes(64)},
        {"vector": half_of(looks_of(1))[:-1]},
        {"vector": half_of(looks_of(1))[:64]},
        {"vector": np.full(128, np.nan, "<f2").tobytes()},
        {"vector": np.full(128, np.inf, "<f2").tobytes()},
        {"kept_ms": -1},
    ],
)
def test_a_group_that_no_node_can_have_is_refused_with_all_others(changes):
    groups = (a_group(2), a_group(1, **changes))
    content = msgspec.msgpack.encode(SharedGroups(5, MODEL, groups))
    sealed = KEY.seal(content, PLACE)
    payload = payload_of([])[: len(b"edged sync groups 1\n") + 4] + sealed
    assert refusal_of(payload) is Refusal.MALFORMED


@pytest.mark.parametrize(
    "fates",
    [
        (a_fate(1, "forgotten", 2),),
        (a_fate(1, "merged"),),
        (a_fate(1, "named"),),
        (a_fate(1, "merged", 1),),
        (a_fate(1), a_fate(1)),
    ],
)
def test_a_fate_that_makes_no_sense_is_refused(fates):
    assert refusal_of(payload_of([], fates)) is Refusal.MALFORMED


def test_means_of_another_size_than_is_compared_with_are_refused_though_they_are_all_alike():
    vector = np.zeros(64, np.float32)
    vector[0] = 1
    payload = payload_of([a_group(1, vector=half_of(vector))])
    assert refusal_of(payload, size=128) is Refusal.MALFORMED
    assert len(heard(payload, KEY, PLACE, MODEL, 64).groups) == 1


def test_one_group_twice_is_refused():
    assert refusal_of(payload_of([a_group(1), a_group(1)])) is Refusal.MALFORMED
