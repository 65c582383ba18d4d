"""What it costs to time the stages of a frame: CPU of one watch, and of what is noted of each frame."""

import time

from edged.pipeline.stages import Stage, StageTimes
from edged.system.clock import SystemStopwatch

ROUNDS, TIMES = 5, 200_000
WATCHES_A_FRAME = 4.0
"""Decoding, gate and detection; landmarks, embedding and decision of one frame in four."""
NOTES_A_FRAME = 3.0
"""Waiting, the frame as a whole, and what is told of it."""


def main() -> None:
    """Print both, and what it comes to a frame."""
    times = StageTimes(SystemStopwatch().wall_ns)
    watch, histogram = times.watch(Stage.GATE), times.histogram(Stage.WAIT)
    watch_ns, note_ns = [], []
    for _ in range(ROUNDS):
        begun_ns = time.process_time_ns()
        for _ in range(TIMES):
            with watch:
                pass
        middle_ns = time.process_time_ns()
        for _ in range(TIMES):
            histogram.observe(2_000_000)
        watch_ns.append((middle_ns - begun_ns) / TIMES)
        note_ns.append((time.process_time_ns() - middle_ns) / TIMES)
    a_frame_us = (WATCHES_A_FRAME * min(watch_ns) + NOTES_A_FRAME * min(note_ns)) / 1000
    print(
        f"stages: {min(watch_ns):.0f} ns a watch, {min(note_ns):.0f} ns a note,"
        f" so some {a_frame_us:.1f} µs a frame that is looked at"
    )


if __name__ == "__main__":
    main()
