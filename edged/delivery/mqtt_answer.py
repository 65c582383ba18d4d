"""What a broker's reason codes mean (MQTT 5.0, section 2.4), for messages and for the connection."""

from edged.delivery.outcome import DELIVERED, Fate, Outcome

_ERRORS_FROM = 0x80
_MOST_SAID = 120

UNSUPPORTED_PROTOCOL = 0x84
NOT_AUTHORISED = 0x87
SESSION_TAKEN_OVER = 0x8E
PACKET_TOO_LARGE = 0x95
QUOTA_EXCEEDED = 0x97

_NEVER = {
    NOT_AUTHORISED: "not authorised: the broker's access list does not let this user write the topic",
    0x90: "the broker does not take this topic's name",
    PACKET_TOO_LARGE: "the message is larger than the broker takes",
    0x99: "the broker does not take the payload's format",
}
_LATER = {
    0x80: "unspecified error",
    0x83: "the broker's own error",
    0x91: "the packet identifier is in use",
}

_CONNECT_WORDS = {
    0x81: "the broker calls our CONNECT malformed",
    0x82: "the broker calls our CONNECT a protocol error",
    0x84: "the broker does not speak this version of MQTT",
    0x85: "the broker does not take the client identifier",
    0x86: "bad user name or password",
    0x87: "not authorised",
    0x88: "the broker is unavailable",
    0x89: "the broker is busy",
    0x8A: "the broker has banned this client",
    0x8C: "the broker wants another way to log in than a user and a password",
    0x95: "the broker takes no packet as large as our CONNECT",
    0x97: "the broker's quota is exceeded",
    0x9A: "the broker keeps no retained messages, and this client needs them: allow them there",
    0x9B: "the broker does not take QoS 1, and this client needs it: allow it there",
    0x9C: "the broker sends us to another one: put that into the sink's `host`",
    0x9D: "the broker has moved: put the new one into the sink's `host`",
    0x9F: "connecting too often",
}
_DISCONNECT_WORDS = {
    0x00: "no reason given",
    0x80: "unspecified error",
    0x81: "it calls a packet of ours malformed",
    0x82: "it calls a packet of ours a protocol error",
    0x83: "its own error",
    0x87: "not authorised: see its access list",
    0x89: "it is busy",
    0x8B: "it is shutting down",
    0x8D: "it did not hear from us in time",
    SESSION_TAKEN_OVER: "another client has connected by the same name",
    0x93: "we sent more at once than it takes",
    PACKET_TOO_LARGE: "a packet of ours is larger than it takes: see its limit",
    0x96: "we send too often for it",
    QUOTA_EXCEEDED: "its quota is exceeded",
    0x98: "somebody who runs it ended the connection",
    0x9A: "it keeps no retained messages, and this client needs them: allow them there",
    0x9B: "it does not take QoS 1, and this client needs it: allow it there",
    0x9C: "it sends us to another one: put that into the sink's `host`",
    0x9D: "it has moved: put the new one into the sink's `host`",
    0x9F: "connecting too often",
    0xA0: "it lets no connection stand so long",
    0xA2: "it takes no subscriptions with wildcards",
}
PERSON_MUST_ACT = frozenset({0x85, 0x86, 0x87, 0x8A, 0x8C, 0x95, 0x9A, 0x9B, 0x9C, 0x9D})
"""Refusals that trying again alone will not mend."""


def outcome_of(reason_code: int) -> Outcome:
    """What a PUBACK means. Below 0x80 all is well (0x10: nobody subscribes).

    A refusal of the access list goes to the dead letters: trying again would hide it, and nothing is lost
    by it, because the dead letters can be sent again once the list is right. A quota is exceeded now and
    not for ever. MQTT 3.1.1 has no codes: its PUBACK is always well, refused or not.
    """
    if reason_code < _ERRORS_FROM:
        return DELIVERED
    if reason_code in _NEVER:
        return Outcome(Fate.REFUSED, f"{_NEVER[reason_code]} (reason code {reason_code})")
    if reason_code == QUOTA_EXCEEDED:
        return Outcome(Fate.UNAVAILABLE, f"the broker's quota is exceeded (reason code {reason_code})")
    words = _LATER.get(reason_code, "refused")
    return Outcome(Fate.FAILED, f"{words} (reason code {reason_code})")


def connect_refusal(reason_code: int) -> str:
    """Why a broker did not let us in, in words."""
    return f"{_CONNECT_WORDS.get(reason_code, 'refused')} (reason code {reason_code})"


def disconnect_words(reason_code: int) -> str:
    """Why a broker ended a connection, in words."""
    words = _DISCONNECT_WORDS.get(reason_code, "refused")
    return f"the broker closed it: {words} (reason code {reason_code})"


def said_by_broker(text: str) -> str:
    """What a broker wrote for people, made fit for a line of a log: printable, and of bounded length."""
    printable = "".join(each if each.isprintable() else " " for each in text[:_MOST_SAID])
    return " ".join(printable.split())
