"""Which manifest a member takes, and which pages it then lacks."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.namespaces import MODEL, OTHER_MODEL
from builders.sync import AnAuthority, a_person, page_hash
from edged.replication.following import (
    MOST_BUCKET_BYTES,
    MOST_HANDOVERS,
    Follower,
    InForce,
    accepted,
    ask_again_ms,
    require_well_formed,
    stale_buckets,
)
from edged.replication.keys import NamespaceKey
from edged.replication.people import PAGE_BYTES
from edged.replication.refusal import Refusal, RefusedError
from edged.replication.statement import StatementKind, signed
from edged.replication.statements import PageEntry

AUTHORITY = AnAuthority()
PEOPLE = [a_person(number) for number in range(6)]
EPOCH = AUTHORITY.epoch(5, PEOPLE)
HEIRS = [AUTHORITY, *(AnAuthority(f"heir {number}") for number in range(4))]


def a_follower(**other):
    return Follower(**{"namespace": "home", "authority": AUTHORITY.public, "model_hash": MODEL} | other)


def refusal_of(payload, follower=None, in_force=None):
    with pytest.raises(RefusedError) as caught:
        accepted(payload, follower or a_follower(), in_force or InForce(1, "0" * 64))
    return caught.value.refusal


def an_entry(bucket, part=0, name=None, size=100):
    return PageEntry(bucket, part, page_hash(name or f"{bucket} {part}").hex(), size)


def with_pages(pages, **other):
    return msgspec.structs.replace(EPOCH.manifest, pages=tuple(pages), **other)


def test_a_later_epoch_of_who_is_believed_is_taken():
    taken = accepted(EPOCH.payload, a_follower(), InForce(4, "0" * 64))
    assert taken is not None
    assert (taken.manifest, taken.name, taken.authority) == (EPOCH.manifest, EPOCH.name, AUTHORITY.public)


def test_the_one_in_force_is_not_taken_again():
    assert accepted(EPOCH.payload, a_follower(), InForce(5, EPOCH.name)) is None


@pytest.mark.parametrize(("epoch", "refusal"), [(5, Refusal.SPLIT), (6, Refusal.OLD), (2**53, Refusal.OLD)])
def test_another_manifest_of_an_epoch_that_is_not_later_is_refused(epoch, refusal):
    assert refusal_of(EPOCH.payload, in_force=InForce(epoch, "1" * 64)) is refusal


def test_what_a_stranger_signed_is_refused_whatever_it_says():
    stranger = AnAuthority("stranger")
    assert refusal_of(stranger.epoch(9, PEOPLE).payload) is Refusal.UNSIGNED
    # In the authority's name too.
    posing = AUTHORITY.epoch(9, PEOPLE, signer=stranger.keys.authority)
    assert refusal_of(posing.payload) is Refusal.UNSIGNED


def test_the_authoritys_manifest_of_another_namespace_is_refused():
    assert refusal_of(AnAuthority(namespace="office").epoch(9, PEOPLE).payload) is Refusal.OTHER_NAMESPACE


def test_a_manifest_that_names_another_key_than_it_is_signed_by_is_refused():
    other = AnAuthority("second").public.hex()
    assert refusal_of(AUTHORITY.epoch(9, PEOPLE, authority=other).payload) is Refusal.MALFORMED


def test_another_embedder_is_taken_only_where_crops_come_along_and_can_be_embedded():
    plain = AUTHORITY.epoch(5, PEOPLE, model=OTHER_MODEL).payload
    with_chips = AUTHORITY.epoch(5, PEOPLE, model=OTHER_MODEL, has_chips=True).payload
    able = a_follower(can_embed=True)
    assert refusal_of(plain) is refusal_of(plain, able) is refusal_of(with_chips) is Refusal.OTHER_MODEL
    assert accepted(with_chips, able, InForce()) is not None


@given(st.integers(0, len(EPOCH.payload) - 1), st.integers(1, 255))
def test_a_manifest_with_one_byte_altered_is_refused(place, change):
    altered = bytearray(EPOCH.payload)
    altered[place] ^= change
    assert refusal_of(bytes(altered)) in {Refusal.UNSIGNED, Refusal.MALFORMED}


@given(st.integers(0, len(EPOCH.payload) - 1))
def test_a_manifest_that_is_cut_off_is_refused(length):
    assert refusal_of(EPOCH.payload[:length]) is Refusal.UNSIGNED


# --- the chain of handovers


def a_chain(afters):
    """Handovers from each heir to the next, after these epochs."""
    return [HEIRS[place].handover(HEIRS[place + 1], after) for place, after in enumerate(afters)]


@settings(deadline=None)
@given(st.lists(st.integers(1, 20), min_size=1, max_size=4).map(sorted), st.data())
def test_who_believes_any_of_a_chain_comes_to_its_last(afters, data):
    believed = data.draw(st.integers(0, len(afters) - 1))
    # Each is in force with whoever spoke then: not later than its next handover.
    epoch = data.draw(st.integers(0, afters[believed]))
    last = HEIRS[len(afters)]
    made = last.epoch(afters[-1] + 1, PEOPLE, handovers=tuple(a_chain(afters)))
    taken = accepted(made.payload, a_follower(authority=HEIRS[believed].public), InForce(epoch, "0" * 64))
    assert taken is not None
    assert taken.authority == last.public


@settings(deadline=None)
@given(st.permutations(range(4)), st.sets(st.integers(0, 3)))
def test_a_chain_out_of_order_or_with_a_link_missing_leads_nowhere(order, kept):
    chain = a_chain([2, 4, 6, 8])
    told = tuple(chain[place] for place in order if place in kept)
    payload = HEIRS[4].epoch(9, PEOPLE, handovers=told).payload
    if told == tuple(chain):
        assert accepted(payload, a_follower(), InForce(1, "0" * 64)) is not None
    else:
        assert refusal_of(payload) is Refusal.UNSIGNED


@pytest.mark.parametrize(
    ("chain", "epoch", "why"),
    [
        ([AUTHORITY.handover(HEIRS[1], 3)], 9, "its giver has spoken since"),
        ([AUTHORITY.handover(HEIRS[1], 9)], 9, "it is not over yet"),
        ([HEIRS[2].handover(HEIRS[1], 6)], 9, "it is another's to give"),
        ([AnAuthority(namespace="office").handover(HEIRS[1], 6)], 9, "it is of another namespace"),
        ([AUTHORITY.handover(HEIRS[1], 6)[:-9] + "AAAAAAA=\n"], 9, "it is not signed"),
        (["{}\n"], 9, "it is no statement"),
        ([AUTHORITY.handover(HEIRS[1], 6)] * (MOST_HANDOVERS + 1), 9, "it is too long"),
        ([AUTHORITY.handover(AUTHORITY, 6)], 9, "it leads to who is believed"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_a_handover_is_none_where(chain, epoch, why):
    payload = HEIRS[1].epoch(epoch, PEOPLE, handovers=tuple(chain)).payload
    assert refusal_of(payload, in_force=InForce(5, "0" * 64)) is Refusal.UNSIGNED, why


def test_a_handover_that_another_signed_in_the_givers_name_is_none():
    said = AUTHORITY.handover(HEIRS[1], 6).partition("\n")[0]
    forged = HEIRS[1].handover(HEIRS[1], 6).partition("\n")[2]
    payload = HEIRS[1].epoch(9, PEOPLE, handovers=(f"{said}\n{forged}",)).payload
    assert refusal_of(payload) is Refusal.UNSIGNED


def test_an_heir_in_whose_name_another_signed_is_not_believed():
    chain = (AUTHORITY.handover(HEIRS[1], 6),)
    made = HEIRS[1].epoch(9, PEOPLE, handovers=chain, signer=AnAuthority("stranger").keys.authority)
    assert refusal_of(made.payload) is Refusal.UNSIGNED


# --- the form


WELL = [an_entry(bucket) for bucket in range(4)]


@pytest.mark.parametrize(
    "pages",
    [WELL, [an_entry(0), an_entry(0, 1), an_entry(1), an_entry(2), an_entry(3), an_entry(3, 1)]],
)
def test_pages_in_order_with_all_parts_are_well_formed(pages):
    require_well_formed(with_pages(pages))


@pytest.mark.parametrize(
    ("pages", "buckets"),
    [
        ([], 4),
        (WELL[:3], 4),
        ([*WELL, an_entry(4)], 4),
        (WELL, 8),
        (WELL[:3], 3),
        ([an_entry(0, 1), *WELL[1:]], 4),
        ([an_entry(0), an_entry(0, 2), *WELL[1:]], 4),
        ([*WELL, an_entry(3, 2)], 4),
        ([an_entry(0, name="same"), an_entry(1, name="same"), *WELL[2:]], 4),
    ],
)
def test_pages_that_cannot_be_a_namespace_are_refused(pages, buckets):
    with pytest.raises(RefusedError) as caught:
        require_well_formed(with_pages(pages, buckets=buckets))
    assert caught.value.refusal is Refusal.MALFORMED


@given(st.permutations(WELL), st.lists(st.sampled_from(WELL), max_size=3))
def test_any_other_order_and_any_page_twice_is_refused(order, twice):
    manifest = with_pages([*order, *twice])
    if manifest.pages == tuple(WELL):
        require_well_formed(manifest)
        return
    with pytest.raises(RefusedError):
        require_well_formed(manifest)


def test_a_bucket_is_no_larger_than_memory_is_meant_for():
    count = MOST_BUCKET_BYTES // PAGE_BYTES
    fits = [an_entry(0, part, size=PAGE_BYTES) for part in range(count)]
    require_well_formed(with_pages(fits, buckets=1))
    with pytest.raises(RefusedError) as caught:
        require_well_formed(with_pages([*fits, an_entry(0, count, size=PAGE_BYTES)], buckets=1))
    assert caught.value.refusal is Refusal.OVERSIZED


def test_a_manifest_is_refused_for_its_form_before_anything_is_fetched():
    pages = (*EPOCH.manifest.pages[:2], EPOCH.manifest.pages[0])
    bad = msgspec.structs.replace(EPOCH.manifest, pages=pages)
    assert refusal_of(signed(StatementKind.MANIFEST, bad, AUTHORITY.keys.authority)) is Refusal.MALFORMED


# --- what is lacking


@given(st.sets(st.integers(0, 3)), st.sets(st.integers(0, 3)))
def test_buckets_with_other_pages_and_those_to_be_applied_again_are_stale(changed, unsure):
    before = with_pages(WELL)
    now = with_pages([an_entry(n, name=f"changed {n}") if n in changed else WELL[n] for n in range(4)])
    hashes = {bucket: None if bucket in unsure else b"h" * 32 for bucket in range(4)}
    assert stale_buckets(now, before, hashes) == changed | unsure


def test_a_bucket_that_lost_a_part_is_stale():
    before = with_pages([an_entry(0), an_entry(0, 1), *WELL[1:]])
    assert stale_buckets(with_pages(WELL), before, dict.fromkeys(range(4), b"h" * 32)) == {0}


@pytest.mark.parametrize("other", [{"buckets": 2}, {"model": OTHER_MODEL}, {"has_chips": True}])
def test_all_is_stale_where_pages_are_made_otherwise(other):
    now = AUTHORITY.epoch(6, PEOPLE, **other).manifest
    assert stale_buckets(now, EPOCH.manifest, dict.fromkeys(range(4), b"h" * 32)) == set(range(now.buckets))


def test_all_is_stale_after_a_rotation_and_at_the_beginning():
    rotated = AnAuthority(key=NamespaceKey(b"k" * 32, 2)).epoch(6, PEOPLE).manifest
    assert stale_buckets(rotated, EPOCH.manifest, dict.fromkeys(range(4), b"h" * 32)) == set(range(4))
    assert stale_buckets(rotated, None, {}) == set(range(4))


# --- asking again


@given(st.integers(1, 1000), st.integers(100, 3_600_000), st.floats(0, 0.999))
def test_asking_again_takes_longer_each_time_but_not_for_ever(tries, every_ms, chance):
    wait_ms = ask_again_ms(tries, every_ms, lambda: chance)
    assert 0.9 * every_ms - 1 <= wait_ms <= max(600_000, every_ms)
    assert ask_again_ms(tries + 1, every_ms, lambda: chance) >= wait_ms
