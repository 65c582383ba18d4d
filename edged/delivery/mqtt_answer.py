"""What a broker's reason codes mean (MQTT 5.0, section 2.4), for messages and for the connection."""

from edged.delivery.outcome import DELIVERED, Fate, Outcome

_ERRORS_FROM = 0x80

UNSUPPORTED_PROTOCOL = 0x84
NOT_AUTHORISED = 0x87
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
    0x84: "the broker does not speak this version of MQTT",
    0x85: "the broker does not take the client identifier",
    0x86: "bad user name or password",
    0x87: "not authorised",
    0x88: "the broker is unavailable",
    0x89: "the broker is busy",
    0x8A: "the broker has banned this client",
    0x97: "the broker's quota is exceeded",
    0x9F: "connecting too often",
}
PERSON_MUST_ACT = frozenset({0x85, 0x86, 0x87, 0x8A})
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
