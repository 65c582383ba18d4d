"""Values of the configuration file: what is taken, and what each mistake says."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edged.app.configuration import Loaded, load
from edged.domain.errors import ConfigurationError
from edged.settings.feeds import Crop
from edged.settings.quantities import Duration, Secret, Size
from edged.settings.sinks import ConsoleSink, MqttTls
from edged.settings.sources import FileSource, RtspSource

MINIMAL = """\
feeds:
  - id: door
    source: {type: file, path: clip.mp4}
sinks:
  - type: console
"""

Load = Callable[..., Loaded]


@pytest.fixture
def load_text(tmp_path: Path) -> Load:
    def load_text(text: str, **options: Any) -> Loaded:
        path = tmp_path / "config.yaml"
        path.write_text(text, encoding="utf-8")
        return load(path, **{"environ": {}, **options})

    return load_text


def mistakes(load_text: Load, text: str, **options: Any) -> list[str]:
    """The lines of the refusal, without its head."""
    with pytest.raises(ConfigurationError) as caught:
        load_text(text, **options)
    assert caught.value.exit_code == 78
    return [line.strip() for line in str(caught.value).splitlines()[1:]]


def mistake(load_text: Load, text: str, **options: Any) -> str:
    found = mistakes(load_text, text, **options)
    assert len(found) == 1, found
    return found[0]


def test_a_small_file_gets_every_default(load_text: Load, tmp_path: Path) -> None:
    loaded = load_text(MINIMAL)
    (feed,) = loaded.settings.feeds
    assert feed.source == FileSource(path="clip.mp4")
    assert (feed.namespace, feed.fps, feed.retry.most) == ("home", 10.0, Duration(30))
    assert loaded.settings.sinks == (ConsoleSink(),)
    assert (loaded.base_dir, loaded.resolved("clip.mp4")) == (tmp_path, tmp_path / "clip.mp4")
    assert loaded.resolved("/elsewhere/clip.mp4") == Path("/elsewhere/clip.mp4")


def test_values_become_what_their_keys_hold(load_text: Load) -> None:
    text = """\
feeds:
  - id: door
    fps: 1.5e1
    rotate: 270
    crop: {x_min: .25, x_max: 1}
    health: {frozen_after: null, one_colour_after: ~}
    source:
      type: rtsp
      url: "rtsp://camera.example/stream?channel=1"
      backend: ffmpeg
      ffmpeg_input: ["-hwaccel", "drm"]
      open_timeout: 500 ms
sinks:
  - type: mqtt
    host: broker.example
    protocol: "5"
    tls: {}
outbox: {max_bytes: 1 GiB}
motion: {enabled: off}
"""
    settings = load_text(text).settings
    (feed,) = settings.feeds
    assert (feed.fps, feed.rotate, feed.crop) == (15.0, 270, Crop(x_min=0.25))
    assert (feed.health.frozen_after, feed.health.one_colour_after) == (None, None)
    assert isinstance(feed.source, RtspSource)
    assert feed.source.ffmpeg_input == ("-hwaccel", "drm")
    assert feed.source.open_timeout == Duration(0.5)
    assert (settings.sinks[0].protocol, settings.sinks[0].tls) == ("5", MqttTls())  # type: ignore[union-attr]
    assert (settings.outbox.max_bytes, settings.motion.enabled) == (Size(2**30), False)


def test_all_mistakes_are_told_at_once_in_the_order_of_their_lines(load_text: Load) -> None:
    text = """\
device: 1
log: {level: verbose}
feds: []
feeds:
  - id: front door
    source: {type: rtps}
  - id: gate
    retry: {first: 40 s, most: 30 s}
    source: {type: rtsp, url: cam, open_timeout: 5}
sinks:
  - type: console
  - type: console
