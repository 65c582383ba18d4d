import re
from collections.abc import Callable
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from bench.checkout import ROOT
from edged.app.json_schema import json_schema
from edged.app.yaml_source import Entries, Items, Node, parse
from edged.settings.quantities import Duration

SCHEMA = json_schema()
EXAMPLE = (ROOT / "config.example.yaml").read_text(encoding="utf-8")


READ: dict[str, Callable[[str], Any]] = {
    "int": int,
    "float": float,
    "bool": "true".__eq__,
    "null": lambda _: None,
}


def plain(node: Node) -> Any:
    """The tree as an editor sees it: `!secret` is text to it."""
    if isinstance(node, Entries):
        return {name: plain(entry.node) for name, entry in node.entries.items()}
    if isinstance(node, Items):
        return [plain(item) for item in node.items]
    return READ.get(node.tag, str)(node.text)


def errors(text: str) -> list[str]:
    root, _ = parse(text)
    assert root is not None
    return [error.json_path for error in Draft202012Validator(SCHEMA).iter_errors(plain(root))]


MINIMAL = "feeds: [{id: door, source: {type: usb}}]\nsinks: [{type: console}]\n"


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_the_example_is_valid_as_it_is_and_with_everything_in_force() -> None:
    everything = re.sub(r"^( *)#(?=\S| +(?:#|[a-z_]+:|- [a-z]+:))", r"\1", EXAMPLE, flags=re.MULTILINE)
    assert errors(EXAMPLE) == []
    assert errors(everything) == []
    assert errors(MINIMAL) == []


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("devise: a", "$"),
        ("device: a b", "$.device"),
        ("log: {level: loud}", "$.log.level"),
        ("motion: {hold: 5}", "$.motion.hold"),
        ("motion: {hold: 5 hours}", "$.motion.hold"),
        ("motion: {open_at: 0}", "$.motion.open_at"),
        ("models: {threads: 17}", "$.models.threads"),
        ("models: {threads: 1.5}", "$.models.threads"),
    ],
)
def test_an_editor_notices_what_the_daemon_would(line: str, path: str) -> None:
    assert errors(f"{line}\n{MINIMAL}") == [path]


def test_an_editor_knows_which_keys_a_type_has() -> None:
    assert errors(MINIMAL.replace("type: usb", "type: rtsp")) == ["$.feeds[0].source"]
    assert errors(MINIMAL.replace("type: usb", "type: usb, url: x")) == ["$.feeds[0].source"]


def test_keys_come_with_their_meaning_their_range_and_their_default() -> None:
    hold = SCHEMA["$defs"]["Motion"]["properties"]["hold"]
    assert hold["description"] == (
        "How long it stays open after the last change. Must be a duration from 0 s to 1 h."
    )
    assert Duration.parse(hold["default"]) == 2.0


def test_secrets_are_said_to_be_named() -> None:
    password = SCHEMA["$defs"]["MqttSink"]["properties"]["password"]
    assert "`!secret NAME`" in password["description"]
    assert "!secret" in SCHEMA["$comment"]
