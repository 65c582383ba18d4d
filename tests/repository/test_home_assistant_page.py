"""docs/home-assistant.md names what is announced, and what it gives to be copied can be read."""

import json
import re

import pytest
import yaml

from bench.checkout import ROOT
from edged.delivery.home_assistant import House, announcements
from edged.settings.feeds import Feed
from edged.settings.sinks import HomeAssistant, MqttSink
from edged.settings.sources import FileSource

PAGE = (ROOT / "docs" / "home-assistant.md").read_text("utf-8")
BLUEPRINT = ROOT / "docs" / "home-assistant" / "known-person.yaml"
FENCE = re.compile(r"^( *)```(\w+)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[str]:
    return [text for _, found, text in FENCE.findall(PAGE) if found == language]


def announced() -> list[dict]:
    feed = Feed(id="front-door", source=FileSource(path="a.mp4"))
    house = House(device="kitchen-pi", version="1", feeds=[feed], has_switch=True, synced=["home"])
    found = announcements(MqttSink(host="h", image="sent"), HomeAssistant(), house)
    return [entity for one in found for entity in one.payload["components"].values()]


@pytest.mark.parametrize("entity", announced(), ids=lambda entity: entity.get("name", entity.get("type")))
def test_an_entity_is_named_on_the_page(entity):
    if entity["platform"] == "device_automation":
        assert f"`{entity['type']}`" in PAGE
    else:
        assert f"**{entity['name'].removesuffix('home')}" in PAGE


def test_every_flow_is_json_and_leads_somewhere():
    (flow,) = blocks("json")
    nodes = {node["id"]: node for node in json.loads(flow)}
    for node in nodes.values():
        for wire in node.get("wires", []):
            assert set(wire) <= set(nodes)


def test_every_automation_passes_over_what_an_entity_says_when_it_is_available_again():
    found = [yaml.safe_load(text)[0] for text in blocks("yaml") if text.startswith("- alias")]
    assert len(found) == 3
    for automation in found:
        for trigger in automation["trigger"]:
            assert trigger["not_from"] == "unavailable"


class _Loader(yaml.SafeLoader):
    """Reads `!input` as the name behind it."""


_Loader.add_constructor("!input", lambda loader, node: loader.construct_scalar(node))


def test_the_blueprint_uses_each_of_its_inputs_and_no_other():
    text = BLUEPRINT.read_text("utf-8")
    blueprint = yaml.load(text, _Loader)
    assert set(re.findall(r"!input (\w+)", text)) == set(blueprint["blueprint"]["input"])
    assert blueprint["trigger"][0]["not_from"] == "unavailable"
