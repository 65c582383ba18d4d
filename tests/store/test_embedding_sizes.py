"""A database of the first version, whose embeddings had 128 numbers each, opened by this one."""

import shutil
import sqlite3
from contextlib import closing

import numpy as np
import pytest

from builders.namespaces import MODEL, OTHER_MODEL, HandClock, Ids, random_unit
from edged.store.database import Schema, open_database
from edged.store.fsck import fsck
from edged.store.namespace_files import NAMESPACE_SCHEMA, namespace_path
from edged.store.namespace_store import NamespaceStore


@pytest.fixture
def old(tmp_path):
    """Ada with one face, as the first version wrote her."""
    first = tmp_path / "migrations"
    first.mkdir()
    shutil.copy(NAMESPACE_SCHEMA.migrations / "0001_identities.sql", first)
    path = namespace_path(tmp_path, "home")
    schema = Schema(NAMESPACE_SCHEMA.kind, NAMESPACE_SCHEMA.application_id, first)
    connection = open_database(path, schema)
    connection.execute("UPDATE ledger SET revision = 1")
    connection.execute("INSERT INTO identity VALUES (1, ?, 'Ada', NULL, 1, 1, 1)", ("a" * 36,))
    connection.execute("INSERT INTO face VALUES (1, ?, 1, 0.5, 'portrait.jpg', 1)", ("f" * 36,))
    vector = random_unit(1).astype("<f4").tobytes()
    connection.execute("INSERT INTO embedding VALUES (1, ?, ?)", (MODEL, vector))
    connection.close()
    return path


def test_it_keeps_everybody_and_takes_embeddings_of_other_sizes(old):
    with NamespaceStore.open(old, HandClock(), Ids()) as store:
        (face,) = store.faces_of("a" * 36, MODEL)
        assert np.array_equal(face.embedding, random_unit(1))
        unit = np.full(256, 1 / 16, np.float32)
        store.add_embeddings(OTHER_MODEL, [(face.id, unit)])
        assert store.faces_of("a" * 36, OTHER_MODEL)[0].embedding.size == 256
        store.remove(["a" * 36])
        assert store.models() == {}, "embeddings still go with their face"
    assert fsck(old) == []


@pytest.mark.parametrize("size", [0, 60, 130, 16416])
def test_the_schema_itself_refuses_what_is_no_vector(old, size):
    with NamespaceStore.open(old, HandClock(), Ids()) as store, pytest.raises(sqlite3.IntegrityError):
        store.connection.execute("UPDATE embedding SET vector = zeroblob(?)", (size,))


def test_an_older_file_gets_room_for_longer_embeddings_where_it_is(tmp_path):
    older = tmp_path / "migrations"
    older.mkdir()
    for migration in sorted(NAMESPACE_SCHEMA.migrations.glob("*.sql"))[:4]:
        shutil.copy(migration, older)
    path = namespace_path(tmp_path, "home")
    schema = Schema(NAMESPACE_SCHEMA.kind, NAMESPACE_SCHEMA.application_id, older)
    with closing(open_database(path, schema)) as old:
        old.execute("INSERT INTO identity VALUES (1, ?, 'Ada', NULL, 1, 1, 1)", ("a" * 36,))
        for number in range(1, 9):
            old.execute("INSERT INTO face VALUES (?, ?, 1, 0.5, 'x', 1)", (number, f"{number:036}"))
            old.execute("INSERT INTO embedding VALUES (?, ?, ?)", (number, MODEL, bytes(16384)))
        (pages,) = old.execute("PRAGMA page_count").fetchone()

    with closing(open_database(path, NAMESPACE_SCHEMA)) as connection:
        # Of later tables an empty page each, and nothing of the embeddings twice.
        assert connection.execute("PRAGMA page_count").fetchone()[0] < pages + 8 * 4
        kept = connection.execute("SELECT count(*), sum(length(vector)) FROM embedding").fetchone()
        assert kept == (8, 8 * 16384)
        connection.execute("UPDATE embedding SET vector = ?", (bytes(16412),))
        with pytest.raises(sqlite3.IntegrityError, match="CHECK"):
            connection.execute("UPDATE embedding SET vector = ?", (bytes(16416),))
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        schemas = connection.execute("SELECT sql FROM sqlite_schema WHERE sql LIKE '%vector BLOB%'")
        assert ["BETWEEN 64 AND 16412" in sql for (sql,) in schemas] == [True] * 5
