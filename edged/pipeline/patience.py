"""How long a call into a source may take before it counts as stuck."""

from dataclasses import dataclass

from edged.settings.sources import CsiSource, HttpSource, RtspSource, SnapshotSource, Source, UsbSource

_WITHOUT_TIMEOUT_S = 30.0
"""For clips and pictures on a disk, which have no time-out: a network share that hangs is still found."""

_WAYS = 6
"""So many decoders an opening may try, each with the time-outs of its own, where hardware is to decode."""

_SPARE_S = 2.0
"""What a busy machine may add before anything is said."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Time limits of one source, in seconds.

    Attributes:
        stall_s: a frame that took so long is a stall, though the source calls it good; None: no limit.
        open_s: an opening that takes longer is stuck: its own time-outs have not held.
        frame_s: a frame that takes longer is stuck.
    """

    stall_s: float | None
    open_s: float
    frame_s: float


def patience_of(source: Source) -> Patience:
    """The limits that follow from a source's time-outs."""
    if isinstance(source, RtspSource | HttpSource | SnapshotSource):
        # Twice: after an opening that failed, a second connection finds out why.
        ways = _WAYS if isinstance(source, RtspSource) and source.hardware != "none" else 1
        open_s = ways * (2 * source.open_timeout + source.read_timeout) + _SPARE_S
        frame_s = source.open_timeout + 2 * source.read_timeout + _SPARE_S
        return Patience(_stall_s(source), open_s, frame_s)
    if isinstance(source, UsbSource | CsiSource):
        return Patience(_stall_s(source), _WITHOUT_TIMEOUT_S, 2 * source.read_timeout + _SPARE_S)
    return Patience(None, _WITHOUT_TIMEOUT_S, _WITHOUT_TIMEOUT_S)


def _stall_s(source: RtspSource | HttpSource | SnapshotSource | UsbSource | CsiSource) -> float:
    """OpenCV answers a read that timed out with True and an old frame, a little early at times."""
    return 0.9 * source.read_timeout
