"""What the authority decides, as values."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.replication.keys import NamespaceKey, SigningKey
from edged.replication.people import CONTENT_BYTES, page_name, page_place
from edged.replication.publishing import (
    Found,
    OwnEpoch,
    entries_by_bucket,
    is_rotation_due,
    judged,
    sealed_pages,
)
from edged.replication.refusal import Refusal, RefusedError
from edged.replication.statement import StatementKind, signed
from edged.replication.statements import FIRST, Manifest, name_of

OWN = SigningKey(bytes(32))
HEIR = SigningKey(bytes([1]) * 32)
KEY = NamespaceKey(bytes(32), 1)
STANDING = OwnEpoch(
    epoch=5, name="e" * 64, successor="", started_ms=1000, has_changes=False, is_restored=False
)


def a_manifest(epoch: int, *, issued_at: int = 500, namespace: str = "home", key: SigningKey = OWN) -> bytes:
    manifest = Manifest(
        namespace=namespace,
        epoch=epoch,
        previous=FIRST,
        issued_at=issued_at,
        authority=key.public.hex(),
        writer="head",
        run="1",
        model="a" * 64,
        key_generation=1,
        buckets=1,
        pages=(),
        content=FIRST,
        identities=0,
        faces=0,
    )
    return signed(StatementKind.MANIFEST, manifest, key)


@pytest.mark.parametrize(
    ("epoch", "changes", "expected"),
    [
        (4, {}, Found.OLDER),
        (5, {}, Found.SPLIT),
        (6, {}, Found.NEWER),
        (6, {"has_changes": True}, Found.SPLIT),
        (6, {"started_ms": 400}, Found.SPLIT),
        (6, {"has_changes": True, "started_ms": 400, "is_restored": True}, Found.NEWER),
        (5, {"is_restored": True}, Found.OVERRULED),
        (4, {"is_restored": True}, Found.OLDER),
    ],
)
def test_another_manifest_of_the_own_key_is_judged_by_epoch_and_time(epoch, changes, expected):
    found, manifest = judged(a_manifest(epoch), "home", OWN.public, replace(STANDING, **changes))
    assert (found, manifest.epoch) == (expected, epoch)


def test_the_manifest_in_force_is_known_by_its_hash():
    payload = a_manifest(5)
    own = replace(STANDING, name=name_of(payload))
    assert judged(payload, "home", OWN.public, own)[0] is Found.OURS


def test_the_successor_s_manifest_ends_the_authority_and_an_earlier_one_of_it_does_not():
    own = replace(STANDING, successor=HEIR.public.hex())
    assert judged(a_manifest(6, key=HEIR), "home", OWN.public, own)[0] is Found.SUCCEEDED
    with pytest.raises(RefusedError) as refused:
        judged(a_manifest(5, key=HEIR), "home", OWN.public, own)
    assert refused.value.refusal is Refusal.OLD


def test_what_is_signed_by_somebody_else_or_of_another_namespace_does_not_count():
    with pytest.raises(RefusedError) as refused:
        judged(a_manifest(6, key=HEIR), "home", OWN.public, STANDING)
    assert refused.value.refusal is Refusal.UNSIGNED
    with pytest.raises(RefusedError) as refused:
        judged(a_manifest(6, namespace="shop"), "home", OWN.public, STANDING)
    assert refused.value.refusal is Refusal.OTHER_NAMESPACE


@given(st.integers(0, 3 * CONTENT_BYTES), st.integers(0, 255))
def test_the_pages_of_a_bucket_open_to_its_content_and_are_always_the_same(size, bucket):
    content = bytes(size)
    pages = list(sealed_pages(KEY, "home", bucket, content))

    assert pages == list(sealed_pages(KEY, "home", bucket, content))
    assert b"".join(KEY.open(sealed, page_place("home", bucket, e.part)) for e, sealed in pages) == content
    assert all(page_name(sealed) == entry.sha256 and entry.bytes == len(sealed) for entry, sealed in pages)
    assert entries_by_bucket(entry for entry, _ in pages) == {bucket: tuple(entry for entry, _ in pages)}


def test_the_key_changes_by_itself_when_everybody_confirmed_and_not_too_often():
    due = {
        "erased_epoch": 7,
        "sealed_since": 3,
        "swept_epochs": [7, 8],
        "age_ms": 100,
        "rotate_every_ms": 100,
    }
    assert is_rotation_due(**due)
    assert is_rotation_due(**(due | {"age_ms": -1})), (
        "of a key that was made in the future nobody knows how old"
    )
    for changed in (
        {"swept_epochs": [7, 6]},
        {"sealed_since": 7},
        {"age_ms": 99},
        {"rotate_every_ms": None},
    ):
        assert not is_rotation_due(**(due | changed))
