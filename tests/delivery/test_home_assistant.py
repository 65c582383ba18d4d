import json
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.delivery import home_assistant_names as names
from edged.delivery.announcement import components_of, merged_parts, parts_of
from edged.delivery.home_assistant import House, announcements, birth_topics
from edged.delivery.home_assistant_entities import CHOSEN_OFF
from edged.delivery.topics import Topics
from edged.pipeline.feed_control import Off
from edged.settings.feeds import Feed
from edged.settings.sinks import HomeAssistant, MqttSink
from edged.settings.sources import FileSource

FEEDS = (
    Feed(id="front-door", source=FileSource(path="a.mp4")),
    Feed(id="yard", namespace="work", source=FileSource(path="b.mp4")),
)
HOUSE = House(device="kitchen.pi", version="1.2.3", feeds=FEEDS, has_switch=True)
SINK = MqttSink(host="h", image="sent")
BY_DEVICE = HomeAssistant()
BY_COMPONENT = HomeAssistant(form="components")

IDS = st.text("Aa0_.-pfnd", min_size=1, max_size=12)


def told(sink=SINK, wanted=BY_DEVICE, house=HOUSE):
    """The payloads as a reader gets them, by topic."""
    return {one.topic: json.loads(one.body()) for one in announcements(sink, wanted, house)}


def keys_of(feed_id="front-door", **changes):
    """The entities of a feed, with other settings of the sink."""
    sink = MqttSink(host="h", **changes)
    (found,) = [body for topic, body in told(sink).items() if topic.endswith(f"_feed-{feed_id}/config")]
    return set(found["components"])


PRESENCE = {"last_person", "people_present", "occupancy"}
EVENTS = {"person", "trigger_known", "trigger_unknown", "trigger_left"}
ALWAYS = {"fps", "decoder", "last_frame_age", "problem", "recognition"}


def test_a_machine_and_each_feed_is_one_message_in_the_form_for_new_versions():
    assert list(told()) == [
        "homeassistant/device/edged-kitchen_ppi/config",
        "homeassistant/device/edged-kitchen_ppi_feed-front-door/config",
        "homeassistant/device/edged-kitchen_ppi_feed-yard/config",
    ]


def test_a_feed_has_what_a_feed_should_have():
    assert keys_of(image="retained") == {*PRESENCE, *EVENTS, *ALWAYS, "last_face"}


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"send": ("job",)}, ALWAYS),
        ({"send": ("event",)}, {*ALWAYS, *EVENTS}),
        ({"send": ("presence", "job")}, {*ALWAYS, *PRESENCE}),
        ({"namespaces": ("work",), "image": "sent"}, ALWAYS),
    ],
)
def test_what_the_sink_is_not_told_is_not_announced(changes, found):
    assert keys_of(**changes) == found


def test_nobody_who_cannot_switch_is_shown_a_switch():
    bodies = told(house=replace(HOUSE, has_switch=False))
    assert "command_topic" not in json.dumps(bodies)


def test_a_namespace_is_told_of_where_the_sink_is_told_of_it():
    machine = "homeassistant/device/edged-kitchen_ppi/config"
    everything = set(told()[machine]["components"])
    one = set(told(MqttSink(host="h", namespaces=("work",)))[machine]["components"])
    assert everything - one == {"namespace-home-people_present", "namespace-home-occupancy"}
    assert {"device-temperature", "device-problem", "device-version"} <= one


def test_both_forms_announce_the_same():
    wishes = ("default_entity_id", "object_id", "device", "origin", "platform")

    def bare(body):
        return {key: value for key, value in body.items() if key not in wishes}

    together = {
        (body["device"]["identifiers"][0], component["platform"], key): bare(component)
        for body in told().values()
        for key, component in body["components"].items()
    }
    singly = {
        (body["device"]["identifiers"][0], topic.split("/")[1], topic.split("/")[3]): bare(body)
        for topic, body in told(wanted=BY_COMPONENT).items()
    }
    assert together == singly


def test_each_form_wishes_for_entity_ids_as_its_versions_know_it():
    occupancy = told()["homeassistant/device/edged-kitchen_ppi_feed-front-door/config"]["components"][
        "occupancy"
    ]
    assert occupancy["default_entity_id"] == "binary_sensor.front_door_occupancy"
    assert "object_id" not in occupancy
    single = told(wanted=BY_COMPONENT)[
        "homeassistant/binary_sensor/edged-kitchen_ppi_feed-front-door/occupancy/config"
    ]
    assert single["object_id"] == "front_door_occupancy"
    assert "default_entity_id" not in single


@pytest.mark.parametrize("wanted", [BY_DEVICE, BY_COMPONENT], ids=lambda w: w.form)
def test_every_message_says_who_it_is_from_and_every_topic_can_be_one(wanted):
    for topic, body in told(wanted=wanted).items():
        assert re.fullmatch(r"homeassistant(/[a-zA-Z0-9_-]+){2,3}/config", topic)
        assert body["origin"] == {"name": "edged", "sw_version": "1.2.3"}
        assert body["device"]["identifiers"]


def entities(house=HOUSE):
    return [
        component
        for body in told(house=house).values()
        for component in body["components"].values()
        if component["platform"] != "device_automation"
    ]


def test_every_entity_has_a_unique_id_of_its_own_and_hangs_on_the_devices_status():
    unique = [entity["unique_id"] for entity in entities()]
    assert len(set(unique)) == len(unique)
    for entity in entities():
        assert entity["availability"][0] == {"topic": "edged/device/kitchen.pi/status"}
        assert entity["availability_mode"] == "all"


