"""Bringing the epoch in force to the broker: its pages, then its manifest, then that it is in force.

A manifest goes out when the broker has acknowledged each page that it lists, so that whoever reads it can
fetch them. Which pages are there is known from the broker's own manifest and from acknowledgements.
"""

from typing import Final

from edged.domain.moment import Moment
from edged.replication.publishing import largest_page_bytes
from edged.replication.statement import StatementKind, signed
from edged.replication.statements import Alive, Manifest, PageEntry
from edged.store.database import reading, transaction
from edged.store.sync_pages import forget_retired, pages_again, retired_before
from edged.store.sync_records import write_bucket
from edged.sync.authority_desk import AuthorityDesk, ms_of, passed

_AGAIN_MS: Final = 10_000
"""A page, or a manifest that somebody wrote over, is published again at most so often."""
_ASKED_FOR_MS: Final = 30_000
"""The manifest, because a member asked for it: all others get it too."""
_MOST_REMEMBERED: Final = 32


class PagePublishing:
    """The pages and the manifest of one authority."""

    def __init__(self, desk: AuthorityDesk) -> None:
        self._desk = desk
        self._there: set[str] = set()
        self._shelved: set[str] = set()
        self._asked: dict[str, Moment] = {}
        self._cleared: list[str] = []
        self._manifest_there = ""
        self._manifest_sent: Moment | None = None
        self._said_alive: Moment | None = None
        self._is_unheard_of = False
        self._is_asked_for = False
        self.own_names: list[str] = []
        """Of manifests that were published on this connection: their echoes say nothing new."""
        self.published = 0
        self.page_requests = 0

    def connection_lost(self) -> None:
        """What the broker has is found out anew."""
        self._there.clear()
        self._manifest_there = ""
        self._manifest_sent = None
        self._said_alive = None
        self.own_names.clear()

    def found_on_broker(self, manifest: Manifest, name: str) -> None:
        """The broker has a manifest of this authority, and thus its pages."""
        self._there.update(entry.sha256 for entry in manifest.pages)
        self._manifest_there = name

    def manifest_lost(self) -> None:
        """Somebody wrote over the manifest, or cleared it: it is to be published again."""
        self._manifest_there = ""

    def unheard_of(self) -> None:
        """A member knows of earlier epochs alone: which one is in force is said again, now and then."""
        self._is_unheard_of = True

    def asked_for(self, names: tuple[str, ...], now: Moment) -> None:
        """A member does not get some pages: those that are listed are published again, each now and then.

        So is the manifest, where that is what it names.
        """
        manifest = self._desk.manifest
        if manifest is None:
            return
        self._is_asked_for |= self._desk.name in names
        listed = {entry.sha256 for entry in manifest.pages}
        self._asked = {name: at for name, at in self._asked.items() if name in listed}
        for name in names:
            if name in listed and passed(self._asked.get(name), now, _AGAIN_MS):
                self._asked[name] = now
                self.page_requests += 1
                self._there.discard(name)
                self._shelved.discard(name)

    @property
    def is_in_force(self) -> bool:
        """Whether the broker has the manifest in force, and every page."""
        return self._manifest_there == self._desk.name != "" and not self._missing(1)

    def turn(self, now: Moment) -> None:
        """Post what is due and fits into the window. Raises StoreError."""
        self._write_down()
        manifest = self._desk.manifest
        if manifest is None or not self._can_go_out(manifest):
            return
        self._post_pages(manifest, now)
        if self._is_asked_for and passed(self._manifest_sent, now, _ASKED_FOR_MS):
            self.manifest_lost()
        if self._manifest_there != self._desk.name and not self._missing(1):
            self._post_manifest(now)
        if self.is_in_force:
            self._post_alive(now)
            self._clear_retired(now)

    @property
    def _is_on_broker(self) -> bool:
        return self._desk.parts.settings.pages == "broker"

    def _can_go_out(self, manifest: Manifest) -> bool:
        record = self._desk.record
        fits = record is not None and self._desk.fits(len(record.manifest), "the manifest")
        return fits and (not self._is_on_broker or self._desk.fits(largest_page_bytes(manifest), "a page"))

    def _missing(self, most: int) -> list[PageEntry]:
        """Pages that are to be published, those that are under way too; at most so many."""
        found: list[PageEntry] = []
        manifest = self._desk.manifest
        for entry in () if manifest is None else manifest.pages:
            if len(found) >= most:
                break
            if self._lacks(entry):
                found.append(entry)
        return found

    def _lacks(self, entry: PageEntry) -> bool:
        if self._is_on_broker and entry.sha256 not in self._there:
            return True
        return self._desk.parts.shelf is not None and entry.sha256 not in self._shelved

    def _post_pages(self, manifest: Manifest, now: Moment) -> None:
        desk, topics = self._desk, self._desk.parts.topics
        due = [
            entry
            for entry in self._missing(2 * desk.outgoing.room)
            if not desk.outgoing.is_under_way(topics.page(entry.sha256))
        ][: desk.outgoing.room]
        if not due or desk.key is None:
            return
        if desk.key.generation != manifest.key_generation:
            desk.is_hurried = True
            return
        wanted = {entry.sha256 for entry in due}
        buckets = {entry.bucket for entry in due}
        listed = {entry.sha256 for entry in manifest.pages}
        changed: set[int] = set()
        with reading(desk.store.connection):
            pages = pages_again(desk.store.connection, desk.parts.namespace, desk.key, manifest, buckets)
            for entry, sealed in pages:
                if entry.sha256 in wanted:
                    self._put(entry.sha256, sealed, now)
                elif entry.sha256 not in listed:
                    changed.add(entry.bucket)
        if changed:
            self._make_anew(changed)

    def _put(self, name: str, sealed: bytes, now: Moment) -> None:
        shelf = self._desk.parts.shelf
        if shelf is not None and name not in self._shelved:
            shelf.put(name, sealed)
            self._shelved.add(name)
        if self._is_on_broker and name not in self._there:
            topic = self._desk.parts.topics.page(name)
            self._desk.outgoing.post(topic, sealed, lambda _: self._there.add(name))
            self._asked.setdefault(name, now)

    def _make_anew(self, buckets: set[int]) -> None:
        """People changed since the epoch: its pages are of no use any more, and the next one is made now."""
        with transaction(self._desk.store.connection) as connection:
            for bucket in buckets:
                write_bucket(connection, bucket, None)
        self._desk.is_hurried = True

    def _post_manifest(self, now: Moment) -> None:
        desk, topic = self._desk, self._desk.parts.topics.manifest
        is_again = self.own_names[-1:] == [desk.name]
        if is_again and not passed(self._manifest_sent, now, _AGAIN_MS):
            return
        if desk.record is None or desk.outgoing.is_under_way(topic) or not desk.outgoing.room:
            return
        name = desk.name
        self.own_names = [*self.own_names[1 - _MOST_REMEMBERED :], name]
        if desk.parts.shelf is not None:
            desk.parts.shelf.show_manifest(desk.record.manifest)
        desk.outgoing.post(topic, desk.record.manifest, lambda now: self._manifest_taken(name, now))

    def _manifest_taken(self, name: str, now: Moment) -> None:
        self._manifest_there = name
        self._manifest_sent = now
        self._is_asked_for = False
        self._said_alive = None
        self.published += 1

    def _post_alive(self, now: Moment) -> None:
        desk, topic = self._desk, self._desk.parts.topics.alive
        every_ms = ms_of(desk.parts.settings.alive_every)
        is_due = passed(self._said_alive, now, min(every_ms, _AGAIN_MS) if self._is_unheard_of else every_ms)
        if not is_due or desk.outgoing.is_under_way(topic) or not desk.outgoing.room:
            return
        said = Alive(namespace=desk.parts.namespace, epoch=desk.epoch, manifest=desk.name, at=now.utc_ms)
        payload = signed(StatementKind.ALIVE, said, desk.keys.authority)
        if desk.parts.shelf is not None and desk.manifest is not None and desk.record is not None:
            desk.parts.shelf.show_manifest(desk.record.manifest)
            desk.parts.shelf.keep_only(frozenset(entry.sha256 for entry in desk.manifest.pages), now.utc_ms)
        desk.outgoing.post(topic, payload, lambda _: None)
        self._said_alive, desk.said_ms = now, max(desk.said_ms, now.utc_ms)
        self._is_unheard_of = False

    def _clear_retired(self, now: Moment) -> None:
        desk, topics = self._desk, self._desk.parts.topics
        until = now.utc_ms - ms_of(desk.parts.settings.grace)
        for name in retired_before(desk.store.connection, until, now.utc_ms, desk.outgoing.room):
            if not desk.outgoing.is_under_way(topics.page(name)) and name not in self._cleared:
                desk.outgoing.post(topics.page(name), b"", lambda _, name=name: self._clear(name))  # type: ignore[misc]

    def _clear(self, name: str) -> None:
        self._there.discard(name)
        self._cleared.append(name)

    def _write_down(self) -> None:
        if self._cleared:
            with transaction(self._desk.store.connection) as connection:
                for name in self._cleared:
                    forget_retired(connection, name)
            self._cleared.clear()
