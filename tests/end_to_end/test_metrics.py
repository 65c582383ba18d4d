"""The figures of a real daemon, as Prometheus reads them; and the pages that tell of them."""

import json
import re
import subprocess
import urllib.request
from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from bench.api import PORTRAIT, SCENE, ApiDaemon, token_of
from bench.checkout import ROOT
from bench.daemon import edged, eventually, secret
from bench.mosquitto import free_port

NAME = "Zaphod Beeblebrox"
CUSTOM_ID = "zaphod-of-betelgeuse"
TOKEN = "for-prometheus-alone"

WITH_SENSORS_ONLY = {"edged_temperature_celsius"}
AT_THE_START_OF_THE_PROCESS = re.compile(r"^(process|python)_")

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiDaemon]:
    """A daemon that knows the person in its clip, and whose broker is not there."""
    folder = tmp_path_factory.mktemp("metrics")
    clip = folder / "clip.mp4"
    cutting = ["-ss", "6", "-t", "4", "-i", SCENE, "-c:v", "libx264", "-preset", "ultrafast", clip]
    subprocess.run(["ffmpeg", "-v", "error", *cutting], check=True)
    source = {"type": "file", "path": str(clip), "pace": "realtime", "loop": True}
    settings = {
        "feeds": [{"id": "hall", "source": source}],
        "sinks": [
            {"type": "file", "path": str(folder / "told")},
            {"type": "mqtt", "host": "127.0.0.1", "port": free_port(), "recognize": True},
        ],
        "http": {"metrics": {"token": secret("prometheus")}},
    }
    running = ApiDaemon(folder, settings, secrets={"prometheus": TOKEN})
    enrolling = [
        "identities",
        "add",
        NAME,
        PORTRAIT,
        "--custom-id",
        CUSTOM_ID,
        "--data-dir",
        running.data_dir,
    ]
    done = edged(*enrolling)
    assert done.returncode == 0, done.stderr
    with running:
        running.start().wait_until_ready()
        yield running


