"""The page about feeds: its examples can be used, and it explains every word."""

import re
import textwrap
from pathlib import Path
from typing import get_args

import pytest

from bench.checkout import ROOT
from edged.app.configuration import settings_from
from edged.app.reading import Reader
from edged.domain.errors import CameraFault
from edged.pipeline.feed_control import Off
from edged.pipeline.feed_status import CAPTURING, ENDED, STARTING
from edged.settings.sources import Source
from edged.system.secrets import named

PAGE = (ROOT / "docs" / "feeds.md").read_text("utf-8")
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
TYPES = [kind.__struct_config__.tag for kind in get_args(Source)]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: " ".join(example.split()[:3]))
def test_an_example_can_be_used_as_it_stands(example: str):
    if example.startswith("source:"):
        example = "feeds:\n  - id: here\n" + textwrap.indent(example, "    ")
    text = example + "sinks:\n  - {id: out, type: console}\n"

    assert settings_from(text, Path("config.yaml"), Reader(named)).feeds


@pytest.mark.parametrize("kind", TYPES)
def test_every_kind_of_source_has_an_example(kind: str):
    assert any(re.search(rf"^ +type: {kind}$", example, re.MULTILINE) for example in EXAMPLES)


@pytest.mark.parametrize("word", [STARTING, CAPTURING, ENDED, *Off, *(fault.value for fault in CameraFault)])
def test_every_word_of_a_state_is_explained(word: str):
    assert re.search(rf"^\| `{word}` \|", PAGE, re.MULTILINE)
