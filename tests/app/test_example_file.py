"""config.example.yaml: complete, right, and in step with the types."""

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bench.checkout import ROOT
from edged.app.configuration import Loaded, load
from edged.app.yaml_source import Entries, Items, Node, Scalar, parse
from edged.settings.kinds import Block, Kind, Listing, Variants, keys_of, tag_of
from edged.settings.quantities import Secret, Section
from edged.settings.root import Settings
from edged.settings.sinks import MqttSink
from edged.settings.sources import RtspSource

EXAMPLE = (ROOT / "config.example.yaml").read_text(encoding="utf-8")

# `# words` is said to the reader, `#key: value` is a key that is not in force.
UNCOMMENTED = re.sub(r"^( *)#(?=\S| +(?:#|[a-z_]+:|- [a-z]+:))", r"\1", EXAMPLE, flags=re.MULTILINE)


def load_with_secrets(text: str, folder: Path) -> Loaded:
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    names = re.findall(r"!secret ([a-z-]+)", text)
    return load(path, environ={f"EDGED_SECRET_{name.upper().replace('-', '_')}": "x" for name in names})


def keys_used(node: Node, kind: Kind) -> Iterator[tuple[type[Section], str]]:
    """Each key of each section in the tree."""
    if isinstance(kind, Listing) and isinstance(node, Items):
        for item in node.items:
            yield from keys_used(item, kind.item)
    if isinstance(kind, Variants) and isinstance(node, Entries):
        tag = node.entries[kind.tag].node
        assert isinstance(tag, Scalar)
        yield from keys_used(node, Block(kind.sections[tag.text]))
    if isinstance(kind, Block) and isinstance(node, Entries):
        for name, entry in node.entries.items():
            if tag_of(kind.section) is None or name != "type":
                yield kind.section, name
                yield from keys_used(entry.node, keys_of(kind.section)[name].kind)


def all_sections(kind: Kind) -> Iterator[type[Section]]:
    match kind:
        case Block():
            yield kind.section
            for key in keys_of(kind.section).values():
                yield from all_sections(key.kind)
        case Variants():
            for section in kind.sections.values():
                yield from all_sections(Block(section))
        case Listing():
            yield from all_sections(kind.item)
        case _:
            return


def test_the_example_loads_as_it_is(tmp_path: Path) -> None:
    loaded = load_with_secrets(EXAMPLE, tmp_path)
    assert loaded.doubts == ()
    assert [type(feed.source) for feed in loaded.settings.feeds] == [RtspSource]
    assert [type(sink) for sink in loaded.settings.sinks] == [MqttSink]
    assert loaded.settings.sinks[0].password == Secret("mqtt-password", "x")  # type: ignore[union-attr]


def test_the_example_loads_with_everything_in_force(tmp_path: Path) -> None:
    loaded = load_with_secrets(UNCOMMENTED, tmp_path)
    assert loaded.doubts == ()
    assert (len(loaded.settings.feeds), len(loaded.settings.sinks)) == (7, 4)


def test_the_example_has_every_key_of_every_section() -> None:
    root, mistakes = parse(UNCOMMENTED)
    assert root is not None
    assert mistakes == []
    used = defaultdict(set)
    for section, name in keys_used(root, Block(Settings)):
        used[section].add(name)
    wanted = {section: set(keys_of(section)) for section in all_sections(Block(Settings))}
    assert used == wanted


def test_the_example_changes_nothing_but_what_it_must(tmp_path: Path) -> None:
    """What is in force is what has to be said; all else is a default that stays one."""
    settings = load_with_secrets(EXAMPLE, tmp_path).settings
    for key in keys_of(Settings).values():
        if not key.required and key.name != "data_dir":
            assert getattr(settings, key.name) == key.default


# `http` has no defaults to show as a whole: who may use it has to be said.
@pytest.mark.parametrize(
    "name",
    [key.name for key in keys_of(Settings).values() if isinstance(key.kind, Block) and key.default],
)
def test_a_commented_section_shows_its_defaults(tmp_path: Path, name: str) -> None:
    shown: Any = getattr(load_with_secrets(UNCOMMENTED, tmp_path).settings, name)
    if name == "privacy":
        # A secret has no default to show.
        shown = msgspec.structs.replace(shown, encryption_key=None)
    assert shown == keys_of(Settings)[name].default


def test_the_example_names_no_real_host() -> None:
    hosts = re.findall(r"(?:://|host: )([a-z.-]+)", EXAMPLE)
    assert hosts
    assert all(host.endswith(".example") for host in hosts)
