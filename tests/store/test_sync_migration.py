"""A database of an edged that knew no sync, as that edged left it: it comes up with it, and is synced."""

import re
import sqlite3
from contextlib import closing

import pytest

from builders.authorities import keys_of
from builders.namespaces import MODEL, random_chip, random_unit
from builders.sync_sites import Site
from edged.domain.identifiers import derived_id
from edged.store.database import make_private
from edged.store.fsck import fsck
from edged.store.namespace_chips import chip_to_png
from edged.store.namespace_files import NAMESPACE_SCHEMA
from edged.store.namespace_store import NamespaceStore
from edged.store.sync_records import membership

ADA, BEN = derived_id("old", 1), derived_id("old", 2)


def an_older_database(path):
    """Ada and Ben, one face each, Ada's with a crop; Cem was removed. By the first six migrations alone."""
    make_private(path)
    with closing(sqlite3.connect(path)) as old:
        old.execute("PRAGMA auto_vacuum = INCREMENTAL")
        old.execute("PRAGMA journal_mode = WAL")
        older = [one for one in sorted(NAMESPACE_SCHEMA.migrations.glob("*.sql")) if one.name < "0007"]
        assert len(older) == 6
        for migration in older:
            old.executescript(migration.read_text("utf-8"))
        old.execute(f"PRAGMA application_id = {NAMESPACE_SCHEMA.application_id}")
        old.execute("PRAGMA user_version = 6")
        for number, (identity, name) in enumerate([(ADA, "Ada"), (BEN, "Ben")], start=1):
            old.execute(
                "INSERT INTO identity (number, id, name, custom_id, created_ms, updated_ms, revision)"
                " VALUES (?, ?, ?, NULL, 1, 1, ?)",
                (number, identity, name, number),
            )
            old.execute(
                "INSERT INTO face (number, id, identity, quality, source, created_ms)"
                " VALUES (?, ?, ?, 0.5, 'old', 1)",
                (number, derived_id("face", number), number),
            )
            vector = random_unit(number).astype("<f4").tobytes()
            old.execute("INSERT INTO embedding VALUES (?, ?, ?)", (number, MODEL, vector))
        old.execute("INSERT INTO chip VALUES (1, ?)", (chip_to_png(random_chip(1)),))
        old.execute(
            "INSERT INTO tombstone (identity_id, revision, removed_ms) VALUES (?, 3, 1)",
            (derived_id("old", 3),),
        )
        old.execute("UPDATE ledger SET revision = 3, erased_revision = 3")
        old.commit()


@pytest.mark.parametrize("node", ["head", "door"])
def test_an_older_database_comes_up_with_sync_and_takes_part(tmp_path, node):
    """As the authority's, and as that of a node that joins with people of its own."""
    path = tmp_path / node / "namespaces" / "home.db"
    an_older_database(path)
    site = Site(tmp_path)
    try:
        store = site.head if node == "head" else site.door
        ((version,),) = store.connection.execute("PRAGMA user_version")
        assert version >= 7
        assert site.known(node, MODEL) == {"Ada": 1, "Ben": 1}
        assert fsck(path) == []

        site.join()
        site.broker.run(20)
        assert site.names("head") == site.names("door") == ["Ada", "Ben"]
        assert site.content("head") == site.content("door")
        site.head.remove([ADA])
        site.broker.run(5)
        assert site.names("door") == ["Ben"]
    finally:
        site.stop()
    assert fsck(site.path("head")) == fsck(site.path("door")) == []


def test_nothing_is_proposed_or_withheld_by_coming_up(tmp_path):
    path = tmp_path / "head" / "namespaces" / "home.db"
    an_older_database(path)
    site = Site(tmp_path)
    site.stop()
    with NamespaceStore.open(path, site.clock, lambda: "", read_only=True) as store:
        tables = [
            row[0]
            for row in store.connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
            if re.match(r"sync_(?!membership|key|invitation)", row[0])
        ]
        assert len(tables) > 8
        for table in tables:
            (count,) = store.connection.execute(f"SELECT count(*) FROM {table}").fetchone()
            assert count == 0, table
        present = membership(store.connection)
        assert present is not None
        assert present.authority == keys_of("head").authority.public
