"""Decoding by a machine's preset: in its hardware, or not at all."""

from collections.abc import Mapping

from edged.camera.chosen_source import ChosenSource
from edged.camera.decoding import Decodings
from edged.camera.presets import PRESETS, Way
from edged.domain.errors import CameraError, CameraFault


class SourceByPreset(ChosenSource):
    """A stream or clip that the hardware decodes.

    The codec is asked for at the first opening, and again after one that failed; what decodes it is then
    known to be the preset's, or the opening fails.

    Args:
        preset: a name in the table.
        decodings: what can decode the stream.
        presets: the table.
    """

    def __init__(
        self,
        preset: str,
        decodings: Decodings,
        presets: Mapping[str, Mapping[str, tuple[Way, ...]]] = PRESETS,
    ) -> None:
        super().__init__(decodings)
        self._preset = preset
        self._known = presets[preset]
        self._way: Way | None = None

    @property
    def decoder(self) -> str:
        """Who decodes, as the program itself says."""
        return "" if self._source is None else self._source.decoder

    def open(self) -> None:
        """Open it in the way that worked before, else in the first of the preset's that works."""
        self.close()
        remembered, self._way = self._way, None
        ways = (remembered,) if remembered is not None else self._ways()
        self._way = self._first_that_opens(ways)

    def _ways(self) -> tuple[Way, ...]:
        codec = self._decodings.codec()
        if codec not in self._known:
            raise CameraError(
                CameraFault.NOT_VIDEO,
                f"{self._decodings.name} is {codec}, and `hardware: {self._preset}` decodes"
                f" {' and '.join(self._known)} only",
                remedy="Switch the camera to one of these, or decode in software: `hardware: none`.",
            )
        return self._known[codec]

    def _first_that_opens(self, ways: tuple[Way, ...]) -> Way:
        tried: list[CameraError] = []
        for way in ways:
            source = self._decodings.by_ffmpeg(way)
            try:
                source.open()
            except CameraError as error:
                source.close()
                # All else is the camera's fault, and would be the next way's too.
                if error.fault is not CameraFault.NOT_VIDEO:
                    raise
                tried.append(error)
            else:
                self._source = source
                return way
        raise CameraError(
            CameraFault.NOT_VIDEO,
            "; ".join(dict.fromkeys(error.what for error in tried)),
            remedy=tried[0].remedy,
        )