outbox: {attempts: 0}
"""
    assert mistakes(load_text, text) == [
        'line 1, device: found `1`, which YAML does not take for text; write `"1"`',
        "line 2, log.level: found `verbose`; must be one of `debug`, `info`, `warning`, `error`",
        "line 3, feds: is no key here; did you mean `feeds`?",
        "line 5, feeds[0].id: found `front door`; must be 1 to 64 characters out of `A-Za-z0-9_.-`",
        (
            "line 6, feeds[0].source.type: found `rtps`; must be one of"
            " `rtsp`, `http`, `snapshot`, `usb`, `csi`, `file`, `images`; did you mean `rtsp`?"
        ),
        "line 8, feeds[1].retry.first: is 40 s, and must be at most `most`, which is 30 s",
        (
            "line 9, feeds[1].source.open_timeout: found `5`; must be a duration from 100 ms to 2 min:"
            " write a number and a unit, like `10 s` (units: ms, s, min, h, d)"
        ),
        (
            "line 9, feeds[1].source.url: found `cam`; must be an `rtsp://` or `rtsps://` address"
            " without user and password, which go into `username: NAME` and `password: !secret NAME`"
        ),
        "line 12, sinks[1].id: is `console` like that of sinks[0]; give each its own",
        "line 13, outbox.attempts: found `0`; must be a whole number from 1 to 100000",
    ]


def test_the_number_of_mistakes_is_said_and_what_is_told_is_bounded(load_text: Load) -> None:
    text = MINIMAL + "".join(f"key{number}: 1\n" for number in range(200))
    with pytest.raises(ConfigurationError) as caught:
        load_text(text)
    lines = str(caught.value).splitlines()
    assert lines[0].endswith("config.yaml has 200 mistakes:")
    assert lines[-1] == "  and 150 more"
    assert len(lines) == 52


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("device: no", 'found `no`, which YAML reads as false; write `"no"`'),
        ("device: on", 'found `on`, which YAML reads as true; write `"on"`'),
        ("device: 12:30:45", "which YAML does not take for text"),
        ("device: null", None),
        ("device: ~", None),
        ("device:", "has no value; must be 1 to 64 characters"),
        ("device: ''", "found ``; must be 1 to 64 characters"),
        ("device: [a]", "found a list; must be 1 to 64"),
        ("device: {a: b}", "found a mapping; must be 1 to 64"),
        ("device: 'no'", None),
        ("device: !!str 5", None),
        ("device: 2024-01-01", None),
        ("device: !secret name", "is no secret: write the value itself"),
        ("log: null", "found `null`; must be a mapping"),
        ("log:", "has no value; must be a mapping"),
        ("log: info", "found `info`; must be a mapping with `level`, `format`"),
        ("log: {level: INFO}", "did you mean `info`?"),
        ("log: {level: yes}", "found `yes`, which YAML reads as true; must be one of"),
        (
            "models: {threads: 1:30}",
            "found `1:30`; must be a whole number from 1 to 16, in plain decimal digits",
        ),
        ("models: {threads: 010}", "in plain decimal digits"),
        ("models: {threads: 0x10}", "in plain decimal digits"),
        ("models: {threads: 1_0}", "in plain decimal digits"),
        ("models: {threads: 2.0}", "in plain decimal digits"),
        ("models: {threads: '2'}", "found `2`; must be a whole number from 1 to 16, without quotes"),
        ("models: {threads: 17}", "found `17`; must be a whole number from 1 to 16"),
        ("models: {threads: two}", "found `two`; must be a whole number"),
        (f"models: {{threads: {'9' * 5000}}}", "must be a whole number from 1 to 16"),
        ("motion: {open_at: .inf}", "found `.inf`; must be a number above 0 and at most 1"),
        ("motion: {open_at: .nan}", "found `.nan`; must be"),
        ("motion: {open_at: 1e999}", "must be a number above 0"),
        ("motion: {open_at: 0}", "found `0`; must be a number above 0 and at most 1"),
        ("motion: {enabled: 1}", "found `1`; must be `true` or `false`"),
        ("motion: {enabled: 'true'}", "must be `true` or `false`, without quotes"),
        ("motion: {hold: 2}", "write a number and a unit, like `10 s`"),
        ("motion: {hold: 2 hours}", "(units: ms, s, min, h, d)"),
        ("motion: {hold: 2 h}", "found `2 h`; must be a duration from 0 s to 1 h"),
        ("motion: {hold: {s: 2}}", "found a mapping; must be a duration from 0 s to 1 h"),
        ("outbox: {max_bytes: 1 kB}", "found `1 kB`; must be a size from 1 MB to 100 GB"),
        ("recognition: {false_accept: 1 in 5}", "must be a share of tracks from 1 in 10_000_000 to 1 in 10"),
        ("recognition: {false_accept: 0.001}", "write like `1 in 10_000 tracks`, or a level (relaxed,"),
        ("recognition: {false_accept: 1 in 0}", "write like `1 in 10_000 tracks`"),
        ('data_dir: "a\\nb"', "without line breaks and control characters"),
        ('data_dir: "a\\0b"', "without line breaks and control characters"),
        (f"device: {'x' * 100}", f"found `{'x' * 39}…`"),
        ("device: Türe", "found `Türe`; must be 1 to 64 characters"),
        ("fps: 5", "is no key here; it belongs inside `feeds`"),
        ("zzzzzz: 5", "is no key here; the keys here are `device`, `data_dir`,"),
        ("Log: {}", "is no key here; did you mean `log`?"),
        ("log: {level: info, level: debug}", "is given twice, first in line 1"),
    ],
)
def test_a_value_is_taken_or_told_with_what_would_be_right(
    load_text: Load, line: str, words: str | None
) -> None:
    text = f"{line}\n{MINIMAL}"
    if words is None:
        load_text(text)
    else:
        told = mistake(load_text, text)
        assert told.startswith("line 1, ")
        assert words in told


@pytest.mark.parametrize(
    ("feeds", "words"),
    [
        ("door", "feeds: found `door`; must be a list, each item a mapping"),
        ("[door]", "feeds[0]: found `door`; must be a mapping with `id`, `namespace`,"),
        ("[{id: door}]", "feeds[0].source: is missing: Where its frames come from."),
        ("[{id: door, source: {}}]", "feeds[0].source.type: is missing; one of `rtsp`, `http`,"),
        ("[{id: door, source: {type: [rtsp]}}]", "feeds[0].source.type: found a list; must be one of"),
        (
            "[{id: door, source: rtsp}]",
            "feeds[0].source: found `rtsp`; must be a mapping with `type`: one of",
        ),
        ("[{id: door, source: {type: rtsp}}]", "feeds[0].source.url: is missing: Address of the stream."),
        ("[{id: door, source: {type: usb, tpye: usb}}]", "feeds[0].source.tpye: is no key here"),
        ("[{id: door, rotate: 45, source: {type: usb}}]", "must be one of `0`, `90`, `180`, `270`"),
        ("[{id: door, rotate: '90', source: {type: usb}}]", "feeds[0].rotate: found `90`; must be one of"),
        ("[{id: door, namespace: sync, source: {type: usb}}]", "and neither `device` nor `sync`"),
        (
            "[{id: a, source: {type: usb}}, 5, {id: a, source: {type: rtsp}}]",
            "feeds[2].id: is `a` like that of feeds[0]",
        ),
    ],
)
def test_a_feed_is_told_with_its_place(load_text: Load, feeds: str, words: str) -> None:
    told = mistakes(load_text, f"feeds: {feeds}\nsinks: [{{type: console}}]\n")
    assert any(words in each for each in told), told


def test_a_sink_is_told_apart_from_another_by_its_type_or_its_id(load_text: Load) -> None:
    sinks = "sinks: [{type: console}, {type: console, id: other}, {type: file, path: a, id: console}]\n"
    text = MINIMAL.partition("sinks:")[0] + sinks
    assert "sinks[2].id: is `console` like that of sinks[0]" in mistake(load_text, text)


@pytest.mark.parametrize(
    "host", ["broker", "broker.example", "192.0.2.1", "2001:db8::1", "fe80::1%eth0", "Büro"]
)
def test_a_host_is_a_name_or_an_address(load_text: Load, host: str) -> None:
    settings = load_text(MINIMAL + f"  - {{type: mqtt, host: '{host}'}}\n").settings
    assert settings.sinks[1].host == host  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "host", ["broker:1883", "mqtt://broker", "edged:hunter2@broker", "a b", "[::1]", "a/b"]
)
def test_a_host_is_nothing_more(load_text: Load, host: str) -> None:
    told = mistake(load_text, MINIMAL + f"  - {{type: mqtt, host: '{host}'}}\n")
    assert "must be the name or address of a host, without port, user or scheme" in told
    assert "hunter2" not in told


def test_a_protocol_needs_its_quotes(load_text: Load) -> None:
    text = MINIMAL + "  - {type: mqtt, host: broker.example, protocol: 5}\n"
    assert mistake(load_text, text).endswith(': write `"5"`')


def test_tls_with_all_its_keys_commented_out_is_no_plain_connection(load_text: Load) -> None:
    text = MINIMAL + "  - type: mqtt\n    host: broker.example\n    tls:\n      #ca_file: ca.pem\n"
    assert "sinks[1].tls: has no value; must be a mapping, or write `null` for none" in mistake(
        load_text, text
    )


def test_what_is_most_likely_not_meant_is_a_doubt(load_text: Load) -> None:
    loaded = load_text(MINIMAL + "    namespaces: [hmoe]\n")
    assert loaded.doubts == ("sinks[0].namespaces: no feed has the namespace `hmoe`",)


SECRETIVE = """\
feeds:
  - id: door
    source: {type: rtsp, url: "rtsp://camera.example/1", username: edged, password: !secret camera}
