"""The sinks: whether they answer, what they let us do, and what a broker knows of the daemon."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from edged.app.checkup.certificates import certificate_doubt
from edged.app.checkup.finding import Check, Finding, doubtful, ill, well
from edged.app.checkup.premises import Premises
from edged.delivery.route import sink_id
from edged.delivery.topics import OFFLINE, ONLINE, Topics
from edged.publish.mqtt_probe import BrokerSight, Echo, look_at_broker
from edged.publish.probe import probe
from edged.settings.sinks import AnySink, MqttSink

_ACL: Final = "see the access list in docs/delivery.md, and docs/doctor.md for the topics that are tried"


def checks(premises: Premises) -> Iterator[tuple[str, Check]]:
    """One check a sink; a broker's has several findings."""
    for sink in premises.settings.sinks:
        if isinstance(sink, MqttSink):
            yield f"sink {sink_id(sink)}", lambda sink=sink: _broker(premises, sink)  # type: ignore[misc]
        else:
            yield f"sink {sink_id(sink)}", lambda sink=sink: [_other(premises, sink)]  # type: ignore[misc]


def _other(premises: Premises, sink: AnySink) -> Finding:
    if isinstance(sink, MqttSink):  # which has a check of its own
        raise TypeError("a broker is looked at by a round trip")
    what = f"sink {sink_id(sink)}"
    receiver = probe(sink)
    doubt, end = certificate_doubt(receiver.certificate_until_ms, premises.clock.moment().utc_ms)
    seen = receiver.seen + end
    return doubtful(what, seen, doubt) if doubt else well(what, seen)


def _broker(premises: Premises, sink: MqttSink) -> Iterator[Finding]:
    name = sink_id(sink)
    device = premises.device
    topics = Topics(sink.prefix, device or "doctor")
    write = [f"{sink.prefix}/device/{topics.device}/doctor"]
    write += [f"{sink.prefix}/{feed.namespace}/{feed.id}/doctor" for feed in _told(premises, sink)]
    read = [topics.status, topics.device_state]
    for feed in premises.settings.feeds:
        read += [topics.feed_state(feed.id), topics.feed_switch(feed.id)]
    if sink.recognize:
        namespaces = dict.fromkeys(feed.namespace for feed in _told(premises, sink))
        read += [topics.requests(namespace) for namespace in namespaces]
    sight = look_at_broker(sink, premises.clock, write=write, read=read)
    yield _connection(premises, name, sink, sight)
    yield from _access(name, sink, sight)
    if device is not None:
        yield _seen_by_broker(premises, name, sight, topics)


def _told(premises: Premises, sink: MqttSink) -> list[Any]:
    """The feeds that the sink is told of."""
    return [
        feed for feed in premises.settings.feeds if not sink.namespaces or feed.namespace in sink.namespaces
    ]


def _connection(premises: Premises, name: str, sink: MqttSink, sight: BrokerSight) -> Finding:
    what = f"sink {name}"
    echo = sight.echoes[0]
    took = f", round trip {echo.round_trip_ms} ms" if echo.came_back else ""
    limits = "".join(f", {_LIMITS[key]} {value}" for key, value in sight.limits.items())
    doubt, end = certificate_doubt(sight.certificate_until_ms, premises.clock.moment().utc_ms)
    seen = f"{sight.where} takes us, MQTT {sight.version}{took}{limits}{end}"
    if sight.limits.get("RetainAvailable") == 0:
        return doubtful(what, seen, "it keeps no retained messages: presence and states are not kept")
    if sight.limits.get("MaximumQoS") == 0:
        return ill(what, seen, "it takes QoS 0 alone, which promises nothing; take another broker")
    if sink.tls is None and sink.password is not None and sink.host not in ("localhost", "127.0.0.1", "::1"):
        return doubtful(what, f"{seen}, without TLS", "the password goes over the network in clear text")
    return doubtful(what, seen, doubt) if doubt else well(what, seen)


