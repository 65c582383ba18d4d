"""The file itself: whether it can be read at all, and the ways of YAML to say things."""

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from edged.app import yaml_source
from edged.app.configuration import load
from edged.app.yaml_source import UnreadableError, parse
from edged.domain.errors import ConfigurationError

MINIMAL = "feeds: [{id: door, source: {type: usb}}]\nsinks: [{type: console}]\n"


def refusal(path: Path) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load(path, environ={})
    assert "Traceback" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.yaml"


def test_a_missing_file_says_what_to_begin_with(file: Path) -> None:
    assert refusal(file) == (
        f"there is no configuration file {file}\n"
        "  begin with `config.example.yaml`, or name another file with `--config FILE`"
    )


def _a_folder(path: Path) -> None:
    path.mkdir()


def _a_pipe(path: Path) -> None:
    os.mkfifo(path)


def _bytes(content: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(content)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (_a_folder, "is not a file"),
        (_a_pipe, "is not a file"),
        (_bytes(b""), "is empty; `config.example.yaml` is one to begin with"),
        (_bytes(b"# nothing\n"), "is empty"),
        (_bytes(b"---\n...\n"), "has no value; must be a mapping"),
        (_bytes(b"just text"), "line 1: found `just text`; must be a mapping with `device`, `data_dir`"),
        (_bytes(b"- a\n- b\n"), "line 1: found a list; must be a mapping with"),
        (_bytes(b"a: 1\nb: \xff\n"), "line 2: is not UTF-8 text"),
        (_bytes(MINIMAL.encode("utf-16")), "is not UTF-8 text"),
        (_bytes(b"a: \0\n"), "control character"),
        (_bytes(b"x" * 1_000_001), "has more than 1000000 bytes"),
        (_bytes(b"a: 1\n\tb: 2\n"), "line 2: is indented with a tab; YAML wants spaces"),
        (_bytes(b"a:\n  b: 1\n c: 2\n"), "line 3: is no YAML: not indented like the lines around it"),
        (_bytes(b"a: b: c\n"), "line 1: is no YAML: a `:` where none can be"),
        (_bytes(b"a: 'b\n"), "is no YAML: a quote or bracket that is never closed"),
        (_bytes(b"a: [b\nc: d\n"), "is no YAML: a `[` that is never closed"),
        (_bytes(b"a: {b: 1\n"), "is no YAML: a `{` that is never closed"),
        (_bytes(b"a: - b\n  - c\n"), "is no YAML"),
        (_bytes(b"a: 1\n---\nb: 2\n"), "line 2: begins a second document"),
        (_bytes(b"? [a]\n: 1\n"), "line 1: a key must be plain text"),
        (_bytes(b"x: &a [1]\n*a : 1\n"), "line 1: a key must be plain text"),
        (_bytes(b"a: &a [*a]\n"), "line 1: text that begins with `*` needs quotes"),
        (_bytes(b"<<: 5\n"), "line 1: `<<` takes a mapping"),
        (_bytes(b"[" * 500_000), "line 1: is nested more than 32 levels deep"),
        (_bytes(b"- " * 400_000), "line 1: is nested more than 32 levels deep"),
    ],
)
def test_what_is_no_configuration_is_refused_in_words(
    file: Path, make: Callable[[Path], object], words: str
) -> None:
    make(file)
    assert words in refusal(file)


def test_an_unreadable_file_is_refused(file: Path) -> None:
    if os.geteuid() == 0:
        # Root may read all, except what loops.
        file.symlink_to(file)
    else:
        file.touch(mode=0o000)
    assert f"{file} cannot be read: " in refusal(file)


