"""Installing, as far as it can be looked at without doing it; scripts/test-install does it."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from bench.checkout import ROOT, files, name

PAGE = (ROOT / "docs" / "install.md").read_text("utf-8")
INSTALL = ROOT / "scripts" / "install"
DEBIAN = ROOT / "scripts" / "debian"
POSTRM = (DEBIAN / "postrm").read_text("utf-8")
PATH = re.compile(r"(?<![\w.*])/(?:etc|opt|usr|var)/[\w/@.*-]+")


def started(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [INSTALL, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def section(title: str) -> str:
    """A section of docs/install.md."""
    found = re.search(rf"^##+ {re.escape(title)}\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found
    return found[1]


def test_every_section_with_commands_is_followed_by_the_test_in_the_container() -> None:
    titles = [title for title in re.findall(r"^##+ (.+)$", PAGE, re.MULTILINE) if "```sh\n" in section(title)]
    followed = re.findall(r'^ +follow "(.+)"', (ROOT / "scripts/test-install").read_text(), re.MULTILINE)
    assert len(titles) >= 5
    assert set(followed) == set(titles)


@pytest.mark.skipif(Path("/opt/edged").exists(), reason="edged is installed here: less is left to do")
def test_a_dry_run_tells_every_step_with_its_reason() -> None:
    told = started("--dry-run").stdout
    steps = re.findall(r"^(\S.+)\n    (\S.+)$", told, re.MULTILINE)
    assert len("\n".join(f"{why}\n    {what}" for why, what in steps)) == len(told.rstrip("\n"))
    commands = "\n".join(what for _, what in steps)
    for words in (
        "-m venv",
        "pip install",
        "models verify",
        "daemon-reload",
        "completion bash",
        "systemd-sysusers",
    ):
        assert words in commands
    for path in ("/etc/edged/config.yaml.example", "/usr/local/bin/edged", "edged@.service", "/opt/edged"):
        assert path in commands


def test_a_dry_run_changes_nothing() -> None:
    there = {
        path: path.exists() for path in map(Path, ("/opt/edged-NEW", "/opt/edged", "/usr/local/bin/edged"))
    }
    assert "nothing was changed" in started("--dry-run").stderr
    assert {path: path.exists() for path in there} == there


def test_what_is_missing_is_told_with_its_remedy_and_nothing_is_changed(tmp_path: Path) -> None:
    done = started("--wheels", str(tmp_path), EDGED_PYTHON="/bin/false")
    assert (done.returncode, done.stdout) == (1, "")
    problems = dict(re.findall(r"^- (.+)\n    (.+)$", done.stderr, re.MULTILINE))
    assert "Nothing was changed" in done.stderr
    assert problems[f"there are no wheels in {tmp_path}"] == f"pip wheel --wheel-dir {tmp_path} {ROOT}"
    assert "apt-get install python3 python3-venv" in problems["no Python 3.11 to 3.13 with venv"]


@pytest.mark.parametrize("wrong", [["--purge"], ["--wheels"], ["--what"]])
def test_a_wrong_command_line_is_refused(wrong: list[str]) -> None:
    done = started("--dry-run", *wrong)
    assert (done.returncode, done.stdout) == (1, "")
    assert wrong[0] in done.stderr


def test_the_help_names_every_option() -> None:
    options = re.findall(r"^ {6}(--[\w-]+)(?: \| -h)?\)", INSTALL.read_text("utf-8"), re.MULTILINE)
    told = started("--help").stdout
    assert len(options) == 7
    assert [option for option in options if option not in told] == ["--help"]


def test_the_script_and_the_package_purge_the_same() -> None:
    def purged(text: str, begin: str) -> set[str]:
        found = re.search(rf"{begin}.*?for each in (.*?); do", text, re.DOTALL)
        assert found
        return set(PATH.findall(found[1]))

    script = purged(INSTALL.read_text("utf-8"), r"\nkept\(\)")
    assert script == purged(POSTRM, r"wants/edged@\*\.service; do")
    assert {"/etc/edged", "/var/lib/private/edged", "/var/lib/private/edged-*"} <= script


def test_both_unit_files_run_the_program_that_is_installed() -> None:
    for unit in files("systemd", "*.service"):
        assert re.search(r"^ExecStart=/opt/edged/bin/edged run --config ", unit.read_text(), re.MULTILINE), (
            name(unit)
        )


def test_what_the_page_says_is_installed_with_the_program_is() -> None:
    named = {Path(path).name for path in re.findall(r"/opt/edged/share/edged/[\w./-]+\.\w+", PAGE)}
    assert {"scene.mp4", "eileen-collins.jpg", "jetson.conf", "coral.conf"} <= named
    there = {path.name for path in [*files("systemd"), *files("edged/cli/sample")]}
    assert named <= there
    for script in (INSTALL, ROOT / "scripts" / "build-deb"):
        assert "systemd/{coral,jetson,no-credentials}.conf" in script.read_text("utf-8")


@pytest.mark.parametrize("script", files("scripts/debian"), ids=name)
def test_a_maintainer_script_stops_at_the_first_error(script: Path) -> None:
    assert script.read_text("utf-8").startswith("#!/bin/sh\n#")
    assert "\nset -e\n" in script.read_text("utf-8")


@pytest.mark.parametrize(
    ("script", "argument"), [("postrm", "upgrade"), ("prerm", "upgrade"), ("postinst", "triggered")]
)
def test_a_maintainer_script_does_nothing_where_nothing_is_asked(script: str, argument: str) -> None:
    done = subprocess.run(
        ["sh", "-x", DEBIAN / script, argument], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    traced = re.findall(r"^\+ (\w+)", done.stderr, re.MULTILINE)
    assert set(traced) - {"set", "[", "systemctl"} == set()
