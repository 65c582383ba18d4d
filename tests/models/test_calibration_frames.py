import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from calibration_frames import FramesError, as_input, frames_in, frames_of, list_sha256
from edged.inference.card import DetectorHead
from edged.inference.catalogue import Catalogue, head_of
from edged.inference.detector import FaceDetector
from edged.inference.models import load_network
from edged.inference.runtime import find_runtime

PICTURE = np.random.default_rng(4).integers(0, 256, (48, 64, 3), np.uint8)


@pytest.fixture
def folder(tmp_path):
    for name in ("b.png", "a.png", "c.jpg"):
        cv2.imwrite(str(tmp_path / name), PICTURE)
    (tmp_path / "words.txt").write_text("not a picture")
    return tmp_path


def test_pictures_come_by_name_and_other_files_not_at_all(folder):
    assert [path.name for path in frames_in(folder)] == ["a.png", "b.png", "c.jpg"]


def test_a_folder_without_pictures_is_refused(tmp_path):
    with pytest.raises(FramesError, match=r"has no \.png"):
        frames_in(tmp_path)


def test_a_picture_that_is_none_is_refused_by_name(tmp_path):
    (tmp_path / "a.png").write_text("no picture")
    with pytest.raises(FramesError, match=r"a\.png is no picture"):
        as_input(tmp_path / "a.png", 128)


def test_a_clip_that_is_none_is_refused_by_name(tmp_path):
    with pytest.raises(FramesError, match=r"gone\.mp4 cannot be decoded"):
        frames_of(tmp_path / "gone.mp4")


def test_the_lists_hash_is_of_pixels_and_names_and_not_of_how_they_are_packed(folder):
    before = list_sha256(frames_in(folder))
    cv2.imwrite(str(folder / "a.png"), PICTURE, [cv2.IMWRITE_PNG_COMPRESSION, 0])
    assert list_sha256(frames_in(folder)) == before
    cv2.imwrite(str(folder / "a.png"), PICTURE + 1)
    assert list_sha256(frames_in(folder)) != before


def test_a_renamed_picture_makes_another_hash(folder):
    before = list_sha256(frames_in(folder))
    (folder / "a.png").rename(folder / "aa.png")
    assert list_sha256(frames_in(folder)) != before


def test_an_input_is_what_the_detector_shows_its_model(folder):
    catalogue = Catalogue()
    card = catalogue.card("blazeface-full-range")
    network = load_network(catalogue, card, find_runtime(), threads=1)
    detector = FaceDetector(network, head_of(card, DetectorHead), 0.5)
    detector._show(PICTURE, detector._placing(64, 48))
    assert as_input(folder / "a.png", 192)[0] == pytest.approx(network.input().copy(), abs=1e-6)


@pytest.mark.parametrize("name", ["blazeface-full-range-int8", "blazeface-short-range-int8"])
def test_a_quantized_detectors_card_and_the_page_name_the_pictures_it_was_calibrated_by(name):
    (named,) = re.findall(r"[0-9a-f]{64}", Catalogue().card(name).origin.made_by)
    assert named in (Path(__file__).resolve().parents[2] / "docs" / "models.md").read_text("utf-8")
