from typing import Annotated

import pytest

from edged.settings.expectations import expectation, written
from edged.settings.feeds import Crop, Feed
from edged.settings.kinds import Block, Choice, Listing, Number, Variants, keys_of, tag_of
from edged.settings.quantities import Section, key
from edged.settings.root import Log, Settings
from edged.settings.sinks import MqttSink, Outbox
from edged.settings.sources import RtspSource


class Unheard(Section, frozen=True, kw_only=True):
    """A section whose key nobody can read."""

    odd: Annotated[complex, key("What?")] = 1j


def test_each_key_says_what_it_is_for() -> None:
    assert keys_of(Log)["level"].description == "Least importance that is logged."


def test_a_key_without_default_must_be_given() -> None:
    keys = keys_of(RtspSource)
    assert [key.name for key in keys.values() if key.required] == ["url"]


def test_choices_keep_the_order_of_their_declaration() -> None:
    assert keys_of(Log)["level"].kind == Choice(("debug", "info", "warning", "error"))


def test_an_optional_section_is_known_with_its_section() -> None:
    crop = keys_of(Feed)["crop"]
    assert (crop.kind, crop.nullable) == (Block(Crop), True)


def test_a_tagged_union_is_known_by_its_tags() -> None:
    source = keys_of(Feed)["source"].kind
    assert isinstance(source, Variants)
    assert source.tag == "type"
    assert list(source.sections) == ["rtsp", "http", "snapshot", "usb", "csi", "file", "images"]
    assert (tag_of(RtspSource), tag_of(Feed)) == (("type", "rtsp"), None)


def test_a_list_knows_its_items_and_how_many_there_may_be() -> None:
    sinks = keys_of(MqttSink)["send"].kind
    assert isinstance(sinks, Listing)
    assert sinks.min_length == 1
    feeds = keys_of(Settings)["feeds"].kind
    assert feeds == Listing(Block(Feed), max_length=64)


def test_a_type_that_no_file_can_give_is_refused() -> None:
    with pytest.raises(TypeError, match="complex"):
        keys_of(Unheard)


@pytest.mark.parametrize(
    ("section", "name", "words"),
    [
        (Feed, "fps", "a number above 0 and at most 60"),
        (Crop, "x_min", "a number of at least 0 and below 1"),
        (MqttSink, "port", "a whole number from 1 to 65535"),
        (MqttSink, "protocol", 'one of `auto`, `"5"`, `3.1.1`'),
        (MqttSink, "keep_alive", "a duration from 1 s to 1 h"),
        (MqttSink, "client_id", "text from 1 to 128 characters"),
        (Outbox, "max_bytes", "a size from 1 MB to 100 GB"),
        (MqttSink, "password", "`!secret NAME`"),
        (MqttSink, "send", "a list that is not empty, each item one of `job`, `event`, `presence`"),
    ],
)
def test_what_a_key_may_hold_is_said_in_the_words_of_the_file(
    section: type[Section], name: str, words: str
) -> None:
    assert expectation(keys_of(section)[name].kind) == words


@pytest.mark.parametrize(
    ("kind", "within", "outside"),
    [
        (Number(whole=False, ge=0, le=1), [0, 1], [-0.1, 1.1]),
        (Number(whole=False, gt=0, lt=1), [0.5], [0, 1]),
        (Number(whole=False), [-1e300], []),
    ],
)
def test_bounds_are_held(kind: Number, within: list[float], outside: list[float]) -> None:
    assert all(kind.allows(value) for value in within)
    assert not any(kind.allows(value) for value in outside)


def test_text_that_yaml_takes_for_a_number_is_written_with_quotes() -> None:
    assert [written(value) for value in ("5", "3.1.1", "auto", 90)] == ['"5"', "3.1.1", "auto", "90"]
