import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from bench.checkout import ROOT
from bench.require import require
from edged.domain.errors import ConfigurationError

UNIT = ROOT / "systemd" / "edged.service"
TEMPLATE = ROOT / "systemd" / "edged@.service"
DROP_IN = ROOT / "systemd" / "no-credentials.conf"
DROP_INS = [ROOT / "systemd" / name for name in ("coral.conf", "jetson.conf", "no-credentials.conf")]


def values(key: str, path: Path = UNIT) -> list[str]:
    """What a unit file gives a key, as often as it does."""
    return re.findall(rf"^{key}=(.*)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)


def check_unit(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [folder / "scripts" / "check-unit"], capture_output=True, text=True, check=False, timeout=120
    )


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The script and the units at another place, to be changed."""
    require("systemd-analyze", "systemd")
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "check-unit", tmp_path / "scripts")
    shutil.copytree(ROOT / "systemd", tmp_path / "systemd")
    return tmp_path


def change(copied: Path, name: str, pattern: str, by: str) -> None:
    """Replace in a copied unit file."""
    path = copied / "systemd" / name
    text, count = re.subn(pattern, by, path.read_text(), flags=re.MULTILINE)
    assert count
    path.write_text(text)


def test_systemd_knows_every_key_and_the_score_is_below_two() -> None:
    require("systemd-analyze", "systemd")
    done = check_unit(ROOT)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    scores = re.findall(
        r"exposure level for (\S+): ([\d.]+) .*?(?:\(with (\S+)\))?$", done.stdout, re.MULTILINE
    )
    assert [(unit, drop_in) for unit, _, drop_in in scores] == [
        ("edged.service", ""),
        ("edged@hall.service", ""),
        *(("edged.service", path.name) for path in DROP_INS),
    ]
    assert max(float(score) for _, score, _ in scores) <= 2.0


@pytest.mark.parametrize("name", ["edged.service", "edged@.service", "coral.conf"])
def test_the_check_notices_a_key_that_systemd_does_not_know(copied: Path, name: str) -> None:
    change(copied, name, r"^(ProtectHome|SupplementaryGroups)=", "ProtectHouse=")
    done = check_unit(copied)
    assert done.returncode == 1
    assert "Unknown key 'ProtectHouse'" in done.stdout


def test_the_check_notices_a_unit_that_is_open(copied: Path) -> None:
    change(copied, "edged.service", r"^(Protect|Restrict|SystemCall).*\n", "")
    done = check_unit(copied)
    assert done.returncode == 1
    assert "security score is above 2.0: edged.service" in done.stderr


def test_the_check_notices_a_drop_in_that_opens_the_unit(copied: Path) -> None:
    change(copied, "jetson.conf", r"^MemoryMax=.*", "ProtectSystem=no\nSystemCallFilter=")
    done = check_unit(copied)
    assert done.returncode == 1
    assert "security score is above 2.0: edged.service with jetson.conf" in done.stderr


def test_the_check_notices_a_template_that_went_another_way(copied: Path) -> None:
    change(copied, "edged@.service", r"^WatchdogSec=.*", "WatchdogSec=61")
    done = check_unit(copied)
    assert done.returncode == 1
    assert "> WatchdogSec=61" in done.stdout


def test_instances_share_no_folder_with_the_service_or_each_other() -> None:
    # Not edged/%i: /var/lib/edged is a link into /var/lib/private, which cannot hold another user's link.
    for kind in ("State", "Cache", "Runtime"):
        assert values(f"{kind}Directory") == ["edged"]
        assert values(f"{kind}Directory", TEMPLATE) == ["edged-%i"]


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