_LIMITS: Final = {
    "ReceiveMaximum": "receive maximum",
    "MaximumPacketSize": "largest packet",
    "RetainAvailable": "retained available",
    "MaximumQoS": "highest QoS",
    "ServerKeepAlive": "keep-alive set to",
    "WildcardSubscriptionAvailable": "wildcards available",
}


def _access(name: str, sink: MqttSink, sight: BrokerSight) -> Iterator[Finding]:
    """What the access list lets us do, as far as it can be told without disturbing anybody."""
    what = f"access {name}"
    refused = [echo for echo in sight.echoes if echo.refusal]
    silent = [echo for echo in sight.echoes if not echo.refusal and not echo.came_back]
    for echo in refused:
        is_own = echo is sight.echoes[0]
        words = f"writing to {echo.topic} is refused: {echo.refusal}"
        yield (ill if is_own else doubtful)(what, words, _ACL)
    for topic, words in sight.read_refusals.items():
        yield doubtful(what, f"subscribing to {topic} is refused: {words}", _ACL)
    if silent:
        yield _silence(what, silent, sight)
    if not refused and not silent and not sight.read_refusals:
        extra = "; discovery topics are not tried" if sink.home_assistant else ""
        yield well(what, f"writing and reading are allowed at {_listed(sight.echoes)}{extra}")


def _silence(what: str, silent: list[Echo], sight: BrokerSight) -> Finding:
    where = _listed(silent)
    if sight.version == "5":
        # The acknowledgement says that writing is allowed; that nothing came back, that reading is not.
        return doubtful(
            what,
            f"writing to {where} is allowed, reading is not: what was written did not come back",
            f"well, where the daemon need not read (no `recognize`, no switch); {_ACL}",
        )
    return doubtful(
        what,
        f"what was written to {where} did not come back: MQTT 3.1.1 drops what is not allowed without a word",
        f"allow this user to write there, and to read what ends in `/doctor`, to be sure; {_ACL}",
    )


def _listed(echoes: list[Echo]) -> str:
    return ", ".join(echo.topic for echo in echoes)


def _seen_by_broker(premises: Premises, name: str, sight: BrokerSight, topics: Topics) -> Finding:
    """What the broker keeps of the daemon's states: its own figures, without asking the camera again."""
    what = f"seen by {name}"
    status = sight.retained.get(topics.status)
    if status is None:
        seen = "the broker keeps no state of this device, or does not let us read it"
        if premises.daemon is None:
            return well(what, seen)
        return doubtful(what, f"the daemon runs, and {seen}", "see the daemon's log and the access list")
    told = [_state(topic, body) for topic, body in sorted(sight.retained.items()) if topic.endswith("/state")]
    seen = "; ".join([f"the device is {status.decode('utf-8', 'replace')[:20]}", *told])
    if premises.daemon is None and status == ONLINE:
        return doubtful(
            what,
            f"{seen}, and no daemon runs here",
            "another machine may use the same `device` or `client_id`; or the daemon was just killed",
        )
    if premises.daemon is not None and status == OFFLINE:
        return doubtful(
            what,
            f"{seen}, and the daemon runs here",
            "a second device with the same `client_id` throws it out; or it cannot reach the broker",
        )
    return well(what, seen)


_SHOWN: Final = {
    "state": "{}",
    "fps": "{} frames/s",
    "decoder": "decoded by {}",
    "width_px": "width {}",
    "widthPx": "width {}",
    "dropped": "{} dropped",
    "reconnections": "{} reconnections",
    "temperatureC": "{} degrees Celsius",
    "load": "load {}",
    "slowed": "slowed: {}",
    "trouble": "trouble: {}",
    "version": "version {}",
}


def _state(topic: str, body: bytes) -> str:
    """A retained state in words: the keys that matter, none of which holds a name of a person."""
    levels = topic.split("/")
    subject = f"feed {levels[-2]}" if levels[-3] == "feed" else "device"
    try:
        state = msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.MsgspecError:
        return f"{subject}: not understood"
    words = [form.format(state[key]) for key, form in _SHOWN.items() if state.get(key) not in (None, "")]
    return f"{subject}: {', '.join(words)}"
