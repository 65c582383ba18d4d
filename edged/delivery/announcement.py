"""One message that announces entities to Home Assistant, and what is remembered of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Announcement:
    """One discovery message, retained.

    Attributes:
        topic: where it goes.
        payload: what it says.
        components: platforms of the entities in it by their keys, where it announces several.
    """

    topic: str
    payload: Mapping[str, object]
    components: Mapping[str, str] = field(default_factory=dict)

    @property
    def parts(self) -> str:
        """Its components, as they are written down."""
        return parts_of(self.components)

    def body(self, parts_before: str = "") -> bytes:
        """The message. A component of before that is gone is named once more, by its platform alone."""
        payload = dict(self.payload)
        if self.components:
            gone = components_of(parts_before).items() - self.components.items()
            # First, so that one that only changed its platform is not taken back.
            named = {key: {"platform": platform} for key, platform in sorted(gone)}
            payload["components"] = named | dict(_mapping(payload["components"]))
        return json.dumps(payload, ensure_ascii=False).encode()


def is_announcement(topic: str) -> bool:
    """Whether a topic of ours is one of announcements: no other ends so."""
    return topic.endswith("/config")


def parts_of(components: Mapping[str, str]) -> str:
    """What one message announces, as it is written down: keys and platforms; empty where there are none."""
    return json.dumps(components, sort_keys=True) if components else ""


def components_of(parts: str) -> dict[str, str]:
    """The same, read again."""
    return dict(json.loads(parts)) if parts else {}


def merged_parts(before: str, after: str) -> str:
    """All components that were, or are, announced by one message."""
    return parts_of(components_of(before) | components_of(after))


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}
