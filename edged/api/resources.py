"""From what is kept to what is answered: faces, identities and groups in the API's shape."""

from collections.abc import Sequence
from dataclasses import dataclass

from edged.api.answers import (
    FaceAnswer,
    FaceAnswerEdge,
    GroupAnswer,
    GroupAnswerEdge,
    IdentityAnswer,
    IdentityAnswerEdge,
)
from edged.domain.history import StoredFace, StoredGroup
from edged.domain.identity import Identity
from edged.domain.picture_address import PictureAddresses

_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Resources:
    """Makes answers about one namespace.

    Attributes:
        namespace: which.
        addresses: how pictures are called.
    """

    namespace: str
    addresses: PictureAddresses

    def face(self, face: StoredFace) -> FaceAnswer:
        """A face; what was not kept of it is absent."""
        return FaceAnswer(
            id=face.id,
            custom_id=face.custom_id,
            feed_id=face.feed_id,
            identity_id=face.identity_id,
            url=self.addresses.face(self.namespace, face.id, has_chip=face.has_chip),
            bounding_box=face.box,
            bounding_box_confidence=_share(face.detection_score),
            group_id=face.group_id,
            is_frontal=face.is_frontal,
            sharpness=_share(face.sharpness),
            width=face.width_px,
            height=face.height_px,
            created_at=face.created_ms,
            edge=FaceAnswerEdge(
                enrolled=face.enrolled,
                job_id=face.job_id,
                image_id=face.image_id,
                track_id=face.track_id,
                quality=_share(face.quality),
                source=face.source or None,
            ),
        )

    def identity(
        self, identity: Identity, faces: Sequence[StoredFace], warnings: Sequence[str] = ()
    ) -> IdentityAnswer:
        """A person with the faces that stand for them."""
        return IdentityAnswer(
            id=identity.id,
            custom_id=identity.custom_id,
            images=tuple(map(self.face, faces)),
            namespace=self.namespace,
            created_at=identity.created_ms,
            edge=IdentityAnswerEdge(
                name=identity.name or None, updated_at=identity.updated_ms, warnings=tuple(warnings)
            ),
        )

    def group(self, group: StoredGroup) -> GroupAnswer:
        """A group; only the model ever links its faces, and naming it makes an identity of it."""
        return GroupAnswer(
            id=group.id,
            namespace=self.namespace,
            link_modified_by="ML",
            link_last_modified_at=group.last_seen_ms,
            created_at=group.first_seen_ms,
            images=tuple(map(self.face, group.faces)),
            edge=GroupAnswerEdge(visits=group.visits, last_seen_at=group.last_seen_ms),
        )


def _share(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS)
