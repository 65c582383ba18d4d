"""A source behind which another one decodes, chosen at each opening."""

from edged.camera.decoding import Decodings, DecodingSource
from edged.domain.errors import CameraError, CameraFault
from edged.domain.frame import Pixels


class ChosenSource:
    """What sources have in common that choose, in their `open`, who decodes.

    Args:
        decodings: what can decode the stream or clip.
    """

    def __init__(self, decodings: Decodings) -> None:
        self.is_live = decodings.is_live
        self._decodings = decodings
        self._source: DecodingSource | None = None

    def grab(self) -> float | None:
        """Take the next frame."""
        if self._source is None:
            raise CameraError(CameraFault.DISCONNECTED, f"{self._decodings.name} is not open")
        return self._source.grab()

    def retrieve(self) -> Pixels:
        """The frame just grabbed."""
        if self._source is None:
            raise CameraError(CameraFault.NOT_VIDEO, f"{self._decodings.name}: no picture was received")
        return self._source.retrieve()

    def close(self) -> None:
        """Let go of it."""
        source, self._source = self._source, None
        if source is not None:
            source.close()
