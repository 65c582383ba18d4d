"""What Home Assistant is shown of a feed, of the machine and of a namespace: one description for both forms.

Templates are Jinja, in the part of it that Home Assistant has had since 2024.3. No entity is a person's: the
names would stay in its registry after somebody was erased.
"""

from dataclasses import dataclass, field
from typing import Final

from edged.delivery.home_assistant_names import machine_key, namespace_key
from edged.delivery.topics import OFF, OFFLINE, ON, ONLINE, Topics

CHOSEN_OFF: Final = ("switched off", "off by schedule")
"""States of a feed that somebody wanted: it is well, and nobody is there."""

_IS_WELL: Final = f"value_json.capturing or value_json.state in {list(CHOSEN_OFF)}"
_FEED_IS_AVAILABLE: Final = f"{{{{ '{ONLINE.decode()}' if {_IS_WELL} else '{OFFLINE.decode()}' }}}}"
_FEED_HAS_PROBLEM: Final = f"{{{{ 'OFF' if {_IS_WELL} else 'ON' }}}}"

NOBODY: Final = "none"
SOMEBODY_UNKNOWN: Final = "somebody unknown"

_NAME: Final = f"p.name | default(p.identityId | default('{SOMEBODY_UNKNOWN}'))"
_NAMES: Final = (
    "{% set ns = namespace(names=[]) %}"
    "{% for p in value_json.persons %}{% set ns.names = ns.names + [" + _NAME + "] %}{% endfor %}"
    "{{ {'names': ns.names} | to_json }}"
)
_LAST_PERSON: Final = (
    "{% if value_json.persons %}{% set p = value_json.persons | sort(attribute='since') | last %}"
    "{{ (" + _NAME + ")[:255] }}{% else %}" + NOBODY + "{% endif %}"
)
_EVENT: Final = (
    "{% set e = value_json %}"
    "{{ {'event_type': e.type, 'was': e.was | default(none), 'name': e.name | default(none),"
    " 'confidence': e.confidence | default(none), 'identity_id': e.identityId | default(none),"
    " 'job_id': e.jobId, 'age_ms': e.ageMs} | to_json }}"
)
_FEED_TROUBLE: Final = (
    "{{ {'state': value_json.state, 'detail': value_json.detail | default('')} | to_json }}"
)
_MACHINE_TROUBLE: Final = (
    "{{ {'trouble': value_json.trouble | default(''), 'slowed': value_json.slowed | default(''),"
    " 'throttled': value_json.throttled | default(false)} | to_json }}"
)
_LAST_FRAME_AGE: Final = (
    "{{ (value_json.lastFrameAgeMs / 1000) | round(1) if value_json.lastFrameAgeMs is defined else 'None' }}"
)

EVENT_TYPES: Final = ("known", "unknown", "left", "delayed")
TRIGGERS: Final = EVENT_TYPES[:3]
"""A late event triggers nothing."""


@dataclass(frozen=True, slots=True)
class Entity:
    """One entity, or one device trigger.

    Attributes:
        key: tells it from the others of its device; `[a-zA-Z0-9_-]`.
        platform: Home Assistant's word for its kind.
        name: for people; empty for a trigger.
        options: what else its configuration says.
        hears: topics on which its availability hangs, besides the device's status; each with a template
            that makes `online` or `offline` of what comes there.
    """

    key: str
    platform: str
    name: str
    options: dict[str, object]
    hears: dict[str, str] = field(default_factory=dict)

    @property
    def is_trigger(self) -> bool:
        """Whether it is a trigger, which has no state and no id of its own."""
        return self.platform == "device_automation"


def feed_entities(topics: Topics, feed_id: str, *, has_switch: bool) -> list[Entity]:
    """What every feed has, whatever the sink is told. All but the availability of the device is its own."""
    state = topics.feed_state(feed_id)
    diagnosis: dict[str, object] = {"state_topic": state, "entity_category": "diagnostic"}
    found = [
        Entity(
            "fps",
            "sensor",
            "Frame rate",
            diagnosis
            | {"unit_of_measurement": "fps", "state_class": "measurement"}
            | {"value_template": "{{ value_json.fps | round(1) }}", "icon": "mdi:filmstrip"},
        ),
        Entity(
            "decoder",
            "sensor",
            "Decoder",
            diagnosis | {"value_template": "{{ value_json.decoder | default('none') }}", "icon": "mdi:chip"},
        ),
        Entity(
            "last_frame_age",
            "sensor",
            "Age of the last frame",
            # Another value every ten seconds, which few want to keep.
            diagnosis
            | {"unit_of_measurement": "s", "device_class": "duration", "enabled_by_default": False}
            | {"value_template": _LAST_FRAME_AGE},
        ),
        _problem("problem", "Camera problem", state, _FEED_HAS_PROBLEM, _FEED_TROUBLE),
    ]
    if has_switch:
        options: dict[str, object] = {
            "command_topic": topics.feed_switch(feed_id),
            "state_topic": topics.feed_enabled(feed_id),
            "payload_on": ON.decode(),
            "payload_off": OFF.decode(),
            "icon": "mdi:face-recognition",
        }
        found.append(Entity("recognition", "switch", "Recognition", options))
    return found


def presence_entities(topics: Topics, namespace: str, feed_id: str) -> list[Entity]:
    """Who is in view of a feed."""
    presence = topics.presence(namespace, feed_id)
    hears = {topics.feed_state(feed_id): _FEED_IS_AVAILABLE}
    last: dict[str, object] = {
        "state_topic": presence,
        "value_template": _LAST_PERSON,
        "icon": "mdi:account-clock",
    }
    return [
        Entity("last_person", "sensor", "Last person", last, hears),
        _people("people_present", "People present", presence, hears),
        _occupancy("occupancy", "Occupancy", presence, hears),
    ]


