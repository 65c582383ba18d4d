"""The transactional outbox: what a commit took is told to every sink at least once, or its loss is counted.

Delivery is at least once: a message is claimed under a lease, sent, and forgotten only when its sink has it;
whoever dies in between leaves it to be claimed again. Messages of one subject (a job, an event, a feed's
presence) reach a sink in their order.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from edged.delivery.parcel import Parcel
from edged.delivery.route import Route
from edged.delivery.settlement import Settlement
from edged.domain.hook import Hook
from edged.domain.message import Message
from edged.domain.moment import Moment
from edged.store import (
    outbox_erasing,
    outbox_hooks,
    outbox_letters,
    outbox_queue,
    outbox_retained,
    outbox_upkeep,
)
from edged.store.outbox_erasing import Redaction
from edged.store.outbox_file import OutboxFile
from edged.store.outbox_letters import DeadLetter, OutboxStatus
from edged.store.outbox_upkeep import GivenUp

FILE_NAME: Final = "outbox.db"

PATIENCE_S: Final = 5.0
"""How long the main thread, which the watchdog watches, waits for its turn: a file that is made smaller on a
slow card may be in use for a minute."""

_LOG = logging.getLogger(__name__)


class Outbox:
    """The outbox of one data folder. Any thread may call anything; one writes at a time.

    Every method raises StoreError where the file cannot be read or written, having changed nothing. A
    damaged file is moved aside, with its name in the log; what can be read of it goes into a new one, and
    the work goes on there (with `may_replace`, which is the daemon's right alone).
    """

    def __init__(self, data_dir: Path, routes: Sequence[Route] = (), *, may_replace: bool = True) -> None:
        self._file = OutboxFile(data_dir / FILE_NAME, may_replace=may_replace)
        self._routes = tuple(routes)
        self._knows_time = False

    def begin(self, moment: Moment, boot_id: str) -> None:
        """Start a run of the daemon, before anything else is asked of the outbox.

        Leases of the run before end. What waits for a sink that is not in the routes any more is dropped,
        counted and logged; a new sink is told what is committed from now on. `boot_id` names the start of
        the machine that the moments' steady clock counts from; empty where that is not known.
        """
        gone = self._file.change(lambda c: outbox_upkeep.begin_run(c, self._routes, boot_id))
        for sink, number in gone.items():
            _LOG.warning("%d messages for the sink `%s` are dropped: it is configured no more", number, sink)
        self._knows_time = False
        self._learn_time(moment)

    def device_id(self, new_id: Callable[[], str]) -> str:
        """The id of this device: made the first time, the same ever after."""
        return self._file.change(lambda c: outbox_upkeep.state(c, "device", new_id))

    def next_run(self) -> int:
        """The number of this start of the daemon, from 1; counts up with every call."""
        return self._file.change(outbox_upkeep.next_run)

    def begin_replay(self) -> int:
        """The number under which clips are replayed from now on, from 1.

        It is the same as for the replay before, so that the same clips give the same ids, unless that one was
        broken off: then what it told of its last job must not be told otherwise under the same id.
        """
        return self._file.change(outbox_upkeep.begin_replay)

    def end_replay(self) -> None:
        """Every clip was replayed to its end."""
        self._file.change(outbox_upkeep.end_replay)

    def commit(self, messages: Sequence[Message], moment: Moment) -> None:
        """Record all messages for the sinks that want them, in one transaction on the disk, or none.

        `moment` is that of this very try: a message counts its time in the outbox from it. A message that
        waits, is not final and not being sent is replaced by the next of its subject, except in a replay.
        """
        self._file.take_in(lambda c: outbox_queue.enqueue(c, self._routes, messages, moment))

    def claim(self, sink: str, limit: int, moment: Moment, lease_s: float) -> list[Parcel]:
        """Lease up to `limit` of the sink's messages, the oldest first, for `lease_s` at most.

        A message whose subject has an earlier one leased or waiting for its retry is not among them.
        """
        lease_ms = int(lease_s * 1000)
        return self._file.change(
            lambda c: outbox_queue.claim(c, sink, limit, moment, lease_ms), durable=False
        )

    def settle(self, sink: str, settlement: Settlement, moment: Moment) -> None:
        """Write down what became of leased messages, in one transaction."""
        self._file.change(lambda c: outbox_queue.settle(c, sink, settlement, moment))

    def add_hook(self, hook: Hook) -> Hook:
        """Keep a webhook that a client asked for; returns the one to use.

        A request's webhook is kept until its job has ended and its last message was sent. Requests of one
        client with one address share a hook, so that what is returned may have another id than what was
        given. Where the request comes to nothing, `release_hook` says so.

        Raises HookLimitError where there are too many: of this client, or of all requests.
        """
        return self._file.take_in(lambda c: outbox_hooks.add(c, hook))

    def release_hook(self, hook_id: str) -> None:
        """The request that a hook was added for was not begun after all."""
        self._file.change(lambda c: outbox_hooks.release(c, hook_id))

    def remove_hook(self, hook_id: str) -> bool:
        """Forget a hook and what waits for it, counted; False where there is none of that id."""
        hook, lost = self._file.change(lambda c: outbox_hooks.remove(c, hook_id))
        if lost:
            _LOG.warning("%d messages for a webhook are dropped: it was removed", lost)
        return hook is not None

    def hook(self, hook_id: str) -> Hook | None:
        """A hook, or None where there is none of that id."""
        return self._file.look(lambda c: outbox_hooks.one(c, hook_id))

    def hooks(self, client_id: str | None = None) -> list[Hook]:
        """The registered hooks of a client, or of all, the oldest first."""
        return self._file.look(lambda c: outbox_hooks.registered(c, client_id))

    def keep_clients(self, clients: Mapping[str, Collection[str]]) -> None:
        """Say which clients there are, each with its namespaces; asked for after `begin`.

        Hooks of others are removed with what waits for them, counted and logged; registered ones are told
        the jobs of these namespaces from now on.
        """
        gone, lost = self._file.change(lambda c: outbox_hooks.keep_clients(c, clients))
        for hook in gone:
            _LOG.warning("A webhook of the client `%s` is removed: it is configured no more", hook.client_id)
        if lost:
            _LOG.warning("%d messages for these webhooks are dropped", lost)

    def retained(self, sink: str, broker: str) -> dict[str, str]:
        """Topics that the broker may keep for the sink, each with its parts; see `0003_retained.sql`."""
        return self._file.look(lambda c: outbox_retained.topics(c, sink, broker))

    def note_retained(self, sink: str, broker: str, parts: Mapping[str, str]) -> None:
        """Write topics down before they are first published with `retain`, each with its parts."""
        self._file.change(lambda c: outbox_retained.note(c, sink, broker, parts))

    def forget_retained(self, sink: str, broker: str, topics: Iterable[str]) -> None:
        """The broker keeps nothing there any more."""
        self._file.change(lambda c: outbox_retained.forget(c, sink, broker, topics))

    def due_hooks(self, moment: Moment) -> list[Hook]:
        """The hooks for which something waits that may be sent now."""
        return self._file.look(lambda c: outbox_hooks.due(c, moment))

    def next_due_ms(self, sink: str) -> int | None:
        """When a message of the sink may be sent at the earliest, steady ms; None where none waits."""
        return self._file.look(lambda c: outbox_queue.next_due(c, sink))

    def is_empty(self, sink: str) -> bool:
        """Whether nothing waits for the sink, dead letters apart."""
        return self._file.look(lambda c: outbox_queue.is_empty(c, sink))

    def close_orphans(self, moment: Moment) -> list[Message]:
        """Give every job of an earlier run that is still open its final message; returns these messages."""
        closed = self._file.take_in(lambda c: outbox_upkeep.close_orphans(c, self._routes, moment))
        if closed:
            _LOG.warning("%d jobs were left open by the last run and are closed as incomplete", len(closed))
        return closed

    def give_up(self, moment: Moment, max_age_s: float, max_bytes: int) -> GivenUp:
        """Forget what is too old, then the oldest of what is too much, dead letters among them.

        Both are counted by sink and logged. What is being sent at the moment is passed over. Raises
        StoreError also where the file is in use for longer than PATIENCE_S.
        """
        self._learn_time(moment)
        max_age_ms = int(max_age_s * 1000)
        given_up = self._file.change(
            lambda c: outbox_upkeep.give_up(c, moment, max_age_ms, max_bytes), patience_s=PATIENCE_S
        )
        if given_up:
            _LOG.error(
                "Messages are given up unsent: %d older than outbox.max_age, %d over outbox.max_bytes, "
                "%d for webhooks of API clients",
                given_up.too_old,
                given_up.too_much,
                given_up.of_hooks,
            )
        return given_up

    def messages(self) -> int:
        """How many messages a sink has not got yet, dead letters among them; quick, however many they are.

        Raises StoreError also where the file is in use for longer than PATIENCE_S.
        """
        return self._file.look(outbox_letters.messages, patience_s=PATIENCE_S)

    def status(self, moment: Moment) -> OutboxStatus:
        """How full the outbox is, sink by sink."""
        configured = tuple(route.sink_id for route in self._routes)
        return self._file.look(lambda c: outbox_letters.status(c, configured, moment))

    def dead_letters(self) -> list[DeadLetter]:
        """What the sinks would not take."""
        return self._file.look(outbox_letters.dead_letters)

    def resend(self, delivery_id: int | None = None) -> int:
        """Put one dead letter, or all of them, back into the queue; returns how many."""
        return self._file.change(lambda c: outbox_letters.resend(c, delivery_id))

    def drop(self, delivery_id: int) -> bool:
        """Forget one dead letter, counted; False where there is none of that id."""
        return self._file.change(lambda c: outbox_letters.drop(c, delivery_id)) > 0

    # --- people who were removed; see `Erasures`

    def followed(self, namespace: str) -> int:
        """The revision of a namespace up to which whoever was removed is in no message any more."""
        return self._file.look(lambda c: outbox_erasing.followed(c, namespace))

    def watched_for(self, namespace: str) -> list[str]:
        """Who is taken out of whatever comes, since they were removed in this run of the daemon."""
        return self._file.look(lambda c: outbox_erasing.watched_for(c, namespace))

    def let_in(self, namespace: str, identity_ids: Iterable[str]) -> None:
        """These people are enrolled again, under their old ids."""
        self._file.change(lambda c: outbox_erasing.let_in(c, namespace, identity_ids))

    def redact(
        self, namespace: str, identity_ids: Sequence[str], track_ids: Collection[str], revision: int
    ) -> Redaction:
        """Take removed people, and what is nobody's of their tracks, out of all that waits.

        In steps, each a transaction, so that nobody waits for long; what comes meanwhile loses them as it
        comes. In the end the namespace's removals are followed up to `revision`, and nothing of the people is
        left in the file, nor in its log: where another program reads it, that is logged. What is being sent
        at the moment goes out as it is.
        """
        self._file.change(lambda c: outbox_erasing.watch_for(c, namespace, identity_ids))
        done = Redaction(tracks=self.mentions_of(namespace, identity_ids).tracks | set(track_ids))
        after: int | None = 0
        while after is not None:
            after = self._file.change(
                partial(outbox_erasing.redact_some, namespace, identity_ids, after, done)
            )
        self._file.change(lambda c: outbox_erasing.redact_open_jobs(c, namespace, identity_ids, done))
        self._file.change(lambda c: outbox_erasing.set_followed(c, namespace, revision))
        if not self._file.empty_log():
            _LOG.warning("The outbox's log may still name removed people: another program was reading")
        return done

    def mentions_of(self, namespace: str, identity_ids: Sequence[str]) -> Redaction:
        """The messages that mention people of a namespace, and the tracks that they say are theirs.

        Changes nothing.
        """
        found = Redaction()
        after: int | None = 0
        while after is not None:
            after = self._file.look(
                partial(outbox_erasing.gather_tracks, namespace, identity_ids, after, found)
            )
        self._file.look(lambda c: outbox_erasing.tracks_of_open_jobs(c, namespace, identity_ids, found))
        return found

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _learn_time(self, moment: Moment) -> None:
        if not self._knows_time:
            self._knows_time = self._file.change(
                lambda c: outbox_upkeep.learn_time(c, moment), patience_s=PATIENCE_S
            )
