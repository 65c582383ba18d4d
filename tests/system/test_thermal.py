"""Temperatures and throttling, on folders made as kernels make /sys."""

import pytest

from edged.system.thermal import Heat, Thermometer, read_heat


class MadeSys:
    """A folder laid out like /sys."""

    def __init__(self, root):
        self.root = root
        self._numbers = {}

    def write(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{text}\n")

    def zone(self, kind, thousandths):
        folder = f"class/thermal/thermal_zone{self._next('zone')}"
        self.write(f"{folder}/type", kind)
        self.write(f"{folder}/temp", thousandths)

    def cooling(self, kind, state):
        folder = f"class/thermal/cooling_device{self._next('cooling')}"
        self.write(f"{folder}/type", kind)
        self.write(f"{folder}/cur_state", state)

    def chip(self, name, **files):
        folder = f"class/hwmon/hwmon{self._next('chip')}"
        self.write(f"{folder}/name", name)
        for file, value in files.items():
            self.write(f"{folder}/{file}", value)

    def _next(self, what):
        self._numbers[what] = self._numbers.get(what, -1) + 1
        return self._numbers[what]


@pytest.fixture
def made(tmp_path):
    return MadeSys(tmp_path)


def test_a_machine_without_sensors_has_no_temperature(tmp_path):
    assert read_heat(tmp_path) == Heat(None, ())


@pytest.mark.parametrize(
    "kind",
    ["cpu-thermal", "cpu_thermal", "CPU-therm", "x86_pkg_temp", "soc-thermal", "bigcore0-thermal", "TCPU"],
)
def test_the_processor_s_zone_is_taken_and_no_hotter_one_of_something_else(made, kind):
    made.zone("PMIC-Die", 100_000)
    made.zone(kind, 51_500)
    made.zone("acpitz", 60_000)

    assert read_heat(made.root).celsius == 51.5


def test_of_several_zones_of_the_processor_the_hottest_counts(made):
    made.zone("littlecore-thermal", 48_000)
    made.zone("bigcore1-thermal", 57_000)

    assert read_heat(made.root).celsius == 57.0


def test_where_no_zone_is_the_processor_s_its_sensor_is_asked(made):
    made.zone("acpitz", 27_800)
    made.chip("nvme", temp1_input=70_000)
    made.chip("k10temp", temp1_input=61_000, temp3_input=64_000)

    assert read_heat(made.root).celsius == 64.0


def test_a_zone_of_an_unknown_name_is_better_than_none(made):
    made.zone("iwlwifi_1", 90_000)
    made.zone("board", 45_000)

    assert read_heat(made.root).celsius == 45.0


@pytest.mark.parametrize("nonsense", ["-274000", "200000", "", "hot"])
def test_a_reading_that_cannot_be_is_none(made, nonsense):
    made.zone("cpu-thermal", nonsense)

    assert read_heat(made.root).celsius is None


@pytest.mark.parametrize(
    ("bits", "words"),
    [
        ("0", ()),
        ("50000", ()),
        ("50005", ("under-voltage", "throttled")),
        ("0x8", ("too hot",)),
        ("e", ("too hot", "throttled", "frequency capped")),
        ("nonsense", ()),
    ],
)
def test_a_raspberry_pi_says_why_it_is_throttled_now_not_why_it_was(made, bits, words):
    made.write("devices/platform/soc/soc:firmware/get_throttled", bits)

    assert read_heat(made.root).throttled == words


def test_a_weak_power_supply_is_noticed_without_the_firmware_s_word(made):
    made.chip("rpi_volt", in0_lcrit_alarm=1)

    assert read_heat(made.root).throttled == ("under-voltage",)


def test_a_kernel_that_cools_by_slowing_the_processor_is_throttled_by_heat(made):
    made.cooling("pwm-fan", 3)
    made.cooling("thermal-cpufreq-0", 0)
    assert read_heat(made.root).throttled == ()

    made.cooling("thermal-cpufreq-1", 2)
    assert read_heat(made.root).throttled == ("too hot",)


def test_a_count_of_throttling_tells_of_the_time_since_the_reading_before(made):
    counts = "devices/system/cpu/cpu0/thermal_throttle"
    made.write(f"{counts}/package_throttle_count", 40)
    made.write(f"{counts}/core_throttle_count", 7)
    thermometer = Thermometer(made.root)
    assert thermometer.read().throttled == ()

    made.write(f"{counts}/package_throttle_count", 41)
    assert thermometer.read().throttled == ("too hot",)
    assert thermometer.read().throttled == ()


def test_this_machine_s_own_sensors_can_be_read():
    celsius = read_heat().celsius

    assert celsius is None or -40 < celsius < 150
