"""An epoch is applied whole, or nothing of it, whatever its pages say."""

import hashlib

import msgspec
import pytest

from builders.namespaces import MODEL, START_UTC_MS, a_new_face
from builders.sync import NAMESPACE, AnAuthority, Epoch, a_person, be_member, node_parts
from edged.domain.identifiers import derived_id
from edged.replication.following import Accepted
from edged.replication.keys import NamespaceKey
from edged.replication.people import bucket_of, content_hash, content_of, whole_digest
from edged.replication.publishing import sealed_pages
from edged.replication.refusal import Refusal, RefusedError
from edged.replication.statement import StatementKind, signed
from edged.replication.statements import name_of
from edged.store.fsck import fsck
from edged.store.sync_applying import apply_epoch, lacking, manifest_in_force
from edged.store.sync_records import bucket_hashes, epoch_record, shared_person
from edged.store.sync_staging import stage, staged_names

AUTHORITY = AnAuthority()
PEOPLE = [a_person(n) for n in range(6)]
ADA = PEOPLE[0]


@pytest.fixture
def store(store, tmp_path):
    be_member(store, AUTHORITY, node_parts(tmp_path))
    return store


def stage_all(store, epoch):
    stage(store.connection, epoch.pages.items(), 1)


def taken(epoch):
    return Accepted(epoch.manifest, epoch.payload, epoch.name, AUTHORITY.public)


def do(store, epoch):
    stage_all(store, epoch)
    return apply_epoch(store.connection, taken(epoch), AUTHORITY.key, START_UTC_MS)


def of_content(number, content):
    """An epoch of one bucket with this content, signed and with the digest that belongs to it."""
    pages = dict(sealed_pages(AUTHORITY.key, NAMESPACE, 0, content))
    manifest = msgspec.structs.replace(
        AUTHORITY.epoch(number, [], buckets=1).manifest,
        pages=tuple(pages),
        content=whole_digest(AUTHORITY.key, {0: content_hash(content)}, 1),
    )
    payload = signed(StatementKind.MANIFEST, manifest, AUTHORITY.keys.authority)
    return Epoch(manifest, payload, {entry.sha256: sealed for entry, sealed in pages.items()})


def people_in(store):
    ids = [row[0] for row in store.connection.execute("SELECT id FROM identity ORDER BY id")]
    return [shared_person(store.connection, each, MODEL, with_chips=False) for each in ids]


def refusal_of(store, epoch):
    """Why an epoch is not applied over another one, of which everything stays."""
    do(store, AUTHORITY.epoch(1, PEOPLE, buckets=1))
    before = people_in(store), epoch_record(store.connection), bucket_hashes(store.connection)
    with pytest.raises(RefusedError) as caught:
        do(store, epoch)
    assert (people_in(store), epoch_record(store.connection), bucket_hashes(store.connection)) == before
    assert store.connection.execute("SELECT is_applying FROM sync_membership").fetchone() == (0,)
    assert fsck(store.path) == [] or staged_names(store.connection)
    return caught.value.refusal


def a_face(**other):
    return msgspec.structs.replace(ADA.faces[0], **other)


def with_face(**other):
    return msgspec.structs.replace(ADA, faces=(a_face(**other),))


def changed(**other):
    return msgspec.structs.replace(ADA, **other)


@pytest.mark.parametrize(
    "person",
    [
        changed(id="short"),
        changed(id="x" * 100_000),
        changed(name="x" * 100_000),
        changed(name="A\0da"),
        changed(name="A\x1b[31mda"),
        changed(name="Ada "),
        changed(name="A\u2028da"),
        changed(custom_id=""),
        changed(custom_id="\n"),
        changed(custom_id="x" * 100_000),
        changed(created_ms=-1),
        changed(updated_ms=2**60),
        changed(faces=(ADA.faces[0], ADA.faces[0])),
        with_face(id="short"),
        with_face(quality=float("nan")),
        with_face(quality=float("inf")),
        with_face(quality=-0.5),
        with_face(source="x" * 301),
        with_face(created_ms=-1),
        with_face(vector=b""),
        with_face(vector=b"\0" * 63),
        with_face(vector=b"\0" * 20_000),
        with_face(png=b""),
    ],
)
def test_somebody_who_cannot_be_kept_as_they_are_is_not_kept(store, person):
    assert refusal_of(store, of_content(2, content_of([person]))) is Refusal.MALFORMED


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xc1",
        b"\x91" * 50_000,
        msgspec.msgpack.encode([1, 2]),
        msgspec.msgpack.encode(sorted(PEOPLE, key=lambda person: person.id, reverse=True)),
        msgspec.msgpack.encode([ADA, ADA]),
        content_of([ADA])[:-1],
    ],
)
def test_content_that_is_no_bucket_is_refused(store, content):
    assert refusal_of(store, of_content(2, content)) is Refusal.MALFORMED


