"""What is asked: the bodies of the API's calls, as types that validate.

Fields that nobody knows are passed over: programs written for other servers of this API send some. What is
ours stands under `edge`.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

Namespace = Annotated[str, Meta(pattern=r"^(?!(device|sync)$)[A-Za-z0-9_.-]{1,128}$")]
CustomId = Annotated[str, Meta(min_length=1, max_length=64)]
FeedId = Annotated[str, Meta(min_length=1, max_length=64)]
ResourceId = Annotated[str, Meta(min_length=1, max_length=64)]
WebhookUrl = Annotated[str, Meta(max_length=2048, pattern=r"^https?://[^\x00-\x20]+$")]

MOST_IMAGES = 64


class Asked(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Spelled in camelCase."""


class ClientCredentials(Asked, frozen=True, kw_only=True):
    """Who asks for a token."""

    client_id: Annotated[str, Meta(max_length=256)]
    client_secret: Annotated[str, Meta(max_length=1024)]


class ImageItem(Asked, frozen=True, kw_only=True):
    """One picture: where it is, or its bytes; one of the two."""

    url: Annotated[str, Meta(min_length=1, max_length=512)] | None = None
    blob: bytes | None = None
    custom_id: CustomId | None = None


class RecognizeRequest(Asked, frozen=True, kw_only=True):
    """Pictures whose people are asked for."""

    images: Annotated[tuple[ImageItem, ...], Meta(min_length=1, max_length=MOST_IMAGES)]
    webhook_url: WebhookUrl | None = None
    custom_id: CustomId | None = None
    feed_id: FeedId | None = None


class ExclusionZones(Asked, frozen=True, kw_only=True):
    """Cells of a grid over the picture where nothing is looked for: rows of 0 and 1."""

    type: Literal["GRID"] = "GRID"
    size: Literal[32, 64, 128] = 64
    zones: Annotated[
        tuple[Annotated[tuple[Literal[0, 1], ...], Meta(max_length=128)], ...], Meta(max_length=128)
    ]


class ClassItem(Asked, frozen=True, kw_only=True):
    """What is looked for."""

    class_: Annotated[str, Meta(min_length=1, max_length=64)] = msgspec.field(name="class")
    verify: Literal["NEVER", "AUTO", "ALWAYS"] = "AUTO"
    exclusion_zones: ExclusionZones | None = None


class DetectRequest(Asked, frozen=True, kw_only=True):
    """Pictures, and what is looked for in them."""

    images: Annotated[tuple[ImageItem, ...], Meta(min_length=1, max_length=MOST_IMAGES)]
    classes: Annotated[tuple[ClassItem, ...], Meta(min_length=1, max_length=16)]
    webhook_url: WebhookUrl | None = None
    custom_id: CustomId | None = None
    feed_id: FeedId | None = None


class IdentityEdge(Asked, frozen=True, kw_only=True):
    """What is ours of an identity."""

    name: Annotated[str, Meta(max_length=200)] | UnsetType = UNSET


class IdentityCreate(Asked, frozen=True, kw_only=True):
    """An identity out of faces seen before."""

    custom_id: Annotated[str, Meta(min_length=1, max_length=256)] | None = None
    image_ids: Annotated[tuple[ResourceId, ...], Meta(min_length=1, max_length=64)] | None = None
    edge: IdentityEdge = IdentityEdge()


UniqueIds = Annotated[tuple[ResourceId, ...], Meta(max_length=20, extra_json_schema={"uniqueItems": True})]


class IdentityImages(Asked, frozen=True, kw_only=True):
    """Faces that come to an identity, and faces that leave it."""

    add: UniqueIds = ()
    remove: UniqueIds = ()


class IdentityUpdate(Asked, frozen=True, kw_only=True):
    """What changes of an identity; what is left out stays. A `customId` of null is taken away."""

    custom_id: Annotated[str, Meta(min_length=1, max_length=256)] | UnsetType | None = UNSET
    images: IdentityImages = IdentityImages()
    edge: IdentityEdge = IdentityEdge()


class AddPictures(Asked, frozen=True, kw_only=True):
    """Pictures of one person, each with one face, that go straight into an identity. Ours."""

    images: Annotated[tuple[ImageItem, ...], Meta(min_length=1, max_length=8)]


class MergeIdentities(Asked, frozen=True, kw_only=True):
    """Identities whose faces go to another one; they are gone then. Ours."""

    ids: Annotated[tuple[ResourceId, ...], Meta(min_length=1, max_length=20)]


class Search(Asked, frozen=True, kw_only=True):
    """Which resources, and how many. Times are UTC milliseconds.

    `limit` and `offset` may have a fraction, as the published description has it, and are rounded down.
    `feed_ids` and `custom_ids`: null asks for resources without one; left out, they do not matter.
    """

    limit: Annotated[float, Meta(ge=1, le=100)] = 20
    offset: Annotated[float, Meta(ge=0, le=100)] = 0
    start: float | None = None
    end: float | None = None
    sort_by: Literal["ASC", "DESC"] = "DESC"
    ids: Annotated[tuple[ResourceId, ...], Meta(max_length=100)] | None = None
    feed_ids: Annotated[tuple[FeedId, ...], Meta(max_length=20)] | UnsetType | None = UNSET
    custom_ids: (
        Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=256)], ...], Meta(max_length=20)]
        | UnsetType
        | None
    ) = UNSET


class WebhookRegister(Asked, frozen=True, kw_only=True):
    """Where every job is to be told too. Without `secretKey` one is made."""

    url: WebhookUrl
    secret_key: Annotated[str, Meta(min_length=8, max_length=256)] | None = None
