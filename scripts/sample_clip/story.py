"""Who is where, and in which light, at each moment of the clip. Values only; nothing is drawn here."""

import math
from dataclasses import dataclass, fields

FPS = 15
LENGTH_S = 35.0


@dataclass(frozen=True, slots=True)
class Pose:
    """Where a person stands and how the head is held.

    Attributes:
        x_px: middle of the face.
        top_px: top of the head.
        face_px: width of the face, so how near the person is.
        roll_deg: tilt to a side, clockwise.
        yaw_deg: turn of the flat portrait away from the camera.
    """

    x_px: float
    top_px: float
    face_px: float
    roll_deg: float = 0.0
    yaw_deg: float = 0.0


@dataclass(frozen=True, slots=True)
class Visit:
    """One person comes and goes: poses at times in seconds, in order."""

    name: str
    poses: tuple[tuple[float, Pose], ...]

    def pose_at(self, time_s: float) -> Pose | None:
        """The pose at a time, or None while the person is not there."""
        for (begin_s, begin), (end_s, end) in zip(self.poses, self.poses[1:], strict=False):
            if begin_s <= time_s < end_s:
                share = (time_s - begin_s) / (end_s - begin_s)
                return _walked(begin, end, _eased(share), time_s)
        return None


VISITS = (
    Visit(
        "Eileen Collins",
        (
            (3.0, Pose(-215, 62, 70, roll_deg=1, yaw_deg=10)),
            (5.4, Pose(290, 48, 88, roll_deg=-2, yaw_deg=6)),
            (6.6, Pose(312, 40, 97, roll_deg=-3, yaw_deg=-5)),
            (8.0, Pose(330, 40, 98, roll_deg=3, yaw_deg=8)),
            (10.2, Pose(880, 56, 78, roll_deg=1, yaw_deg=-8)),
        ),
    ),
    Visit(
        "Grace Hopper",
        (
            (14.6, Pose(800, 150, 88, roll_deg=-1, yaw_deg=-10)),
            (16.8, Pose(350, 104, 101, roll_deg=2, yaw_deg=-6)),
            (18.0, Pose(325, 82, 108, roll_deg=-3, yaw_deg=5)),
            (19.4, Pose(318, 86, 106, roll_deg=3, yaw_deg=-6)),
            (21.4, Pose(800, 140, 90, roll_deg=0, yaw_deg=8)),
        ),
    ),
    Visit(
        "Eileen Collins",
        (
            (25.6, Pose(850, 70, 70, roll_deg=2, yaw_deg=-9)),
            (27.9, Pose(330, 56, 82, roll_deg=6, yaw_deg=-9)),
            (29.1, Pose(300, 52, 86, roll_deg=-5, yaw_deg=4)),
            (30.3, Pose(285, 52, 86, roll_deg=4, yaw_deg=9)),
            (32.2, Pose(-260, 60, 76, roll_deg=-1, yaw_deg=6)),
        ),
    ),
)

DUSK = (22.4, 24.8)
"""When the daylight goes and the lamp comes on, in seconds."""


def evening_at(time_s: float) -> float:
    """How much of evening it is: 0 in daylight, 1 by the lamp."""
    begin_s, end_s = DUSK
    return _eased(min(max((time_s - begin_s) / (end_s - begin_s), 0.0), 1.0))


def _walked(begin: Pose, end: Pose, share: float, time_s: float) -> Pose:
    names = [field.name for field in fields(Pose)]
    values = {name: (1 - share) * getattr(begin, name) + share * getattr(end, name) for name in names}
    # A step is about half a second; whoever stands still hardly bobs.
    walking = min(abs(end.x_px - begin.x_px) / 200, 1.0)
    values["top_px"] += 3.0 * walking * math.sin(2 * math.pi * 1.9 * time_s)
    return Pose(**values)


def _eased(share: float) -> float:
    """Smoothstep: people do not start or stop at once."""
    return share * share * (3 - 2 * share)
