import json
import os
import shutil
import signal
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest

from bench.daemon import BOTTLE, CLIPS, CLIPS_OF, FIXTURES, PROJECT, edged
from edged.app.configuration import load
from edged.inference.models import load_models

PORTRAIT = PROJECT / "edged" / "cli" / "sample" / "eileen-collins.jpg"
ODD_NAME = 'asl A & "co" <b>'

needs_footage = pytest.mark.skipif(not CLIPS.is_dir(), reason=f"the shared footage is not at {CLIPS}")


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    """Five people with frames of their clips, and a dozen with one portrait each."""
    folder = tmp_path_factory.mktemp("people")
    for person, clips in CLIPS_OF.items():
        name = ODD_NAME if person == "asl_A" else person
        (folder / name).mkdir()
        for number, pixels in enumerate(_some_frames(clips), start=1):
            assert cv2.imwrite(str(folder / name / f"{name}_{number:04d}.png"), pixels)
    for number, portrait in enumerate(sorted((FIXTURES / "portraits").glob("*.jpg"))[:12]):
        (folder / f"Member_{number}").mkdir()
        shutil.copy(portrait, folder / f"Member_{number}" / f"Member_{number}_0001.jpg")
    return folder


def _some_frames(clips):
    for clip in clips:
        capture = cv2.VideoCapture(str(CLIPS / clip))
        for number in range(60):
            if not capture.grab():
                break
            if number % 15 == 0:
                yield capture.retrieve()[1]


@pytest.fixture
def pairs(tmp_path):
    rows = ["2\t2"]
    for fold in range(2):
        rows += [f"{ODD_NAME}\t1\t{2 + fold}", f"asl_C\t1\t{2 + fold}"]
        rows += [f"asl_B\t1\tMember_{fold}\t1", f"{ODD_NAME}\t1\tasl_D\t{1 + fold}"]
    path = tmp_path / "pairs.txt"
    path.write_text("\n".join(rows) + "\n")
    return path


@pytest.mark.footage
@needs_footage
def test_a_folder_of_people_is_told_as_text_json_and_a_page(people, tmp_path):
    done = edged(
        "evaluate",
        people,
        "--gallery",
        "3",
        "--pictures",
        "1-2",
        "--faces",
        "1",
        "--strangers",
        "200",
        "--json",
        tmp_path / "report.json",
        "--html",
        tmp_path / "report.html",
        "--embeddings",
        tmp_path / "faces.npz",
    )

    assert done.returncode == 0, done.stderr
    assert "Hit rate (TAR)" in done.stdout
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["pictures"]["people"] == 17
    decided, plain = report["verifications"]
    assert decided["counted"] == "all pairs of the data set, as the daemon compares"
    assert plain["counted"] == "all pairs of the data set, by the plain cosine"
    assert min(decided["area"]["value"], plain["area"]["value"]) > 0.99
    assert [(cell["gallery"], cell["pictures"]) for cell in report["openSet"]] == [(3, 1), (3, 2)]
    assert {stage["stage"] for stage in report["stages"]} >= {"read", "detect", "embed", "all stages"}
    assert "null" not in (tmp_path / "report.json").read_text()
    assert ODD_NAME not in (tmp_path / "report.html").read_text()
    with np.load(tmp_path / "faces.npz") as data:
        assert data["chip"].shape == data["mirrored"].shape == (len(data["person"]), 128)
    again = edged("evaluate", tmp_path / "faces.npz", "--json", "-", "--strangers", "50")
    areas = [one["area"]["value"] for one in json.loads(again.stdout)["verifications"]]
    assert areas == pytest.approx([decided["area"]["value"], plain["area"]["value"]], abs=1e-4)


@pytest.mark.footage
@needs_footage
def test_pairs_are_told_by_lfws_protocol_and_a_second_run_finds_all_done(people, pairs, tmp_path):
    done = edged("evaluate", people, "--pairs", pairs, "--json", "-", "--work", tmp_path / "work")

    assert done.returncode == 0, done.stderr
    protocol = json.loads(done.stdout)["protocol"]
    assert (protocol["pairs"], protocol["folds"]) == (8, 2)
    every, as_errors, excluded, *plain = protocol["accuracies"]
    assert len(plain) == 3
    assert every["accuracy"]["value"] == 1.0
    assert every["notScored"] == as_errors["notScored"] == 0
    assert excluded["pairs"] == 8
    everything, own, *plain = protocol["verifications"]
    assert [one["counted"].endswith("by the plain cosine") for one in plain] == [True, True]
    assert everything["impostors"] == own["impostors"] > 40
    assert everything["genuine"] > own["genuine"] == 4

    again = json.loads(
        edged("evaluate", people, "--pairs", pairs, "--json", "-", "--work", tmp_path / "work").stdout
    )
    assert again["pictures"]["resumed"] == again["pictures"]["pictures"]
    assert again["protocol"] == protocol

    told = edged("evaluate", people, "--pairs", pairs, "--work", tmp_path / "work")
    assert "Accuracy over 8 pairs, 2 folds" in told.stdout
    assert "the protocol's 4 pairs of one person" in told.stdout


