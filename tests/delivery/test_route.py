import pytest

from edged.delivery.route import routes_of
from edged.domain.errors import ConfigurationError
from edged.domain.message import Message, MessageKind
from edged.settings.sinks import ConsoleSink, FileSink, MqttSink


def a_message(kind=MessageKind.JOB, namespace="home"):
    return Message(kind, namespace, "door", "s", 1, is_final=True, body=b"", at_ms=0)


def test_a_sink_is_called_by_its_id_or_else_by_its_type():
    routes = routes_of((ConsoleSink(), FileSink(path="x"), MqttSink(host="h", id="broker")))
    assert [route.sink_id for route in routes] == ["console", "file", "broker"]


def test_two_sinks_of_one_name_are_refused():
    with pytest.raises(ConfigurationError, match="two sinks are called `console`"):
        routes_of((ConsoleSink(), ConsoleSink()))


def test_a_sink_takes_its_kinds_of_its_namespaces():
    everything, some = routes_of(
        (MqttSink(host="h"), FileSink(path="x", send=("event",), namespaces=("work",)))
    )
    assert everything.takes(a_message(MessageKind.PRESENCE))
    assert some.takes(a_message(MessageKind.EVENT, "work"))
    assert not some.takes(a_message(MessageKind.EVENT, "home"))
    assert not some.takes(a_message(MessageKind.JOB, "work"))
