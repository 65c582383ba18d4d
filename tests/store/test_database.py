"""Opening databases, and what is said of those that cannot be opened."""

import os
import sqlite3
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from pathlib import Path

import pytest

from edged.domain.errors import StoreError, StoreFault
from edged.store.database import Schema, open_database, path_of, reading, statements, transaction, vacuum


def a_schema(folder: Path, *migrations: str, kind: str = "thing", application_id: int = 77) -> Schema:
    folder.mkdir(exist_ok=True)
    for number, sql in enumerate(migrations, start=1):
        (folder / f"{number:04}_step.sql").write_text(sql)
    return Schema(kind, application_id, folder)


@pytest.fixture
def schema(tmp_path):
    return a_schema(tmp_path / "migrations", "CREATE TABLE thing (word TEXT) STRICT;")


def words(connection):
    return [row[0] for row in connection.execute("SELECT word FROM thing ORDER BY rowid")]


def test_a_new_file_and_its_folder_are_for_their_owner_alone(tmp_path, schema):
    path = tmp_path / "new" / "folder" / "x.db"

    with closing(open_database(path, schema)) as connection:
        connection.execute("INSERT INTO thing VALUES ('a')")
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}

    assert modes == {"x.db": 0o600, "x.db-wal": 0o600, "x.db-shm": 0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_root_makes_belongs_to_the_folders_owner(tmp_path, schema):
    folder = tmp_path / "data"
    folder.mkdir()
    os.chown(folder, 1234, 2345)

    open_database(folder / "x.db", schema).close()

    assert ((folder / "x.db").stat().st_uid, (folder / "x.db").stat().st_gid) == (1234, 2345)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_folder_that_root_makes_belongs_to_the_owner_of_the_one_above(tmp_path, schema):
    os.chown(tmp_path, 12345, 12346)
    path = tmp_path / "namespaces" / "deeper" / "home.db"
    connection = open_database(path, schema)
    connection.execute("INSERT INTO thing VALUES ('a')")
    made = [path.parent.parent, path.parent, *path.parent.glob("home.db*")]
    assert len(made) == 5
    assert {(each.stat().st_uid, each.stat().st_gid) for each in made} == {(12345, 12346)}
    assert path.parent.stat().st_mode & 0o777 == 0o700
    connection.close()


def test_every_connection_forgets_for_good_and_keeps_references(tmp_path, schema):
    with closing(open_database(tmp_path / "x.db", schema, synchronous="FULL")) as connection:
        pragmas = {
            name: connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in (
                "journal_mode",
                "foreign_keys",
                "secure_delete",
                "temp_store",
                "synchronous",
                "busy_timeout",
            )
        }

    assert pragmas == {
        "journal_mode": "wal",
        "foreign_keys": 1,
        "secure_delete": 1,
        "temp_store": 2,
        "synchronous": 2,
        "busy_timeout": 5000,
    }


def test_an_old_file_gets_the_migrations_it_lacks(tmp_path, schema):
    with closing(open_database(tmp_path / "x.db", schema)) as connection:
        connection.execute("INSERT INTO thing VALUES ('kept')")
    newer = a_schema(
        schema.migrations,
        (schema.migrations / "0001_step.sql").read_text(),
        "-- A comment; with a semicolon.\nALTER TABLE thing ADD COLUMN more TEXT DEFAULT 'x';\n"
        "UPDATE thing SET word = word || '!';\n",
    )

    with closing(open_database(tmp_path / "x.db", newer)) as connection:
        assert connection.execute("SELECT word, more FROM thing").fetchall() == [("kept!", "x")]
        assert connection.execute("PRAGMA user_version").fetchone() == (2,)


def test_a_migration_that_fails_changes_nothing(tmp_path, schema):
    open_database(tmp_path / "x.db", schema).close()
    broken = a_schema(
        schema.migrations,
        (schema.migrations / "0001_step.sql").read_text(),
        "CREATE TABLE other (a);\nINSERT INTO nowhere VALUES (1);\n",
    )

    with pytest.raises(StoreError, match="nowhere"):
        open_database(tmp_path / "x.db", broken)

    with closing(sqlite3.connect(tmp_path / "x.db")) as plain:
        assert plain.execute("PRAGMA user_version").fetchone() == (1,)
        assert plain.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'other'").fetchone() == (0,)


def test_a_file_of_a_newer_edged_is_refused_with_a_remedy(tmp_path, schema):
    open_database(tmp_path / "x.db", schema).close()
    with closing(sqlite3.connect(tmp_path / "x.db")) as plain:
        plain.execute("PRAGMA user_version = 9")

    with pytest.raises(StoreError, match="newer edged") as refused:
        open_database(tmp_path / "x.db", schema)

    assert refused.value.fault is StoreFault.FOREIGN
    assert "Install" in refused.value.remedy


def test_a_database_of_another_kind_is_refused(tmp_path, schema):
    other = a_schema(tmp_path / "other", "CREATE TABLE thing (word TEXT);", kind="outbox", application_id=78)
    open_database(tmp_path / "x.db", other).close()

    with pytest.raises(StoreError, match="not a thing of edged"):
        open_database(tmp_path / "x.db", schema)


def test_somebody_elses_database_is_refused_and_left_alone(tmp_path, schema):
    with closing(sqlite3.connect(tmp_path / "x.db")) as plain:
        plain.execute("CREATE TABLE theirs (a)")

    with pytest.raises(StoreError, match="not a thing of edged"):
        open_database(tmp_path / "x.db", schema)

    with closing(sqlite3.connect(tmp_path / "x.db")) as plain:
        assert plain.execute("SELECT name FROM sqlite_schema").fetchall() == [("theirs",)]


def test_a_gap_in_the_migrations_is_an_incomplete_installation(tmp_path, schema):
    (schema.migrations / "0001_step.sql").rename(schema.migrations / "0002_step.sql")

    with pytest.raises(StoreError, match="incomplete"):
        open_database(tmp_path / "x.db", schema)


def test_a_text_file_is_no_database(tmp_path, schema):
    (tmp_path / "x.db").write_text("Dear diary, " * 100)

    with pytest.raises(StoreError, match=r"x\.db is damaged, or is no SQLite database") as refused:
        open_database(tmp_path / "x.db", schema)

    assert refused.value.fault is StoreFault.CORRUPT


def test_a_reader_finds_no_file(tmp_path, schema):
    with pytest.raises(StoreError, match="does not exist") as refused:
        open_database(tmp_path / "x.db", schema, read_only=True)

    assert refused.value.fault is StoreFault.MISSING
    assert not (tmp_path / "x.db").exists()


def test_a_reader_cannot_write(tmp_path, schema):
    open_database(tmp_path / "x.db", schema).close()

    with (
        closing(open_database(tmp_path / "x.db", schema, read_only=True)) as connection,
        pytest.raises(StoreError) as refused,
        transaction(connection),
    ):
        connection.execute("INSERT INTO thing VALUES ('a')")

    assert refused.value.fault is StoreFault.FORBIDDEN


def test_a_folder_in_the_files_place_is_told(tmp_path, schema):
    (tmp_path / "x.db").mkdir()

    with pytest.raises(StoreError, match="cannot be opened") as refused:
        open_database(tmp_path / "x.db", schema)

    assert refused.value.fault is StoreFault.FORBIDDEN


def test_a_file_in_the_folders_place_is_told(tmp_path, schema):
    (tmp_path / "data").write_text("")

    with pytest.raises(StoreError, match="data"):
        open_database(tmp_path / "data" / "x.db", schema)


def insert_in_vain(connection):
    with transaction(connection):
        connection.execute("INSERT INTO thing VALUES ('lost')")
        connection.execute("INSERT INTO nowhere VALUES (1)")


def test_what_is_only_looked_after_is_not_made_out_of_nothing(tmp_path, schema):
    path = tmp_path / "x.db"
    with pytest.raises(StoreError, match="does not exist") as missing:
        open_database(path, schema, may_create=False)
    assert not path.exists()
    path.touch()

    with pytest.raises(StoreError, match="is empty") as empty:
        open_database(path, schema, may_create=False)

    assert missing.value.fault is empty.value.fault is StoreFault.MISSING
    assert path.read_bytes() == b""


def read_whatever_is_there(path, schema):
    with closing(open_database(path, schema, read_only=True)) as connection:
        return words(connection)


def test_a_reader_waits_for_whoever_is_making_the_file(tmp_path, schema):
    path = tmp_path / "x.db"
    path.touch()
    with ThreadPoolExecutor(1) as readers:
        reader = readers.submit(read_whatever_is_there, path, schema)
        assert wait([reader], timeout=0.2).not_done

        with closing(open_database(path, schema)):
            assert reader.result() == []


def test_a_reader_does_not_wait_for_ever_for_what_nobody_makes(tmp_path, schema):
    path = tmp_path / "x.db"
    path.touch()

    with pytest.raises(StoreError, match=r"x\.db is empty") as empty:
        open_database(path, schema, read_only=True)

    assert empty.value.fault is StoreFault.MISSING
    assert path.read_bytes() == b""


def test_a_file_made_anew_has_no_free_page_and_nothing_else_is_kept_in_temporary_files(tmp_path, schema):
    with closing(open_database(tmp_path / "x.db", schema)) as connection:
        connection.execute("INSERT INTO thing VALUES (hex(zeroblob(100000)))")
        connection.execute("DELETE FROM thing")

        vacuum(connection)

        assert connection.execute("PRAGMA freelist_count").fetchone() == (0,)
        assert connection.execute("PRAGMA temp_store").fetchone() == (2,)


def test_a_transaction_is_all_or_nothing(tmp_path, schema):
    with closing(open_database(tmp_path / "x.db", schema)) as connection:
        with transaction(connection):
            connection.execute("INSERT INTO thing VALUES ('kept')")
        with pytest.raises(StoreError, match="nowhere"):
            insert_in_vain(connection)

        assert words(connection) == ["kept"]
        assert not connection.in_transaction


def test_a_lock_that_stays_is_told_by_the_files_name(tmp_path, schema):
    path = tmp_path / "x.db"
    with (
        closing(open_database(path, schema)) as holder,
        closing(open_database(path, schema)) as other,
        transaction(holder),
    ):
        other.execute("PRAGMA busy_timeout = 1")
        with pytest.raises(StoreError, match=r"x\.db is locked") as refused, transaction(other):
            raise AssertionError("the begin must wait, not the body")

    assert refused.value.fault is StoreFault.LOCKED


def test_a_reader_sees_one_state_while_a_writer_goes_on(tmp_path, schema):
    path = tmp_path / "x.db"
    with closing(open_database(path, schema)) as writer, closing(open_database(path, schema)) as reader:
        with reading(reader):
            before = words(reader)
            writer.execute("INSERT INTO thing VALUES ('late')")
            during = words(reader)
        after = words(reader)

    assert (before, during, after) == ([], [], ["late"])


def test_a_connection_says_its_file(tmp_path, schema):
    with closing(open_database(tmp_path / "a b?c%.db", schema)) as connection:
        assert path_of(connection) == tmp_path / "a b?c%.db"


def test_a_mistake_of_ours_is_not_dressed_up_as_a_broken_store(tmp_path, schema):
    with (
        closing(open_database(tmp_path / "x.db", schema)) as connection,
        pytest.raises(sqlite3.ProgrammingError),
        transaction(connection),
    ):
        connection.execute("INSERT INTO thing VALUES (?)", ())


def test_a_script_is_split_into_whole_statements():
    script = (
        "-- one; comment\nCREATE TABLE a (b);\n\n"
        "CREATE TRIGGER c AFTER INSERT ON a BEGIN\n  SELECT 1;\n  SELECT ';';\nEND;\n/* the; end */\n"
    )

    assert [s.split()[-1] for s in statements(script)] == ["(b);", "END;"]


def test_a_script_that_ends_in_the_middle_is_a_mistake():
    with pytest.raises(ValueError, match="middle of a statement"):
        list(statements("CREATE TABLE a (b);\nCREATE TABLE"))


_OPENER = """
import sys
from pathlib import Path
from edged.store.database import Schema, open_database, transaction
sys.stdin.readline()
folder = Path(sys.argv[1])
connection = open_database(folder / "x.db", Schema("thing", 77, folder / "migrations"))
with transaction(connection):
    connection.execute("INSERT INTO thing VALUES ('here')")
"""


def test_processes_that_meet_at_a_new_file_all_get_it(tmp_path, schema):
    several = [
        subprocess.Popen(
            [sys.executable, "-c", _OPENER, str(tmp_path)],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]

    errors = [process.communicate("go\n", timeout=60)[1] for process in several]

    assert errors == [""] * 4
    with closing(open_database(tmp_path / "x.db", schema)) as connection:
        assert words(connection) == ["here"] * 4
