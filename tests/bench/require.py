"""Real counterparts that a machine may lack: the test that needs one skips, saying so, and fails in CI."""

import os
import shutil
from typing import NoReturn

import pytest


def require(program: str, package: str) -> str:
    """The path of a program, which Debian's `package` brings; without it the test skips, or fails in CI."""
    found = shutil.which(program, path=os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin")
    if found is None:
        missing(f"no `{program}` here", package)
    return found


def missing(what: str, package: str) -> NoReturn:
    """Skip the running test because a counterpart is missing; fail it where all are required.

    `scripts/test` installs them when it runs as root; `.ci/run` sets EDGED_REQUIRE_COUNTERPARTS.
    """
    reason = f"{what}: apt-get install {package}"
    if os.environ.get("EDGED_REQUIRE_COUNTERPARTS"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
