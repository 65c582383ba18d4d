"""What of the published description is changed before the daemon is held against it: each with its reason.

Everything that is not changed here has to hold.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

Document = dict[str, Any]

STATUSES: Final = ("400", "403", "404", "406", "408", "409", "413", "415", "429", "503")
ID: Final = {"type": "string", "minLength": 1, "maxLength": 64}
BASE64: Final = r"^(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)?$"


@dataclass(frozen=True, slots=True)
class Departure:
    """One way in which edged is not as the description says.

    Attributes:
        what: where the description is changed, and into what.
        why: the reason.
        change: does it, in place.
    """

    what: str
    why: str
    change: Callable[[Document], None]


def amended(document: Document) -> Document:
    """The description with every departure in it."""
    copy: Document = json.loads(json.dumps(document))
    for departure in DEPARTURES:
        departure.change(copy)
    return copy


def _definition(document: Document, name: str) -> Any:
    return document["definitions"][name]["properties"]


def _statuses(document: Document) -> None:
    for operations in document["paths"].values():
        for operation in operations.values():
            for status in STATUSES:
                operation["responses"].setdefault(status, {"description": "see docs/api.md"})


def _boxes(document: Document) -> None:
    for side in _definition(document, "BoundingBox").values():
        del side["format"]


def _lists(document: Document) -> None:
    update = _definition(document, "RecognitionIdentityUpdateRequest")["images"]["properties"]
    for name in ("add", "remove"):
        update[name]["maxItems"] = update[name].pop("maxLength")
    search = _definition(document, "RecognitionSearchRequest")
    for name in ("ids", "feedIds", "customIds"):
        search[name]["maxItems"] = search[name]["items"].pop("maximum")
    create = _definition(document, "RecognitionIdentityCreateRequest")["imageIds"]
    create |= {"minItems": create["items"].pop("minItems"), "maxItems": 64}


def _nulls(document: Document) -> None:
    search = _definition(document, "RecognitionSearchRequest")
    for name in ("ids", "feedIds", "customIds", "start", "end"):
        search[name]["x-nullable"] = True
    for name in ("RecognitionRecognizeJobRequest", "DetectJobRequest"):
        for field in ("webhookUrl", "customId", "feedId"):
            _definition(document, name)[field]["x-nullable"] = True
    for field in _definition(document, "ImageRequestItem").values():
        field["x-nullable"] = True
    for field in _definition(document, "RecognitionIdentityCreateRequest").values():
        field["x-nullable"] = True
    _definition(document, "RecognitionIdentityUpdateRequest")["customId"]["x-nullable"] = True
    _definition(document, "WebhookRegisterRequest")["secretKey"]["x-nullable"] = True
    classes = _definition(document, "DetectJobRequest")["classes"]["items"]["properties"]
    classes["exclusionZones"]["x-nullable"] = True


def _partial_change(document: Document) -> None:
    del _definition(document, "RecognitionIdentityUpdateRequest")["images"]["required"]


def _lengths(document: Document) -> None:
    for name in ("RecognitionRecognizeJobRequest", "DetectJobRequest", "ImageRequestItem"):
        for field in ("customId", "feedId", "url", "webhookUrl"):
            if field in _definition(document, name):
                _definition(document, name)[field]["minLength"] = 1
    _definition(document, "RecognitionIdentityUpdateRequest")["customId"] |= {
        "minLength": 1,
        "maxLength": 256,
    }
    search = _definition(document, "RecognitionSearchRequest")
    search["ids"]["items"] = ID
    search["feedIds"]["items"] = ID
    search["customIds"]["items"] = {"type": "string", "minLength": 1, "maxLength": 256}
    update = _definition(document, "RecognitionIdentityUpdateRequest")["images"]["properties"]
    create = _definition(document, "RecognitionIdentityCreateRequest")
    create["customId"]["minLength"] = 1
    for images in (update["add"], update["remove"], create["imageIds"]):
        images["items"] = ID
    credentials = _definition(document, "ClientCredentials")
    credentials["clientId"]["maxLength"] = 256
    credentials["clientSecret"]["maxLength"] = 1024


def _url_or_blob(document: Document) -> None:
    item = document["definitions"]["ImageRequestItem"]
    item["properties"]["blob"] |= {"pattern": BASE64}
    item["oneOf"] = [
        {"required": ["url"], "properties": {"url": {"type": "string"}, "blob": {"type": "null"}}},
        {"required": ["blob"], "properties": {"blob": {"type": "string"}, "url": {"type": "null"}}},
    ]


def _detect(document: Document) -> None:
    request = _definition(document, "DetectJobRequest")
    request["webhookUrl"]["maxLength"] = 2048
    request["classes"]["maxItems"] = 1
    item = request["classes"]["items"]["properties"]
    item["class"]["enum"] = ["face"]
    zones = item["exclusionZones"]
    zones["required"] = ["zones"]
    zones["properties"]["zones"] |= {"maxItems": 32}
    zones["properties"]["zones"]["items"]["maxItems"] = 32


def _webhooks(document: Document) -> None:
    for name, field in (
        ("RecognitionRecognizeJobRequest", "webhookUrl"),
        ("DetectJobRequest", "webhookUrl"),
        ("WebhookRegisterRequest", "url"),
    ):
        _definition(document, name)[field]["pattern"] = r"^https?://[^\x00-\x20]+$"


def _own_calls(document: Document) -> None:
    statuses = {status: {"description": "ours"} for status in ("200", "401", *STATUSES)}
    ours = {"security": [{"Bearer": []}], "responses": statuses}
    document["paths"]["/oauth/token"]["delete"] = ours
    document["paths"]["/webhooks"]["get"] = ours


DEPARTURES: Final = (
    Departure(
        "every call may answer 400, 403, 404, 406, 408, 409, 413, 415, 429 or 503, where it is not listed",
        "the description lists some statuses of some calls: 400 and 403 are missing at every search, 404"
        " wherever a body names ids, 429 everywhere",
        _statuses,
    ),
    Departure(
        "`BoundingBox`: no `format: int32`",
        "every sample of the description has fractions, which is what is sent",
        _boxes,
    ),
    Departure(
        "lists: `maxItems` for what stands as `maxLength` of an array, or `maximum` of a text; so `minItems`",
        "these words mean nothing where the description has them; the numbers are held as they were meant",
        _lists,
    ),
    Departure(
        "`null` is taken for fields that are optional",
        "the description says so in words of `feedIds` and `customIds`; elsewhere it is as if they were left"
        " out, and takes away the `customId` of an identity",
        _nulls,
    ),
    Departure(
        "PATCH of an identity: neither `images.add` nor `images.remove` is required",
        "who adds faces has none to remove",
        _partial_change,
    ),
    Departure(
        "texts: what is empty is refused, and so is an id or `customId` beyond 64 or 256 characters",
        "an empty name is none, and no id is so long",
        _lengths,
    ),
    Departure(
        "`ImageRequestItem`: exactly one of `url` and `blob`, and `blob` is base64",
        "the description says both in words only",
        _url_or_blob,
    ),
    Departure(
        "detect: the one `class` is `face`, a grid has no more cells than its size, its `type` may be left"
        " out, `webhookUrl` may have 2048 characters",
        "another class has no model here; the length is that of the other call",
        _detect,
    ),
    Departure(
        "addresses of webhooks begin with `http://` or `https://`",
        "the description says in words that they are addresses of POST endpoints",
        _webhooks,
    ),
    Departure(
        "`DELETE /oauth/token` and `GET /webhooks` are there",
        "they are edged's own",
        _own_calls,
    ),
)
