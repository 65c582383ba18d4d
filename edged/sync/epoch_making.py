"""When the authority makes an epoch, and with which key."""

from typing import Final

from edged.domain.moment import Moment
from edged.replication.keys import NAMESPACE_KEY_BYTES, NamespaceKey, envelope_place, seal_envelope
from edged.replication.publishing import is_rotation_due, terms_of
from edged.store.database import transaction
from edged.store.namespace_queries import ledger
from edged.store.sync_members import members
from edged.store.sync_pages import sealed_since
from edged.store.sync_publishing import Order, write_next_epoch
from edged.store.sync_records import Membership, envelopes, forget_keys_before
from edged.sync.authority_desk import AuthorityDesk, ms_of, passed
from edged.sync.handing_over import HandingOver

_SWEEP_AGAIN_MS: Final = 5_000
"""After a sweep that could not do all."""
_LOOK_MS: Final = 5_000
_SET_BACK_MS: Final = 60_000


class EpochMaking:
    """Notices what was changed, gathers, and writes the next epoch."""

    def __init__(self, desk: AuthorityDesk, handing: HandingOver) -> None:
        self._desk = desk
        self._handing = handing
        self._changed: Moment | None = None
        self._swept: Moment | None = None
        self._looked: Moment | None = None

    @property
    def has_changes(self) -> bool:
        """Whether something is changed that no epoch has. Raises StoreError."""
        record = self._desk.record
        revision = ledger(self._desk.store.connection).revision
        return revision > (0 if record is None else record.revision)

    def turn(self, row: Membership, now: Moment) -> None:
        """Make the next epoch if it is due. Raises StoreError."""
        desk = self._desk
        if self._handing.is_published:
            return
        if self._is_set_back(now):
            # Members hold a later time for the last word: only a new epoch makes them believe an earlier one.
            desk.is_hurried = True
        if self._has_to_come(row):
            heir = None
        else:
            heir = self._handing.successor(row.successor, now)
            if heir is None and self._handing.is_under_way:
                return
        is_rotating = heir is None and (row.rotation_wanted or self._is_rotation_due(now))
        if heir is not None or is_rotating or self._has_to_come(row) or self._is_gathered(now):
            self._make(heir, now, is_rotating=is_rotating)

    def sweep(self, now: Moment) -> None:
        """After somebody was taken out: let no copy of them lie about. Raises StoreError."""
        desk, record = self._desk, self._desk.record
        if record is None or record.swept_epoch >= record.erased_epoch:
            return
        if passed(self._swept, now, _SWEEP_AGAIN_MS):
            self._swept = now
            if self._swept_whole():
                # Whoever is taken out next is not to wait.
                self._swept = None
                with transaction(desk.store.connection) as connection:
                    connection.execute("UPDATE sync_epoch SET swept_epoch = epoch")

    def forget_old_keys(self) -> None:
        """The epoch in force is sealed with a newer key, and everybody has it. Raises StoreError."""
        desk = self._desk
        if desk.key is None or len(envelopes(desk.store.connection)) < 2:  # noqa: PLR2004 (one is in use)
            return
        with transaction(desk.store.connection) as connection:
            forget_keys_before(connection, desk.key.generation)
        self._swept_whole()

    def _swept_whole(self) -> bool:
        left = self._desk.parts.swept(self._desk.store)
        self._desk.tell("sweep", "; ".join(left))
        return not left

    def _is_set_back(self, now: Moment) -> bool:
        """Whether the clock was ahead when this authority said the time last."""
        record = self._desk.record
        return record is not None and now.utc_ms < max(record.at_ms, self._desk.said_ms) - _SET_BACK_MS

    def _has_to_come(self, row: Membership) -> bool:
        """Whether an epoch is due at once, for another reason than a changed person."""
        desk, manifest = self._desk, self._desk.manifest
        return (
            manifest is None
            or desk.is_hurried
            or desk.floor > desk.epoch
            or manifest.authority != row.authority.hex()
            or terms_of(manifest) != desk.terms
            or (desk.key is not None and manifest.key_generation != desk.key.generation)
        )

    def _is_gathered(self, now: Moment) -> bool:
        if not self.has_changes and not self._has_stale_bucket():
            self._changed = None
            return False
        self._changed = self._changed or now
        return passed(self._changed, now, ms_of(self._desk.parts.settings.gather))

    def _has_stale_bucket(self) -> bool:
        ((is_stale,),) = self._desk.store.connection.execute(
            "SELECT EXISTS (SELECT 1 FROM sync_bucket WHERE content_hash IS NULL)"
        )
        return bool(is_stale)

    def _is_rotation_due(self, now: Moment) -> bool:
        desk, record, every = self._desk, self._desk.record, self._desk.parts.settings.rotate_every
        if record is None or desk.key is None or not record.erased_epoch or every is None:
            return False
        if not passed(self._looked, now, _LOOK_MS):
            return False
        self._looked = now
        connection = desk.store.connection
        return is_rotation_due(
            erased_epoch=record.erased_epoch,
            sealed_since=sealed_since(connection, desk.key.generation),
            swept_epochs=[each.swept_epoch for each in members(connection)],
            age_ms=now.utc_ms - record.rotated_ms,
            rotate_every_ms=ms_of(every),
        )

    def _make(self, heir: tuple[str, str] | None, now: Moment, *, is_rotating: bool) -> None:
        desk, key, envelope = self._desk, self._desk.key, None
        if key is None:
            return
        if is_rotating:
            key, envelope = self._new_key(key.generation + 1)
        order = Order(
            writer=desk.writer,
            terms=desk.terms,
            key=key,
            now_ms=now.utc_ms,
            envelope=envelope,
            floor=0 if heir else desk.floor,
            handovers=self._handing.handovers(),
            successor=heir,
            is_wanted=heir is not None or desk.is_hurried or is_rotating,
        )
        record = write_next_epoch(desk.store.connection, order)
        self._changed = None
        if record is not None:
            desk.is_hurried = False
            desk.take(record)
            desk.key = key

    def _new_key(self, generation: int) -> tuple[NamespaceKey, bytes]:
        parts, keys = self._desk.parts, self._desk.keys
        key = NamespaceKey(parts.chance(NAMESPACE_KEY_BYTES), generation)
        place = envelope_place(parts.namespace, parts.node, generation)
        return key, seal_envelope(key.secret, keys.sealing_public, place, parts.chance)
