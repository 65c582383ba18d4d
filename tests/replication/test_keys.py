"""The keys of nodes and namespaces."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.replication.keys import (
    SEALING_OVERHEAD_BYTES,
    NamespaceKey,
    NodeKeys,
    SigningKey,
    can_be_sealed_for,
    envelope_place,
    is_signed,
    seal_envelope,
)
from edged.replication.refusal import Refusal, RefusedError

SEED = bytes(range(32))
OTHER_SEED = bytes(32)


def chance(count: int) -> bytes:
    return hashlib.sha256(b"ephemeral").digest()[:count]


def test_a_seed_gives_the_same_keys_each_time_and_three_that_differ() -> None:
    one, again = NodeKeys(SEED), NodeKeys(SEED)
    publics = (one.node.public, one.authority.public, one.sealing_public)
    assert publics == (again.node.public, again.authority.public, again.sealing_public)
    assert len(set(publics)) == 3


def test_keys_are_not_shown() -> None:
    assert "****" in repr(NodeKeys(SEED))
    assert SEED.hex() not in repr(NamespaceKey(SEED, 1)) + repr(SigningKey(SEED))


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_seed_of_another_length_is_none(length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        NodeKeys(bytes(length))
    with pytest.raises(ValueError, match="32 bytes"):
        NamespaceKey(bytes(length), 1)


@given(st.binary(max_size=200), st.integers(0, 63), st.integers(1, 255))
def test_a_signature_holds_for_its_content_alone(content: bytes, place: int, change: int) -> None:
    key = SigningKey(SEED)
    signature = key.sign(content)
    assert is_signed(key.public, signature, content)
    assert not is_signed(key.public, signature, content + b"x")
    assert not is_signed(SigningKey(OTHER_SEED).public, signature, content)
    altered = bytearray(signature)
    altered[place] ^= change
    assert not is_signed(key.public, bytes(altered), content)


def test_a_public_key_that_is_none_signs_nothing() -> None:
    assert not is_signed(b"short", bytes(64), b"content")
    assert not is_signed(bytes(32), b"short", b"content")


def test_an_envelope_opens_for_its_node_its_place_and_generation_alone() -> None:
    here, there = NodeKeys(SEED), NodeKeys(OTHER_SEED)
    place = envelope_place("home", "door", 3)
    envelope = seal_envelope(b"k" * 32, here.sealing_public, place, chance)
    assert here.open_envelope(envelope, place) == b"k" * 32
    for keys, where, what in (
        (there, place, envelope),
        (here, envelope_place("home", "door", 4), envelope),
        (here, envelope_place("office", "door", 3), envelope),
        (here, place, envelope[:-1]),
        (here, place, bytes(80)),
        (here, place, b""),
    ):
        with pytest.raises(RefusedError) as refused:
            keys.open_envelope(what, where)
        assert refused.value.refusal is Refusal.NO_KEY


@given(st.binary(max_size=500))
def test_the_same_content_seals_to_the_same_bytes_and_opens_again(content: bytes) -> None:
    key = NamespaceKey(SEED, 2)
    sealed = key.seal(content, "here")
    assert sealed == key.seal(content, "here")
    assert len(sealed) == len(content) + SEALING_OVERHEAD_BYTES
    assert key.open(sealed, "here") == content


def test_what_is_moved_altered_or_of_another_key_does_not_open() -> None:
    key = NamespaceKey(SEED, 2)
    sealed = key.seal(b"faces", "home")
    for other, what, place in (
        (key, sealed, "office"),
        (key, sealed[:-1] + bytes([sealed[-1] ^ 1]), "home"),
        (key, sealed[:10], "home"),
        (NamespaceKey(SEED, 3), sealed, "home"),
        (NamespaceKey(OTHER_SEED, 2), sealed, "home"),
    ):
        with pytest.raises(RefusedError) as refused:
            other.open(what, place)
        assert refused.value.refusal is Refusal.ALTERED


def test_two_contents_never_share_a_nonce_with_one_place_and_one_place_with_another() -> None:
    key = NamespaceKey(SEED, 1)
    nonces = {
        key.seal(content, place)[:12]
        for content in (b"", b"a", b"b", b"ab")
        for place in ("", "a", "ab", "b")
    }
    assert len(nonces) == 16


def test_a_digest_is_of_the_key_and_the_content() -> None:
    one = NamespaceKey(SEED, 1)
    assert one.digest(b"a") == NamespaceKey(SEED, 9).digest(b"a")
    assert one.digest(b"a") != one.digest(b"b")
    assert one.digest(b"a") != NamespaceKey(OTHER_SEED, 1).digest(b"a")


def test_nothing_is_sealed_for_a_point_of_small_order() -> None:
    assert can_be_sealed_for(NodeKeys(bytes(32)).sealing_public)
    for point in (
        bytes(32),
        (1).to_bytes(32, "little"),
        (2**255 - 19).to_bytes(32, "little"),
        (2**255 - 20).to_bytes(32, "little"),
        bytes.fromhex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
        bytes(31),
    ):
        assert not can_be_sealed_for(point)
