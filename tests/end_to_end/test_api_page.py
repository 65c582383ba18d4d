"""docs/api.md is true: its commands run in their order against a real daemon, and no call is missing."""

import contextlib
import os
import re
import subprocess

import pytest

from api_trials.published import DEPARTURES
from bench.api import EILEEN_AT_S, GRACE_AT_S, PORTRAIT, ApiDaemon, PictureServer, picture_at
from bench.clips import pattern
from bench.daemon import PROJECT, edged
from bench.require import require
from bench.webhook_receiver import WebhookReceiver
from edged.api.operations import OPERATIONS
from edged.api.problem import STATUS
from edged.settings.http import EVERY_SCOPE

PAGE = (PROJECT / "docs" / "api.md").read_text("utf-8")
COMMANDS = "\n".join(re.findall(r"^```bash\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
CURL = re.compile(r"\bcurl (?P<options>.*?)\"\$EDGED(?P<path>/[^\"?\s]*)")
FEEDS = """\
feeds: [{id: hall, source: {type: rtsp, url: "rtsp://camera.example/stream"}}]
sinks: [{type: console}]
"""


def called():
    """Method and path of every curl line, an id being whatever stands in its place."""
    calls = set()
    for found in CURL.finditer(COMMANDS.replace("\\\n", " ")):
        options = found["options"]
        method = re.search(r"-X (\w+)", options)
        guessed = "POST" if re.search(r"(^| )-d ", options) else "GET"
        path = re.sub(r"\$\(.*|\$\w+", "{id}", found["path"]).replace("/home", "/{namespace}")
        calls.add((method[1] if method else guessed, path))
    return calls


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_a_call_has_its_curl_line_and_its_place_in_a_table(operation):
    assert (operation.method, operation.path) in called()
    behind = "?namespace=" if operation.path.startswith("/v2/recognize") else ""
    row = next(line for line in PAGE.splitlines() if f"`{operation.method} {operation.path}{behind}`" in line)
    assert f"`{operation.scope}`" in row if operation.scope else "| none |" in row
    assert ("*ours*" in row) == operation.is_extension


def test_no_curl_line_is_of_a_call_that_is_not_there():
    others = {("GET", path) for path in ("/healthz", "/readyz", "/openapi.json", "/docs")}
    assert called() == {(operation.method, operation.path) for operation in OPERATIONS} | others


def test_every_error_has_its_row():
    rows = dict(re.findall(r"^\| (\d{3}) \| `(\w+)` \|", PAGE, re.MULTILINE))
    assert rows == {str(status): code.value for code, status in STATUS.items()}


def test_every_scope_is_named():
    assert [scope for scope in EVERY_SCOPE if scope not in PAGE] == []


@pytest.mark.parametrize("block", re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
def test_a_piece_of_configuration_can_be_used(block, tmp_path):
    clients = "  clients: [{id: integrator, secret: !secret integrator}]\n"
    whole = (
        block if "clients" in block or "http:" not in block else block.replace("http:\n", f"http:\n{clients}")
    )
    (tmp_path / "config.yaml").write_text(FEEDS + whole)

    checked = edged("config", "check", "--no-secrets", "--config", tmp_path / "config.yaml")

    assert checked.returncode == 0, checked.stderr


@pytest.mark.timeout(120)
def test_the_commands_of_the_page_run_in_their_order(tmp_path):
    bash, _ = require("bash", "bash"), require("curl", "curl")
    served = {"visitor.jpg": picture_at(GRACE_AT_S), "colleague.jpg": picture_at(EILEEN_AT_S)}
    (tmp_path / "portrait.jpg").write_bytes(PORTRAIT.read_bytes())
    source = {"type": "file", "path": str(pattern()), "pace": "realtime", "loop": True}
    config = {
        "feeds": [{"id": "hall", "source": source}],
        "sinks": [{"type": "file", "path": str(tmp_path / "told")}],
        "history": {"pictures": {"keep": True}},
    }
    with contextlib.ExitStack() as stack:
        pictures = stack.enter_context(PictureServer(served))
        receiver = stack.enter_context(WebhookReceiver(tls=False, secret=None))
        daemon = stack.enter_context(ApiDaemon(tmp_path, config))
        daemon.start().wait_until_ready()
        environment = {
            **os.environ,
            "EDGED": daemon.base,
            "PICTURES": pictures.base,
            "RECEIVER": f"http://127.0.0.1:{receiver.port}",
        }
        # A call that fails ends them; what it was answered is wanted then.
        commands = "set -euxo pipefail\n" + COMMANDS.replace("curl -sSf", "curl -sS --fail-with-body")

        done = subprocess.run(
            [bash, "-c", commands],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

        assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}\n{daemon.log_text()}"
        assert (tmp_path / "face.jpg").read_bytes().startswith(b"\xff\xd8")
        assert (tmp_path / "picture.jpg").read_bytes().startswith(b"\xff\xd8")
        assert {one.path for one in receiver.received} >= {"/visits"}
        assert daemon.stop() == 0, daemon.log_text()
        assert "Traceback" not in daemon.log_text()


def test_every_departure_from_the_published_description_is_told():
    rows = re.findall(r"^\| (.+?) \| (.+?) \|$", PAGE.partition("## What differs")[2], re.MULTILINE)
    assert [row for row in rows if row[0] not in {"changed", "---"}] == [
        (departure.what, departure.why) for departure in DEPARTURES
    ]
