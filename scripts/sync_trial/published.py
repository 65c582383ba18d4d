"""What was published: a client of the broker that keeps every manifest it hears, by its epoch."""

import threading
from collections import defaultdict

import paho.mqtt.client as paho

from edged.replication.refusal import RefusedError
from edged.replication.statement import StatementKind, taken_apart
from edged.replication.statements import Manifest, name_of
from edged.replication.topics import SyncTopics
from sync_trial.nodes import NAMESPACE


class Published:
    """Listens while there is a broker. Manifests in databases are noted too: they were, or will be, sent."""

    def __init__(self, port: int) -> None:
        self._lock = threading.Lock()
        self._by_epoch: dict[int, set[str]] = defaultdict(set)
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2, "listener", clean_session=False)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda client, *_: client.subscribe(
            SyncTopics("edged", NAMESPACE).manifest, 1
        )
        self._client.on_message = lambda _client, _data, message: self._heard(message.payload)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self.newest = 0
        """The newest epoch that the broker has told of."""
        self.heard = 0
        """Manifests that the broker has told of."""

    def close(self) -> None:
        """Hang up."""
        self._client.disconnect()
        self._client.loop_stop()

    def note(self, epoch: int, name: str) -> None:
        """A node has this epoch in force."""
        if epoch:
            with self._lock:
                self._by_epoch[epoch].add(name)

    @property
    def epochs(self) -> int:
        """How many there were."""
        with self._lock:
            return len(self._by_epoch)

    def doubled(self) -> list[int]:
        """Epochs of which there is more than one."""
        with self._lock:
            return sorted(epoch for epoch, names in self._by_epoch.items() if len(names) > 1)

    def _heard(self, payload: bytes) -> None:
        try:
            manifest = taken_apart(StatementKind.MANIFEST, payload).body(Manifest)
        except RefusedError:
            return
        self.heard += 1
        self.newest = max(self.newest, manifest.epoch)
        self.note(manifest.epoch, name_of(payload))
