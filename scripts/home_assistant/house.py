"""A broker, a daemon with two feeds, and a Home Assistant, together."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.daemon import PROJECT, Daemon, edged
from bench.mosquitto import Mosquitto, free_port
from home_assistant.instance import HomeAssistant
from home_assistant.pages import BLUEPRINT, automations
from home_assistant.versions import Version

SAMPLE = PROJECT / "edged" / "cli" / "sample"
PERSON = "Eileen Collins"
DEVICE = "trial.pi"
"""With a dot, which Home Assistant's ids do not take."""

_AUTOMATIONS = """\
- id: told
  alias: told
  mode: queued
  trigger: [{platform: state, entity_id: event.porch_person, not_from: unavailable}]
  condition: "{{ trigger.to_state.attributes.event_type == 'known' }}"
  action:
    - service: mqtt.publish
      data: {topic: trial/told, payload: "{{ trigger.to_state.attributes.name }}"}
- id: blueprint
  alias: of the blueprint
  use_blueprint:
    path: edged/known-person.yaml
    input:
      person_event: event.porch_person
      names: [Eileen Collins]
      actions:
        - service: mqtt.publish
          data: {topic: trial/blueprint, payload: "{{ name }}"}
"""

_TRIGGERED = """\
- id: triggered
  alias: triggered
  mode: queued
  trigger: [{{platform: device, domain: mqtt, device_id: {device}, type: known, subtype: porch}}]
  action: [{{service: mqtt.publish, data: {{topic: trial/triggered, payload: known}}}}]
"""


@dataclass(slots=True)
class House:
    """What a trial works with."""

    folder: Path
    version: Version
    broker: Mosquitto
    home: HomeAssistant
    daemon: Daemon

    def configure(self, feeds: tuple[str, ...], form: str | None, image: str = "none") -> None:
        """Another configuration for the next start of the daemon."""
        self.daemon = Daemon(self.folder, settings(self.broker.port, feeds, form, image))

    def restart_daemon(self) -> None:
        """Stop it cleanly and start it again."""
        stop(self.daemon)
        self.daemon.start().wait_until_ready()

    def add_triggered(self) -> None:
        """An automation on the device's own trigger, whose id Home Assistant has made by now."""
        device = self.home.render("{{ device_id('binary_sensor.porch_occupancy') }}")
        with (self.home.folder / "automations.yaml").open("a") as file:
            file.write(_TRIGGERED.format(device=device))
        self.home.call("automation", "reload")


@contextlib.contextmanager
def a_house(folder: Path, version: Version) -> Iterator[House]:
    """Everything started, with one person enrolled."""
    with Mosquitto() as broker:
        daemon = Daemon(folder, settings(broker.port, ("porch", "yard"), version.form, "sent"))
        added = edged("identities", "add", PERSON, SAMPLE / "eileen-collins.jpg", "--config", daemon.config)
        if added.returncode != 0:
            raise SystemExit(added.stderr)
        home = HomeAssistant(
            version,
            folder / "home",
            broker_port=broker.port,
            automations=_AUTOMATIONS + automations(),
            blueprints={"edged/known-person.yaml": BLUEPRINT.read_text("utf-8")},
        )
        house = House(folder, version, broker, home, daemon)
        with home:
            home.start()
            daemon.start()
            try:
                yield house
            finally:
                house.daemon.kill()


def stop(daemon: Daemon) -> None:
    """End it, and see that it did so cleanly."""
    if daemon.stop() != 0:
        raise SystemExit(f"the daemon did not stop cleanly:\n{daemon.log_text()[-4000:]}")


def settings(broker_port: int, feeds: tuple[str, ...], form: str | None, image: str) -> dict[str, Any]:
    """The porch shows the sample clip again and again; the yard's camera does not answer."""
    sources = {
        "porch": {"type": "file", "path": str(SAMPLE / "scene.mp4"), "pace": "realtime", "loop": True},
        "yard": {"type": "rtsp", "url": f"rtsp://127.0.0.1:{free_port()}/none"},
    }
    sink: dict[str, Any] = {"type": "mqtt", "host": "127.0.0.1", "port": broker_port, "image": image}
    if form is not None:
        sink["home_assistant"] = {"form": form, "jitter": "0 s"}
    return {
        "device": DEVICE,
        "feeds": [{"id": feed, "source": sources[feed]} for feed in feeds],
        "presence": {"leave_after": "2 s"},
        "sinks": [sink],
    }
