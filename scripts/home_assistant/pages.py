"""What docs/home-assistant.md gives to be copied, taken from there."""

import re

from bench.daemon import PROJECT

BLUEPRINT = PROJECT / "docs" / "home-assistant" / "known-person.yaml"
PAGE = PROJECT / "docs" / "home-assistant.md"

_EXAMPLE = re.compile(r"^```yaml\n(- alias: .*?)^```", re.MULTILINE | re.DOTALL)


def automations() -> str:
    """Every example automation of the page, as one file of automations."""
    return "".join(_EXAMPLE.findall(PAGE.read_text("utf-8")))


def aliases() -> list[str]:
    """Their names."""
    return re.findall(r"^- alias: (.*)$", automations(), re.MULTILINE)
