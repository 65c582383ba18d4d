"""`edged groups`: people nobody has named yet."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from edged.cli.groups_name import add_name_parser
from edged.cli.groups_place import GROUP_HELP, action, may
from edged.cli.groups_split import add_split_parser
from edged.cli.groups_words import SHORT, json_of, table_of, told, write_sheet
from edged.cli.identities_place import Place
from edged.cli.identities_words import counted, warn
from edged.domain.errors import EdgedError

if TYPE_CHECKING:
    from edged.store.group_queries import Group

DESCRIPTION = """\
People nobody has named yet: the daemon clusters the faces of unknown people, one group a person. Naming a
group makes a person of it, and from then on they are known. A running daemon sees every change within a
second.
"""

EPILOG = """\
examples:
  edged groups list --contact-sheet strangers.png
  edged groups show 3f2a
  edged groups name 3f2a "Eileen Collins"
  edged groups merge 3f2a 90bc
  edged groups forget --older-than "7 d"
"""


_NAMED = 3
"""Groups that a question names one by one."""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command and its subcommands."""
    parser = subparsers.add_parser(
        "groups",
        help="look at, name, merge, split and forget people nobody has named",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    _add_list(actions)
    _add_show(actions)
    add_name_parser(actions)
    _add_merge(actions)
    add_split_parser(actions)
    _add_forget(actions)


def _add_list(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = action(actions, "list", "list all groups, those seen last first")
    parser.add_argument("--json", action="store_true", help="print a JSON array")
    _add_sheet(parser)
    parser.set_defaults(run=_list)


def _add_sheet(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--contact-sheet", metavar="FILE", type=Path, help="draw the faces into a PNG file")


def _list(arguments: argparse.Namespace) -> int:
    from edged.store.group_store import GroupStore

    place = Place(arguments)
    found: list[Group] = []
    if place.is_there:
        with place.reading() as store:
            groups = GroupStore(store)
            found = groups.groups()
            if arguments.contact_sheet is not None and found:
                faces = ((group, groups.faces_of(group, with_chips=True)) for group in found)
                write_sheet(arguments.contact_sheet, faces)
    if arguments.json:
        print(json.dumps([json_of(group) for group in found], indent=2))
    elif found:
        print(table_of(found))
    else:
        print(f"there is no group in namespace {place.namespace}", file=sys.stderr)
        if arguments.contact_sheet is not None:
            print(f"  {arguments.contact_sheet} was not written", file=sys.stderr)
    return 0


def _add_show(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = action(
        actions, "show", "show one group: when and where the person was seen, and which faces are kept"
    )
    parser.add_argument("group", metavar="GROUP", help=GROUP_HELP)
    parser.add_argument("--json", action="store_true", help="print a JSON object")
    _add_sheet(parser)
    parser.set_defaults(run=_show)


def _show(arguments: argparse.Namespace) -> int:
    from edged.store.group_store import GroupStore

    with Place(arguments).reading() as store:
        groups = GroupStore(store)
        group = groups.find(arguments.group)
        tracks = groups.tracks_of(group)
        faces = groups.faces_of(group, with_chips=True)
    if arguments.contact_sheet is not None:
        write_sheet(arguments.contact_sheet, [(group, faces)])
    if arguments.json:
        print(json.dumps(json_of(group, tracks, faces), indent=2))
    else:
        print(told(group, tracks, faces))
    return 0


def _add_merge(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = action(
        actions, "merge", "make one group of several of the same person", "The first one keeps its id."
    )
    parser.add_argument("groups", metavar="GROUP", nargs="+", help=GROUP_HELP)
    parser.set_defaults(run=_merge)


def _merge(arguments: argparse.Namespace) -> int:
    from edged.store.group_store import GroupStore

    with Place(arguments).writing() as store:
        groups = GroupStore(store)
        wanted = _different([groups.find(one) for one in arguments.groups])
        if len(wanted) == 1:
            raise EdgedError("a merge needs two groups or more")
        print(table_of([groups.merge(wanted)]))
        warn(store.swept_log())
    return 0


def _add_forget(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = action(
        actions, "forget", "delete groups for good: faces, chips and embeddings", "There is no way back."
    )
    parser.add_argument("groups", metavar="GROUP", nargs="*", help=GROUP_HELP)
    parser.add_argument("--all", action="store_true", help="every group of the namespace")
    parser.add_argument(
        "--older-than", metavar="AGE", help='every group that was not seen for so long, such as "7 d"'
    )
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.set_defaults(run=_forget)


def _forget(arguments: argparse.Namespace) -> int:
    from edged.store.group_store import GroupStore
    from edged.store.namespace_files import damaged_copies

    if sum((bool(arguments.groups), arguments.all, arguments.older_than is not None)) != 1:
        raise EdgedError("say which groups to forget: their ids, or --older-than AGE, or --all")
    before_ms = _before_ms(arguments.older_than)
    place = Place(arguments)
    with place.writing() as store:
        groups = GroupStore(store)
        doomed = _different([groups.find(one) for one in arguments.groups]) if arguments.groups else []
        if not arguments.groups:
            now_ms = place.clock.moment().utc_ms
            doomed = [one for one in groups.groups() if before_ms is None or one.kept_ms < now_ms - before_ms]
        if not doomed:
            print("there is nothing to forget", file=sys.stderr)
            return 0
        words = _words(doomed)
        if not arguments.yes and not may(f"Forget {words} in namespace {place.namespace} for good?"):
            raise EdgedError("nothing was forgotten")
        warn(groups.forget(doomed))
    if copies := damaged_copies(place.path):
        warn([f"{copy}, a damaged copy, may still hold them; delete it" for copy in copies])
    print(f"forgot {words}")
    return 0


def _before_ms(age: str | None) -> int | None:
    from edged.settings.quantities import Duration

    if age is None:
        return None
    try:
        return round(Duration.parse(age) * 1000)
    except ValueError as error:
        raise EdgedError(f"--older-than {age!r} is no age", remedy=str(error)) from None


def _different(groups: "list[Group]") -> "list[Group]":
    return list({group.id: group for group in groups}.values())


def _words(groups: "list[Group]") -> str:
    faces = counted(sum(group.faces for group in groups))
    if len(groups) > _NAMED:
        return f"{len(groups)} groups with {faces}"
    return f"{', '.join(group.id[:SHORT] for group in groups)} ({faces})"
