"""What masks cost: blacking out two polygons, over capturing the same picture (H.264, 1280x720, OpenCV)."""

import subprocess
import tempfile
import time
from pathlib import Path

import cv2

from edged.domain.box import Box
from edged.pipeline.face_picture import portrait_of
from edged.pipeline.upright import Upright
from edged.settings.feeds import Mask, Point

FRAMES = 100
SHAPES = (
    ((0.05, 0.1), (0.4, 0.05), (0.35, 0.5), (0.1, 0.6)),
    ((0.7, 0.3), (0.95, 0.35), (0.9, 0.9), (0.75, 0.8)),
)


def main() -> None:
    """Print both, and the picture of a face besides."""
    upright = Upright(0, None, [Mask(points=tuple(Point(x=x, y=y) for x, y in shape)) for shape in SHAPES])
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "clip.mp4"
        scene = f"testsrc2=s=1280x720:r=10:d={FRAMES // 10}"
        encoding = ["-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "veryfast"]
        subprocess.run(
            ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", scene, *encoding, str(clip)], check=True
        )
        capture = cv2.VideoCapture(str(clip), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
        captured_s = masked_s = 0.0
        for number in range(FRAMES):
            begun = time.process_time()
            _, pixels = capture.read()
            captured = time.process_time()
            upright(pixels)
            if number:
                captured_s += captured - begun
                masked_s += time.process_time() - captured
        begun = time.process_time()
        for _ in range(FRAMES):
            portrait_of(pixels, Box(200, 100, 500, 400))
        shown_s = time.process_time() - begun
    count = FRAMES - 1
    print(f"masks: {1000 * masked_s / count:.2f} ms a frame, {masked_s / captured_s:.0%} of its capture")
    print(f"the picture of a face 300 pixels wide: {1000 * shown_s / FRAMES:.2f} ms, once a second at most")


if __name__ == "__main__":
    main()
