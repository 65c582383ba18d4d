"""From jobs to the disk: what the API can be asked for later, written down by a thread of its own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from edged.domain.frame import Pixels
from edged.domain.history import HistoryEntry, SeenFace
from edged.pipeline.compressor import Compressor, HeldPicture
from edged.pipeline.keeper import Bounds, Keeper, Records

QUEUE_SIZE: Final = 256
"""Tellings that may wait."""

QUEUE_BYTES: Final = 16_000_000
"""Bytes that may wait, which is some 200 faces with their aligned crops."""

_OBJECT_BYTES: Final = 2000
"""About what an object of a job takes in memory."""

HistoryRecords = Records[HistoryEntry]
"""The history of all namespaces, as it is written."""


@dataclass(frozen=True, slots=True, eq=False)
class Telling:
    """A telling of a job, with pictures that are compressed before it is written down."""

    entry: HistoryEntry
    pictures: tuple[HeldPicture, ...] = ()


class Historian(Keeper[Telling]):
    """Keeps jobs, their faces and their pictures. Compresses the pictures, too."""

    def __init__(
        self, records: HistoryRecords, jitter: Callable[[], float], now_ns: Callable[[], int] = lambda: 0
    ) -> None:
        self._compressor = Compressor(self.wake, lambda: not self.is_troubled)
        super().__init__(
            "historian",
            "Jobs and faces",
            _CompressedFirst(records, self._compressor),
            jitter,
            Bounds(QUEUE_SIZE, QUEUE_BYTES),
            _bytes_of,
            now_ns,
        )

    def tell(self, namespace: str, entry: HistoryEntry, pictures: Sequence[HeldPicture] = ()) -> None:
        """Hand a telling over; never waits. May be called by any thread."""
        self.put(namespace, Telling(entry, tuple(pictures)))

    def take_picture(
        self, image_id: str, pixels: Pixels, created_ms: int, *, may_wait: bool = False
    ) -> HeldPicture | None:
        """Begin to compress a frame that a later `tell` will bring; None where too many wait."""
        return self._compressor.take(image_id, pixels, created_ms, may_wait=may_wait)

    @property
    def pictures_given_up(self) -> int:
        """Pictures that were not kept since the start, because too many waited to be compressed."""
        return self._compressor.given_up


class _CompressedFirst:
    """The records, told of pictures once they are compressed."""

    def __init__(self, records: HistoryRecords, compressor: Compressor) -> None:
        self._records = records
        self._compressor = compressor

    def begin(self) -> None:
        self._records.begin()

    def record(self, news: Sequence[tuple[str, Telling]]) -> None:
        self._compressor.compress_waiting()
        self._records.record([(namespace, _whole(telling)) for namespace, telling in news])

    def sweep(self) -> bool:
        return self._records.sweep()

    def close(self) -> None:
        self._records.close()


def _whole(telling: Telling) -> HistoryEntry:
    compressed = (picture.as_job_picture() for picture in telling.pictures)
    pictures = tuple(picture for picture in compressed if picture is not None)
    return replace(telling.entry, pictures=telling.entry.pictures + pictures)


def _bytes_of(telling: Telling) -> int:
    entry = telling.entry
    objects: int = sum(len(image.objects) for image in entry.job.images)
    held = sum(picture.size_bytes for picture in telling.pictures)
    pictures = sum(len(picture.jpeg) for picture in entry.pictures)
    return objects * _OBJECT_BYTES + sum(map(_bytes_of_face, entry.faces)) + held + pictures


def _bytes_of_face(face: SeenFace) -> int:
    return sum(array.nbytes for array in (face.chip, face.embedding) if array is not None)
