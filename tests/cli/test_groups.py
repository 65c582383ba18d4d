"""`edged groups`, as a person types it."""

import json
import os
import pty
import subprocess
import sys

import cv2
import pytest

from builders.groups import DAY_MS, THEN_MS, a_grouped_track, a_track_id, looks_of
from builders.namespaces import START_UTC_MS, HandClock, Ids, a_store
from edged.app.group_model import calibrated_embedder
from edged.cli.main import main
from edged.domain.identity import NewFace
from edged.recognition.grouping import founded_id
from edged.settings.groups import Groups
from edged.settings.recognition import Models
from edged.store.fsck import fsck
from edged.store.group_records import GroupRecords
from edged.store.namespace_files import namespace_path

ONE, TWO = founded_id(a_track_id(1), ()), founded_id(a_track_id(3), ())


@pytest.fixture
def data_dir(tmp_path, monkeypatch):
    monkeypatch.delenv("EDGED_CONFIG", raising=False)
    return tmp_path / "data"


@pytest.fixture
def run(data_dir, capsys):
    """Runs `edged groups …` on a data folder of its own: exit code, output, errors."""

    def groups(action, *arguments):
        code = main(["groups", action, "--data-dir", str(data_dir), *map(str, arguments)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return groups


@pytest.fixture
def model(data_dir):
    return calibrated_embedder(Models(), data_dir)[0]


@pytest.fixture
def strangers(data_dir, model):
    """Two groups: a stranger who came twice, with chips, and one who came once, without."""
    records = GroupRecords(data_dir, ["home"], Groups(), HandClock(), Ids("daemon"))
    tracks = (
        a_grouped_track(1, 7, chips=True, model=model),
        a_grouped_track(2, 7, group=ONE, seen_before=1, chips=True, at_ms=DAY_MS, model=model),
        a_grouped_track(3, 8, at_ms=2 * DAY_MS, feed_id="door", model=model),
    )
    records.record([("home", track) for track in tracks])
    records.close()
    yield
    assert fsck(namespace_path(data_dir, "home")) == []


def listed(run):
    return {group["id"]: group for group in json.loads(run("list", "--json")[1])}


def enrol(data_dir, model, name, person):
    with a_store(data_dir, seed=name) as store:
        faces = [
            NewFace(model, looks_of(person, view=n, apart=0.02), None, 0.8, "portrait.jpg") for n in range(3)
        ]
        return store.add_identity(name, faces)


class TestList:
    def test_no_group_is_an_answer_too(self, run):
        assert run("list") == (0, "", "there is no group in namespace home\n")
        assert run("list", "--json")[1] == "[]\n"

    @pytest.mark.usefixtures("strangers")
    def test_a_table_for_people_those_seen_last_first(self, run):
        _, out, _ = run("list")

        lines = out.splitlines()
        assert lines[0].split() == [
            "GROUP",
            "VISITS",
            "TRACKS",
            "FACES",
            "FIRST",
            "SEEN",
            "LAST",
            "SEEN",
            "FEEDS",
        ]
        assert lines[1].split()[:4] == [TWO[:8], "1", "1", "2"]
        assert lines[2].split()[:4] == [ONE[:8], "2", "2", "4"]
        assert lines[1].endswith("door")

    @pytest.mark.usefixtures("strangers")
    def test_json_for_programs(self, run):
        assert listed(run)[ONE] == {
            "id": ONE,
            "visits": 2,
            "firstSeenAt": THEN_MS,
            "lastSeenAt": THEN_MS + DAY_MS + 1000,
            "feeds": ["hall"],
            "trackCount": 2,
            "faceCount": 4,
        }

    @pytest.mark.usefixtures("strangers")
    def test_a_sheet_has_a_row_for_everybody(self, run, tmp_path):
        assert run("list", "--contact-sheet", tmp_path / "sheet.png")[0] == 0

        picture = cv2.imread(str(tmp_path / "sheet.png"))
        assert picture.shape[0] > 2 * 120

    @pytest.mark.usefixtures("strangers")
    def test_a_sheet_that_cannot_be_written_is_told_with_its_place(self, run, tmp_path):
        code, _, err = run("list", "--contact-sheet", tmp_path / "nowhere" / "sheet.png")

        assert code == 74
        assert "sheet.png cannot be written" in err


class TestShow:
    @pytest.mark.usefixtures("strangers")
    def test_a_group_with_its_tracks_and_faces(self, run):
        _, out, _ = run("show", ONE[:5])

        assert ONE in out
        assert a_track_id(2) in out
        assert "1 visit before" in out
        assert out.count("with chip") == 4

    @pytest.mark.usefixtures("strangers")
    def test_json_and_a_sheet_of_one_group(self, run, tmp_path):
        _, out, _ = run("show", ONE, "--json", "--contact-sheet", tmp_path / "sheet.png")

        told = json.loads(out)
        assert [track["seenBefore"] for track in told["tracks"]] == [0, 1]
        assert all(face["hasChip"] for face in told["faces"])
        assert (tmp_path / "sheet.png").stat().st_size > 1000

    @pytest.mark.usefixtures("strangers")
    def test_a_group_that_is_not_there_is_told_where_to_look(self, run):
        code, _, err = run("show", "ffff")

        assert code == 1
        assert "no group here is 'ffff'" in err
        assert "edged groups list" in err


class TestName:
    @pytest.mark.usefixtures("strangers")
    def test_a_named_group_is_a_person_with_its_faces_and_no_group_any_more(self, run, data_dir, model):
        code, out, err = run("name", ONE[:6], "Eileen Collins", "--custom-id", "e1")

        assert (code, err) == (0, "")
        assert "is Eileen Collins in namespace home: 4 faces of 4 taken" in out
        assert set(listed(run)) == {TWO}
        with a_store(data_dir) as store:
            (person,) = store.identities()
            faces = store.faces_of(person.id, model)
        assert (person.name, person.custom_id, len(faces)) == ("Eileen Collins", "e1", 4)
        assert all(face.chip is not None for face in faces)

    @pytest.mark.usefixtures("strangers")
    def test_likeness_to_somebody_enrolled_is_said_and_refused_when_strict(self, run, data_dir, model):
        enrol(data_dir, model, "Eileen", 7)

        code, _, err = run("name", ONE, "Somebody Else", "--strict")
        assert code == 65
        assert "look like Eileen" in err
        assert "--into" in err
        assert ONE in listed(run), "nothing was changed"

        code, _, err = run("name", ONE, "Somebody Else", "--json")
        assert code == 0
        assert "warning: the faces look like Eileen" in err

    @pytest.mark.usefixtures("strangers")
    def test_into_gives_the_faces_to_somebody_enrolled(self, run, data_dir, model):
        enrol(data_dir, model, "Eileen", 7)

        code, out, err = run("name", ONE, "--into", "eileen")

        assert (code, err) == (0, "")
        assert "7 faces in all" in out

    @pytest.mark.usefixtures("strangers")
    def test_into_refuses_somebody_else(self, run, data_dir, model):
        enrol(data_dir, model, "Bob", 9)

        code, _, err = run("name", ONE, "--into", "Bob")

        assert code == 65
        assert "they show two people" in err
        assert ONE in listed(run)

    @pytest.mark.usefixtures("strangers")
    def test_a_namesake_is_refused_unless_meant(self, run, data_dir, model):
        enrol(data_dir, model, "Bob", 9)

        code, _, err = run("name", ONE, "bob")
        assert code == 1
        assert "is enrolled already" in err
        assert run("name", ONE, "Bob", "--another")[0] == 0

    @pytest.mark.usefixtures("strangers")
    @pytest.mark.parametrize(
        "words", [[], ["Ada", "--into", "Ada"], ["--into", "Ada", "--custom-id", "a"], [" "]]
    )
    def test_what_makes_no_sense_is_refused(self, run, words):
        assert run("name", ONE, *words)[0] == 1
        assert ONE in listed(run)

    def test_faces_of_another_model_cannot_be_named_yet(self, run, data_dir):
        records = GroupRecords(data_dir, ["home"], Groups(), HandClock(), Ids("daemon"))
        records.record([("home", a_grouped_track(1, 7))])
        records.close()

        code, _, err = run("name", ONE, "Ada")

        assert code == 65
        assert "no face of group" in err


@pytest.mark.usefixtures("strangers")
class TestMerge:
    def test_several_become_the_first(self, run):
        assert run("merge", TWO, ONE)[0] == 0

        assert {group: told["visits"] for group, told in listed(run).items()} == {TWO: 3}

    def test_one_group_alone_cannot_be_merged(self, run):
        code, _, err = run("merge", ONE, ONE[:7])

        assert code == 1
        assert "two groups or more" in err


@pytest.mark.usefixtures("strangers")
class TestSplit:
    def test_the_tracks_that_are_named_become_a_group(self, run):
        assert run("split", ONE, "--track", a_track_id(2)[:6])[0] == 0

        assert {told["trackCount"] for told in listed(run).values()} == {1}
        assert len(listed(run)) == 3

    def test_two_people_are_found_without_naming_tracks(self, run):
        run("merge", ONE, TWO)

        code, out, err = run("split", ONE, "--yes", "--json")

        assert code == 0
        assert "falls into 2 people" in err
        assert [(told["id"], told["trackCount"]) for told in json.loads(out)] == [(ONE, 2), (TWO, 1)]

    def test_nothing_is_split_without_a_yes(self, run):
        run("merge", ONE, TWO)

        code, _, err = run("split", ONE)

        assert code == 1
        assert "Say --yes" in err
        assert set(listed(run)) == {ONE}

    def test_one_person_is_not_split(self, run):
        code, _, err = run("split", TWO, "--yes")

        assert code == 1
        assert "look like one person" in err

    @pytest.mark.parametrize("tracks", [["zzzz"], [a_track_id(1), a_track_id(2)], ["x"]])
    def test_tracks_that_cannot_be_are_refused(self, run, tracks):
        assert run("split", ONE, "--track", *tracks)[0] == 1
        assert len(listed(run)) == 2


@pytest.mark.usefixtures("strangers")
class TestForget:
    def test_groups_are_forgotten_for_good(self, run):
        code, out, _ = run("forget", ONE[:8], TWO, "--yes")

        assert code == 0
        assert "6 faces" in out
        assert listed(run) == {}

    def test_by_age(self, run):
        # They were written in 2023, by the clock of this test.
        assert START_UTC_MS < 1_710_000_000_000
        assert run("forget", "--older-than", "36500 d", "--yes")[2] == "there is nothing to forget\n"
        assert run("forget", "--older-than", "7 d", "--yes")[0] == 0
        assert listed(run) == {}

    @pytest.mark.parametrize(
        "words", [[], [ONE, "--all"], ["--all", "--older-than", "7 d"], ["--older-than", "a week"]]
    )
    def test_what_to_forget_must_be_said_clearly(self, run, words):
        assert run("forget", *words)[0] == 1
        assert len(listed(run)) == 2

    def test_nobody_to_ask_is_no(self, run):
        code, _, err = run("forget", "--all")

        assert code == 1
        assert "Say --yes" in err
        assert len(listed(run)) == 2

    @pytest.mark.parametrize(("answer", "left"), [(b"n\n", 2), (b"y\n", 0)])
    def test_a_person_is_asked(self, run, data_dir, answer, left):
        leader, follower = pty.openpty()
        os.write(leader, answer)
        done = subprocess.run(
            [sys.executable, "-m", "edged", "groups", "forget", "--all", "--data-dir", data_dir],
            stdin=follower,
            capture_output=True,
            text=True,
            check=False,
        )
        os.close(leader)
        os.close(follower)

        assert "for good? [y/N]" in done.stderr
        assert len(listed(run)) == left
