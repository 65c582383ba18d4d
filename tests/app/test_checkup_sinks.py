"""The doctor at a real broker whose access list lets each user do something else."""

import subprocess
from datetime import UTC, datetime, timedelta

import pytest
import trustme

from bench.mosquitto import IS_INSTALLED, WHY_NOT, Mosquitto, Subscriber, free_port
from bench.webhook_receiver import WebhookReceiver
from builders.doctor import a_configuration, by_name, examined
from edged.app.checkup.certificates import certificate_doubt, own_certificate_end
from edged.app.checkup.finding import Health
from edged.domain.errors import ConfigurationError
from edged.settings.http import HttpTls

pytestmark = pytest.mark.skipif(not IS_INSTALLED, reason=WHY_NOT)

USERS = {"all": "pw", "writer": "pw", "reader": "pw", "lodger": "pw"}
ACL = [
    "pattern readwrite test/#",
    *("user all", "topic readwrite edged/#"),
    *("user writer", "topic write edged/device/bench/#", "topic write edged/home/hall/#"),
    *("user reader", "topic read edged/#"),
    *("user lodger", "topic readwrite edged/device/bench/#"),
]
OWN = "edged/device/bench/doctor"
FEED = "edged/home/hall/doctor"
VERSIONS = ["5", "3.1.1"]


@pytest.fixture(scope="module")
def broker():
    with Mosquitto(users=USERS, acl=ACL, persistence=False) as running:
        yield running


def asked(folder, broker, user, protocol):
    secrets = folder / "secrets"
    secrets.mkdir(exist_ok=True)
    (secrets / "pw").write_text("pw")
    (secrets / "pw").chmod(0o600)
    sink = {"type": "mqtt", "host": "127.0.0.1", "port": broker.port, "username": user, "protocol": protocol}
    config = a_configuration(folder, sinks=[sink])
    login = f"username: {user}"
    config.write_text(config.read_text().replace(login, f"{login}\n  password: !secret pw"))
    _, findings = examined(config, "sinks")
    return findings


@pytest.mark.parametrize("protocol", VERSIONS)
def test_a_user_who_may_do_everything_gets_the_round_trip_told(tmp_path, broker, protocol):
    found = by_name(asked(tmp_path, broker, "all", protocol))

    assert found["sink mqtt"].health is Health.WELL
    assert f"MQTT {protocol}, round trip " in found["sink mqtt"].seen
    assert found["access mqtt"].health is Health.WELL
    assert OWN in found["access mqtt"].seen
    assert FEED in found["access mqtt"].seen


def test_on_mqtt_5_who_may_not_write_is_told_by_the_broker_itself(tmp_path, broker):
    findings = asked(tmp_path, broker, "reader", "5")

    refused = [one for one in findings if "is refused: not authorized" in one.seen]
    assert [one.health for one in refused] == [Health.ILL, Health.DOUBTFUL]
    assert OWN in refused[0].seen
    assert FEED in refused[1].seen


@pytest.mark.parametrize("user", ["reader", "writer"])
def test_on_mqtt_3_a_silent_refusal_is_noticed_because_nothing_comes_back(tmp_path, broker, user):
    found = by_name(asked(tmp_path, broker, user, "3.1.1"))

    assert found["access mqtt"].health is Health.DOUBTFUL
    assert f"{OWN}, {FEED} did not come back" in found["access mqtt"].seen


def test_on_mqtt_5_writing_without_reading_is_told_apart(tmp_path, broker):
    found = by_name(asked(tmp_path, broker, "writer", "5"))

    assert found["access mqtt"].health is Health.DOUBTFUL
    assert "is allowed, reading is not" in found["access mqtt"].seen


@pytest.mark.parametrize("protocol", VERSIONS)
def test_an_access_list_that_forgets_the_feed_is_noticed(tmp_path, broker, protocol):
    findings = [one for one in asked(tmp_path, broker, "lodger", protocol) if one.what == "access mqtt"]

    assert [one.health for one in findings] == [Health.DOUBTFUL]
    assert FEED in findings[0].seen
    assert OWN not in findings[0].seen


