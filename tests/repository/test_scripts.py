"""What is started by name starts: shebangs, modes, and shell that a shell can read."""

import os
import subprocess

import pytest

from bench.checkout import ROOT, files, name
from bench.require import require

STARTED_BY_NAME = [
    "scripts/demo",
    "scripts/test",
    "scripts/check",
    "scripts/make-sample-clip",
    "scripts/install",
    "scripts/build-deb",
    "scripts/test-install",
    ".ci/run",
]


def _first_line(path: str) -> bytes:
    with (ROOT / path).open("rb") as file:
        return file.readline()


def _with_shebang() -> list[str]:
    candidates = [*files("scripts"), *files(".ci")]
    return [name(path) for path in candidates if _first_line(name(path)).startswith(b"#!")]


def _shell() -> list[str]:
    return [path for path in _with_shebang() if b"sh" in _first_line(path)] + ["scripts/environment.sh"]


@pytest.mark.parametrize("path", STARTED_BY_NAME)
def test_a_script_of_the_documentation_can_be_started(path: str) -> None:
    assert path in _with_shebang()


@pytest.mark.parametrize("path", _with_shebang())
def test_a_file_with_a_shebang_is_executable(path: str) -> None:
    assert os.access(ROOT / path, os.X_OK)


def test_only_files_with_a_shebang_are_executable() -> None:
    executable = {name(path) for path in [*files("scripts"), *files(".ci")] if os.access(path, os.X_OK)}
    assert executable == set(_with_shebang())


@pytest.mark.parametrize("path", _shell())
def test_a_shell_can_read_its_script(path: str) -> None:
    done = subprocess.run(["bash", "-n", path], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_shellcheck_finds_nothing() -> None:
    shellcheck = require("shellcheck", "shellcheck")
    done = subprocess.run(
        [shellcheck, "--external-sources", "--source-path=SCRIPTDIR", "--source-path=.", *_shell()],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_a_wrong_python_is_refused_with_what_would_do() -> None:
    environment = {**os.environ, "EDGED_PYTHON": "/bin/false"}
    done = subprocess.run(
        ["bash", "-c", ". scripts/environment.sh; require_python"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "EDGED_PYTHON=/bin/false is no Python 3.11 to 3.13" in done.stderr
