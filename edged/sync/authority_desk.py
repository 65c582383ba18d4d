"""What the parts of an authority have in common: its database, its epoch in force, its key, its troubles."""

import logging
from collections import Counter
from typing import Final

from edged.domain.moment import Moment
from edged.replication.keys import NamespaceKey, NodeKeys, envelope_place
from edged.replication.publishing import Terms
from edged.replication.refusal import RefusedError
from edged.replication.statements import Manifest, name_of
from edged.store.namespace_store import NamespaceStore
from edged.store.sync_publishing import Writer, manifest_in
from edged.store.sync_records import EpochRecord, envelopes, epoch_record
from edged.sync.outgoing import Outgoing
from edged.sync.participant import Connection
from edged.sync.parts import NodeParts

_LOG: Final = logging.getLogger(__name__)


class AuthorityDesk:
    """One thread's. `record`, `manifest` and `name` are of the epoch in force; None and empty before one.

    Attributes:
        trouble: what is wrong, in words, by what it is about.
        refused: how much was not taken, by reason.
        floor: an epoch that somebody has already: the next one is greater.
        is_hurried: the next epoch does not wait for further changes.
        said_ms: the latest time that was said to be now, UTC; 0: none since the start.
        succeeds: members that keep a succession, each with its `told_at`, as they reported.
    """

    def __init__(self, parts: NodeParts, store: NamespaceStore, keys: NodeKeys) -> None:
        self.parts = parts
        self.store = store
        # What is sent out is on the disk: after a power cut nothing may be made twice by one number.
        store.connection.execute("PRAGMA synchronous = FULL")
        self.keys = keys
        self.outgoing = Outgoing()
        self.connection: Connection | None = None
        self.trouble: dict[str, str] = {}
        self.refused: Counter[str] = Counter()
        self.floor = 0
        self.is_hurried = False
        self.said_ms = 0
        self.succeeds: dict[str, int] = {}
        self.record: EpochRecord | None = None
        self.manifest: Manifest | None = None
        self.name = ""
        self.key: NamespaceKey | None = None

    @property
    def epoch(self) -> int:
        """In force; 0 before the first."""
        return 0 if self.record is None else self.record.epoch

    @property
    def writer(self) -> Writer:
        """Who makes epochs."""
        return Writer(self.parts.namespace, self.parts.node, self.parts.run, self.keys.authority)

    @property
    def terms(self) -> Terms:
        """What a manifest is to say besides who is in it."""
        settings = self.parts.settings
        return Terms(self.parts.model_hash, settings.proposals, settings.chips, settings.groups)

    def read(self) -> None:
        """Read the epoch in force and the key anew; raises StoreError, and RefusedError without the key."""
        self.read_epoch()
        generations = envelopes(self.store.connection)
        newest = max(generations, default=0)
        if self.key is None or self.key.generation != newest:
            place = envelope_place(self.parts.namespace, self.parts.node, newest)
            self.key = NamespaceKey(self.keys.open_envelope(generations.get(newest, b""), place), newest)

    def read_epoch(self) -> None:
        """Read the epoch in force anew; raises StoreError."""
        record = epoch_record(self.store.connection)
        if record is None:
            self.record, self.manifest, self.name = None, None, ""
        elif self.record is None or record.manifest != self.record.manifest:
            self.manifest, self.name = manifest_in(record), name_of(record.manifest)
        self.record = record

    def take(self, record: EpochRecord) -> None:
        """An epoch was made: it is in force."""
        if self.record is None or record.manifest != self.record.manifest:
            self.manifest, self.name = manifest_in(record), name_of(record.manifest)
            self.said_ms = record.at_ms
        self.record = record

    def refuse(self, error: RefusedError, topic: str) -> None:
        """Count something that was not taken."""
        if not self.refused[error.refusal]:
            _LOG.warning("%s: not taken from %s: %s", self.parts.namespace, topic, error.words)
        self.refused[error.refusal] += 1

    def tell(self, about: str, words: str) -> None:
        """Something is wrong (no words: it is not any more); it is logged once."""
        if words and self.trouble.get(about) != words:
            _LOG.error("%s: %s", self.parts.namespace, words)
        if words:
            self.trouble[about] = words
        else:
            self.trouble.pop(about, None)

    def fits(self, size_bytes: int, what: str) -> bool:
        """Whether the connection takes a payload; where it does not, it is told as trouble."""
        most = None if self.connection is None else self.connection.most_payload_bytes
        is_fitting = most is None or size_bytes <= most
        words = (
            f"{what} has {size_bytes} bytes, and the broker takes {most}: nothing is published. Raise the"
            " broker's limit (mosquitto: `max_packet_size`, `message_size_limit`; EMQX:"
            " `mqtt.max_packet_size`), or, for pages, set `sync.pages: mirror`"
        )
        self.tell(what, "" if is_fitting else words)
        return is_fitting


def ms_of(duration: float) -> int:
    """A duration of the settings, seconds, in milliseconds."""
    return round(duration * 1000)


def passed(since: Moment | None, now: Moment, ms: int) -> bool:
    """Whether so much time went by since then; ever since is forever."""
    return since is None or now.steady_ms - since.steady_ms >= ms
