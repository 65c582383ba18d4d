"""Pictures of a data set: found, embedded, remembered, with the real models."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from builders.scenes import PORTRAIT, a_picture, real_models
from edged.app.evaluation import face_set, pictures_told, sights_of
from edged.app.evaluation_faces import FaceFinder, Sight, SpareDetectors, Way, content_hash
from edged.app.evaluation_work import Journal
from edged.domain.errors import InputError
from edged.settings.recognition import Detection, Models, Quality
from edged.system.clock import SystemStopwatch


def a_finder(*, spares=False, raw=False, quality=None):
    return FaceFinder(
        real_models(),
        quality or Quality(),
        Detection(),
        SystemStopwatch().wall_ns,
        spares=SpareDetectors(Models(threads=1)) if spares else None,
        raw=real_models().embedder if raw else None,
    )


def sight(finder, path: Path) -> Sight:
    return finder.sight(path, content_hash(path))


@pytest.fixture
def written(tmp_path):
    def write(pixels, name="face.png") -> Path:
        assert cv2.imwrite(str(tmp_path / name), pixels)
        return tmp_path / name

    return write


def look_at(paths, folder=None, finder=None, *, raw=False):
    with Journal(folder, "pictures-key", Sight) as journal:
        sights = sights_of(paths, finder or a_finder(raw=raw), journal, lambda *_: None, raw=raw)
        return sights, journal.used


def test_a_face_is_embedded_by_the_daemons_own_models(written):
    path = written(a_picture(300))

    found = sight(a_finder(), path)

    assert found.way is Way.DAEMON
    assert np.linalg.norm(found.vector()) == pytest.approx(1, abs=1e-5)
    assert set(found.stages_ms) == {"read", "detect", "landmarks, chip, quality", "embed"}


def test_of_several_faces_the_large_one_near_the_middle_is_meant(written):
    both = a_picture(260, x=190, y=100)
    both[330:450, 10:110] = a_picture(120)[120:240, 200:300]
    alone = sight(a_finder(), written(a_picture(260, x=190, y=100), "alone.png"))

    found = sight(a_finder(), written(both, "both.png"))

    assert found.faces == 2
    assert float(found.vector() @ alone.vector()) > 0.999


def test_the_embedders_own_answers_make_the_embedding(written):
    found = sight(a_finder(raw=True), written(a_picture(300)))

    chip, mirrored = (np.frombuffer(raw, "<f4") for raw in found.raw)
    both = chip / np.linalg.norm(chip) + mirrored / np.linalg.norm(mirrored)
    assert both / np.linalg.norm(both) == pytest.approx(found.vector(), abs=1e-5)


def test_a_wall_has_no_face(written):
    found = sight(a_finder(), written(a_picture(None)))

    assert (found.way, found.is_embedded) == (Way.NONE, False)


def test_with_spare_detectors_every_picture_that_can_be_read_gives_an_embedding(written):
    found = sight(a_finder(spares=True), written(a_picture(None)))

    assert (found.way, found.is_embedded) == (Way.MIDDLE, True)
    assert found.stages_ms == {}, "no daemon takes that time"


def test_a_face_that_fills_its_picture_is_found_by_another_way(written):
    close = cv2.imread(str(PORTRAIT))
    box = real_models().detector.detect(close)[0].box
    (x, y), half = box.centre, 0.35 * box.width
    path = written(close[int(y - half) : int(y + half), int(x - half) : int(x + half)])
    assert sight(a_finder(), path).way is Way.NONE, "the daemon's detector is for faces farther away"

    found = sight(a_finder(spares=True), path)

    assert found.way in (Way.BORDER, Way.NEAR, Way.LOW)
    whole = sight(a_finder(), PORTRAIT)
    assert float(found.vector() @ whole.vector()) > 0.9


def test_what_the_daemon_would_not_embed_is_embedded_and_counted(written):
    path = written((a_picture(300) * 0.1).astype(np.uint8))

    sights, _ = look_at([path])
    told = pictures_told(["Ada"], sights, 0)

    assert (told.embedded, told.rejected) == (1, 1)
    assert told.rejections["too dark"] == 1


def test_unreadable_pictures_are_listed_and_the_others_go_on(written, tmp_path):
    broken, missing = tmp_path / "broken.jpg", tmp_path / "missing.jpg"
    broken.write_bytes(b"\xff\xd8\xff no picture")

    sights, _ = look_at([broken, written(a_picture(300)), missing])
    told = pictures_told(["Ada", "Ada", "Ben"], sights, 0)

    assert told.embedded == 1
    assert [trouble.split("/")[-1].split()[0] for trouble in told.unreadable] == ["broken.jpg", "missing.jpg"]


def test_where_no_picture_can_be_read_it_is_an_error(tmp_path):
    with pytest.raises(InputError, match="none of the 2 pictures can be read"):
        look_at([tmp_path / "a.jpg", tmp_path / "b.jpg"])


def test_people_without_any_face_have_no_part(written):
    paths = [written(a_picture(None), "wall.png"), written(a_picture(300))]

    faces = face_set(["Nobody", "Ada"], look_at(paths)[0])

    assert faces.names == ("Ada",)


def test_what_was_done_is_not_done_again(written, tmp_path):
    paths = [written(a_picture(300)), written(a_picture(None), "wall.png")]
    first, _ = look_at(paths, tmp_path / "work")

    again, used = look_at(paths, tmp_path / "work", finder=NoFinder())

    assert (again, used) == (first, 2)


def test_a_run_that_broke_off_in_the_middle_of_a_line_goes_on_from_the_line_before(written, tmp_path):
    paths = [written(a_picture(300)), written(a_picture(None), "wall.png")]
    whole, _ = look_at(paths, tmp_path / "work")
    (kept,) = (tmp_path / "work").iterdir()
    kept.write_bytes(kept.read_bytes()[:-20])

    again, used = look_at(paths, tmp_path / "work")

    assert used == 1
    assert [one.embedding for one in again] == [one.embedding for one in whole]
    assert look_at(paths, tmp_path / "work", finder=NoFinder())[1] == 2


def test_a_picture_under_a_new_name_is_known_by_its_content(written, tmp_path):
    path = written(a_picture(300))
    look_at([path], tmp_path / "work")

    copy = shutil.copy(path, tmp_path / "copy.png")
    sights, used = look_at([path, Path(copy)], tmp_path / "work", finder=NoFinder())

    assert used == 2
    assert pictures_told(["Ada", "Ada"], sights, used).duplicates == 1


def test_answers_of_the_embedder_that_were_not_kept_are_asked_for_again(written, tmp_path):
    path = written(a_picture(300))
    look_at([path], tmp_path / "work")

    sights, _ = look_at([path], tmp_path / "work", raw=True)

    assert sights[0].raw is not None


def test_what_is_kept_is_for_its_owners_eyes(written, tmp_path):
    look_at([written(a_picture(300))], tmp_path / "work")

    (kept,) = (tmp_path / "work").iterdir()
    assert kept.stat().st_mode & 0o077 == 0


def test_a_work_folder_that_is_a_file_is_refused(written, tmp_path):
    (tmp_path / "work").write_text("a file")

    with pytest.raises(InputError, match="work folder"):
        look_at([written(a_picture(300))], tmp_path / "work")


class NoFinder:
    """Looks at nothing: whatever is asked of it should have been remembered."""

    def sight(self, path, content):
        raise AssertionError(f"{path} was looked at again ({content})")
