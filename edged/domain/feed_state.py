"""The health of a feed, as its state topic and the logs tell it."""

import msgspec

from edged.domain.wire import EDGE_SCHEMA, Wire


class FeedState(Wire, frozen=True, kw_only=True):
    """How one feed is doing. Retained on the broker; absent when empty, never null.

    Attributes:
        state: `starting`, `capturing`, `ended` (a clip played to its end), `switched off`, `off by
            schedule`, or a `CameraFault` in words.
        detail: for people: what is wrong and what to do.
        fps: frames looked at in a second, over the last ten seconds.
        fps_allowed: frames looked at in a second, at most, where that is less than configured.
        decoder: who really decodes.
        frames: frames captured since the start; dropped: of these, replaced in the slot unseen.
        rejected: how many faces were not good enough to be recognised, by reason.
        refused: how many tracks were never believed to be faces, by reason.
        takeovers: how many tracks were split because somebody else had them.
        grey: whether the last good face had no colours: infrared light, a black-and-white camera.
        faults: how often each fault was met; reconnections: how often the source was opened again.
        resolution_changes: how often the picture's size changed while the source was open.
        last_frame_age_ms: absent before the first frame.
    """

    feed_id: str
    namespace: str
    device: str
    capturing: bool
    state: str
    detail: str = ""
    fps: float
    fps_allowed: float | None = None
    decoder: str = ""
    width_px: int = 0
    height_px: int = 0
    frames: int
    dropped: int
    rejected: dict[str, int] = msgspec.field(default_factory=dict)
    refused: dict[str, int] = msgspec.field(default_factory=dict)
    takeovers: int = 0
    grey: bool = False
    reconnections: int
    resolution_changes: int = 0
    faults: dict[str, int] = msgspec.field(default_factory=dict)
    last_frame_age_ms: int | None = None
    at: int
    schema: int = msgspec.field(default_factory=lambda: EDGE_SCHEMA)
