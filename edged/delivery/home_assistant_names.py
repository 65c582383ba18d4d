"""Identifiers for Home Assistant, made of ours so that two different ones never become one.

Ours may hold dots, which its topics do not take (`[a-zA-Z0-9_-]`). So `_` is written `__` and `.` is written
`_p`; after such a pair is gone, a single `_` can only be one of the marks that are put between the parts
here, which begin with another letter. The last part of an identifier holds no `-`.
"""

import re
from typing import Final

_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def escaped(text: str) -> str:
    """An identifier of ours in Home Assistant's letters."""
    return text.replace("_", "__").replace(".", "_p")


def machine_id(device: str) -> str:
    """The machine, as a device of Home Assistant's."""
    return f"edged-{escaped(device)}"


def feed_id(device: str, feed: str) -> str:
    """A feed, as a device of Home Assistant's."""
    return f"{machine_id(device)}_feed-{escaped(feed)}"


def of_machine(device: str, key: str) -> str:
    """The unique id of an entity of the machine."""
    return f"{machine_id(device)}_{key}"


def of_feed(device: str, feed: str, key: str) -> str:
    """The unique id of an entity of a feed."""
    return f"{feed_id(device, feed)}-{key}"


def machine_key(key: str) -> str:
    """What tells an entity of the machine from its others."""
    return f"device-{key}"


def namespace_key(namespace: str, key: str) -> str:
    """What tells an entity of a namespace from the machine's others."""
    return f"namespace-{escaped(namespace)}-{key}"


def machine_name(device: str) -> str:
    """The machine's name for people; of an id that was made by chance, the beginning is enough."""
    return f"edged {device[:8] if _UUID.fullmatch(device) else device}"


def slug(text: str) -> str:
    """A part of an entity's id, as Home Assistant writes one; only a wish, so that two may be the same."""
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