def test_the_pure_parser_says_the_same_of_common_slips(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # PyYAML without libyaml has its own words for each problem.
    monkeypatch.setattr(yaml_source, "_LOADER", yaml.SafeLoader)
    for text, words in [
        ("a: 1\n\tb: 2\n", "line 2: is indented with a tab; YAML wants spaces"),
        ("a:\n  b: 1\n c: 2\n", "line 3: is no YAML: not indented like the lines around it"),
        ("a: b: c\n", "line 1: is no YAML: a `:` where none can be"),
        ("a: 'b\n", "is no YAML: a quote or bracket that is never closed"),
        ("a: [b\nc: d\n", "is no YAML: a `[` that is never closed"),
        ("a: {b: 1\n", "is no YAML: a `{` that is never closed"),
        ("a: !x!hunter2 1\n", "is no YAML"),
        ("a: \x07\n", "control character"),
    ]:
        file.write_text(text, encoding="utf-8")
        said = refusal(file)
        assert words in said
        assert "hunter2" not in said
    file.write_text(MINIMAL, encoding="utf-8")
    load(file)


def test_a_byte_order_mark_is_no_mistake(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbf" + MINIMAL.replace("\n", "\r\n").encode())
    assert load(file).settings.feeds[0].id == "door"


def test_anchors_and_merged_keys_work_and_own_keys_win(file: Path) -> None:
    file.write_text("""\
feeds:
  - &camera
    id: a
    fps: 5
    rotate: 90
    source: &source {type: rtsp, url: "rtsp://camera.example/1", open_timeout: 1 s}
  - <<: *camera
    id: b
    fps: 7
    source:
      <<: [{transport: udp, open_timeout: 2 s}, *source]
      url: rtsp://camera.example/2
sinks: [{type: console}]
""")
    first, second = load(file).settings.feeds
    assert (second.id, second.fps, second.rotate) == ("b", 7.0, 90)
    assert (second.source.url, second.source.transport) == ("rtsp://camera.example/2", "udp")  # type: ignore[union-attr]
    assert (first.source.open_timeout, second.source.open_timeout) == (1.0, 2.0)  # type: ignore[union-attr]


def test_a_mistake_in_merged_keys_is_told_where_it_stands(file: Path) -> None:
    file.write_text("""\
feeds:
  - &camera
    id: a
    fps: 500
    source: {type: usb}
  - <<: *camera
    id: b
sinks: [{type: console}]
""")
    said = refusal(file)
    assert "line 4, feeds[0].fps" in said
    assert "line 4, feeds[1].fps" in said


def test_aliases_cannot_ask_for_billions(file: Path) -> None:
    lists = "x0: &x0 [" + ", ".join(["a"] * 100) + "]\n"
    source = '&s {type: rtsp, url: "rtsp://camera.example/1", ffmpeg_input: *x0}'
    feeds = f"feeds: [{{id: a, source: {source}}}" + ", {id: a, source: *s}" * 20_000 + "]\n"
    file.write_text(lists + feeds)
    assert "the file holds more than 20000 values" in refusal(file)


def test_merged_keys_cannot_ask_for_billions(file: Path) -> None:
    keys = ", ".join(f"k{number}: 1" for number in range(1000))
    file.write_text(f"a: &a {{{keys}}}\nb: {{<<: [{', '.join(['*a'] * 1000)}]}}\n")
    assert "`<<` brings more than 10000 keys together" in refusal(file)


@given(st.text(max_size=200))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    with suppress(UnreadableError):
        parse(text)


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.sampled_from(["feeds", "sinks", "id", "source", "type", "url", "log"]), inner),
    max_leaves=20,
))  # fmt: skip
def test_any_yaml_is_settings_or_refused(tmp_path_factory: pytest.TempPathFactory, value: object) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(yaml.safe_dump(value), encoding="utf-8")
    with pytest.raises(ConfigurationError):
        load(path)


def test_reading_the_configuration_imports_nothing_heavy() -> None:
    # What was there before is not ours: measuring coverage brings sqlite3.
    script = (
        "import sys; before = {*sys.modules}; import edged.app.configuration; print(*{*sys.modules} - before)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    heavy = {"cv2", "numpy", "sqlite3", "sqlite_utils", "paho", "urllib3", "asyncio"}
    assert heavy & set(done.stdout.split()) == set()
