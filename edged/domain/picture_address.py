"""The addresses of pictures in jobs and answers: true ones where they are served, else names that say so."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PictureAddresses:
    """How pictures are called.

    Attributes:
        device: the device's id.
        base: address of the HTTP server as others reach it, without a final `/`; None where it is off.
        keeps_pictures: whether whole pictures are kept.
    """

    device: str
    base: str | None = None
    keeps_pictures: bool = False

    def image(self, namespace: str, feed_id: str, image_id: str, *, is_kept: bool) -> str:
        """Of a whole picture; `is_kept` says whether this one is there to be kept."""
        if self.base is None or not self.keeps_pictures or not is_kept:
            return f"edged://{self.device}/{feed_id}/{image_id}"
        return f"{self.base}/v2/recognition/pictures/{namespace}/{image_id}"

    def face(self, namespace: str, face_id: str, *, has_chip: bool) -> str:
        """Of a face."""
        if self.base is None or not has_chip:
            return f"edged://{self.device}/face/{face_id}"
        return f"{self.base}/v2/recognition/images/{namespace}/{face_id}/picture"
