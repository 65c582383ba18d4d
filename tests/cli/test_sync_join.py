"""`edged sync join` where it does not come to an end: what is wrong is said."""

import pytest

from bench.mosquitto import IS_INSTALLED, WHY_NOT, Mosquitto, free_port
from edged.cli.main import main
from edged.replication.invitation import Invitation
from edged.system.clock import SystemClock


@pytest.fixture
def join(tmp_path, capsys):
    """Joins over the broker at a port, for a moment: code and what it said of errors."""

    def run(port):
        config = tmp_path / "config.yaml"
        config.write_text(
            f"feeds: []\ndevice: porch\ndata_dir: {tmp_path / 'data'}\n"
            f"sinks: [{{type: mqtt, host: 127.0.0.1, port: {port}, retry: {{first: 100 ms}}}}]\n"
        )
        later_ms = SystemClock().moment().utc_ms + 600_000
        code = Invitation("home", b"a" * 32, b"s" * 16, later_ms).code()
        words = ["sync", "join", code, "--wait", "900 ms", "--config", str(config)]
        return main(words), capsys.readouterr().err

    return run


def test_a_broker_that_is_not_there_is_said(join):
    port = free_port()
    code, said = join(port)

    assert code == 75
    assert f"not there yet: not connected to 127.0.0.1:{port}" in said
    assert "`edged sync status` says how far it is" in said


@pytest.mark.skipif(not IS_INSTALLED, reason=WHY_NOT)
def test_a_topic_that_the_access_list_keeps_from_it_is_said(join):
    with Mosquitto(acl=["topic read edged/#"], persistence=False) as broker:
        code, said = join(broker.port)

    assert code == 75
    assert "the broker does not let it write edged/device/porch/sync/home/join" in said
