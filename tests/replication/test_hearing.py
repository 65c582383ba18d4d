"""What a member believes of `alive`, and of what it is told alone."""

import base64

import msgspec
import pytest

from builders.sync import NAMESPACE, AnAuthority, a_person, a_seed
from edged.replication.hearing import Listener, alive_heard, member_heard
from edged.replication.keys import NodeKeys
from edged.replication.refusal import Refusal, RefusedError

AUTHORITY = AnAuthority()
KEYS = NodeKeys(a_seed("porch"))
EPOCH = AUTHORITY.epoch(3, [a_person(1)])


def a_listener(**other):
    said = {
        "namespace": NAMESPACE,
        "authority": AUTHORITY.public,
        "node": "porch",
        "node_key": KEYS.node.public.hex(),
        "told_ms": 100,
    }
    return Listener(**said | other)


def refusal_of(hear, payload, **other):
    with pytest.raises(RefusedError) as caught:
        hear(payload, a_listener(**other))
    return caught.value.refusal


def test_alive_of_the_authority_is_heard():
    said = alive_heard(AUTHORITY.alive(EPOCH, at=7), a_listener())
    assert (said.epoch, said.manifest, said.at) == (3, EPOCH.name, 7)


def test_what_it_is_told_is_heard_again_at_the_same_time_and_later():
    for at in (100, 101):
        assert member_heard(AUTHORITY.told("porch", KEYS, at=at), a_listener()).at == at


def test_what_was_said_before_is_refused():
    payload = AUTHORITY.told("porch", KEYS, at=99)
    assert refusal_of(member_heard, payload) is Refusal.OLD


@pytest.mark.parametrize("other", [AnAuthority("stranger"), AnAuthority(namespace="office")])
def test_strangers_and_other_namespaces_are_refused(other):
    expected = Refusal.OTHER_NAMESPACE if other.namespace != NAMESPACE else Refusal.UNSIGNED
    assert refusal_of(alive_heard, other.alive(EPOCH)) is expected
    assert refusal_of(member_heard, other.told("porch", KEYS)) is expected


def test_what_is_for_another_node_or_for_this_one_with_other_keys_is_refused():
    assert refusal_of(member_heard, AUTHORITY.told("cellar", KEYS)) is Refusal.STRANGER
    other = NodeKeys(a_seed("another card"))
    assert refusal_of(member_heard, AUTHORITY.told("porch", other)) is Refusal.STRANGER


def test_one_statement_is_not_taken_for_another():
    assert refusal_of(member_heard, AUTHORITY.alive(EPOCH)) is Refusal.UNSIGNED
    assert refusal_of(alive_heard, AUTHORITY.told("porch", KEYS)) is Refusal.UNSIGNED
    assert refusal_of(alive_heard, EPOCH.payload) in {Refusal.UNSIGNED, Refusal.OVERSIZED}


@pytest.mark.parametrize("number", [-1, 2**53 + 1, 1.5, "1", None])
def test_numbers_out_of_their_range_are_refused(number):
    body = msgspec.json.decode(AUTHORITY.alive(EPOCH).partition(b"\n")[0])
    text = msgspec.json.encode(body | {"at": number})
    signature = AUTHORITY.keys.authority.sign(b"edged sync alive 1\0" + text)
    payload = text + b"\n" + base64.b64encode(signature) + b"\n"
    assert refusal_of(alive_heard, payload) is Refusal.MALFORMED