sinks:
  - {type: mqtt, host: broker.example, username: edged, password: !secret mqtt}
"""


def test_secrets_are_looked_up_beside_the_file_and_in_the_environment(
    load_text: Load, tmp_path: Path
) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "camera").write_text("hunter2\n")
    (tmp_path / "secrets" / "camera").chmod(0o600)
    settings = load_text(SECRETIVE, environ={"EDGED_SECRET_MQTT": "hunter3"}).settings
    assert settings.feeds[0].source.password == Secret("camera", "hunter2")  # type: ignore[union-attr]
    assert settings.sinks[0].password == Secret("mqtt", "hunter3")  # type: ignore[union-attr]
    assert "hunter" not in repr(settings)


def test_missing_secrets_are_mistakes_like_others(load_text: Load) -> None:
    told = mistakes(load_text, SECRETIVE + "log: {level: loud}\n")
    assert told[0] == "line 3, feeds[0].source.password: secret `camera` is nowhere"
    assert told[1].startswith("looked in: no systemd credentials here, the file ")
    assert told[2] == "line 5, sinks[0].password: secret `mqtt` is nowhere"
    assert told[4].startswith("line 6, log.level")


def test_whoever_needs_no_secrets_gets_the_settings_without_them(load_text: Load) -> None:
    password = load_text(SECRETIVE, with_secrets=False).settings.sinks[0].password  # type: ignore[union-attr]
    assert password == Secret("mqtt")
    with pytest.raises(ConfigurationError, match="not looked up"):
        password.reveal()


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("password: hunter2", "a secret does not belong in this file; write `!secret NAME` here"),
        ("password: 'hunter2'", "a secret does not belong in this file"),
        ("password: [hunter2]", "a secret does not belong in this file"),
        ("password: {hunter2: 1}", "a secret does not belong in this file"),
        ("password: !secret 'hunter2 !'", "this is no name of a secret"),
        ("password: !hunter2", "has an unknown tag"),
        ("password: !hunter2 a", "has an unknown tag"),
        ("password: *hunter2", "needs quotes"),
        ("password: '%hunter2", "is no YAML"),
        ("password: %hunter2", "needs quotes"),
        ("password: @hunter2", "needs quotes"),
        ("password: hunter2: x", "is no YAML"),
        ("password: [hunter2", "is no YAML"),
        ("password: !!python/object:hunter2 x", "has an unknown tag"),
        ("password: !secret [hunter2]", "takes no tag"),
        ("rtsp://edged:hunter2@camera.example/1", "is no key here"),
        ("url: rtsp://edged:hunter2@camera.example/1", "address without user and password"),
        ("url: rtsp://edged:hun/hunter2@camera.example/1", "address without user and password"),
        ("url: http://edged:hunter2@camera.example/1", "address without user and password"),
        ("url: edged:hunter2@camera.example/1", "found an address with an `@`"),
        ("url: edged:hunter2@rtsp://camera.example/1", "found an address with an `@`"),
        ("url: [rtsp://edged:hunter2@camera.example/1]", "found a list"),
        ("transport: rtsp://edged:hunter2@camera.example/1", "found `rtsp://…`"),
        (
            "rtsp://edged:hunter2@camera.example/1: 1, rtsp://edged:hunter2@camera.example/1: 2",
            "is given twice",
        ),
    ],
)
def test_a_password_in_the_file_is_refused_and_never_repeated(
    load_text: Load, source: str, words: str
) -> None:
    text = f"""\
feeds:
  - id: door
    source: {{type: rtsp, username: edged, {source} }}
sinks: [{{type: console}}]
"""
    told = mistakes(load_text, text)
    assert any(words in each for each in told), told
    assert not re.search("hunter", " ".join(told))
