"""Bad requests at a running daemon: the short form of `scripts/fuzz-api`."""

from api_trials.calls import NAMESPACE, SOMETHING, every_call
from api_trials.fuzzing import fuzz, serves_still
from bench.api import ApiDaemon, token_of
from bench.clips import pattern
from edged.api.operations import OPERATIONS

REQUESTS = 300


def test_bad_requests_are_refused_and_nothing_fails(tmp_path):
    source = {"type": "file", "path": str(pattern()), "pace": "realtime", "loop": True}
    config = {
        "feeds": [{"id": "hall", "source": source}],
        "sinks": [{"type": "file", "path": str(tmp_path / "told")}],
    }
    with ApiDaemon(tmp_path, config) as daemon:
        daemon.start().wait_until_ready()
        token = token_of(daemon.base)

        findings = fuzz(daemon.port, token, REQUESTS, seed=7)

        assert findings.faults == []
        assert findings.number == REQUESTS
        assert serves_still(daemon.base, token)
        assert daemon.stop(timeout_s=30) == 0, daemon.log_text()
        assert "Traceback" not in daemon.log_text()
        assert token not in daemon.log_text()


def test_every_call_of_the_api_is_among_those_that_are_spoiled():
    spoiled = {(call.method, call.path.partition("?")[0]) for call in every_call()}
    made = {(one.method, one.path.format(namespace=NAMESPACE, id=SOMETHING)) for one in OPERATIONS}
    assert made - spoiled == set()
