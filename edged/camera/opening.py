"""Opens a source beside the one that gives frames."""

import threading

from edged.camera.candidates import Candidate
from edged.camera.decoding import DecodingSource
from edged.domain.errors import CameraError, CameraFault


class Opening:
    """Opens a candidate's source in a thread of its own; afterwards it is the caller's, or was closed.

    Attributes:
        candidate: what is opened.
        error: why it could not be opened; None while it goes on.
    """

    def __init__(self, candidate: Candidate) -> None:
        self.candidate = candidate
        self.error: CameraError | None = None
        self._source = candidate.make()
        self._lock = threading.Lock()
        self._is_over = False
        self._is_unwanted = False
        threading.Thread(target=self._run, name=f"open {candidate.name}", daemon=True).start()

    @property
    def is_over(self) -> bool:
        """Whether it has come to an end."""
        with self._lock:
            return self._is_over

    def taken(self) -> DecodingSource:
        """The source, open; once it is over, without an error."""
        return self._source

    def abandon(self) -> None:
        """Nobody wants it any more: it is closed, at once or when its opening has come to an end."""
        with self._lock:
            self._is_unwanted = True
            if not self._is_over:
                return
        self._source.close()

    def _run(self) -> None:
        error = None
        try:
            self._source.open()
        except CameraError as known:
            error = known
        except Exception as unknown:  # noqa: BLE001 - the thread's top: whatever it is, this way fails
            error = CameraError(CameraFault.NOT_VIDEO, f"an unforeseen {type(unknown).__name__}")
        with self._lock:
            self.error = error
            self._is_over = True
            is_unwanted = self._is_unwanted
        if error is not None or is_unwanted:
            self._source.close()
