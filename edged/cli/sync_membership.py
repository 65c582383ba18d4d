"""`edged sync init`, `invite`, `remove`, `rotate`, `leave`, `promote`: who takes part, and who leads."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from edged.cli.identities_words import warn
from edged.cli.sync_place import SyncPlace, require_yes, sync_action
from edged.cli.sync_wait import duration
from edged.cli.sync_words import when
from edged.settings.quantities import Duration

if TYPE_CHECKING:
    from edged.app.sync_commands import Place as Tables

_MOST_USES = 100_000
_MOST_NAMED = 5


def add_membership_actions(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the actions."""
    _add_init(actions)
    _add_invite(actions)
    _add_remove(actions)
    _add_rotate(actions)
    _add_promote(actions)
    _add_leave(actions)


def _add_init(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = sync_action(
        actions,
        "init",
        "have this node be the authority of a namespace",
        "Makes this node's secret and the namespace's key. Who is enrolled here is what all members"
        " will know.",
        """edged sync init
        edged sync init --namespace office
        edged sync init --refound""",
        _init,
    )
    parser.add_argument(
        "--refound",
        "--from-here",
        action="store_true",
        help="its authority is lost for good: found the namespace anew, of what this node has, with"
        " a new key; every other node must join again",
    )
    parser.add_argument("--yes", action="store_true", help="do not ask")


def _init(arguments: argparse.Namespace) -> int:
    from edged.app.sync_commands import init
    from edged.system.chance import random_bytes

    place = SyncPlace(arguments)
    place.require_broker()
    if arguments.refound:
        require_yes(
            arguments,
            f"Found {place.namespace} anew from what this node has? The old authority must never come back,"
            " and every other node must join again.",
        )
    node, keys = place.device(), place.keys(may_create=True)
    with place.tables(may_create=True) as tables:
        init(tables, node, keys, random_bytes, is_anew=arguments.refound)
    print(
        f"this node, {node}, is the authority of {place.namespace} (key {keys.authority.public.hex()[:12]})"
    )
    return place.done(
        "`edged sync invite` asks others in; `edged sync backup FILE` keeps it from being lost."
    )


def _add_invite(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = sync_action(
        actions,
        "invite",
        "make a code with which other nodes join",
        "Whoever has it can join until it runs out: tell it as you would tell a password.",
        """edged sync invite
        edged sync invite --expires "10 min" --file camera.invitation
        edged sync invite --uses 20 --expires "1 d\"""",
        _invite,
    )
    parser.add_argument("--file", type=Path, metavar="FILE", help="write it there, with mode 0600")
    parser.add_argument(
        "--expires", type=duration, default=Duration(3600), metavar="TIME", help="for so long (default: 1 h)"
    )
    parser.add_argument("--uses", type=_uses, default=1, metavar="N", help="for so many nodes (default: 1)")


def _uses(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= _MOST_USES:
        raise argparse.ArgumentTypeError("is a number from 1 to 100000")
    return int(text)


def _invite(arguments: argparse.Namespace) -> int:
    from edged.app.sync_commands import invite
    from edged.system.chance import random_bytes
    from edged.system.private_file import write_new

    place = SyncPlace(arguments)
    with place.tables_of_authority("invitations are made") as tables:
        place.keys()
        made = invite(tables, random_bytes, lifetime_ms=round(arguments.expires * 1000), uses=arguments.uses)
    if arguments.file is None:
        print(made.code())
        how = "edged sync join CODE"
    else:
        write_new(arguments.file, f"{made.code()}\n")
        how = f"edged sync join --file {arguments.file}"
    others = "one node" if arguments.uses == 1 else f"{arguments.uses} nodes"
    namespace = "" if place.namespace == "home" else f" --namespace {place.namespace}"
    print(f"For {others}, until {when(made.expires_ms)}. There: {how}{namespace}", file=sys.stderr)
    place.tell_without_daemon()
    return 0


def _add_remove(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = sync_action(
        actions,
        "remove",
        "put a member out",
        "It is told, and the namespace's key is changed, so that it reads nothing that comes after. All"
        " invitations that are out end: it may know their codes. What it has it may keep: a node that is"
        " stolen knows who was enrolled until then.",
        "edged sync remove cam-2",
        _remove,
    )
    parser.add_argument("node", metavar="NODE", help="the member, as `edged sync status` lists it")
    parser.add_argument("--yes", action="store_true", help="do not ask")


def _remove(arguments: argparse.Namespace) -> int:
    from edged.app.sync_commands import expel

    place = SyncPlace(arguments)
    with place.tables_of_authority("members are put out") as tables:
        require_yes(arguments, f"Put {arguments.node} out of {place.namespace}?", "nobody was put out")
        expel(tables, arguments.node)
    return place.done(
        f"{arguments.node} is put out of {place.namespace}; no invitation holds any more, and the key is"
        " changed next"
    )


def _add_rotate(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    sync_action(
        actions,
        "rotate",
        "change the key that the namespace's pages are encrypted with",
        "All pages are published anew. It happens by itself after an erasure and when a member is put out.",
        "edged sync rotate",
        _rotate,
    )


def _rotate(arguments: argparse.Namespace) -> int:
    from edged.app.sync_commands import rotate

    place = SyncPlace(arguments)
    with place.tables() as tables:
        rotate(tables)
    return place.done(f"the key of {place.namespace} is changed next")


def _add_promote(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = sync_action(
        actions,
        "promote",
        "hand the authority over to a member",
        "The member must be in step. Both nodes' daemons must run. This node is a member afterwards;"
        " nobody has to join again.",
        "edged sync promote cam-2",
        _promote,
    )
    parser.add_argument("node", metavar="NODE", help="the member, as `edged sync status` lists it")
    parser.add_argument("--yes", action="store_true", help="do not ask")


def _promote(arguments: argparse.Namespace) -> int:
    from edged.app.sync_commands import promote

    place = SyncPlace(arguments)
    with place.tables_of_authority("the authority is handed over") as tables:
        require_yes(arguments, f"Have {arguments.node} be the authority of {place.namespace}?")
        promote(tables, arguments.node)
    return place.done(
        f"{arguments.node} is on its way to be the authority; `edged sync status` says when it is"
    )


def _add_leave(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = sync_action(
        actions,
        "leave",
        "have this node not take part any more",
        "People stay as they are, and nothing is kept in step from then on: who is erased elsewhere is still"
        " known here.",
        """edged sync leave
        edged sync leave --unsaid""",
        _leave,
    )
    parser.add_argument(
        "--unsaid",
        action="store_true",
        help="at once, though the authority cannot be told, or is lost; at the authority: though members"
        " follow it, which hear nothing any more",
    )
    parser.add_argument("--yes", action="store_true", help="do not ask")


def _leave(arguments: argparse.Namespace) -> int:
    from edged.app.sync_commands import leave, leave_unsaid, require_leaving
    from edged.domain.sync_state import SyncRole

    place = SyncPlace(arguments)
    with place.tables() as tables:
        present = tables.membership()
        if not arguments.unsaid:
            require_leaving(tables)
        require_yes(arguments, _leave_question(present.node, place.namespace, arguments, tables))
        is_done = True
        if arguments.unsaid:
            leave_unsaid(tables)
        else:
            is_done = leave(tables)
    if present.role in (SyncRole.SPLIT, SyncRole.AUTHORITY):
        # What was published with it is of a namespace that is over, or that another node goes on with.
        _drop_secret(place)
    if not is_done:
        return place.done("the authority is told, then it ends")
    print(f"{place.namespace} is not synced here any more")
    if present.role is SyncRole.AUTHORITY:
        from edged.cli.sync_leftovers import what_stays

        print(what_stays(place, present.node))
    return 0


def _leave_question(node: str, namespace: str, arguments: argparse.Namespace, tables: "Tables") -> str:
    from edged.domain.sync_state import SyncRole
    from edged.store.sync_members import members

    others = members(tables.connection)
    if arguments.unsaid and others and tables.membership().role is SyncRole.AUTHORITY:
        names = ", ".join(each.node for each in others[:_MOST_NAMED])
        return (
            f"Have {node}, the authority, end {namespace} for all? Members ({len(others)}: {names}) keep whom"
            " they know, and hear nothing any more."
        )
    return f"Have {node} leave {namespace}?"


def _drop_secret(place: SyncPlace) -> None:
    from edged.app.sync_keys import is_configured, key_path

    if is_configured(place.sync_settings(), place.namespace):
        words = (
            f"`sync.keys` has the secret that {place.namespace} was published with: have another one there"
            " (`edged sync new-key`) before this node founds or joins it again"
        )
        warn([words])
    key_path(place.data_dir, place.namespace).unlink(missing_ok=True)
