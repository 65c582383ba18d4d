"""What a house with edged and Home Assistant must do, step by step."""

import re
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.mosquitto import Subscriber
from home_assistant.house import PERSON, House, a_house, stop
from home_assistant.pages import aliases
from home_assistant.versions import Version

OCCUPANCY = "binary_sensor.porch_occupancy"
LAST_PERSON = "sensor.porch_last_person"
PRESENT = "sensor.porch_people_present"
SWITCH = "switch.porch_recognition"
EVENT = "event.porch_person"
IMAGE = "image.porch_last_face"
YARD_OCCUPANCY = "binary_sensor.yard_occupancy"
YARD_PROBLEM = "binary_sensor.yard_camera_problem"
YARD_SWITCH = "switch.yard_recognition"
OF_A_FEED = (
    "binary_sensor.{}_occupancy",
    "binary_sensor.{}_camera_problem",
    "event.{}_person",
    "image.{}_last_face",
    "sensor.{}_decoder",
    "sensor.{}_frame_rate",
    "sensor.{}_last_person",
    "sensor.{}_people_present",
    "switch.{}_recognition",
)
OF_THE_MACHINE = (
    "binary_sensor.edged_trial_pi_occupancy_of_home",
    "binary_sensor.edged_trial_pi_problem",
    "sensor.edged_trial_pi_people_present_in_home",
    "sensor.edged_trial_pi_temperature",
    "sensor.edged_trial_pi_version",
)

_JPEG = b"\xff\xd8"
# The second is Home Assistant's word on an empty message of its own, which it sends after ours.
_TO_BE_EXPECTED = re.compile(r"onnect|No device components to cleanup")


def tried(version: Version) -> None:
    """Go through all steps; ends the program at the first that fails."""
    with (
        tempfile.TemporaryDirectory(prefix="edged-home-") as folder,
        a_house(Path(folder), version) as house,
        Subscriber(house.broker, "trial/#") as told,
    ):
        for step in (
            entities_appear,
            examples_load,
            a_broken_camera_is_no_empty_yard,
            lambda house: events_reach_automations(house, told),
            the_switch_stops_recognition_and_survives,
            the_brokers_restart_heals,
            home_assistants_restart_heals,
            availability_follows,
            a_feed_that_left_disappears,
            an_entity_that_left_disappears,
            the_form_may_change,
            nothing_stays,
            nothing_was_complained_of,
        ):
            begun = time.monotonic()
            words = step(house)
            print(f"ok      {words} ({time.monotonic() - begun:.0f} s)", flush=True)


def entities_appear(house: House) -> str:
    """Everything that is announced is there."""
    wanted = [entity.format(feed) for feed in ("porch", "yard") for entity in OF_A_FEED] + [*OF_THE_MACHINE]
    house.home.until(
        lambda: not set(wanted) - set(house.home.states()),
        lambda: f"missing are {sorted(set(wanted) - set(house.home.states()))}",
    )
    _until(house, OCCUPANCY, ("on", "off"))
    return f"{len(wanted)} entities appear"


def examples_load(house: House) -> str:
    """The page's automations and its blueprint are ones that Home Assistant takes."""
    names = ["told", "of the blueprint", *aliases()]
    states = {
        state["attributes"].get("friendly_name"): state["state"]
        for entity, state in house.home.states().items()
        if entity.startswith("automation.")
    }
    for name in names:
        if states.get(name) != "on":
            raise SystemExit(
                f"FAILED  the automation `{name}` is {states.get(name)}\n{house.home.log()[-4000:]}"
            )
    return f"the blueprint and {len(aliases())} example automations load"


def a_broken_camera_is_no_empty_yard(house: House) -> str:
    """Where nothing is seen, nothing is known; the switch can still be used."""
    _until(house, YARD_OCCUPANCY, ("unavailable",))
    _until(house, YARD_PROBLEM, ("on",))
    _until(house, YARD_SWITCH, ("on",))
    return "a camera that does not answer is a problem, and its occupancy unavailable"


def events_reach_automations(house: House, told: Subscriber) -> str:
    """By the event entity, by the device's trigger, by the blueprint."""
    house.add_triggered()
    for topic in ("trial/told", "trial/blueprint", "trial/triggered"):
        house.home.until(lambda topic=topic: told.payloads(topic), f"an automation to write to {topic}")
    if {*told.payloads("trial/told"), *told.payloads("trial/blueprint")} != {PERSON}:
        raise SystemExit(f"FAILED  the automations named {told.heard}")
    somebody_is_there(house)
    house.home.until(lambda: house.home.picture(IMAGE).startswith(_JPEG), "the last face to be shown")
    return "an event reaches automations by entity, trigger and blueprint, with the name"


def somebody_is_there(house: House) -> None:
    """Wait until the person is in view, in every entity that says so."""
    _until(house, LAST_PERSON, (PERSON,))

    def all_say_so() -> bool:
        states = house.home.states()
        return (
            states[OCCUPANCY]["state"] == "on"
            and states[PRESENT]["state"] != "0"
            and PERSON in states[PRESENT]["attributes"].get("names", [])
        )

    house.home.until(all_say_so, "everything to say that somebody is there")


