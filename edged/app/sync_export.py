"""Writing the pages of the epoch in force to a folder.

They are made again from the rows: sealing gives the same bytes.
"""

from dataclasses import dataclass
from pathlib import Path

from edged.app.sync_commands import Place
from edged.domain.errors import EdgedError
from edged.replication.keys import NamespaceKey, NodeKeys, envelope_place
from edged.replication.refusal import RefusedError
from edged.store.database import reading
from edged.store.sync_pages import pages_again
from edged.store.sync_publishing import manifest_in
from edged.store.sync_records import envelopes, epoch_record
from edged.sync.shelf import Shelf


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: of which epoch, how many pages, how many bytes."""

    epoch: int
    pages: int
    total_bytes: int


def export(place: Place, keys: NodeKeys, folder: Path) -> Exported | None:
    """Write the pages and the manifest; None where there is no epoch yet.

    Raises StoreError, and EdgedError where the rows have changed since: their epoch is not made yet.
    """
    connection = place.connection
    with reading(connection):
        record, present = epoch_record(connection), place.membership()
        manifest = manifest_in(record)
        envelope = envelopes(connection).get(manifest.key_generation) if manifest else None
        if record is None or manifest is None:
            return None
        if envelope is None:
            raise EdgedError("the namespace's key is not here", remedy="`edged sync status` says what to do.")
        key = _key(keys, envelope, place.namespace, present.node, manifest.key_generation)
        shelf = Shelf(folder, place.namespace, 0)
        listed = {entry.sha256 for entry in manifest.pages}
        done = 0
        for entry, sealed in pages_again(
            connection, place.namespace, key, manifest, {each.bucket for each in manifest.pages}
        ):
            if entry.sha256 in listed:
                shelf.put(entry.sha256, sealed)
                listed.discard(entry.sha256)
                done += entry.bytes
        if listed:
            raise EdgedError(
                f"{len(listed)} pages have changed since epoch {record.epoch}",
                remedy="Try again when the daemon has published, or answered, the change.",
            )
        shelf.show_manifest(record.manifest)
    return Exported(record.epoch, len(manifest.pages), done)


def _key(keys: NodeKeys, envelope: bytes, namespace: str, node: str, generation: int) -> NamespaceKey:
    try:
        secret = keys.open_envelope(envelope, envelope_place(namespace, node, generation))
    except RefusedError:
        raise EdgedError(
            "this node's secret does not open the namespace's key: it is another one than before",
            remedy="Bring the secret back, or join again with a new invitation.",
        ) from None
    return NamespaceKey(secret, generation)
