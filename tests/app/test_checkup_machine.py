import subprocess
from pathlib import Path

import pytest

from builders.namespaces import HandClock
from edged.app.checkup import machine
from edged.app.checkup.clock_state import clock_finding
from edged.app.checkup.disk import file_system_of, flush_ms
from edged.app.checkup.finding import Health, guarded, well
from edged.app.checkup.service import unit_finding
from edged.domain.errors import ConfigurationError
from edged.domain.moment import Moment
from edged.system.clock import SystemClock

CPUINFO_OF_A_PI_5 = """\
processor\t: 0
Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp
CPU implementer\t: 0x41
CPU part\t: 0xd0b

Model\t\t: Raspberry Pi 5 Model B Rev 1.0
"""
MOUNTS = """\
22 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 rw
30 22 0:25 / /run rw,nosuid - tmpfs tmpfs rw
41 22 0:40 / /srv/the\\040share rw - nfs4 nas:/share rw
"""


def written(root, path, text):
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def found(root):
    checks = machine.checks(SystemClock(), root)
    return {name: finding for name, check in checks for finding in guarded(name, check)}


def test_a_raspberry_pi_is_told_by_its_model_and_features(tmp_path):
    written(tmp_path, "proc/device-tree/model", "Raspberry Pi 5 Model B Rev 1.0\0")
    written(tmp_path, "proc/cpuinfo", CPUINFO_OF_A_PI_5)
    written(tmp_path, "etc/os-release", 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n')
    written(tmp_path, "proc/meminfo", "MemTotal:  4146688 kB\nMemAvailable:  3000000 kB\n")

    seen = found(tmp_path)

    assert "Raspberry Pi 5" in seen["machine"].seen
    assert "bookworm" in seen["machine"].seen
    assert seen["processor"].seen.startswith("Raspberry Pi 5 Model B Rev 1.0")
    assert seen["processor"].seen.endswith("asimd asimdhp asimddp")
    assert seen["memory"].seen.startswith("3072 of 4246 MB")
    assert {seen["processor"].health, seen["memory"].health} == {Health.WELL}


def test_a_processor_without_vectors_and_a_full_memory_are_doubtful(tmp_path):
    written(tmp_path, "proc/cpuinfo", "model name\t: Old\nflags\t: fpu sse2\n")
    written(tmp_path, "proc/meminfo", "MemTotal:  512000 kB\nMemAvailable:  100000 kB\n")

    seen = found(tmp_path)

    assert seen["processor"].health is Health.DOUBTFUL
    assert seen["memory"].health is Health.DOUBTFUL


def test_a_machine_that_tells_nothing_is_looked_at_all_the_same(tmp_path):
    assert {finding.health for finding in found(tmp_path).values()} <= {Health.WELL, Health.DOUBTFUL}


def test_heat_is_told_with_the_governor(tmp_path):
    written(tmp_path, "sys/class/thermal/thermal_zone0/temp", "84500\n")
    written(tmp_path, "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n")

    heat = found(tmp_path)["heat"]

    assert heat.health is Health.DOUBTFUL
    assert heat.seen.startswith("84 degrees Celsius, governor powersave")


def test_the_versions_of_everything_that_does_the_work_are_told(tmp_path):
    seen = found(tmp_path)["libraries"].seen
    assert all(word in seen for word in ("SQLite", "OpenSSL", "avcodec", "ffmpeg", "msgspec", "paho-mqtt"))


class Long:
    """A clock that was never set."""

    def moment(self):
        return Moment(steady_ms=0, utc_ms=1000)


def test_a_clock_of_1970_is_wrong(tmp_path):
    assert clock_finding(Long(), tmp_path).health is Health.ILL


def test_a_clock_that_systemd_keeps_right_is_well(tmp_path):
    written(tmp_path, "run/systemd/timesync/synchronized", "")
    clock = HandClock()
    clock.ms = 60_000_000_000
    finding = clock_finding(clock, tmp_path)
    assert finding.health is Health.WELL
    assert ", synchronised" in finding.seen


@pytest.mark.parametrize(
    ("folder", "kind"), [("/home/x", "ext4"), ("/run/edged", "tmpfs"), ("/srv/the share/data", "nfs4")]
)
def test_the_file_system_is_that_of_the_nearest_mount(tmp_path, folder, kind):
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS)
    assert file_system_of(Path(folder), mounts) == kind


def test_the_file_system_is_what_the_system_says(tmp_path):
    said = subprocess.run(
        ["findmnt", "-n", "-o", "FSTYPE", "-T", tmp_path], capture_output=True, text=True, check=True
    ).stdout.split()
    assert file_system_of(tmp_path) == said[-1]


def test_measuring_the_disk_leaves_nothing_behind(tmp_path):
    assert flush_ms(tmp_path) > 0
    assert list(tmp_path.iterdir()) == []


def test_a_check_that_fails_does_not_end_the_others():
    def refused():
        yield well("one", "is well")
        raise ConfigurationError("rtsp://me:word@camera/ is wrong", remedy="mend it")

    def broken():
        raise ZeroDivisionError

    seen = [finding.seen for finding in guarded("one", refused)]
    assert seen == ["is well", "rtsp://****@camera/ is wrong"]
    (fault,) = guarded("two", broken)
    assert fault.health is Health.ILL
    assert "ZeroDivisionError" in fault.seen


@pytest.mark.parametrize(
    ("told", "health"),
    [
        ({"ActiveState": "active", "NRestarts": "0"}, Health.WELL),
        ({"ActiveState": "active", "NRestarts": "3"}, Health.DOUBTFUL),
        ({"ActiveState": "failed", "NRestarts": "0", "Result": "exit-code"}, Health.ILL),
    ],
)
def test_a_unit_is_judged_by_its_state_and_restarts(told, health):
    assert unit_finding({"LoadState": "loaded", **told}, []).health is health


def test_a_unit_that_is_not_installed_is_no_fault():
    assert unit_finding({"LoadState": "not-found"}, []).health is Health.WELL


def test_a_unit_that_lacks_a_credential_is_doubtful():
    told = {
        "LoadState": "loaded",
        "ActiveState": "active",
        "DynamicUser": "yes",
        "LoadCredential": "mqtt-password:/etc/edged/secrets/mqtt-password",
    }
    assert unit_finding(told, ["mqtt-password"]).health is Health.WELL
    finding = unit_finding(told, ["mqtt-password", "camera"])
    assert finding.health is Health.DOUBTFUL
    assert finding.seen.endswith("it loads no credential camera")
