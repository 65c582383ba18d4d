"""The picture of the last decided face of a feed."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FaceImage:
    """A face as somebody decided it, ready to be shown.

    Attributes:
        namespace, feed_id: where it was seen.
        identity_id: whose it is; None of somebody unknown.
        jpeg: the picture.
        at_ms: UTC milliseconds of the frame.
    """

    namespace: str
    feed_id: str
    identity_id: str | None
    jpeg: bytes
    at_ms: int
