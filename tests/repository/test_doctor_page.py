"""docs/doctor.md explains every check that `edged doctor` makes, and none that it does not."""

import re

import pytest

from bench.checkout import ROOT
from edged.app.checkup.finding import NAMES, SECTIONS
from edged.cli.doctor import _SECTIONS

PAGE = (ROOT / "docs" / "doctor.md").read_text("utf-8")


def _explained() -> dict[str, str]:
    """The names of the checks in the page's tables, each with its section."""
    found: dict[str, str] = {}
    for section, text in re.findall(r"^## Section `(\w+)`\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL):
        rows = re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)
        found |= {re.sub(r" …$", "", name): section for name in rows}
    return found


def test_every_check_is_explained_under_its_section() -> None:
    assert _explained() == NAMES


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_has_checks(section: str) -> None:
    assert section in NAMES.values()


def test_the_command_knows_the_sections_without_importing_them() -> None:
    assert _SECTIONS == SECTIONS
