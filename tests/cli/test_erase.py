"""`edged erase`, as a person types it."""

import json
import subprocess
import sys

import pytest

from builders.namespaces import a_new_face, a_store
from edged.cli.main import main


@pytest.fixture
def run(tmp_path, capsys, monkeypatch):
    """Runs `edged erase …` on a data folder of its own: exit code, output, errors."""
    monkeypatch.delenv("EDGED_CONFIG", raising=False)

    def erase(*arguments):
        code = main(["erase", "--data-dir", str(tmp_path / "data"), *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return erase


@pytest.fixture
def people(tmp_path):
    """Two of one name, and Bob."""
    with a_store(tmp_path / "data") as store:
        ada = store.add_identity("Ada", [a_new_face(1, chip=True)], custom_id="emp-1")
        other = store.add_identity("Ada", [a_new_face(2)])
        bob = store.add_identity("Bob", [a_new_face(3)])
    return ada, other, bob


def names(tmp_path):
    with a_store(tmp_path / "data") as store:
        return [one.name for one in store.identities()]


def test_a_receipt_says_what_was_deleted_and_what_is_out_of_reach(run, people, tmp_path):
    code, out, err = run("emp-1", "--yes")

    assert (code, err) == (0, "")
    assert out.startswith(f"erased Ada ({people[0].id}) in namespace home\n")
    assert "  1 enrolled faces\n  1 crops of enrolled faces\n" in out
    assert "out of reach" in out
    assert "backups" in out
    assert names(tmp_path) == ["Ada", "Bob"]


def test_the_receipt_for_programs_has_the_id_and_no_name(run, people):
    code, out, _ = run("Bob", "--yes", "--json")

    receipt = json.loads(out)
    assert code == 0
    assert receipt["identityIds"] == [people[2].id]
    assert receipt["deleted"]["identities"] == 1
    assert "Bob" not in out


def test_a_name_of_two_people_lists_them_and_erases_nobody(run, people, tmp_path):
    code, out, err = run("Ada", "--yes")

    assert (code, out) == (1, "")
    assert people[0].id in err
    assert people[1].id in err
    assert names(tmp_path) == ["Ada", "Ada", "Bob"]


@pytest.mark.usefixtures("people")
def test_without_a_terminal_nobody_is_erased_unless_yes_is_said(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "edged", "erase", "Bob", "--data-dir", str(tmp_path / "data")],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
        check=False,
    )

    assert done.returncode == 1
    assert "--yes" in done.stderr
    assert names(tmp_path) == ["Ada", "Ada", "Bob"]


@pytest.mark.usefixtures("people")
def test_a_dry_run_changes_nothing(run, tmp_path):
    code, out, _ = run("Bob", "--dry-run")

    assert code == 0
    assert out.startswith("would erase Bob")
    assert names(tmp_path) == ["Ada", "Ada", "Bob"]


@pytest.mark.usefixtures("people")
def test_nobody_of_that_name_is_an_error(run):
    code, _, err = run("Zoe", "--yes")

    assert code == 1
    assert "nobody enrolled here is 'Zoe'" in err
