from pathlib import Path

import yaml

from bench.checkout import ROOT
from edged.app.configuration import load
from edged.app.shown import shown
from edged.settings.feeds import Feed
from edged.settings.quantities import Secret
from edged.settings.root import Settings
from edged.settings.sinks import ConsoleSink, MqttSink
from edged.settings.sources import UsbSource

FEED = Feed(id="door", source=UsbSource())


def test_defaults_are_shown_in_the_words_of_the_file() -> None:
    values = yaml.safe_load(shown(Settings(feeds=(FEED,), sinks=(ConsoleSink(),))))
    assert values["outbox"] == {"max_age": "7 d", "max_bytes": "256 MB", "attempts": 1000}
    assert values["feeds"][0]["source"]["type"] == "usb"
    assert values["sinks"] == [
        {
            "type": "console",
            "id": None,
            "namespaces": [],
            "retry": {"first": "1 s", "most": "30 s"},
            "send": ["job"],
        }
    ]


def test_a_secret_is_shown_as_stars_and_its_name() -> None:
    sink = MqttSink(host="broker.example", username="edged", password=Secret("mqtt", "hunter2"))
    text = shown(Settings(feeds=(FEED,), sinks=(sink,)))
    assert yaml.safe_load(text)["sinks"][0]["password"] == "**** (mqtt)"
    assert "hunter2" not in text


def test_what_is_shown_reads_back_as_the_same_settings(tmp_path: Path) -> None:
    settings = load(ROOT / "config.example.yaml", with_secrets=False).settings
    path = tmp_path / "shown.yaml"
    path.write_text(shown(settings).replace("'**** (", "!secret '").replace(")'", "'"), encoding="utf-8")
    assert load(path, with_secrets=False).settings == settings