@pytest.fixture
def own_embedder(tmp_path):
    """A configuration that names an embedder of somebody's own, whose card has no calibration yet."""
    folder = tmp_path / "models"
    folder.mkdir()
    shipped = PROJECT / "models" / "dlib-resnet-v1-dynamic-int8.json"
    card = json.loads(shipped.read_text())
    shutil.copy(shipped.with_suffix(".tflite"), folder / "mine.tflite")
    card |= {"name": "mine", "file": "mine.tflite"}
    del card["head"]["calibration"]
    (folder / "mine.json").write_text(json.dumps(card))
    config = tmp_path / "config.yaml"
    config.write_text(
        f"data_dir: {tmp_path}\nfeeds: [{{id: a, source: {{type: file, path: a.mp4}}}}]\n"
        f"sinks: [{{type: console}}]\nmodels: {{directory: {folder}, embedder: mine}}\n"
    )
    return config


def write_people(path, people):
    random = np.random.default_rng(1)
    middles = np.repeat(random.normal(size=(people, 128)) + 2, 3, axis=0)
    chips = (middles + 0.2 * random.normal(size=middles.shape)).astype(np.float16)
    np.savez(path, person=np.repeat(np.arange(people), 3), chip=chips, mirrored=chips)


def test_an_embedder_of_ones_own_is_measured_into_its_card(own_embedder, tmp_path):
    write_people(tmp_path / "people.npz", 300)

    done = edged(
        "evaluate", tmp_path / "people.npz", "--calibrate", "--config", own_embedder, "--resamples", "5"
    )

    assert done.returncode == 0, done.stderr
    card = json.loads((tmp_path / "models" / "mine.json").read_text())
    assert card["head"]["calibration"]["people"] == 300
    assert (tmp_path / "models" / "mine.cohort.npy").is_file()
    settings = load(own_embedder, with_secrets=False).settings
    calibration = load_models(settings.models, None).calibrated()
    assert len(calibration.prototypes) > 10


def test_too_few_people_leave_the_card_as_it_was(own_embedder, tmp_path):
    write_people(tmp_path / "people.npz", 30)
    before = (tmp_path / "models" / "mine.json").read_text()

    done = edged("evaluate", tmp_path / "people.npz", "--calibrate", "--config", own_embedder)

    assert done.returncode == 65
    assert "30 people" in done.stderr
    assert (tmp_path / "models" / "mine.json").read_text() == before


def test_a_shipped_card_is_not_written(tmp_path):
    write_people(tmp_path / "people.npz", 300)

    done = edged("evaluate", tmp_path / "people.npz", "--calibrate")

    assert done.returncode == 65
    assert "came with edged" in done.stderr