def the_switch_stops_recognition_and_survives(house: House) -> str:
    """Off resets presence at once, and stays off over a restart; on brings everything back."""
    house.home.call("switch", "turn_off", entity_id=SWITCH)
    _until(house, SWITCH, ("off",))
    _until(house, OCCUPANCY, ("off",))
    _until(house, LAST_PERSON, ("none",))
    house.home.until(lambda: not house.home.picture(IMAGE), "the last face to go")
    before = house.home.state(EVENT)
    house.restart_daemon()
    _until(house, SWITCH, ("off",))
    _until(house, OCCUPANCY, ("off",))
    # The clip shows somebody every few seconds.
    _stays(house, lambda: house.home.state(LAST_PERSON) == "none", 8.0, "nobody to be recognised")
    if house.home.state(EVENT) not in (before, "unknown"):
        raise SystemExit("FAILED  there was an event while the feed was off")
    house.home.call("switch", "turn_on", entity_id=SWITCH)
    _until(house, SWITCH, ("on",))
    somebody_is_there(house)
    return "the switch stops recognition, and survives a restart"


def the_brokers_restart_heals(house: House) -> str:
    """Everything is unavailable meanwhile, and right afterwards."""
    house.broker.stop()
    _until(house, OCCUPANCY, ("unavailable",))
    house.broker.start()
    somebody_is_there(house)
    return "the broker's restart heals"


def home_assistants_restart_heals(house: House) -> str:
    """What is retained is there again, and so is what is told after its birth."""
    house.home.stop()
    house.home.start()
    somebody_is_there(house)
    _until(house, SWITCH, ("on",))
    return "Home Assistant's restart heals"


def availability_follows(house: House) -> str:
    """After a clean stop, and after a crash."""
    for end in (lambda: stop(house.daemon), house.daemon.kill):
        end()
        for entity in (OCCUPANCY, SWITCH, EVENT, LAST_PERSON, YARD_PROBLEM):
            _until(house, entity, ("unavailable",))
        house.daemon.start().wait_until_ready()
        _until(house, SWITCH, ("on",))
        somebody_is_there(house)
    return "availability follows a stop and a crash"


def a_feed_that_left_disappears(house: House) -> str:
    """With all its entities; the other feed stays."""
    stop(house.daemon)
    house.configure(("porch",), house.version.form, image="sent")
    house.daemon.start().wait_until_ready()
    house.home.until(lambda: not _of("yard", house), "the yard to disappear")
    _until(house, SWITCH, ("on",))
    return "a feed that left the configuration disappears"


def an_entity_that_left_disappears(house: House) -> str:
    """Alone; what stays is there after Home Assistant's restart too."""
    before = _of("porch", house)
    stop(house.daemon)
    house.configure(("porch",), house.version.form)
    house.daemon.start().wait_until_ready()
    house.home.until(lambda: _of("porch", house) == before - {IMAGE}, "the image to disappear alone")
    house.home.stop()
    house.home.start()
    somebody_is_there(house)
    return "an entity that is announced no more disappears alone"


def the_form_may_change(house: House) -> str:
    """Where the version knows both; the entities are the same ones."""
    if house.version.form == "components":
        return "(the other form is not known to this version)"
    before = _of("porch", house)
    stop(house.daemon)
    house.configure(("porch",), "components")
    house.daemon.start().wait_until_ready()
    somebody_is_there(house)
    house.home.until(lambda: _of("porch", house) == before, lambda: f"{sorted(before)} became others")
    return "the other form gives the same entities"


def nothing_stays(house: House) -> str:
    """Who announces no more takes everything back."""
    stop(house.daemon)
    house.configure(("porch",), None)
    house.daemon.start().wait_until_ready()
    house.home.until(lambda: not _of("porch", house) | _of("edged_trial", house), "everything to disappear")
    return "without `home_assistant` everything disappears"


def nothing_was_complained_of(house: House) -> str:
    """Home Assistant took every message and every template without a word."""
    told = [
        line
        for line in house.home.log().splitlines()
        if re.search(r"(WARNING|ERROR).*(mqtt|template)", line) and not _TO_BE_EXPECTED.search(line)
    ]
    if told:
        raise SystemExit("FAILED  Home Assistant complained:\n" + "\n".join(told[:20]))
    return "Home Assistant complained of nothing"


def _of(name: str, house: House) -> set[str]:
    return {entity for entity in house.home.states() if entity.partition(".")[2].startswith(f"{name}_")}


def _until(house: House, entity: str, states: tuple[str, ...]) -> None:
    house.home.until(
        lambda: house.home.state(entity) in states,
        lambda: f"{entity} is {house.home.state(entity)!r}, not {' or '.join(states)}",
    )


def _stays(house: House, holds: Callable[[], bool], for_s: float, what: str) -> None:
    end = time.monotonic() + for_s
    while time.monotonic() < end:
        if not holds():
            raise SystemExit(f"FAILED  {what}\n{house.daemon.log_text()[-2000:]}")
        time.sleep(0.2)
