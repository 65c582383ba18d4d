"""What is shipped says where it comes from, and keeps to its size."""

import re
import tomllib

import edged
from bench.checkout import ROOT, files, name

TEXT = {".py", ".md", ".sql", ".toml", ".json", ".yaml", ".typed", ".txt", ".svg"}
SAMPLE = ROOT / "edged" / "cli" / "sample"
MOST_BYTES_OF_THE_CLIP = 3_000_000
MOST_BYTES_OF_A_DOCUMENTATION_PICTURE = 150_000


def test_the_notice_names_every_shipped_asset() -> None:
    shipped = [*files("edged"), *files("models"), *files("docs/images")]
    notice = (ROOT / "NOTICE").read_text("utf-8")
    unnamed = [name(path) for path in shipped if path.suffix not in TEXT and name(path) not in notice]
    assert unnamed == []


def test_the_notice_names_nothing_that_is_not_there() -> None:
    notice = (ROOT / "NOTICE").read_text("utf-8")
    named = re.findall(r"\b(?:edged|models|docs)/[\w./-]+\.\w+", notice)
    assert [path for path in named if not (ROOT / path).is_file()] == []
    assert named


def test_the_sample_says_where_it_comes_from() -> None:
    origin = (SAMPLE / "ORIGIN.md").read_text("utf-8")
    assert [path.name for path in SAMPLE.iterdir() if path.name not in origin and path.suffix != ".md"] == []


def test_the_sample_clip_stays_small() -> None:
    assert 0 < (SAMPLE / "scene.mp4").stat().st_size <= MOST_BYTES_OF_THE_CLIP


def test_pictures_of_the_documentation_stay_small() -> None:
    sizes = {name(path): path.stat().st_size for path in files("docs/images")}
    assert {path: size for path, size in sizes.items() if size > MOST_BYTES_OF_A_DOCUMENTATION_PICTURE} == {}


def test_the_licence_is_the_one_that_the_package_names() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["license"] == "Apache-2.0"
    licence = (ROOT / "LICENSE").read_text("utf-8")
    assert "Version 2.0, January 2004" in licence
    assert "END OF TERMS AND CONDITIONS" in licence


def test_the_changelog_keeps_its_form() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    versions = re.findall(r"^## \[([^\]]+)\](?: - (\d{4}-\d\d-\d\d))?$", changelog, re.MULTILINE)
    assert versions[0][0] in {"Unreleased", edged.__version__}
    assert all(date for version, date in versions if version != "Unreleased")
    kinds = set(re.findall(r"^### (.+)$", changelog, re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
