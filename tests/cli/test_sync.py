"""`edged sync`, as a person types it, on real databases."""

import json
import stat

import pytest

from builders.namespaces import a_new_face, a_store
from edged.app.sync_commands import Place, begin_to_join
from edged.cli.main import main
from edged.domain.sync_state import SyncRole
from edged.replication.invitation import read_code
from edged.store.database import transaction
from edged.store.sync_members import add_member, member
from edged.store.sync_records import membership


@pytest.fixture
def node(tmp_path, capsys, monkeypatch):
    """Runs `edged …` on the data folder of a node: exit code, output, errors."""
    monkeypatch.delenv("EDGED_CONFIG", raising=False)

    def run(name, *arguments):
        # The folder goes last, for commands of one word, two and three.
        code = main([*arguments, "--data-dir", str(tmp_path / name)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture
def front(node, tmp_path):
    """An authority with Ada, and a member `back` in its list."""
    with a_store(tmp_path / "front") as store:
        store.add_identity("Ada", [a_new_face(1)])
    assert node("front", "sync", "init")[0] == 0
    with a_store(tmp_path / "front") as store, transaction(store.connection):
        add_member(store.connection, "back", b"n" * 32, b"s" * 32, b"a" * 32, 1)
    return tmp_path / "front"


def role_of(folder):
    with a_store(folder) as store:
        present = membership(store.connection)
    return None if present is None else present.role


def test_init_makes_an_authority_with_a_secret_for_its_owner_alone(node, tmp_path):
    code, out, err = node("front", "sync", "init")

    assert code == 0
    assert "is the authority of home" in out
    assert "no daemon runs" in err
    assert role_of(tmp_path / "front") is SyncRole.AUTHORITY
    assert stat.S_IMODE((tmp_path / "front" / "sync" / "home.key").stat().st_mode) == 0o600


def test_a_second_init_is_refused_and_changes_nothing(node, front):
    code, _, err = node("front", "sync", "init")

    assert code != 0
    assert "synced already" in err
    assert role_of(front) is SyncRole.AUTHORITY


def test_an_invitation_is_of_this_authority_and_runs_out(node, front, tmp_path):
    code, out, _ = node("front", "sync", "invite", "--expires", "10 min", "--uses", "3")
    invitation = read_code(out.strip())

    with a_store(front) as store:
        present = membership(store.connection)
        uses = store.connection.execute("SELECT uses FROM sync_invitation").fetchall()
    assert (code, uses) == (0, [(3,)])
    assert (invitation.namespace, invitation.authority) == ("home", present.authority)

    file = tmp_path / "camera.invitation"
    assert node("front", "sync", "invite", "--file", str(file))[0] == 0
    assert read_code(file.read_text().strip()).secret != invitation.secret
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_member_is_told_who_the_authority_is_where_only_that_one_may(node, front, tmp_path):
    code = node("front", "sync", "invite")[1].strip()
    with a_store(tmp_path / "back") as store:
        invitation = read_code(code)
        begin_to_join(Place(store.connection, "home", 0), invitation, "back")
        with transaction(store.connection):
            store.connection.execute("UPDATE sync_membership SET role = 'member'")

    for words in (["rotate"], ["invite"], ["remove", "front", "--yes"], ["promote", "front", "--yes"]):
        code, _, err = node("back", "sync", *words)
        assert code == 1
        assert invitation.authority.hex()[:12] in err
    assert role_of(front) is SyncRole.AUTHORITY


@pytest.mark.usefixtures("front")
def test_a_node_that_knows_another_authority_forgets_its_epochs_when_it_joins(node, tmp_path):
    mine = read_code(node("front", "sync", "invite")[1].strip())
    with a_store(tmp_path / "back") as store:
        begin_to_join(Place(store.connection, "home", 0), mine, "back")
        with transaction(store.connection):
            store.connection.execute(
                "UPDATE sync_membership SET role = 'member', authority = ?", (b"o" * 32,)
            )
            store.connection.execute("INSERT INTO sync_epoch VALUES (1, 9, x'00', 0, 0, 0, 0, 0, 0)")
        begin_to_join(Place(store.connection, "home", 0), mine, "back")
        left = store.connection.execute("SELECT count(*) FROM sync_epoch").fetchone()
        assert membership(store.connection).role is SyncRole.JOINING
    assert left == (0,)


def test_a_node_without_a_configuration_does_not_join(node, front):
    code = node("front", "sync", "invite")[1].strip()

    assert "there is no configuration" in node("back", "sync", "join", code)[2]
    assert node("back", "sync", "join", "edged1-AAAA")[0] != 0
    assert role_of(front) is SyncRole.AUTHORITY


def test_a_member_is_put_out_and_the_key_is_to_be_changed(node, front):
    assert node("front", "sync", "remove", "back", "--yes")[0] == 0

    with a_store(front) as store:
        assert member(store.connection, "back").removed_ms is not None
        assert membership(store.connection).rotation_wanted
    assert "no member" in node("front", "sync", "remove", "back", "--yes")[2]


def test_an_authority_hands_over_to_a_member_in_step_only(node, front):
    code, _, err = node("front", "sync", "promote", "back", "--yes")
    assert code == 1
    assert "in step" in err

    with a_store(front) as store, transaction(store.connection):
        store.connection.execute("INSERT INTO sync_epoch VALUES (1, 9, x'00', 0, 0, 0, 0, 0, 0)")
        store.connection.execute("UPDATE sync_member SET epoch = 9")
    assert "was not heard lately" in node("front", "sync", "promote", "back", "--yes")[2]
    with a_store(front) as store, transaction(store.connection):
        store.connection.execute("UPDATE sync_member SET heard_ms = 9e12")
    assert node("front", "sync", "promote", "back", "--yes")[0] == 0
    with a_store(front) as store:
        assert membership(store.connection).successor == "back"


def test_an_authority_with_members_does_not_leave(node, front):
    code, _, err = node("front", "sync", "leave", "--yes")
    assert code == 1
    assert "promote" in err

    node("front", "sync", "remove", "back", "--yes")
    assert node("front", "sync", "leave", "--yes")[0] == 0
    assert role_of(front) is None
    with a_store(front) as store:
        assert [one.name for one in store.identities()] == ["Ada"]


def test_an_authority_ends_it_for_all_when_it_says_so_and_is_another_one_then(node, front):
    secret = (front / "sync" / "home.key").read_bytes()
    assert "nobody to ask" in node("front", "sync", "leave", "--unsaid")[2]
    assert role_of(front) is SyncRole.AUTHORITY
    with a_store(front) as store:
        name = membership(store.connection).node
    code, out, _ = node("front", "sync", "leave", "--unsaid", "--yes")
    assert code == 0
    assert "after 7 days" in out
    assert f"-t 'edged/sync/home/#' -t 'edged/device/{name}/sync/home/#' --remove-retained" in out
    assert role_of(front) is None
    assert not (front / "sync" / "home.key").exists()

    assert node("front", "sync", "init")[0] == 0
    assert (front / "sync" / "home.key").read_bytes() != secret


@pytest.mark.usefixtures("front")
def test_a_backup_is_not_restored_under_another_name(node, tmp_path):
    word, file = tmp_path / "passphrase", tmp_path / "front.backup"
    word.write_text("six words nobody would put together\n")
    config = tmp_path / "edged.yaml"
    config.write_text("device: other\nfeeds: []\nsinks: [{type: mqtt, host: localhost}]\n")
    assert node("front", "sync", "backup", str(file), "--passphrase-file", str(word))[0] == 0
    code, _, err = node(
        "new", "sync", "restore", str(file), "--passphrase-file", str(word), "--yes", "--config", str(config)
    )

    assert code == 1
    assert "this device is called other" in err
    assert not (tmp_path / "new").exists()


def test_a_secret_that_is_none_leaves_no_empty_database_behind(node, tmp_path):
    (tmp_path / "new" / "sync").mkdir(parents=True)
    (tmp_path / "new" / "sync" / "home.key").write_text("no secret")

    assert node("new", "sync", "init")[0] == 78
    assert not (tmp_path / "new" / "namespaces").exists()


@pytest.mark.usefixtures("front")
def test_the_status_says_how_far_each_member_is_and_what_to_do(node):
    code, out, _ = node("front", "sync", "status")
    assert code == 1
    assert "back" in out
    assert "never" in out
    assert "no daemon runs" in out

    told = json.loads(node("front", "sync", "status", "--json")[1])
    assert (told["role"], told["epoch"], told["unpublished"]) == ("authority", 0, True)
    assert [each["node"] for each in told["members"]] == ["back"]


def test_a_namespace_that_is_not_synced_says_how_it_would_be(node):
    code, _, err = node("front", "sync", "status")

    assert code == 0
    assert "edged sync init" in err


def test_a_backup_is_restored_whole_and_takes_over_first(node, front, tmp_path):
    word = tmp_path / "passphrase"
    word.write_text("six words nobody would put together\n")
    file = tmp_path / "front.backup"
    code, out, err = node("front", "sync", "backup", str(file), "--passphrase-file", str(word))
    assert code == 0, err
    assert "six words" not in out + err
    assert b"Ada" not in file.read_bytes()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600

    assert node("new", "sync", "restore", str(file), "--passphrase-file", str(word), "--yes")[0] == 0
    assert (tmp_path / "new/sync/home.key").read_bytes() == (front / "sync/home.key").read_bytes()
    with a_store(tmp_path / "new") as store:
        assert [one.name for one in store.identities()] == ["Ada"]
        assert membership(store.connection).is_restored
        assert member(store.connection, "back") is not None


@pytest.mark.usefixtures("front")
@pytest.mark.parametrize("harm", ["passphrase", "byte", "cut", "head"])
def test_a_backup_that_does_not_open_changes_nothing(node, tmp_path, harm):
    word = tmp_path / "passphrase"
    word.write_text("six words nobody would put together\n")
    file = tmp_path / "front.backup"
    node("front", "sync", "backup", str(file), "--passphrase-file", str(word))
    content = file.read_bytes()
    if harm == "passphrase":
        word.write_text("another passphrase\n")
    elif harm == "byte":
        file.write_bytes(content[:-100] + bytes([content[-100] ^ 1]) + content[-99:])
    elif harm == "cut":
        file.write_bytes(content[:-50])
    else:
        file.write_bytes(content.replace(b'"made_ms":', b'"made_ms":1', 1))

    code, _, err = node("new", "sync", "restore", str(file), "--passphrase-file", str(word), "--yes")

    assert code == 65
    assert "does not open" in err
    assert not (tmp_path / "new" / "sync").exists()
    assert not [path for path in (tmp_path / "new" / "namespaces").iterdir() if "partial" in path.name]


def test_a_restore_over_a_namespace_needs_a_word(node, front, tmp_path):
    word = tmp_path / "passphrase"
    word.write_text("six words nobody would put together\n")
    file = tmp_path / "front.backup"
    node("front", "sync", "backup", str(file), "--passphrase-file", str(word))
    restore = ["sync", "restore", str(file), "--passphrase-file", str(word), "--yes"]

    assert "is here already" in node("front", *restore)[2]
    assert node("front", *restore, "--replace")[0] == 0
    with a_store(front) as store:
        assert membership(store.connection).is_restored


def test_a_new_secret_is_printed_or_written_for_its_owner_alone(capsys, tmp_path):
    assert main(["sync", "new-key", "--file", str(tmp_path / "key")]) == 0
    assert capsys.readouterr().out == ""
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600


@pytest.mark.usefixtures("front")
def test_who_waits_for_an_erasure_that_nobody_publishes_is_told_so(node):
    code, out, err = node("front", "erase", "Ada", "--yes", "--wait", "100 ms")

    assert code == 75
    assert "not published yet" in out
    assert "no daemon runs" in err


def test_who_waits_is_told_who_has_confirmed_and_who_is_late(node, front):
    with a_store(front) as store, transaction(store.connection):
        add_member(store.connection, "porch", b"n" * 32, b"s" * 32, b"b" * 32, 1)
        store.connection.execute("INSERT INTO sync_epoch VALUES (1, 9, x'00', 999999, 0, 0, 0, 0, 0)")
        store.connection.execute(
            "UPDATE sync_member SET epoch = 9, swept_epoch = 9, heard_ms = 1 WHERE node = 'back'"
        )
    code, out, _ = node("front", "identities", "erase", "Ada", "--yes", "--wait", "100 ms")
    assert code == 75
    assert "back  confirmed" in out
    assert "porch  not yet, never heard of" in out

    with a_store(front) as store, transaction(store.connection):
        store.connection.execute("UPDATE sync_member SET swept_epoch = 9")
    with a_store(front) as store:
        store.add_identity("Bob", [a_new_face(2)])
    assert node("front", "identities", "remove", "Bob", "--yes", "--wait", "1 s")[0] == 0


def test_who_waits_in_a_namespace_that_is_not_synced_need_not(node, tmp_path):
    with a_store(tmp_path / "front") as store:
        store.add_identity("Ada", [a_new_face(1)])

    code, _, err = node("front", "identities", "erase", "Ada", "--yes", "--wait")

    assert code == 0
    assert "nobody to wait for" in err
