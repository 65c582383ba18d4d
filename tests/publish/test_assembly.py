import os
import random
from contextlib import closing
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives import serialization as s

from bench.mosquitto import IS_INSTALLED, WHY_NOT, Mosquitto, Subscriber, eventually
from bench.webhook_receiver import SECRET
from edged.domain.errors import ConfigurationError
from edged.domain.feed_state import FeedState
from edged.publish.assembly import make_publishing, make_sink
from edged.publish.console import ConsoleSink as Console
from edged.publish.mqtt_assembly import MqttParts
from edged.publish.tls import client_context
from edged.settings.quantities import Secret
from edged.settings.sinks import ConsoleSink, FileSink, MqttSink, MqttTls, WebhookSink
from edged.system.clock import SystemClock

CLOCK = SystemClock()
PARTS = MqttParts("d", CLOCK, random.random)


def publishing_of(sections, outbox):
    return make_publishing(sections, outbox, attempts=5, device="dev1", clock=CLOCK, jitter=random.random)


@pytest.mark.skipif(not IS_INSTALLED, reason=WHY_NOT)
def test_a_feeds_state_goes_to_the_sinks_that_have_a_place_for_it(an_outbox, tmp_path):
    with Mosquitto() as broker, Subscriber(broker, "edged/device/#") as subscriber:
        sections = (MqttSink(host=broker.host, port=broker.port), FileSink(path=str(tmp_path / "f")))
        publishing = publishing_of(sections, an_outbox("mqtt", "file"))
        publishing.start()
        publishing.report_feed(
            FeedState(
                feed_id="door",
                namespace="home",
                device="dev1",
                capturing=False,
                state="silent",
                fps=0.0,
                frames=0,
                dropped=0,
                reconnections=0,
                at=1,
            )
        )
        assert '"state":"silent"' in subscriber.wait_for(1, "/feed/door/state")[0]
        assert [status.sink for status in publishing.status] == ["mqtt", "file"]
        assert publishing.stop(5.0) == ()


def test_a_console_that_lost_its_reader_is_idle_for_ever_and_says_so(
    an_outbox, a_message, a_pipe_without_reader
):
    outbox = an_outbox("console")
    publishing = publishing_of((ConsoleSink(),), outbox)
    (worker,) = publishing._workers
    worker._sink = Console("console", CLOCK, a_pipe_without_reader)
    outbox.commit([a_message()], CLOCK.moment())
    publishing.start()
    eventually(lambda: publishing.is_console_closed, "the closed pipe to be noticed")
    assert publishing.is_idle()
    assert publishing.stop(5.0) == ()
    assert not outbox.is_empty("console")


@pytest.fixture
def a_pipe_without_reader():
    reader, writer = os.pipe()
    os.close(reader)
    yield writer
    os.close(writer)


@pytest.mark.parametrize(
    ("section", "words"),
    [
        (WebhookSink(url="https://x.example/", ca_file="/nowhere/ca.pem"), "/nowhere/ca.pem cannot be used"),
        (WebhookSink(url="https://x.example/", secret=Secret("hook", "?")), "the secret `hook`"),
        (MqttSink(host="h", tls=MqttTls(ca_file="/nowhere/ca.pem")), "/nowhere/ca.pem cannot be used"),
        (
            MqttSink(host="h", tls=MqttTls(certificate_file="/nowhere/c.pem")),
            "certificate /nowhere/c.pem",
        ),
    ],
)
def test_what_cannot_be_used_is_refused_before_anything_starts(section, words):
    with pytest.raises(ConfigurationError, match=words):
        make_sink(section, PARTS)


def test_sinks_are_made_without_touching_the_world():
    for section in (
        MqttSink(host="nowhere.invalid"),
        WebhookSink(url="https://nowhere.invalid/"),
        ConsoleSink(),
    ):
        with closing(make_sink(section, PARTS)) as sink:
            assert sink.condition


def test_a_webhooks_secret_is_not_in_what_is_printed_of_the_sink():
    section = WebhookSink(url="https://x.example/", secret=Secret("hook", SECRET))
    sink = make_sink(section, PARTS)
    assert SECRET.removeprefix("whsec_") not in repr(sink) + repr(section) + sink.condition


class TestClientCertificate:
    @pytest.fixture
    def files(self, tmp_path):
        issued = trustme.CA().issue_cert("client@example.org")
        certificate, key = tmp_path / "client.pem", tmp_path / "client.key"
        issued.cert_chain_pems[0].write_to_path(certificate)
        issued.private_key_pem.write_to_path(key)
        return str(certificate), str(key)

    def test_a_pair_is_taken(self, files):
        assert client_context(MqttTls(certificate_file=files[0], key_file=files[1])).check_hostname

    def test_a_key_of_another_is_refused(self, files, tmp_path):
        other = tmp_path / "other.key"
        trustme.CA().issue_cert("x@example.org").private_key_pem.write_to_path(other)
        with pytest.raises(ConfigurationError, match="cannot be used"):
            client_context(MqttTls(certificate_file=files[0], key_file=str(other)))

    def test_an_encrypted_key_needs_its_password_and_nobody_is_asked_at_the_terminal(self, files, tmp_path):
        encrypted = tmp_path / "encrypted.key"
        key = s.load_pem_private_key(Path(files[1]).read_bytes(), None)
        encrypted.write_bytes(
            key.private_bytes(
                s.Encoding.PEM, s.PrivateFormat.PKCS8, s.BestAvailableEncryption(b"sesame-open")
            )
        )
        right = MqttTls(
            certificate_file=files[0], key_file=str(encrypted), key_password=Secret("key", "sesame-open")
        )
        assert client_context(right).check_hostname
        for password in (None, Secret("key", "sesame-close")):
            wrong = MqttTls(certificate_file=files[0], key_file=str(encrypted), key_password=password)
            with pytest.raises(ConfigurationError) as caught:
                client_context(wrong)
            assert "sesame" not in str(caught.value)