def _text(daemon: ApiDaemon) -> str:
    request = urllib.request.Request(f"{daemon.base}/metrics", headers={"authorization": f"Bearer {TOKEN}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return str(answer.read().decode())


def _samples(text: str) -> Samples:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.fixture(scope="module")
def scrapes(daemon: ApiDaemon) -> tuple[str, str]:
    """The figures at first, and when somebody was recognised and a client was served."""
    first = _text(daemon)
    token_of(daemon.base)
    eventually(lambda: _has_gone_on(_samples(_text(daemon))), 60, daemon.log_text)
    return first, _text(daemon)


def _has_gone_on(samples: Samples) -> bool:
    hall = ("feed", "hall")
    known = samples.get(("edged_decisions_total", (hall, ("verdict", "known"))), 0)
    return known > 0 and samples["edged_feed_frames_looked_at_total", (hall,)] > 9


def _families(text: str) -> dict[str, str]:
    return {
        # The library's parser leaves `_total` out of a counter's name; Prometheus and our page do not.
        family.name + ("_total" if family.type == "counter" else ""): family.type
        for family in text_string_to_metric_families(text)
        if not AT_THE_START_OF_THE_PROCESS.match(family.name)
    }


def _described() -> set[str]:
    page = (ROOT / "docs" / "metrics.md").read_text("utf-8")
    return set(re.findall(r"^\| `(edged_[a-z_]+)", page, re.MULTILINE))


def _with_sync_only() -> set[str]:
    """Of a daemon that syncs a namespace; tests/app/test_metrics_sync.py has them scraped."""
    return {name for name in _described() if name.startswith("edged_sync_")}


def test_every_metric_is_on_its_page_and_no_other(scrapes: tuple[str, str]) -> None:
    described = _described() - _with_sync_only()

    assert described - WITH_SENSORS_ONLY == set(_families(scrapes[1])) - WITH_SENSORS_ONLY


def test_nothing_in_the_figures_says_who_was_seen(daemon: ApiDaemon, scrapes: tuple[str, str]) -> None:
    listed = edged("identities", "list", "--json", "--data-dir", daemon.data_dir)
    identity = json.loads(listed.stdout)
    ids = re.findall(r"[0-9a-f]{8}-[0-9a-f-]{27}", json.dumps(identity))
    assert ids
    told = (daemon.folder / "told").read_text()
    assert NAME in told

    for text in scrapes:
        for word in (NAME, "Zaphod", CUSTOM_ID, *ids, *re.findall(r"[0-9a-f]{8}-[0-9a-f-]{27}", told)):
            assert word not in text


def test_counters_do_not_go_down(scrapes: tuple[str, str]) -> None:
    first, second = map(_samples, scrapes)

    falling = [
        key
        for key, value in first.items()
        if key[0].endswith(("_total", "_bucket", "_count", "_sum")) and second.get(key, -1) < value
    ]
    assert falling == []
    captured = ("edged_feed_frames_captured_total", (("feed", "hall"),))
    assert second[captured] > first[captured]


def test_what_happens_is_in_the_figures(scrapes: tuple[str, str]) -> None:
    samples = _samples(scrapes[1])

    def figure(name: str, **labels: str) -> float:
        return samples[f"edged_{name}", tuple(sorted(labels.items()))]

    assert figure("feed_state", feed="hall", state="capturing") == 1
    assert figure("feed_state", feed="hall", state="silent") == 0
    assert figure("people", namespace="home") == 1
    assert figure("http_requests_total", operation="token", status="200") == 1
    assert figure("outbox_waiting", sink="mqtt") > 0
    assert figure("outbox_oldest_age_seconds", sink="mqtt") > 0
    assert figure("sink_connected", sink="mqtt") == 0
    assert figure("sink_tries_total", sink="file", fate="delivered") > 0
    assert figure("store_bytes", store="namespace", namespace="home") > 0
    assert figure("progress") == 1
    looked = figure("feed_frames_looked_at_total", feed="hall")
    for stage in ("decode", "wait", "gate", "frame"):
        assert abs(figure("stage_seconds_count", stage=stage) - looked) <= 3
    for stage in ("detect", "landmarks", "embed", "decide", "commit", "capture_to_told"):
        assert 0 < figure("stage_seconds_count", stage=stage) <= looked
        assert figure("stage_seconds_sum", stage=stage) > 0


def test_histograms_hold_together(scrapes: tuple[str, str]) -> None:
    for family in text_string_to_metric_families(scrapes[1]):
        if family.type != "histogram":
            continue
        for stage in {sample.labels["stage"] for sample in family.samples}:
            of_stage = [one for one in family.samples if one.labels["stage"] == stage]
            buckets = [one.value for one in of_stage if one.name.endswith("_bucket")]
            (count,) = [one.value for one in of_stage if one.name.endswith("_count")]
            assert buckets == sorted(buckets)
            assert buckets[-1] == count


def test_the_dashboard_and_the_alerts_ask_for_nothing_else(scrapes: tuple[str, str]) -> None:
    known = {sample for sample, _ in _samples(scrapes[1])} | set(_families(scrapes[1])) | WITH_SENSORS_ONLY
    known |= {"process_cpu_seconds_total", "process_resident_memory_bytes", "process_start_time_seconds"}
    known |= {"process_open_fds"} | _with_sync_only()
    folder = ROOT / "docs" / "grafana"
    board = json.loads((folder / "edged.json").read_text("utf-8"))
    asked = [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]
    asked += [
        variable["query"]["query"] for variable in board["templating"]["list"] if variable["type"] == "query"
    ]
    asked += re.findall(r"^\s*expr: (.*)$", (folder / "alerts.yaml").read_text("utf-8"), re.MULTILINE)

    assert len(asked) > 20
    for expression in asked:
        names = set(re.findall(r"\b(?:edged|process)_[a-z_]+", expression))
        assert names, expression
        assert names <= known, expression
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    assert board["uid"]
