import os
import re
import subprocess
from pathlib import Path

import pytest

from bench.checkout import ROOT
from bench.require import require
from edged.domain.errors import ConfigurationError

UNIT = ROOT / "systemd" / "edged.service"
DROP_IN = ROOT / "systemd" / "no-credentials.conf"


def values(key: str, path: Path = UNIT) -> list[str]:
    """What a unit file gives a key, as often as it does."""
    return re.findall(rf"^{key}=(.*)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)


def check_unit(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [folder / "scripts" / "check-unit"], capture_output=True, text=True, check=False, timeout=120
    )


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The script and the unit at another place, to be changed."""
    require("systemd-analyze", "systemd")
    (tmp_path / "scripts").mkdir()
    (tmp_path / "systemd").mkdir()
    script = tmp_path / "scripts" / "check-unit"
    script.write_bytes((ROOT / "scripts" / "check-unit").read_bytes())
    script.chmod(0o755)
    (tmp_path / "systemd" / "edged.service").write_bytes(UNIT.read_bytes())
    return tmp_path


def test_systemd_knows_every_key_and_the_score_is_below_two() -> None:
    require("systemd-analyze", "systemd")
    done = check_unit(ROOT)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    score = re.search(r"exposure level for edged.service: ([\d.]+)", done.stdout)
    assert score is not None
    assert float(score[1]) <= 2.0


def test_the_check_notices_a_key_that_systemd_does_not_know(copied: Path) -> None:
    unit = copied / "systemd" / "edged.service"
    unit.write_text(unit.read_text().replace("ProtectHome=", "ProtectHouse="))
    done = check_unit(copied)
    assert done.returncode == 1
    assert "Unknown key 'ProtectHouse'" in done.stdout


def test_the_check_notices_a_unit_that_is_open(copied: Path) -> None:
    unit = copied / "systemd" / "edged.service"
    unit.write_text(re.sub(r"^(Protect|Restrict|SystemCall).*\n", "", unit.read_text(), flags=re.MULTILINE))
    done = check_unit(copied)
    assert done.returncode == 1
    assert "security score is above 2.0" in done.stderr


def test_a_wrong_configuration_is_not_tried_again() -> None:
    assert values("RestartPreventExitStatus") == [str(ConfigurationError.exit_code)]
    assert values("Restart") == ["on-failure"]


def test_the_groups_of_the_unit_are_made_where_they_are_missing() -> None:
    made = re.findall(
        r"^g (\w+) ", (ROOT / "systemd" / "edged.sysusers.conf").read_text(), flags=re.MULTILINE
    )
    assert values("SupplementaryGroups") == [" ".join(made)]


def test_systemd_reads_the_fragments(tmp_path: Path) -> None:
    sysusers = require("systemd-sysusers", "systemd")
    tmpfiles = require("systemd-tmpfiles", "systemd")
    (tmp_path / "etc").mkdir()
    users, files = ROOT / "systemd" / "edged.sysusers.conf", ROOT / "systemd" / "edged.tmpfiles.conf"
    for command in (
        [sysusers, f"--root={tmp_path}", users],
        [tmpfiles, "--create", f"--root={tmp_path}", files],
    ):
        if command[0] == tmpfiles and os.geteuid() != 0:
            continue
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert {line.partition(":")[0] for line in (tmp_path / "etc/group").read_text().splitlines()} >= {
        "video",
        "render",
        "plugdev",
    }
    if os.geteuid() == 0:
        assert (tmp_path / "etc/edged/secrets").stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another user")
def test_a_folder_of_secrets_that_was_given_away_stays_so(tmp_path: Path) -> None:
    tmpfiles = require("systemd-tmpfiles", "systemd")
    command = [tmpfiles, "--create", f"--root={tmp_path}", ROOT / "systemd" / "edged.tmpfiles.conf"]
    subprocess.run(command, check=True)
    os.chown(tmp_path / "etc/edged/secrets", 12345, 12345)
    subprocess.run(command, check=True)
    assert (tmp_path / "etc/edged/secrets").stat().st_uid == 12345


def test_the_drop_in_for_old_systemd_gives_up_the_dynamic_user_only() -> None:
    lines = [line for line in DROP_IN.read_text().splitlines() if line and not line.startswith("#")]
    assert lines == ["[Service]", "DynamicUser=no", "User=edged", "Group=edged"]