def test_somebody_in_another_bucket_than_theirs_is_refused(store):
    people = [person for person in PEOPLE if bucket_of(person.id, 2) == 0]
    first, second = AUTHORITY.epoch(2, people, buckets=2), {}
    for bucket in (0, 1):
        second |= dict(sealed_pages(AUTHORITY.key, NAMESPACE, bucket, content_of(people if bucket else [])))
    manifest = msgspec.structs.replace(first.manifest, pages=tuple(second))
    pages = {entry.sha256: sealed for entry, sealed in second.items()}
    epoch = Epoch(manifest, signed(StatementKind.MANIFEST, manifest, AUTHORITY.keys.authority), pages)
    assert refusal_of(store, epoch) is Refusal.MALFORMED


def test_one_face_of_two_people_does_not_come_out_as_it_went_in(store):
    other = msgspec.structs.replace(PEOPLE[1], faces=ADA.faces)
    assert refusal_of(store, of_content(2, content_of([ADA, other]))) is Refusal.ALTERED


def test_one_custom_id_of_two_people_does_not_come_out_as_it_went_in(store):
    other = msgspec.structs.replace(PEOPLE[1], custom_id="7")
    assert refusal_of(store, of_content(2, content_of([changed(custom_id="7"), other]))) is Refusal.ALTERED


def test_pages_that_are_not_what_the_digest_says_are_refused(store):
    epoch = AUTHORITY.epoch(2, PEOPLE[:3], content=hashlib.sha256(b"other").hexdigest())
    assert refusal_of(store, epoch) is Refusal.ALTERED


def test_a_page_of_another_key_is_refused(store):
    assert refusal_of(store, AnAuthority(key=NamespaceKey(b"k" * 32, 1)).epoch(2, PEOPLE)) is Refusal.ALTERED


def test_an_epoch_whose_pages_are_not_all_here_changes_nothing(store):
    do(store, AUTHORITY.epoch(1, PEOPLE))
    epoch = AUTHORITY.epoch(2, PEOPLE[:2])
    needed = lacking(store.connection, epoch.manifest)
    stage(store.connection, [(each.sha256, epoch.pages[each.sha256]) for each in needed[:-1]], 1)
    with pytest.raises(LookupError):
        apply_epoch(store.connection, taken(epoch), AUTHORITY.key, START_UTC_MS)
    assert len(people_in(store)) == 6
    assert len(staged_names(store.connection)) == len(needed) - 1


def test_what_is_staged_goes_with_the_epoch_and_what_changed_is_counted(store):
    do(store, AUTHORITY.epoch(1, PEOPLE))
    fewer = msgspec.structs.replace(a_person(1, looks=1), faces=())
    applied = do(store, AUTHORITY.epoch(2, [*PEOPLE[2:], fewer]))
    assert (applied.changed, applied.removed, applied.faces_removed) == (1, 1, 1)
    assert applied.is_to_sweep
    assert staged_names(store.connection) == frozenset()
    assert name_of(applied.record.manifest) == name_of(epoch_record(store.connection).manifest)
    assert list(store.sweep()) == []
    assert fsck(store.path) == []


def test_whoever_has_a_custom_id_that_the_authority_gave_to_somebody_else_loses_it(store):
    do(store, AUTHORITY.epoch(1, PEOPLE))
    own = store.add_identity("Own", [a_new_face(77)], custom_id="7")
    do(store, AUTHORITY.epoch(2, [changed(custom_id="7"), *PEOPLE[1:]]))
    assert store.get(own.id).custom_id is None
    assert store.get(ADA.id).custom_id == "7"


def test_an_own_change_that_is_not_answered_stays_and_its_bucket_is_unsettled(store):
    do(store, AUTHORITY.epoch(1, PEOPLE))
    store.rename(ADA.id, "Mine")
    applied = do(store, AUTHORITY.epoch(2, [a_person(n, looks=1) for n in range(6)]))
    assert applied.skipped == {ADA.id}
    assert store.get(ADA.id).name == "Mine"
    unsettled = [bucket for bucket, each in bucket_hashes(store.connection).items() if each is None]
    assert unsettled == [bucket_of(ADA.id, 4)]
    # Of the epoch in force nothing is fetched again before there is an answer.
    assert lacking(store.connection, manifest_in_force(store.connection)) == ()


def test_somebody_who_comes_back_is_no_longer_told_as_removed(store):
    do(store, AUTHORITY.epoch(1, PEOPLE))
    do(store, AUTHORITY.epoch(2, PEOPLE[1:]))
    do(store, AUTHORITY.epoch(3, PEOPLE))
    gone = store.connection.execute("SELECT identity_id FROM tombstone").fetchall()
    assert (ADA.id,) not in gone
    assert derived_id("person", 0) == ADA.id