@pytest.mark.footage
@needs_footage
def test_ctrl_c_leaves_what_was_done_and_the_same_command_goes_on(people, tmp_path):
    work = tmp_path / "work"
    command = ["evaluate", str(people), "--work", str(work), "--json", "-", "--strangers"]
    # So many strangers take minutes: it is still at work when it is interrupted.
    process = subprocess.Popen(
        [sys.executable, "-m", "edged", *command, "100000", "--resamples", "100000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Whoever runs the tests in the background may have them ignore it, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no threads
    )
    try:
        deadline = time.monotonic() + 60
        while not (work.is_dir() and any(kept.stat().st_size > 4000 for kept in work.iterdir())):
            assert time.monotonic() < deadline, "nothing was kept"
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()

    assert process.returncode == 130, told
    assert f"what was done is kept in {work}" in told
    assert "Traceback" not in told
    again = json.loads(edged(*command, "50").stdout)
    assert 0 < again["pictures"]["resumed"] <= again["pictures"]["pictures"]


@pytest.mark.footage
@needs_footage
def test_clips_go_through_the_daemons_pipeline_without_a_wrong_name(tmp_path):
    some = ("asl_A", "asl_D", "asl_E")
    rows = [(person, CLIPS / clip) for person in some for clip in CLIPS_OF[person]]
    rows.append(("", CLIPS / BOTTLE))
    listed = tmp_path / "clips.csv"
    listed.write_text("person,clip\n" + "".join(f"{person},{clip}\n" for person, clip in rows))

    done = edged("evaluate", listed, "--json", "-", "--work", tmp_path / "work")

    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["clips"]
    assert (found["clips"], found["people"], found["splits"], found["gallery"]) == (6, 3, 4, 2)
    assert found["wrong"] == []
    assert len(found["missed"]) <= 1
    assert found["tracks"]["counts"]["nobody there, and no track"] == 4
    again = edged("evaluate", listed, "--json", "-", "--work", tmp_path / "work")
    assert json.loads(again.stdout)["clips"] == found


@pytest.fixture
def folder(tmp_path):
    """Two people of one picture each."""
    for name in ("Ada", "Ben"):
        (tmp_path / "small" / name).mkdir(parents=True)
        shutil.copy(PORTRAIT, tmp_path / "small" / name / f"{name}_0001.jpg")
    return tmp_path / "small"


def refused(*arguments):
    done = edged("evaluate", *arguments)
    assert done.returncode == 65, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


def test_a_data_set_that_is_not_there_is_refused(tmp_path):
    assert "is not there" in refused(tmp_path / "nowhere")


def test_an_empty_folder_is_refused(tmp_path):
    assert "holds no folder with pictures" in refused(tmp_path)


def test_one_person_only_is_refused(folder):
    shutil.copy(PORTRAIT, folder / "Ada" / "Ada_0002.jpg")
    shutil.rmtree(folder / "Ben")

    assert "one person, 'Ada'" in refused(folder)


def test_people_of_one_picture_each_are_refused(folder):
    assert "nobody can be recognised again" in refused(folder)


def test_pictures_of_which_none_can_be_read_are_refused(folder):
    for picture in folder.rglob("*.jpg"):
        picture.write_bytes(b"nothing")

    assert "none of the 2 pictures can be read" in refused(folder)


def test_a_question_that_the_data_do_not_allow_is_answered_with_what_is_missing(folder):
    shutil.copy(PORTRAIT, folder / "Ada" / "Ada_0002.jpg")

    told = refused(folder, "--gallery", "20")

    assert "20 people with 5 pictures each are to be enrolled, and there are none" in told


def test_a_pair_that_names_a_missing_picture_is_told_with_its_line(folder, tmp_path):
    pairs = tmp_path / "pairs.txt"
    pairs.write_text("1\nAda\t1\t2\nAda\t1\tBen\t1\n")

    assert "pairs.txt, line 2: " in refused(folder, "--pairs", pairs)


def test_a_list_of_pairs_that_is_no_text_is_refused(folder, tmp_path):
    pairs = tmp_path / "pairs.txt"
    pairs.write_bytes(b"\xff\xfe\x00")

    assert "is no text in UTF-8" in refused(folder, "--pairs", pairs)
    assert "cannot be read" in refused(folder, "--pairs", tmp_path)


def test_only_good_faces_are_evaluated_where_that_is_asked_for(folder):
    dark = cv2.imread(str(PORTRAIT))
    for name in ("Ada_0002.png", "Ada_0003.png"):
        assert cv2.imwrite(str(folder / "Ada" / name), (dark * 0.1).astype(np.uint8))

    every = edged("evaluate", folder, "--strangers", "10")

    assert every.returncode == 0, every.stderr
    assert "too dark" in every.stdout
    assert "nobody can be recognised again" in refused(folder, "--good-only")


@pytest.mark.parametrize(
    "options", [("--seed", "-1"), ("--pairs", "pairs.txt"), ("--embeddings", "faces.npz")]
)
def test_options_that_do_not_fit_are_refused(tmp_path, options):
    (tmp_path / "clips.csv").write_text("person,clip\n")

    done = edged("evaluate", tmp_path / "clips.csv", *options)

    assert done.returncode == 1
    assert options[0] in done.stderr


def test_clips_that_are_missing_or_listed_twice_are_told_with_their_lines(tmp_path):
    (tmp_path / "a.mkv").write_bytes(b"x")
    (tmp_path / "clips.csv").write_text("person,clip\nAda,a.mkv\nAda,./a.mkv\nBen,b.mkv\n")

    told = refused(tmp_path / "clips.csv")

    assert "line 3: " in told
    assert "is in line 2 already" in told
    assert "line 4: " in told


def test_clips_of_which_none_can_be_played_are_refused(tmp_path):
    for name in ("a.mkv", "b.mkv"):
        (tmp_path / name).write_bytes(os.urandom(2000))
    (tmp_path / "clips.csv").write_text("person,clip\nAda,a.mkv\nAda,b.mkv\n")

    assert "none of its 2 clips can be read" in refused(tmp_path / "clips.csv")


def test_a_file_that_is_no_file_of_embeddings_is_refused(tmp_path):
    (tmp_path / "some.npz").write_bytes(b"PK nothing")

    assert "is no file of embeddings" in refused(tmp_path / "some.npz")


def test_a_report_that_could_not_be_written_is_refused_before_the_work(folder, tmp_path):
    assert "cannot be written" in refused(folder, "--html", tmp_path / "nowhere" / "report.html")


@pytest.mark.parametrize("numbers", ["0", "5-1", "a", "1,,2", ""])
def test_numbers_that_are_none_are_refused(folder, numbers):
    done = edged("evaluate", folder, "--gallery", numbers)

    assert done.returncode == 2
    assert "is no number, list such as" in done.stderr
