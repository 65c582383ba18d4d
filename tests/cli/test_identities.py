"""`edged identities`, as a person types it."""

import json
import os
import pty
import struct
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from bench.daemon import CLIPS, FIXTURES
from builders.namespaces import a_new_face, a_store
from builders.scenes import PORTRAIT, a_picture
from edged.cli.main import main
from edged.store.fsck import fsck
from edged.store.namespace_files import namespace_path

SCENE = PORTRAIT.with_name("scene.mp4")
footage = pytest.mark.skipif(not CLIPS.is_dir(), reason=f"the shared footage is not at {CLIPS}")


@pytest.fixture
def run(tmp_path, capsys, monkeypatch):
    """Runs `edged identities …` on a data folder of its own: exit code, output, errors."""
    monkeypatch.delenv("EDGED_CONFIG", raising=False)

    def identities(action, *arguments):
        code = main(["identities", action, "--data-dir", str(tmp_path / "data"), *map(str, arguments)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return identities


@pytest.fixture
def people(tmp_path):
    """Ada and Bob, enrolled."""
    with a_store(tmp_path / "data") as store:
        ada = store.add_identity("Ada", [a_new_face(1, chip=True), a_new_face(2)], custom_id="emp-1")
        bob = store.add_identity("Bob", [a_new_face(3)])
    return ada, bob


def listed(run, *options):
    return {person["name"]: person for person in json.loads(run("list", "--json", *options)[1])}


def a_file(folder: Path, name: str, picture) -> Path:
    assert cv2.imwrite(str(folder / name), picture)
    return folder / name


def nothing_was_changed(run) -> bool:
    return listed(run) == {}


class TestList:
    def test_nobody_is_an_answer_too(self, run):
        code, out, err = run("list")

        assert (code, out) == (0, "")
        assert "nobody is enrolled in namespace home" in err
        assert "identities add" in err
        assert run("list", "--json")[1] == "[]\n"

    def test_where_everybody_was_removed_the_database_is_not_said_to_be_missing(self, run, people):
        assert "home.db is not there" in run("list", "--data-dir", "/nowhere")[2]
        for person in people:
            run("remove", person.id, "--yes")

        err = run("list")[2]
        assert "nobody is enrolled in namespace home" in err
        assert "not there" not in err

    def test_a_table_for_people(self, run, people):
        _, out, _ = run("list")

        lines = out.splitlines()
        assert lines[0].split() == ["NAME", "CUSTOM", "ID", "FACES", "ENROLLED", "ID"]
        assert lines[1].split() == ["Ada", "emp-1", "2", "2023-11-14", people[0].id]
        assert lines[2].split() == ["Bob", "-", "1", "2023-11-14", people[1].id]

    def test_json_for_programs(self, run, people):
        assert json.loads(run("list", "--json")[1])[0] == {
            "id": people[0].id,
            "name": "Ada",
            "customId": "emp-1",
            "createdAt": people[0].created_ms,
            "updatedAt": people[0].updated_ms,
            "faceCount": 2,
        }

    @pytest.mark.usefixtures("people")
    def test_another_namespace_is_empty_and_the_others_are_named(self, run):
        _, _, err = run("list", "--namespace", "office")

        assert "these namespaces: home" in err

    def test_a_namespace_that_cannot_be_is_refused(self, run):
        code, _, err = run("list", "--namespace", "a/b")

        assert code == 65
        assert "cannot be a namespace's name" in err

    @pytest.mark.usefixtures("people")
    def test_a_damaged_database_is_told_without_a_traceback(self, run, tmp_path):
        namespace_path(tmp_path / "data", "home").write_text("words " * 1000)

        code, _, err = run("list")

        assert code == 74
        assert "is no SQLite database" in err
        assert "Traceback" not in err


class TestConfiguration:
    @pytest.mark.usefixtures("people")
    def test_the_data_folder_and_its_place_come_from_the_configuration(self, tmp_path, capsys):
        config = tmp_path / "config.yaml"
        config.write_text(
            "data_dir: data\n"
            "feeds: [{id: door, source: {type: rtsp, url: 'rtsp://host/x', "
            "username: me, password: !secret nowhere}}]\n"
            "sinks: [{type: console}]\n"
        )

        assert main(["identities", "list", "--config", str(config)]) == 0

        assert "Ada" in capsys.readouterr().out, "without the camera's password, which is not ours to read"

    def test_a_configuration_that_is_named_must_be_there(self, tmp_path):
        assert main(["identities", "list", "--config", str(tmp_path / "no.yaml")]) == 78


class TestShow:
    def test_a_person_with_every_face(self, run, people):
        _, out, _ = run("show", "emp-1")

        assert people[0].id in out
        assert out.count("quality 0.75  portrait.jpg") == 2
        assert "with chip" in out
        assert "no chip" in out

    def test_json_has_the_faces(self, run, people):
        told = json.loads(run("show", people[1].id[:6], "--json")[1])

        assert told["name"] == "Bob"
        assert told["faces"][0]["models"] == ["a" * 64]

    @pytest.mark.usefixtures("people")
    def test_a_misspelt_name_is_told_who_is_near(self, run):
        code, _, err = run("show", "Adda")

        assert code == 1
        assert "nobody enrolled here is 'Adda'" in err
        assert "Ada" in err


class TestRename:
    @pytest.mark.usefixtures("people")
    def test_a_new_name(self, run):
        assert run("rename", "ada", "Ada Lovelace")[0] == 0
        assert "Ada Lovelace" in listed(run)

    @pytest.mark.usefixtures("people")
    def test_a_custom_id_given_and_taken_away(self, run):
        assert run("rename", "Bob", "--custom-id", "emp-2")[0] == 0
        assert listed(run)["Bob"]["customId"] == "emp-2"
        assert run("rename", "Bob", "--no-custom-id")[0] == 0
        assert "customId" not in listed(run)["Bob"]

    @pytest.mark.usefixtures("people")
    def test_a_taken_custom_id_changes_not_even_the_name(self, run):
        code, _, err = run("rename", "Bob", "Robert", "--custom-id", "emp-1")

        assert code == 1
        assert "taken by Ada" in err
        assert set(listed(run)) == {"Ada", "Bob"}

    @pytest.mark.usefixtures("people")
    def test_a_name_that_cannot_be_changes_not_even_the_custom_id(self, run):
        assert run("rename", "Bob", "x" * 201, "--custom-id", "new")[0] == 1
        assert "customId" not in listed(run)["Bob"]

    @pytest.mark.usefixtures("people")
    def test_nothing_to_change_is_told(self, run):
        assert run("rename", "Bob")[0] == 1


class TestRemove:
    @pytest.mark.usefixtures("people")
    def test_yes_removes_for_good(self, run):
        code, out, _ = run("remove", "Ada", "Bob", "--yes")

        assert code == 0
        assert "removed Ada (2 faces), Bob (1 face)" in out
        assert listed(run) == {}

    @pytest.mark.usefixtures("people")
    def test_without_a_terminal_it_does_not_guess(self, run):
        code, _, err = run("remove", "Ada")

        assert code == 1
        assert "--yes" in err
        assert "Ada" in listed(run)

    @pytest.mark.usefixtures("people")
    def test_one_unknown_name_removes_nobody(self, run):
        assert run("remove", "Ada", "Cleo", "--yes")[0] == 1
        assert "Ada" in listed(run)

    @pytest.mark.parametrize(("answer", "left"), [(b"y\n", {"Bob"}), (b"\n", {"Ada", "Bob"})])
    @pytest.mark.usefixtures("people")
    def test_at_a_terminal_it_asks(self, run, tmp_path, answer, left):
        ours, theirs = pty.openpty()
        with subprocess.Popen(
            [
                *(sys.executable, "-m", "edged", "identities", "remove", "Ada"),
                *("--data-dir", str(tmp_path / "data")),
            ],
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            os.close(theirs)
            os.write(ours, answer)
            _, err = process.communicate(timeout=60)
        os.close(ours)

        assert b"Forget Ada (2 faces) in namespace home for good? [y/N]" in err
        assert process.returncode == (0 if answer == b"y\n" else 1)
        assert set(listed(run)) == left

    @pytest.mark.usefixtures("people")
    def test_a_damaged_copy_that_may_hold_them_is_named(self, run, tmp_path):
        copy = namespace_path(tmp_path / "data", "home").with_name("home.db.corrupt-20240101T000000Z")
        copy.touch()

        assert str(copy) in run("remove", "Ada", "--yes")[2]


class TestArchives:
    @pytest.mark.usefixtures("people")
    def test_out_and_in_again(self, run, tmp_path):
        archive = tmp_path / "people.zip"

        assert "has 2 people with 3 faces" in run("export", archive)[1]
        code, out, _ = run("import", archive, "--namespace", "office")

        assert code == 0
        assert "new: Ada, Bob" in out
        assert listed(run, "--namespace", "office") == listed(run)

    @pytest.mark.usefixtures("people")
    def test_only_some_people(self, run, tmp_path):
        run("export", tmp_path / "ada.zip", "Ada")

        told = json.loads(run("import", tmp_path / "ada.zip", "--namespace", "office", "--json")[1])

        assert told == {"new": ["Ada"], "updated": [], "skipped": [], "faces": 2, "models": {"a" * 64: 2}}

    @pytest.mark.usefixtures("people")
    def test_a_text_file_is_no_archive(self, run, tmp_path):
        (tmp_path / "x.zip").write_text("hello")

        code, _, err = run("import", tmp_path / "x.zip")

        assert code == 65
        assert "no whole ZIP" in err

    @pytest.mark.usefixtures("people")
    def test_embeddings_of_another_model_are_spoken_of(self, run, tmp_path):
        run("export", tmp_path / "people.zip")

        assert "aaaaaaaaaaaa" in run("import", tmp_path / "people.zip", "--namespace", "office")[1]


class TestAdd:
    def test_a_portrait_enrols(self, run, tmp_path):
        code, out, err = run("add", "Eileen Collins", PORTRAIT, "--custom-id", "nasa-1")

        assert (code, err) == (0, "")
        assert "enrolled Eileen Collins in namespace home: 1 face of 1 found" in out
        assert listed(run)["Eileen Collins"]["customId"] == "nasa-1"
        assert fsck(namespace_path(tmp_path / "data", "home")) == []

    def test_a_picture_lying_on_its_side_is_turned_upright(self, run, tmp_path):
        lying = a_file(tmp_path, "lying.jpg", cv2.rotate(a_picture(400), cv2.ROTATE_90_COUNTERCLOCKWISE))
        assert run("add", "Eileen", lying, "--strict")[0] == 65, "tilted, as it is in the file"
        jpeg = lying.read_bytes()
        tiff = b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, 0x0112, 3, 1, 6, 0, 0)
        exif = b"Exif\0\0" + tiff
        lying.write_bytes(jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:])

        assert run("add", "Eileen", lying, "--strict")[0] == 0

    def test_json_says_what_was_enrolled(self, run):
        told = json.loads(run("add", "Eileen", PORTRAIT, "--json")[1])

        assert told["identity"]["faceCount"] == told["found"] == len(told["faces"]) == 1
        assert told["faces"][0]["source"] == PORTRAIT.name
        assert told["warnings"] == []
        assert len(told["advice"]) == 1
        assert "only one picture stands for Eileen" in told["advice"][0]

    def test_what_is_missing_is_said_and_refuses_nothing(self, run):
        code, out, err = run("add", "Eileen", PORTRAIT, "--strict")

        assert (code, err) == (0, "")
        assert "advice: only one picture stands for Eileen: add two or more of other days" in out
        assert "advice: only one picture stands for Eileen" in run("show", "Eileen")[1]
        assert json.loads(run("show", "Eileen", "--json")[1])["advice"]

    def test_every_bad_file_is_named_with_its_reason_and_nothing_is_changed(self, run, tmp_path):
        half = tmp_path / "half.jpg"
        half.write_bytes(PORTRAIT.read_bytes()[:20_000])
        text = tmp_path / "text.mp4"
        text.write_text("This is no film.\n" * 50)
        empty = tmp_path / "empty.jpg"
        empty.touch()
        wall = a_file(tmp_path, "wall.png", a_picture(None))
        two = a_file(tmp_path, "two.png", np.hstack([a_picture(300), a_picture(260)]))

        code, _, err = run("add", "Bob", half, text, empty, wall, two, tmp_path / "no.jpg", PORTRAIT)

        assert code == 65
        for words in (
            f"{half} is no whole picture",
            f"{text} is no picture and no clip",
            f"{empty}",
            f"{wall}: no face is found in it (640 x 480 pixels)",
            f"{two}: 2 faces are in it",
            f"{tmp_path / 'no.jpg'} is not there",
            "Nothing was enrolled",
        ):
            assert words in err
        assert "pixels around" in err, "where the two are"
        assert "Traceback" not in err
        assert nothing_was_changed(run)

    def test_a_weak_picture_is_enrolled_with_a_warning_or_refused_when_strict(self, run, tmp_path):
        dark = a_file(tmp_path, "dark.png", (a_picture(400) * 0.12).astype(np.uint8))

        assert run("add", "Eileen", dark, "--strict")[0] == 65
        assert nothing_was_changed(run)
        code, _, err = run("add", "Eileen", dark)
        assert code == 0
        assert f"{dark}: the face is too dark: turn on a light" in err

    def test_two_people_in_a_clip_are_refused_with_their_times(self, run):
        code, _, err = run("add", "Whoever", SCENE)

        assert code == 65
        assert "2 people are in it, and it must be one: one at" in err
        assert "s looked at" in err, "progress on a long clip"
        assert nothing_was_changed(run)

    def test_the_same_name_again_is_asked_about(self, run):
        run("add", "Eileen", PORTRAIT)

        code, _, err = run("add", "eileen", PORTRAIT)

        assert code == 1
        assert "--to" in err
        assert "--another" in err

    def test_somebody_who_looks_like_another_is_told_or_refused_when_strict(self, run):
        run("add", "Eileen", PORTRAIT)

        assert run("add", "E. Collins", PORTRAIT, "--strict")[0] == 65
        assert set(listed(run)) == {"Eileen"}
        code, _, err = run("add", "E. Collins", PORTRAIT)
        assert code == 0
        assert "look like Eileen" in err

    def test_the_same_face_is_not_enrolled_twice(self, run):
        run("add", "Eileen", PORTRAIT)

        code, _, err = run("add", "--to", "Eileen", PORTRAIT)

        assert code == 65
        assert "enrolled already" in err
        assert listed(run)["Eileen"]["faceCount"] == 1

    def test_more_faces_for_somebody(self, run, tmp_path):
        run("add", "Eileen", PORTRAIT)
        darker = a_file(tmp_path, "darker.png", (a_picture(300) * 0.7).astype(np.uint8))

        code, out, _ = run("add", "--to", "Eileen", darker)

        assert code == 0
        assert "2 faces in all" in out

    @pytest.mark.parametrize(
        "arguments",
        [
            ("Eileen",),
            ("", PORTRAIT),
            ("--to", "Eileen", "--custom-id", "1", PORTRAIT),
            ("x" * 201, PORTRAIT),
        ],
    )
    def test_a_name_and_a_file_are_needed(self, run, arguments):
        assert run("add", *arguments)[0] == 1

    def test_for_somebody_unknown_nothing_is_looked_at(self, run):
        assert run("add", "--to", "Nobody", PORTRAIT)[0] == 1

    @footage
    def test_from_a_clip_the_best_and_most_varied_faces_are_taken(self, run):
        told = json.loads(run("add", "asl_A", CLIPS / "again.mkv", "--json")[1])

        assert 3 <= len(told["faces"]) <= 8 < told["found"]
        assert told["leastSimilarity"] > 0.9
        assert all("again.mkv at " in face["source"] for face in told["faces"])

    @footage
    def test_somebody_else_is_not_added_to_a_person(self, run):
        run("add", "asl_A", CLIPS / "again.mkv")

        code, _, err = run("add", "--to", "asl_A", PORTRAIT)

        assert code == 65
        assert "they show two people" in err
        assert listed(run)["asl_A"]["faceCount"] == 8

    @footage
    def test_files_of_two_people_are_refused(self, run):
        code, _, err = run("add", "asl_A", CLIPS / "again.mkv", CLIPS / "brother.mkv", PORTRAIT)

        assert code == 65
        assert f"the faces of {PORTRAIT} and of the other files are only" in err
        assert nothing_was_changed(run)

    @footage
    def test_a_clip_without_a_face_is_refused(self, run):
        code, _, err = run("add", "Nobody", CLIPS / "bottle-detection.mp4")

        assert code == 65
        assert "nobody's face is in it" in err

    @footage
    def test_every_official_portrait_enrols_without_a_word(self, run):
        for number, portrait in enumerate(sorted((FIXTURES / "portraits").iterdir())[:8]):
            code, _, err = run("add", f"Member {number}", portrait)
            assert (code, err) == (0, "")


def test_help_tells_what_there_is(capsys):
    with pytest.raises(SystemExit):
        main(["identities", "--help"])

    out = capsys.readouterr().out
    for action in ("add", "list", "show", "rename", "remove", "export", "import"):
        assert f"    {action}" in out