def test_nothing_but_the_doctors_own_topics_is_written_to_and_nothing_is_left(tmp_path, broker):
    with Subscriber(broker, "edged/#", user="all") as subscriber:
        asked(tmp_path, broker, "all", "5")
        subscriber.wait_for(2, "/doctor")
        assert {one.topic for one in subscriber.heard} == {OWN, FEED}
    with Subscriber(broker, "edged/#", user="all") as later:
        assert [one for one in later.heard if one.topic.endswith("/doctor")] == []


def test_what_the_broker_keeps_of_the_daemon_is_told_and_a_double_is_suspected(tmp_path, broker):
    state = '{"capturing":true,"state":"capturing","fps":9.5,"decoder":"ffmpeg h264 (native)"}'
    kept = {"edged/device/bench/status": "online", "edged/device/bench/feed/hall/state": state}
    access = ["-h", broker.host, "-p", str(broker.port), "-u", "all", "-P", "pw", "-q", "1", "-r"]
    for topic, payload in kept.items():
        subprocess.run(["mosquitto_pub", *access, "-t", topic, "-m", payload], check=True)
    try:
        seen = by_name(asked(tmp_path, broker, "all", "5"))["seen by mqtt"]
    finally:
        for topic in kept:
            subprocess.run(["mosquitto_pub", *access, "-t", topic, "-n"], check=True)

    assert "feed hall: capturing, 9.5 frames/s, decoded by ffmpeg h264 (native)" in seen.seen
    assert seen.health is Health.DOUBTFUL
    assert "client_id" in seen.remedy


def test_the_end_of_a_receivers_certificate_is_told(tmp_path):
    with WebhookReceiver(tls=True) as receiver:
        sink = {"type": "webhook", "url": receiver.url, "ca_file": str(receiver.ca_file)}
        found = by_name(examined(a_configuration(tmp_path, sinks=[sink]), "sinks")[1])

    assert found["sink webhook"].health is Health.WELL
    assert "certificate good for" in found["sink webhook"].seen


def test_a_broker_that_refuses_the_password_says_so(tmp_path, broker):
    sink = {"type": "mqtt", "host": "127.0.0.1", "port": broker.port, "username": "stranger"}
    found = by_name(examined(a_configuration(tmp_path, sinks=[sink]), "sinks")[1])

    assert found["sink mqtt"].health is Health.ILL
    assert "refuses" in found["sink mqtt"].seen


@pytest.mark.parametrize("kind", ["mqtt", "webhook"])
def test_a_sink_that_is_not_there_says_so(tmp_path, kind):
    port = free_port()
    sink = {"mqtt": {"host": "127.0.0.1", "port": port}, "webhook": {"url": f"http://127.0.0.1:{port}/"}}
    found = by_name(examined(a_configuration(tmp_path, sinks=[{"type": kind, **sink[kind]}]), "sinks")[1])

    assert found[f"sink {kind}"].health is Health.ILL
    assert "refused" in found[f"sink {kind}"].seen
    assert found[f"sink {kind}"].remedy


def pem_files(folder, **dates):
    issued = trustme.CA().issue_cert("localhost", **dates)
    for name, blob in (("cert.pem", issued.cert_chain_pems[0]), ("key.pem", issued.private_key_pem)):
        blob.write_to_path(folder / name)
    return HttpTls(certificate_file=str(folder / "cert.pem"), key_file=str(folder / "key.pem"))


def test_the_servers_own_certificate_is_read_by_a_handshake(tmp_path):
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(days=10)
    until_ms = own_certificate_end(pem_files(tmp_path, not_after=end))

    assert until_ms == end.timestamp() * 1000
    remedy, words = certificate_doubt(until_ms, until_ms - 10 * 86_400_000)
    assert remedy
    assert "10 days" in words


def test_a_certificate_that_is_out_of_date_is_refused(tmp_path):
    past = datetime.now(UTC) - timedelta(days=2)
    files = pem_files(tmp_path, not_before=past - timedelta(days=9), not_after=past)
    with pytest.raises(ConfigurationError, match="expired"):
        own_certificate_end(files)


def test_a_key_of_another_certificate_is_refused(tmp_path):
    files = pem_files(tmp_path)
    trustme.CA().issue_cert("localhost").private_key_pem.write_to_path(tmp_path / "key.pem")
    with pytest.raises(ConfigurationError, match="does not do"):
        own_certificate_end(files)
