"""`edged sync join`."""

import argparse
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from edged.cli.groups_place import may
from edged.cli.identities_words import counted
from edged.cli.sync_place import SyncPlace, pause, sync_action
from edged.cli.sync_wait import NOT_EVERYBODY, duration
from edged.domain.errors import ConfigurationError, EdgedError, InputError
from edged.domain.sync_state import SyncRole
from edged.settings.quantities import Duration

if TYPE_CHECKING:
    from collections.abc import Callable

    from edged.replication.invitation import Invitation
    from edged.store.namespace_store import NamespaceStore
    from edged.sync.board import SyncBoard

_MOST_CODE_BYTES = 4096


def add_join(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the action."""
    parser = sync_action(
        actions,
        "join",
        "have this node be a member, with a code of `edged sync invite`",
        "Waits until everybody who is enrolled at the authority is known here too. The broker must be"
        " configured; the daemon may run, or not. With a new invitation it lets a node that knew another"
        " authority of the namespace believe the new one.",
        """edged sync join edged1-CODE
        edged sync join --file camera.invitation""",
        _join,
    )
    parser.add_argument("code", metavar="CODE", nargs="?", help="the invitation")
    parser.add_argument("--file", type=Path, metavar="FILE", help="the file with it")
    parser.add_argument(
        "--wait",
        type=duration,
        default=Duration(60),
        metavar="TIME",
        help="wait for so long, then let the daemon go on with it (default: 60 s)",
    )
    parser.add_argument("--yes", action="store_true", help="do not ask")


def _join(arguments: argparse.Namespace) -> int:
    from edged.app.sync_commands import begin_to_join
    from edged.replication.invitation import read_code

    if (arguments.code is None) == (arguments.file is None):
        raise EdgedError("one invitation is needed", remedy="Say CODE or --file FILE.")
    invitation = read_code(arguments.code if arguments.file is None else _text_of(arguments.file))
    place = SyncPlace(arguments)
    if place.namespace != invitation.namespace:
        if arguments.namespace != "home":
            raise EdgedError(f"the invitation is to {invitation.namespace}, not {place.namespace}")
        arguments.namespace = invitation.namespace
        place = SyncPlace(arguments)
    if place.settings is None:
        raise ConfigurationError(
            "there is no configuration, and so no broker", remedy="Name it with `--config FILE`."
        )
    place.require_broker()
    _ask(place, invitation, is_agreed=arguments.yes)
    node = place.device()
    place.keys(may_create=True)
    with place.tables(may_create=True) as tables:
        begin_to_join(tables, invitation, node)
    return _wait(place, float(arguments.wait))


def _ask(place: SyncPlace, invitation: "Invitation", *, is_agreed: bool) -> None:
    """Have what is lost be agreed to."""
    from edged.app.sync_commands import Place, believed_otherwise

    if is_agreed or not place.is_there:
        return
    with place.reading() as store:
        people = len(store.identities())
        tables = Place(store.connection, place.namespace, place.clock.moment().utc_ms)
        is_other = believed_otherwise(tables, invitation)
        is_new = not is_other and _membership_role(store) is None
    if is_other:
        question = (
            f"This node believes another authority of {place.namespace}. Have it believe the one with the key"
            f" {invitation.authority.hex()[:12]} from now on, and drop what it has of the old one's epochs?"
        )
    elif is_new and people:
        question = (
            f"{counted(people, 'person is', 'people are')} enrolled here in {place.namespace}. They are"
            " proposed to the authority, and whom it does not take is forgotten here (`edged"
            " identities export FILE` keeps them). Join?"
        )
    else:
        return
    if not may(question):
        raise EdgedError("nothing was changed")


def _wait(place: SyncPlace, timeout_s: float) -> int:
    """Say how it goes until an epoch is in force, or the time is over; returns the exit code."""
    from edged.sync.board import SyncBoard

    seen, board = _Seen(place), SyncBoard()
    try:
        with place.reading() as store:
            if place.is_running:
                is_done = _poll(place, lambda: seen.is_done(store), timeout_s)
            else:
                is_done = _exchange(place, board, lambda: seen.is_done(store), timeout_s)
            people, role = len(store.identities()), _membership_role(store)
    except KeyboardInterrupt:
        print("edged: the daemon goes on with it; `edged sync status` says how far it is", file=sys.stderr)
        raise
    if is_done and role is SyncRole.MEMBER:
        print(f"joined {place.namespace}: {counted(people, 'person', 'people')}")
        return 0
    if is_done:
        print(f"edged: the authority has put this node out of {place.namespace}", file=sys.stderr)
        return 1
    why = _trouble(place, board) or (
        "see whether the authority runs, both reach the same broker, and the invitation was not used up (the"
        " authority's log says so)"
    )
    print(
        f"edged: not there yet: {why}. The daemon goes on with it until the invitation runs out; `edged sync"
        " status` says how far it is"
        f"{' (a daemon that runs must have a broker configured)' if place.is_running else ''}",
        file=sys.stderr,
    )
    return NOT_EVERYBODY


def _trouble(place: SyncPlace, board: "SyncBoard") -> str:
    """What whoever asks the authority says is wrong: the daemon, or this command in its stead."""
    from edged.app.sync_told import word_of

    standing = board.standing(place.namespace)
    if standing is not None:
        return standing.trouble
    word = word_of(place.data_dir, place.namespace, place.daemon)
    return "" if word is None else word.trouble


class _Seen:
    """Looks whether a node has joined, and tells each step once."""

    def __init__(self, place: SyncPlace) -> None:
        self._namespace = place.namespace
        self._told = ""

    def is_done(self, store: "NamespaceStore") -> bool:
        """Whether an epoch is in force, or none will be."""
        from edged.store.sync_records import epoch_record

        role, record = _membership_role(store), epoch_record(store.connection)
        words = (
            {
                SyncRole.JOINING: "asking the authority",
                SyncRole.MEMBER: "let in; fetching who is enrolled",
            }.get(role, "")
            if role is not None
            else ""
        )
        is_done = (role is SyncRole.MEMBER and record is not None) or role in (None, SyncRole.REMOVED)
        if words and words != self._told and not is_done:
            self._told = words
            print(f"{self._namespace}: {words}", file=sys.stderr, flush=True)
        return is_done


def _membership_role(store: "NamespaceStore") -> SyncRole | None:
    from edged.store.sync_records import membership

    present = membership(store.connection)
    return None if present is None else present.role


def _poll(place: SyncPlace, is_done: "Callable[[], bool]", timeout_s: float) -> bool:
    end_ms = place.clock.moment().steady_ms + timeout_s * 1000
    while not is_done():
        if place.clock.moment().steady_ms >= end_ms:
            return False
        pause()
    return True


def _exchange(place: SyncPlace, board: "SyncBoard", is_done: "Callable[[], bool]", timeout_s: float) -> bool:
    """Do the daemon's part meanwhile, because none runs; `board` hears how it goes."""
    from edged.app.absolute_paths import with_absolute_paths
    from edged.app.bare_node import embedder_in_use
    from edged.app.configuration import load
    from edged.app.encryption import configured_key
    from edged.app.sync_reembedding import LeftToTheDaemon
    from edged.app.syncing import SyncGround, exchange_until
    from edged.delivery.route import routes_of
    from edged.store.outbox import Outbox
    from edged.system.lock import FolderLock

    # The broker's password is a secret: whoever runs this may read it, or has the daemon run.
    loaded = load(place.config)
    settings = with_absolute_paths(loaded.settings, loaded.base_dir)
    with FolderLock(place.data_dir), closing(Outbox(place.data_dir, routes_of(settings.sinks))) as outbox:
        ground = SyncGround(
            settings=settings,
            data_dir=place.data_dir,
            device=place.device(),
            embedder=embedder_in_use(settings, place.data_dir),
            clock=place.clock,
            key=configured_key(settings.privacy),
            outbox=outbox,
            reembedding=LeftToTheDaemon(),
        )
        return exchange_until(ground, board, is_done, timeout_s)


def _text_of(path: Path) -> str:
    from edged.system.regular_file import open_regular_file

    try:
        with open_regular_file(path) as file:
            return file.read(_MOST_CODE_BYTES).decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise InputError(f"{path} cannot be read: {why}") from None
