"""`edged sync proposals`, as the owner types it."""

import json

import msgspec
import pytest

from builders.namespaces import a_new_face, a_store, random_unit
from edged.app.bare_node import embedder_in_use
from edged.cli.main import main
from edged.domain.identifiers import derived_id
from edged.replication.people import SharedFace
from edged.replication.statements import Wanted
from edged.settings.root import Settings
from edged.store.database import transaction
from edged.store.sync_decisions import Offer, decide
from edged.store.sync_members import add_member

ADA = derived_id("Ada", 0)
BEN = derived_id("Ben", 0)


@pytest.fixture
def edged(tmp_path, capsys):
    """Runs `edged sync …` at an authority that `back` asked for Ada in two messages: code, output, errors."""
    config = tmp_path / "config.yaml"
    config.write_text(f"feeds: []\nsinks: [{{type: mqtt, host: 127.0.0.1, port: 1}}]\ndata_dir: {tmp_path}\n")

    def run(*words):
        code = main(["sync", *words, "--config", str(config)])
        said = capsys.readouterr()
        return code, said.out, said.err

    with a_store(tmp_path) as store:
        store.add_identity("Ben", [a_new_face(1)])
    assert run("init")[0] == 0
    with a_store(tmp_path) as store, transaction(store.connection):
        for name in ("back", "porch"):
            add_member(store.connection, name, b"n" * 32, b"s" * 32, b"a" * 32, 1)
    propose(tmp_path, "back", 7, created_ms=1, name="Ada", faces=(1, 2, 3))
    propose(tmp_path, "back", 8, faces=(4, 5))
    return run


def propose(folder, node, number, *, who=ADA, faces=(), **what):
    """Have a node want something of Ada, or of somebody else."""
    embedder = embedder_in_use(Settings(feeds=(), sinks=()), folder)
    shared = [
        SharedFace(
            derived_id("face", each), 0.5, "portrait.jpg", 1, random_unit(each).astype("<f4").tobytes()
        )
        for each in faces
    ]
    wanted = Wanted(
        identity_id=who,
        model=embedder.model_hash,
        add_faces=msgspec.msgpack.encode(shared) if shared else b"",
        **what,
    )
    with a_store(folder) as store:
        decide(store, Offer(node, number, f"{number:032x}", wanted), embedder, asks=True)


def names(folder):
    with a_store(folder) as store:
        return sorted(each.name for each in store.identities())


def test_what_a_node_wants_of_one_person_is_one_line(edged, tmp_path):
    with a_store(tmp_path) as store:
        (ben,) = store.identities()
    propose(tmp_path, "porch", 3, who=ben.id, name="Benjamin")
    propose(tmp_path, "back", 9, custom_id="7", name="Ada L.")

    lines = edged("proposals", "list")[1].splitlines()
    assert [line.split("  ")[0:2] for line in lines] == [["back", "9"], ["porch", "3"]]
    assert lines[0].endswith("enrol Ada L., customId 7, add 5 faces")
    assert lines[1].endswith("call them Benjamin")


def test_it_is_one_thing_for_programs_too(edged):
    (found,) = json.loads(edged("proposals", "list", "--json")[1])

    assert (found["node"], found["number"], found["identityId"]) == ("back", 8, ADA)
    assert found["what"] == "enrol Ada, add 5 faces"
    assert json.loads(edged("status", "--json")[1])["waitingProposals"] == 1


def test_its_number_takes_all_of_it(edged, tmp_path):
    assert edged("proposals", "accept", "back", "8")[1] == "accepted: back 8\n"

    assert names(tmp_path) == ["Ada", "Ben"]
    with a_store(tmp_path) as store:
        assert store.get(ADA).faces == 5
    assert "there are no proposals" in edged("proposals", "list")[2]


def test_its_number_refuses_all_of_it(edged, tmp_path):
    assert edged("proposals", "refuse", "back", "8", "--why", "a stranger")[1] == "refused: back 8\n"

    assert "there are no proposals" in edged("proposals", "list")[2]
    assert names(tmp_path) == ["Ben"]
    with a_store(tmp_path) as store:
        said = store.connection.execute("SELECT verdict, why, wanted FROM sync_proposed").fetchall()
    assert said == [("refused", "a stranger", None)] * 2


def test_what_comes_of_somebody_after_they_were_refused_does_not_wait(edged, tmp_path):
    edged("proposals", "refuse", "back", "8")
    propose(tmp_path, "back", 9, name="Ada L.")

    assert "there are no proposals" in edged("proposals", "list")[2]
    with a_store(tmp_path) as store:
        (said,) = store.connection.execute("SELECT verdict, why FROM sync_proposed WHERE number = 9")
    assert said == ("refused", "the person was removed meanwhile")


def test_a_number_that_is_none_takes_nothing(edged):
    code, _, err = edged("proposals", "accept", "back", "6")

    assert code != 0
    assert "no proposal 6 of back waits" in err


def test_a_member_lists_its_own_a_person_a_line(edged, tmp_path):
    with a_store(tmp_path) as store, transaction(store.connection) as connection:
        connection.execute("UPDATE sync_membership SET role = 'member'")
        connection.executemany(
            "INSERT INTO sync_proposal (number, token, identity_id, made_ms, verdict, why)"
            " VALUES (?, 'aa', ?, 1, ?, ?)",
            [
                (1, ADA, "waiting", ""),
                (2, ADA, "waiting", ""),
                (3, BEN, "", ""),
                (4, BEN, "refused", "twice"),
            ],
        )

    found = json.loads(edged("proposals", "list", "--json")[1])
    assert [(each["number"], each["identityId"], each["what"]) for each in found] == [
        (2, ADA, "waiting"),
        (3, BEN, "not answered yet"),
        (4, BEN, "refused twice"),
    ]
    assert json.loads(edged("status", "--json")[1])["ownProposals"] == 2
