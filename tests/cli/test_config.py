import json
from pathlib import Path

import pytest
import yaml

from edged.cli.main import main

CONFIG = """\
feeds: [{id: door, source: {type: usb}}]
sinks: [{type: mqtt, host: broker.example, username: edged, password: !secret mqtt}]
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("CREDENTIALS_DIRECTORY", "EDGED_CONFIG", "EDGED_SECRET_MQTT"):
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG)
    return path


def test_check_says_that_a_file_is_right(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EDGED_SECRET_MQTT", "hunter2")
    assert main(["config", "check", str(config)]) == 0
    assert capsys.readouterr() == (f"{config} is right: 1 feed, 1 sink\n", "")


def test_check_tells_all_mistakes_and_ends_with_78(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text(CONFIG + "lgo: {}\n")
    assert main(["config", "check", str(config)]) == 78
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(
        f"edged: {config} has 2 mistakes:\n  line 2, sinks[0].password: secret `mqtt` is nowhere\n"
    )
    assert err.endswith("  line 3, lgo: is no key here; did you mean `log`?\n")


def test_check_can_leave_secrets_alone(config: Path) -> None:
    assert main(["config", "check", "--no-secrets", str(config)]) == 0


def test_check_voices_doubts(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text(CONFIG.replace("host:", "namespaces: [hmoe], host:"))
    assert main(["config", "check", "--no-secrets", str(config)]) == 0
    assert "is this meant? sinks[0].namespaces: no feed has the namespace `hmoe`" in capsys.readouterr().err


def test_show_prints_yaml_with_stars_and_needs_no_secret(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["config", "show", "--config", str(config)]) == 0
    values = yaml.safe_load(capsys.readouterr().out)
    assert values["sinks"][0]["password"] == "**** (mqtt)"
    assert values["sightings"]["close_after"] == "3 s"


def test_the_file_may_be_named_by_the_environment(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EDGED_CONFIG", str(config))
    assert main(["config", "show"]) == 0
    assert yaml.safe_load(capsys.readouterr().out)["feeds"][0]["id"] == "door"


def test_a_missing_file_ends_with_78(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "show", str(tmp_path / "none.yaml")]) == 78
    assert "there is no configuration file" in capsys.readouterr().err


def test_schema_prints_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
