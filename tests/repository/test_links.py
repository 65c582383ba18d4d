"""Links and pictures in the documentation lead somewhere."""

import re
from pathlib import Path

import pytest

from bench.checkout import ROOT, files, name

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
FILE = re.compile(r"`((?:\.ci|docs|edged|models|scripts|systemd|tests)/[\w./-]+)`")
HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *files("docs", "*.md")]


def _prose(page: Path) -> str:
    return FENCE.sub("", page.read_text("utf-8"))


def _anchors(page: Path) -> set[str]:
    """The anchors that GitHub makes of headings."""
    headings = (heading.lower() for heading in HEADING.findall(_prose(page)))
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in headings}


def _leads_somewhere(page: Path, target: str) -> bool:
    path, _, anchor = target.partition("#")
    aim = (page.parent / path).resolve() if path else page
    return aim.exists() and (not anchor or (aim.suffix == ".md" and anchor in _anchors(aim)))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_into_the_repository_leads_somewhere(page: Path) -> None:
    targets = [target for target in LINK.findall(_prose(page)) if not re.match(r"https?:|mailto:", target)]
    assert [target for target in targets if not _leads_somewhere(page, target)] == []


@pytest.mark.parametrize("page", files("docs", "*.md"), ids=name)
def test_every_page_is_reached_from_the_index(page: Path) -> None:
    index = ROOT / "docs" / "index.md"
    reached = {(index.parent / target.partition("#")[0]).resolve() for target in LINK.findall(_prose(index))}
    assert page == index or page in reached


def test_the_readme_leads_to_the_index() -> None:
    assert "docs/index.md" in LINK.findall(_prose(ROOT / "README.md"))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    named = (path for path in FILE.findall(_prose(page)) if "NAME" not in path)
    assert [path for path in named if not (ROOT / path).exists()] == []
