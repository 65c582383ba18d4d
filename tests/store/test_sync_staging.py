"""Pages that wait: opened only in their place, and deleted once nobody wants them."""

import msgspec
import pytest

from builders.sync import NAMESPACE, page_hash
from edged.replication.keys import NamespaceKey
from edged.replication.people import page_name
from edged.replication.publishing import sealed_pages
from edged.replication.refusal import Refusal, RefusedError
from edged.store.sync_staging import keep_only, stage, staged_content, staged_names

KEY = NamespaceKey(page_hash("key"), 1)
CONTENT = bytes(range(256)) * 1000


def two_parts(store, bucket=3):
    made = list(sealed_pages(KEY, NAMESPACE, bucket, CONTENT))
    stage(store.connection, [(entry.sha256, sealed) for entry, sealed in made], 1)
    return [entry for entry, _ in made]


def refusal_of(store, entries, key=KEY, namespace=NAMESPACE):
    with pytest.raises(RefusedError) as caught:
        staged_content(store.connection, namespace, key, entries)
    return caught.value.refusal


def test_a_bucket_is_put_together_of_its_parts_in_their_order(store):
    entries = two_parts(store)
    assert len(entries) == 3
    assert staged_content(store.connection, NAMESPACE, KEY, entries) == CONTENT


def test_a_page_opens_in_its_place_with_its_key_and_nowhere_else(store):
    entries = two_parts(store)
    assert refusal_of(store, [msgspec.structs.replace(entries[1], part=0)]) is Refusal.ALTERED
    assert refusal_of(store, entries, key=NamespaceKey(page_hash("other"), 1)) is Refusal.ALTERED
    assert refusal_of(store, entries, namespace="office") is Refusal.ALTERED


def test_a_page_that_was_altered_on_the_disk_does_not_open(store):
    entries = two_parts(store)
    store.connection.execute("UPDATE sync_page SET sealed = substr(sealed, 1, 100)")
    assert refusal_of(store, entries) is Refusal.ALTERED


def test_what_is_not_staged_is_said_to_be_lacking(store):
    entries = two_parts(store)
    keep_only(store.connection, {entries[0].sha256})
    with pytest.raises(LookupError):
        staged_content(store.connection, NAMESPACE, KEY, entries)


def test_staging_twice_keeps_one_and_thousands_are_let_go_of(store):
    pages = [(page_name(str(n).encode()), str(n).encode()) for n in range(1200)]
    stage(store.connection, pages, 1)
    stage(store.connection, pages[:5], 2)
    assert len(staged_names(store.connection)) == 1200
    wanted = {pages[7][0], "0" * 64}
    assert keep_only(store.connection, wanted) == 1199
    assert staged_names(store.connection) == {pages[7][0]}
    assert keep_only(store.connection, wanted) == 0
