"""Bodies of requests, for people: what the OpenAPI document and the page show."""

from collections.abc import Mapping
from typing import Any, Final

_FACE: Final = "0285a6b8-a617-41e6-8253-175f847ef3cf"
_OTHER_FACE: Final = "a7e0bc2d-3226-46da-b242-9bb40666b14a"
_PERSON: Final = "81e45841-4996-433d-9138-3383214176d1"
_SMALLEST_GIF: Final = "R0lGODlhAQABAAAAACwAAAAAAQABAAACAkQBADs="

CREDENTIALS: Final[Mapping[str, Any]] = {
    "clientId": "home-automation",
    "clientSecret": "as your administrator gave it to you",
}
RECOGNIZE: Final[Mapping[str, Any]] = {
    "images": [
        {"url": "https://pictures.example/door-1.jpg", "customId": "door-1"},
        {"blob": _SMALLEST_GIF},
    ],
    "customId": "visit-17",
    "feedId": "front-door",
    "webhookUrl": "https://receiver.example/jobs",
}
IDENTITY: Final[Mapping[str, Any]] = {
    "customId": "employee-12",
    "imageIds": [_FACE],
    "edge": {"name": "Eileen Collins"},
}
IDENTITY_CHANGE: Final[Mapping[str, Any]] = {
    "customId": "employee-13",
    "images": {"add": [_FACE], "remove": [_OTHER_FACE]},
    "edge": {"name": "Eileen Marie Collins"},
}
ADD_PICTURES: Final[Mapping[str, Any]] = {"images": [{"blob": _SMALLEST_GIF}]}
MERGE: Final[Mapping[str, Any]] = {"ids": [_PERSON]}
SEARCH: Final[Mapping[str, Any]] = {"limit": 10, "sortBy": "DESC", "feedIds": ["front-door"]}
DETECT: Final[Mapping[str, Any]] = {
    "images": [{"url": "https://pictures.example/yard.jpg"}],
    "classes": [{"class": "face", "verify": "NEVER"}],
}
WEBHOOK: Final[Mapping[str, Any]] = {"url": "https://receiver.example/jobs"}