def event_entities(topics: Topics, namespace: str, feed_id: str) -> list[Entity]:
    """Who came and left: an event entity, and a trigger for each kind."""
    told = topics.event(namespace, feed_id)
    options: dict[str, object] = {
        "state_topic": told,
        "event_types": list(EVENT_TYPES),
        "value_template": _EVENT,
        "icon": "mdi:account-eye",
    }
    hears = {topics.feed_state(feed_id): _FEED_IS_AVAILABLE}
    triggers = [
        Entity(
            f"trigger_{kind}",
            "device_automation",
            "",
            {
                "automation_type": "trigger",
                "topic": told,
                "type": kind,
                "subtype": feed_id,
                "payload": kind,
                "value_template": "{{ value_json.type }}",
            },
        )
        for kind in TRIGGERS
    ]
    return [Entity("person", "event", "Person", options, hears), *triggers]


def image_entity(topics: Topics, namespace: str, feed_id: str) -> Entity:
    """The picture of the last decided face."""
    options: dict[str, object] = {
        "image_topic": topics.image(namespace, feed_id),
        "content_type": "image/jpeg",
    }
    hears = {topics.feed_state(feed_id): _FEED_IS_AVAILABLE}
    return Entity("last_face", "image", "Last face", options, hears)


def machine_entities(topics: Topics) -> list[Entity]:
    """How the machine is."""
    state = topics.device_state
    diagnosis: dict[str, object] = {"state_topic": state, "entity_category": "diagnostic"}
    temperature = diagnosis | {
        "device_class": "temperature",
        "unit_of_measurement": "°C",
        "state_class": "measurement",
        "value_template": "{{ value_json.temperatureC | default('None') }}",
    }
    version = diagnosis | {"value_template": "{{ value_json.version }}", "icon": "mdi:tag"}
    has_trouble = "{{ 'ON' if value_json.trouble | default('') else 'OFF' }}"
    return [
        Entity(machine_key("temperature"), "sensor", "Temperature", temperature),
        Entity(machine_key("version"), "sensor", "Version", version),
        _problem(machine_key("problem"), "Problem", state, has_trouble, _MACHINE_TROUBLE),
    ]


def namespace_entities(topics: Topics, namespace: str) -> list[Entity]:
    """Who is at any feed that the machine has in a namespace."""
    presence = topics.namespace_presence(namespace)
    present, occupied = (namespace_key(namespace, key) for key in ("people_present", "occupancy"))
    return [
        _people(present, f"People present in {namespace}", presence, {}),
        _occupancy(occupied, f"Occupancy of {namespace}", presence, {}),
    ]


def sync_entities(topics: Topics, namespace: str) -> list[Entity]:
    """How the sync of a namespace stands on the machine: for its diagnosis. Of nobody in it."""
    state = topics.device_state
    # A namespace holds no quotation marks. Before it is a member, nothing is told of it.
    note = f"(value_json.sync | default({{}}))['{namespace}'] | default({{}})"
    diagnosis: dict[str, object] = {"state_topic": state, "entity_category": "diagnostic"}

    def shown(key: str) -> dict[str, object]:
        return {"value_template": f"{{% set s = {note} %}}{{{{ s.{key} | default('None') }}}}"}

    has_trouble = f"{{% set s = {note} %}}{{{{ 'ON' if s.trouble | default('') else 'OFF' }}}}"
    details = (
        f"{{% set s = {note} %}}{{{{ {{'trouble': s.trouble | default(''), 'role': s.role | default(''),"
        " 'members': s.members | default(0), 'members_behind': s.membersBehind | default(0)} | to_json }}"
    )
    return [
        Entity(
            namespace_key(namespace, "sync_state"),
            "sensor",
            f"Sync of {namespace}",
            diagnosis | shown("state") | {"icon": "mdi:sync"},
        ),
        Entity(
            namespace_key(namespace, "sync_epoch"),
            "sensor",
            f"Sync epoch of {namespace}",
            diagnosis | shown("epoch") | {"icon": "mdi:counter"},
        ),
        Entity(
            namespace_key(namespace, "sync_age"),
            "sensor",
            f"Sync age of {namespace}",
            # Another value every ten seconds, which few want to keep.
            diagnosis
            | {"unit_of_measurement": "s", "device_class": "duration", "enabled_by_default": False}
            | shown("ageS"),
        ),
        _problem(
            namespace_key(namespace, "sync_problem"),
            f"Sync problem of {namespace}",
            state,
            has_trouble,
            details,
        ),
    ]


def _people(key: str, name: str, presence: str, hears: dict[str, str]) -> Entity:
    options: dict[str, object] = {
        "state_topic": presence,
        "value_template": "{{ value_json.persons | count }}",
        "state_class": "measurement",
        "json_attributes_topic": presence,
        "json_attributes_template": _NAMES,
        "icon": "mdi:account-group",
    }
    return Entity(key, "sensor", name, options, hears)


def _occupancy(key: str, name: str, presence: str, hears: dict[str, str]) -> Entity:
    options: dict[str, object] = {
        "state_topic": presence,
        "value_template": "{{ 'ON' if value_json.persons else 'OFF' }}",
        "device_class": "occupancy",
    }
    return Entity(key, "binary_sensor", name, options, hears)


def _problem(key: str, name: str, state: str, template: str, details: str) -> Entity:
    options: dict[str, object] = {
        "state_topic": state,
        "value_template": template,
        "device_class": "problem",
        "entity_category": "diagnostic",
        "json_attributes_topic": state,
        "json_attributes_template": details,
    }
    return Entity(key, "binary_sensor", name, options)
