"""Completion as a shell does it: a real bash reads what `edged completion bash` prints."""

import subprocess
from pathlib import Path

import pytest

from bench.require import require
from edged.cli.main import COMMANDS, main

ASK = """\
. "$0"
COMP_WORDS=(edged "$@") COMP_CWORD=$#
last=$(complete -p edged | sed 's/.*-F \\([^ ]*\\).*/\\1/')
"$last" edged "${@: -1}" "${@: -2:1}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def script(tmp_path: Path, capsys) -> Path:
    assert main(["completion", "bash"]) == 0
    path = tmp_path / "edged"
    path.write_text(capsys.readouterr().out)
    return path


def completed(script: Path, *words: str, cwd: Path | None = None) -> set[str]:
    """What bash offers for the last of the words."""
    done = subprocess.run(
        [require("bash", "bash"), "-c", ASK, script, *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_every_command_is_completed(script):
    assert completed(script, "") == set(COMMANDS)


def test_a_command_is_completed_by_its_beginning(script):
    assert completed(script, "ident") == {"identities"}


def test_the_commands_below_a_command_are_completed(script):
    assert completed(script, "config", "") == {"check", "show", "schema"}


def test_options_are_completed(script):
    assert completed(script, "run", "--e") == {"--exit-when-done"}
    assert "--custom-id" in completed(script, "identities", "add", "--")


def test_file_names_are_completed(script, tmp_path):
    (tmp_path / "portrait.jpg").touch()
    assert completed(script, "run", "--config", "port", cwd=tmp_path) == {"portrait.jpg"}


def test_only_folders_are_completed_where_one_is_wanted(script, tmp_path):
    (tmp_path / "data-file").touch()
    (tmp_path / "data-folder").mkdir()
    assert completed(script, "identities", "list", "--data-dir", "data", cwd=tmp_path) == {"data-folder"}


def test_zsh_gets_its_own(capsys):
    assert main(["completion", "zsh"]) == 0
    written = capsys.readouterr().out
    assert written.startswith("#compdef edged\n")
    assert all(command in written for command in COMMANDS)