def test_what_a_broken_camera_makes_doubtful_hangs_on_the_feeds_state_and_the_switch_does_not():
    feed = told()["homeassistant/device/edged-kitchen_ppi_feed-front-door/config"]["components"]
    hangs = {
        key
        for key, one in feed.items()
        if any(
            heard["topic"] == "edged/device/kitchen.pi/feed/front-door/state"
            for heard in one.get("availability", [])
        )
    }
    assert hangs == {*PRESENCE, "person", "last_face"}


def test_a_feed_that_somebody_switched_off_is_no_broken_camera():
    assert tuple(off.value for off in Off) == CHOSEN_OFF


def test_no_entity_is_a_persons_and_none_expires():
    assert "expire_after" not in json.dumps(told())


def test_another_device_id_gives_other_unique_ids():
    others = {entity["unique_id"] for entity in entities(replace(HOUSE, device="kitchen-pi"))}
    assert others.isdisjoint(entity["unique_id"] for entity in entities())


@given(
    devices=st.tuples(IDS, IDS),
    feeds=st.tuples(IDS, IDS),
    keys=st.tuples(*2 * [st.sampled_from(["fps", "a"])]),
)
def test_two_entities_never_come_to_one_unique_id(devices, feeds, keys):
    mine, others = zip(devices, feeds, keys, strict=True)
    first, second = (
        {
            "feed": names.of_feed(device, feed, key),
            "machine": names.of_machine(device, names.machine_key(key)),
            "namespace": names.of_machine(device, names.namespace_key(feed, key)),
        }
        for device, feed, key in (mine, others)
    )
    for text in first.values():
        assert re.fullmatch(r"[a-zA-Z0-9_-]+", text)
    assert len(set(first.values())) == 3
    same = {kind: first[kind] == second[kind] for kind in first}
    assert same["feed"] == same["namespace"] == (mine == others)
    assert same["machine"] == ((mine[0], mine[2]) == (others[0], others[2]))
    assert len({*first.values(), *second.values()}) == 6 - sum(same.values())


@given(IDS, IDS)
def test_two_devices_never_come_to_one_id(first, second):
    assert (names.machine_id(first) == names.machine_id(second)) == (first == second)
    assert names.machine_id(first) != names.feed_id(second, first)


def test_an_id_made_by_chance_is_short_in_a_name():
    assert names.machine_name("0f2c6a5e-4b1d-8c3a-9d7e-5a1b2c3d4e5f") == "edged 0f2c6a5e"
    assert names.machine_name("kitchen-pi") == "edged kitchen-pi"


def test_an_entity_that_is_gone_is_named_once_more_by_its_platform_alone():
    (_, feed, _) = announcements(MqttSink(host="h"), BY_DEVICE, HOUSE)
    before = merged_parts(feed.parts, parts_of({"last_face": "image"}))
    components = json.loads(feed.body(before))["components"]
    assert components["last_face"] == {"platform": "image"}
    assert set(components) == {*components_of(feed.parts), "last_face"}
    assert "last_face" not in json.loads(feed.body(feed.parts))["components"]


def test_one_that_changed_its_platform_is_announced_as_what_it_is_now():
    (_, feed, _) = announcements(SINK, BY_DEVICE, HOUSE)
    components = json.loads(feed.body(parts_of({"last_face": "camera"})))["components"]
    assert components["last_face"]["platform"] == "image"


def test_the_birth_is_heard_at_the_usual_place_even_with_another_prefix():
    assert birth_topics(HomeAssistant()) == ("homeassistant/status",)
    other = HomeAssistant(discovery_prefix="house/ha")
    assert birth_topics(other) == ("homeassistant/status", "house/ha/status")


def test_the_topics_are_those_that_the_sink_writes():
    topics = Topics("edged", "kitchen.pi")
    written = json.dumps(told())
    for topic in (
        topics.presence("home", "front-door"),
        topics.event("home", "front-door"),
        topics.image("home", "front-door"),
        topics.feed_switch("front-door"),
        topics.feed_enabled("front-door"),
        topics.feed_state("front-door"),
        topics.device_state,
        topics.namespace_presence("work"),
    ):
        assert f'"{topic}"' in written


def machine_keys(sink=SINK, **changes):
    return set(
        told(sink, house=replace(HOUSE, **changes))["homeassistant/device/edged-kitchen_ppi/config"][
            "components"
        ]
    )


SYNC = {"sync_state", "sync_epoch", "sync_age", "sync_problem"}


def test_the_machine_tells_of_sync_only_where_it_is_configured():
    before = machine_keys()

    assert machine_keys(synced=["home"]) - before == {f"namespace-home-{key}" for key in SYNC}


def test_a_sink_that_is_told_of_one_namespace_announces_the_sync_of_no_other():
    keys = machine_keys(MqttSink(host="h", namespaces=("work",)), synced=["home", "work"])

    assert {key for key in keys if "-sync_" in key} == {f"namespace-work-{key}" for key in SYNC}


def test_what_is_told_of_sync_is_for_diagnosis_and_of_the_devices_state():
    config = told(house=replace(HOUSE, synced=["home"]))["homeassistant/device/edged-kitchen_ppi/config"]
    found = [one for key, one in config["components"].items() if "-sync_" in key]

    assert {one["entity_category"] for one in found} == {"diagnostic"}
    assert {one["state_topic"] for one in found} == {"edged/device/kitchen.pi/state"}
    for one in found:
        assert "(value_json.sync | default({}))['home']" in one["value_template"]
