"""The pictures that a detector is quantized by: made from what everybody can have, or any in a folder.

Of the sample clip and of pictures in the scikit-image wheel, all in the public domain or under CC0, so that
anybody makes the same pictures, and of them the same model. They show two persons, near and far, light and
dark, in colour and in grey, and scenes without anybody. A detector needs no more: what is taken from the
pictures is how large its maps' values become, not what a face is.
"""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

import packages
from edged.domain.frame import Pixels
from edged.vision.letterbox import Letterbox, shrunk
from tflite_graph import Array

CLIP = Path(__file__).resolve().parents[2] / "edged" / "cli" / "sample" / "scene.mp4"
FROM_CLIP = 60
COMPOSED = 75
EMPTY = 15

WIDTH_PX, HEIGHT_PX = 640, 480
FACES = (slice(0, 330), slice(60, 390)), (slice(0, 512), slice(0, 512))
"""Rows and columns of the astronaut's portrait: head and shoulders, and all of it."""
SIDES_PX = (60, 90, 130, 190, 280, 380, 478)
"""Of the pasted portraits. A face is about a third of its side."""
MIRRORED_SHARE, GREY_SHARE = 0.5, 0.3


class FramesError(Exception):
    """There are no pictures to calibrate by, or not those that were asked for."""


def written_frames(folder: Path) -> list[Path]:
    """Make the pictures in `folder` as PNG; raises `PackageError` and `FramesError`."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, frame in enumerate(_frames()):
        path = folder / f"{number:03}.png"
        cv2.imwrite(str(path), frame)
        paths.append(path)
    return paths


def frames_in(folder: Path) -> list[Path]:
    """The pictures in a folder, by name; raises `FramesError` where there is none."""
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in (".png", ".jpg", ".jpeg"))
    if not paths:
        raise FramesError(f"{folder} has no .png, .jpg or .jpeg")
    return paths


def list_sha256(paths: Sequence[Path]) -> str:
    """Of the lines `SHA-256 of the pixels, two spaces, name`, as `sha256sum` would print them of raw pixels.

    Of pixels, because another zlib packs the same ones into another file.
    """
    lines = [f"{hashlib.sha256(_read(path).tobytes()).hexdigest()}  {path.name}\n" for path in paths]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def as_input(path: Path, side_px: int) -> Array:
    """A picture as BlazeFace takes it: 1 x side x side x 3 float32 RGB, -1 to 1, black bars around."""
    pixels = _read(path)
    placed = Letterbox.fitted(pixels.shape[1], pixels.shape[0], side_px)
    picture = cv2.cvtColor(shrunk(pixels, placed.width_px, placed.height_px), cv2.COLOR_BGR2RGB)
    square = np.zeros((1, side_px, side_px, 3), np.float32)
    rows = slice(placed.top_px, placed.top_px + placed.height_px)
    square[0, rows, placed.left_px : placed.left_px + placed.width_px] = picture
    return square / np.float32(127.5) - 1


def _read(path: Path) -> Pixels:
    pixels = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if pixels is None:
        raise FramesError(f"{path} is no picture that OpenCV can read")
    return pixels  # type: ignore[return-value]


def _frames() -> Iterator[Pixels]:
    chance = np.random.default_rng(0)
    yield from _clip_frames()
    astronaut = decoded(packages.content_of(packages.PORTRAIT))
    scenes = [decoded(packages.content_of(scene)) for scene in packages.SCENES]
    for number in range(COMPOSED):
        face = _varied(astronaut[FACES[number % len(FACES)]], chance)
        scene = cut_out(scenes[int(chance.integers(len(scenes)))], chance)
        yield _pasted(scene, face, int(chance.choice(SIDES_PX)), chance)
    for number in range(EMPTY):
        yield cut_out(scenes[number % len(scenes)], chance)


def _clip_frames() -> Iterator[Pixels]:
    frames = frames_of(CLIP)
    for number in np.linspace(0, len(frames) - 1, FROM_CLIP).astype(int):
        yield frames[number]


def frames_of(path: Path) -> list[Pixels]:
    """All frames of a clip; raises `FramesError` where there is none."""
    clip = cv2.VideoCapture(str(path))
    frames = []
    while (read := clip.read())[0]:
        frames.append(read[1])
    if not frames:
        raise FramesError(f"{path} cannot be decoded")
    return frames  # type: ignore[return-value]


def decoded(content: bytes) -> Pixels:
    """An encoded picture's pixels, blue-green-red."""
    return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)  # type: ignore[return-value]


def _varied(face: Pixels, chance: np.random.Generator) -> Pixels:
    """Mirrored or not, lighter or darker, in colour or in grey."""
    if chance.random() < MIRRORED_SHARE:
        face = face[:, ::-1]
    steps = (np.arange(256) / 255) ** chance.uniform(0.4, 1.8) * 255
    face = steps.round().astype(np.uint8)[face]
    if chance.random() < GREY_SHARE:
        face = np.repeat(cv2.cvtColor(face, cv2.COLOR_BGR2GRAY)[..., None], 3, axis=2)  # type: ignore[assignment]
    return face


def cut_out(scene: Pixels, chance: np.random.Generator) -> Pixels:
    """A part of a scene, as large as a camera's frame."""
    height, width = scene.shape[:2]
    share = chance.uniform(0.4, 1.0)
    part_width = int(min(width, height * WIDTH_PX / HEIGHT_PX) * share)
    part_height = part_width * HEIGHT_PX // WIDTH_PX
    left = int(chance.integers(width - part_width + 1))
    top = int(chance.integers(height - part_height + 1))
    return shrunk(scene[top : top + part_height, left : left + part_width], WIDTH_PX, HEIGHT_PX)


def _pasted(scene: Pixels, face: Pixels, side_px: int, chance: np.random.Generator) -> Pixels:
    left = int(chance.integers(WIDTH_PX - side_px + 1))
    top = int(chance.integers(HEIGHT_PX - side_px + 1))
    scene[top : top + side_px, left : left + side_px] = shrunk(face, side_px, side_px)
    return scene
