import json
import shutil

import cv2
import pytest

from bench.daemon import FIXTURES, PROJECT, edged

PORTRAIT = PROJECT / "edged" / "cli" / "sample" / "eileen-collins.jpg"
STRANGERS = sorted((FIXTURES / "portraits").glob("*.jpg"))[:3]


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recognize")
    assert edged("identities", "add", "Eileen Collins", PORTRAIT, "--data-dir", folder).returncode == 0
    return folder


def test_an_enrolled_person_is_named(data_dir):
    done = edged("recognize", PORTRAIT, "--data-dir", data_dir)

    assert done.returncode == 0, done.stderr
    assert f"{PORTRAIT}: Eileen Collins (" in done.stdout


def test_json_is_a_job_as_the_api_answers_it(data_dir):
    done = edged("recognize", PORTRAIT, "--json", "--data-dir", data_dir)

    job = json.loads(done.stdout)
    assert job["status"] == "COMPLETED_SUCCESSFULLY"
    (found,) = job["images"][0]["objects"]
    assert found["edge"]["name"] == "Eileen Collins"
    assert 0 <= found["boundingBox"]["xMin"] < found["boundingBox"]["xMax"] <= 1
    assert job["edge"]["origin"] == "api"
    assert "null" not in done.stdout


@pytest.mark.footage
@pytest.mark.skipif(not STRANGERS, reason="the shared portraits are not there")
def test_strangers_are_unknown(data_dir):
    done = edged("recognize", *STRANGERS, "--data-dir", data_dir)

    assert done.returncode == 0, done.stderr
    assert [line.rsplit(": ", 1)[1] for line in done.stdout.splitlines()] == ["unknown"] * len(STRANGERS)


def test_a_broken_picture_among_good_ones_is_told_and_the_others_recognised(data_dir, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"not a picture")

    done = edged("recognize", broken, PORTRAIT, "--json", "--data-dir", data_dir)

    assert done.returncode == 65
    assert "broken.jpg" in done.stderr
    job = json.loads(done.stdout)
    assert job["status"] == "COMPLETED_PARTIAL_ERROR"
    assert [image["status"] for image in job["images"]] == [
        "INVALID_IMAGE_FORMAT_ERROR",
        "COMPLETED_SUCCESSFULLY",
    ]


def test_annotate_draws_one_picture_into_a_file(data_dir, tmp_path):
    out = tmp_path / "seen.png"

    assert edged("recognize", PORTRAIT, "--annotate", out, "--data-dir", data_dir).returncode == 0

    drawn, original = cv2.imread(str(out)), cv2.imread(str(PORTRAIT))
    assert drawn.shape == original.shape
    assert (drawn != original).any()


def test_annotate_draws_several_pictures_into_a_folder(data_dir, tmp_path):
    other = shutil.copy(PORTRAIT, tmp_path / "other.jpg")

    done = edged("recognize", PORTRAIT, other, "--annotate", tmp_path / "seen", "--data-dir", data_dir)

    assert done.returncode == 0, done.stderr
    assert {path.name for path in (tmp_path / "seen").iterdir()} == {"eileen-collins.png", "other.png"}


def test_annotate_refuses_a_name_that_is_no_picture(data_dir, tmp_path):
    done = edged("recognize", PORTRAIT, "--annotate", tmp_path / "seen.txt", "--data-dir", data_dir)

    assert done.returncode == 65
    assert ".png" in done.stderr


def test_without_anybody_enrolled_it_says_so(tmp_path):
    done = edged("recognize", PORTRAIT, "--data-dir", tmp_path)

    assert done.returncode == 0
    assert "unknown" in done.stdout
    assert "nobody is enrolled" in done.stderr


def test_pictures_of_one_name_do_not_overwrite_each_other(data_dir, tmp_path):
    folders = [tmp_path / "front", tmp_path / "back"]
    for folder in folders:
        folder.mkdir()
        shutil.copy(PORTRAIT, folder / "face.jpg")

    images = [folder / "face.jpg" for folder in folders]
    assert (
        edged("recognize", *images, "--annotate", tmp_path / "seen", "--data-dir", data_dir).returncode == 0
    )

    assert {path.name for path in (tmp_path / "seen").iterdir()} == {"face.png", "face-2.png"}


def test_several_pictures_need_a_folder_to_be_drawn_into(data_dir, tmp_path):
    taken = tmp_path / "taken"
    taken.write_text("a file")

    done = edged("recognize", PORTRAIT, PORTRAIT, "--annotate", taken, "--data-dir", data_dir)

    assert done.returncode == 65
    assert str(taken) in done.stderr
    assert "Traceback" not in done.stderr
    assert taken.read_text() == "a file"
