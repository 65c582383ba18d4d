"""Forms of text that several keys share: a pattern, and what it demands in words."""

from typing import Any, Final

FEED_ID: Final[dict[str, Any]] = {
    "pattern": r"^[A-Za-z0-9_.-]{1,64}$",
    "form": "1 to 64 characters out of `A-Za-z0-9_.-`",
}
NAMESPACE: Final[dict[str, Any]] = {
    "pattern": r"^(?!(device|sync)$)[A-Za-z0-9_.-]{1,128}$",
    "form": "1 to 128 characters out of `A-Za-z0-9_.-`, and neither `device` nor `sync`",
}
# No `@` anywhere: a password may hold a slash, so where a user ends and a host begins cannot be told for
# certain. An `@` that belongs to the path is written `%40`.
RTSP_ADDRESS: Final[dict[str, Any]] = {
    "pattern": r"^rtsps?://[^@\s]+$",
    "form": (
        "an `rtsp://` or `rtsps://` address without user and password, which go into"
        " `username: NAME` and `password: !secret NAME`"
    ),
    "max_length": 2048,
}
CAMERA_HTTP_ADDRESS: Final[dict[str, Any]] = {
    "pattern": r"^https?://[^@\s]+$",
    "form": (
        "an `http://` or `https://` address without user and password, which go into"
        " `username: NAME` and `password: !secret NAME`"
    ),
    "max_length": 2048,
}
HTTP_ADDRESS: Final[dict[str, Any]] = {
    "pattern": r"^https?://[^@\s]+$",
    "form": "an `https://` or `http://` address without user and password",
    "max_length": 2048,
}
HOST: Final[dict[str, Any]] = {
    "pattern": r"^([^@:/\s\[\]]+|[0-9A-Fa-f:.]+(%[A-Za-z0-9_.-]+)?)$",
    "form": "the name or address of a host, without port, user or scheme",
    "max_length": 255,
}
LISTEN_ADDRESS: Final[dict[str, Any]] = {
    "pattern": r"^([^@:/\s\[\]]+|\[[0-9A-Fa-f:.]+\]):[1-9]\d{0,4}$",
    "form": "an address and a port, like `127.0.0.1:8080` or `[::1]:8080`",
    "max_length": 300,
}
PUBLIC_ADDRESS: Final[dict[str, Any]] = {
    "pattern": r"^https?://[^@\s?#]*[^@\s?#/]$",
    "form": "an `https://` or `http://` address without user, query and final `/`",
    "max_length": 512,
}
NETWORK: Final[dict[str, Any]] = {
    "pattern": r"^[0-9A-Fa-f:.]+(/\d{1,3})?$",
    "form": "an address or a network, like `192.168.1.0/24`, `10.0.0.7` or `fd00::/8`",
    "max_length": 64,
}
UTC_TIME: Final[dict[str, Any]] = {
    "pattern": r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,3})?Z$",
    "form": "a time like `2000-01-01T00:00:00Z`",
}
TIME_OF_DAY: Final[dict[str, Any]] = {
    "pattern": r"^([01]\d|2[0-3]):[0-5]\d$",
    "form": 'a time of day in quotes, like `"07:30"`',
}
