"""What `--json` prints of sync: every key is on docs/commands.md, and no other."""

import json
import re

import pytest

from bench.checkout import ROOT
from builders.namespaces import a_new_face, a_store
from edged.app.sync_status import Standing
from edged.app.sync_told import DaemonWord
from edged.cli.main import main
from edged.cli.sync_words import json_of
from edged.domain.sync_state import NodeLag, SyncRole
from edged.store.database import transaction

PAGE = (ROOT / "docs" / "commands.md").read_text("utf-8")


def section(command):
    return re.search(rf"^##+ `{command}`\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL)[1]


def keys_in(value, above=""):
    """The keys of a JSON object and of what is in it: `members[].node` and such."""
    if isinstance(value, list):
        return set().union(*(keys_in(each, f"{above}[]") for each in value))
    if not isinstance(value, dict):
        return set()
    found = set()
    for key, inner in value.items():
        name = f"{above}.{key}" if above else key
        found |= {name} | keys_in(inner, name)
    return found


def test_every_key_of_the_status_is_on_the_page_and_no_other():
    whole = Standing(
        namespace="home",
        role=SyncRole.AUTHORITY,
        node="front",
        authority="front",
        authority_key="ab",
        epoch=4,
        age_ms=None,
        unpublished=False,
        own_proposals=0,
        waiting_proposals=1,
        invitations=1,
        successor="back",
        members=(NodeLag("back", 3, 2, 1000, "behind"),),
        trouble=("late: back",),
        daemon=DaemonWord(process=7, state="in step", trouble="", since_ms=1),
    )
    rows = re.findall(r"^\| (`[a-z][^|]*) \|", section("edged sync status"), re.MULTILINE)
    described = {key for row in rows for key in re.findall(r"`([^`]+)`", row)}

    # `authority` itself is an object, which its two keys tell of.
    assert keys_in(json_of(whole)) - {"authority"} == described


def test_a_namespace_that_is_not_synced_has_the_two_keys_that_the_page_says(tmp_path, capsys):
    assert main(["sync", "status", "--json", "--data-dir", str(tmp_path)]) == 0

    assert json.loads(capsys.readouterr().out) == {"namespace": "home", "role": None}


@pytest.fixture
def place(tmp_path, capsys):
    """The options that name a data folder with Ada in a synced namespace."""
    with a_store(tmp_path) as store:
        store.add_identity("Ada", [a_new_face(1)])
    options = ["--data-dir", str(tmp_path)]
    assert main(["sync", "init", *options]) == 0
    capsys.readouterr()
    return options


def test_every_key_of_a_members_own_proposals_is_on_the_page(place, capsys, tmp_path):
    with a_store(tmp_path, seed="change") as store, transaction(store.connection):
        store.connection.execute("UPDATE sync_membership SET role = 'member'")
        store.connection.execute(
            "INSERT INTO sync_proposal (identity_id, made_ms, token) VALUES ('x', 1, 'aa')"
        )
    main(["sync", "proposals", "list", "--json", *place])

    (told,) = json.loads(capsys.readouterr().out)
    described = set(re.findall(r"`([a-zA-Z]+)`", section("edged sync proposals list")))
    assert set(told) <= described


def test_a_receipt_in_json_stays_one_document_where_others_are_waited_for(place, capsys):
    code = main(["erase", "Ada", "--yes", "--json", "--wait", "100 ms", *place])

    said = capsys.readouterr()
    assert code == 75
    assert json.loads(said.out)["deleted"]
    assert "not published yet" in said.err
