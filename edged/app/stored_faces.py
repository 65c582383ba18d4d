"""What the stored faces of a person show, as far as their chips tell."""

from collections.abc import Iterable

from edged.domain.errors import StoreError
from edged.recognition.advice import Shown, occasion_of
from edged.store.namespace_chips import chip_from_png
from edged.store.namespace_queries import FaceRecord
from edged.vision.infrared import is_grey
from edged.vision.occlusion import cover_of
from edged.vision.quality import brightness_of


def shown_by(records: Iterable[FaceRecord]) -> list[Shown]:
    """For `recognition.advice`; poses are not stored, and without a chip little is known."""
    return [_shown(record) for record in records]


def _shown(record: FaceRecord) -> Shown:
    occasion = occasion_of(record.source)
    try:
        chip = chip_from_png(record.png) if record.png else None
    except StoreError:
        # `edged doctor --fsck` tells of damaged chips; here it is one that says nothing.
        chip = None
    if chip is None:
        return Shown(occasion, None, None, is_grey=False, is_covered=False)
    return Shown(
        occasion, None, brightness_of(chip), is_grey=is_grey(chip), is_covered=cover_of(chip).is_covered
    )
