"""The health of the machine, as its state topic tells it."""

import msgspec

from edged.domain.wire import EDGE_SCHEMA, Wire


class DeviceState(Wire, frozen=True, kw_only=True):
    """How the machine and the daemon on it are doing. Retained; absent when unknown, never null.

    Attributes:
        version: edged's.
        temperature_c: of the hottest sensor that tells the processor's, degrees Celsius.
        throttled: whether the machine slows itself down, for heat or for a weak power supply.
        slowed: why the feeds take fewer frames than configured, in words; empty while they do not.
        load: share of the models' time that is used, 0 to 1.
        waiting: messages in the outbox that a sink has not got yet, dead letters among them.
        trouble: what a person should look at, in words; empty while all is well.
    """

    device: str
    version: str
    temperature_c: float | None = None
    throttled: bool = False
    slowed: str = ""
    load: float = 0.0
    waiting: int = 0
    trouble: str = ""
    at: int
    schema: int = msgspec.field(default_factory=lambda: EDGE_SCHEMA)
