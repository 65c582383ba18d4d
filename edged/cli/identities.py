"""`edged identities`: the people a namespace knows."""

import argparse
import json
import sys
from contextlib import ExitStack
from pathlib import Path

from edged.cli.identities_add import add_add_parser
from edged.cli.identities_place import Place, add_place_options
from edged.cli.identities_words import counted, json_of, table_of, told_faces, warn
from edged.cli.sync_wait import Waiting, add_wait_option
from edged.domain.errors import EdgedError
from edged.domain.identity import checked_name

DESCRIPTION = """\
The people that faces are compared with: one database a namespace. A running daemon sees every change
within a second. WHO is a name, a customId, an id or the first four or more characters of an id.
"""

EPILOG = """\
examples:
  edged identities add "Eileen Collins" portrait.jpg clip.mp4
  edged identities list
  edged identities add --to "Eileen Collins" another.jpg
  edged identities remove "Eileen Collins"
  edged identities export people.zip
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command and its subcommands."""
    parser = subparsers.add_parser(
        "identities",
        help="enrol, list, rename, remove, export and import people",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    add_add_parser(actions)
    _add_list(actions)
    _add_show(actions)
    _add_rename(actions)
    _add_remove(actions)
    _add_export(actions)
    _add_import(actions)


def _action(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, words: str, more: str = ""
) -> argparse.ArgumentParser:
    parser = actions.add_parser(
        name, help=words, description=f"{words[0].upper()}{words[1:]}. {more}".strip()
    )
    add_place_options(parser)
    return parser


def _add_list(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = _action(actions, "list", "list everybody who is enrolled")
    parser.add_argument("--json", action="store_true", help="print a JSON array")
    parser.set_defaults(run=_list)


def _list(arguments: argparse.Namespace) -> int:
    place = Place(arguments)
    people = []
    if place.is_there:
        with place.reading() as store:
            people = store.identities()
    if arguments.json:
        print(json.dumps([json_of(person) for person in people], ensure_ascii=False, indent=2))
    elif people:
        print(table_of(people))
    else:
        print(f"nobody is enrolled in namespace {place.namespace}\n  {place.advice()}", file=sys.stderr)
    return 0


def _add_show(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = _action(actions, "show", "show one person and the faces that stand for them")
    parser.add_argument("who", metavar="WHO", help="name, customId, id, or the beginning of an id")
    parser.add_argument("--json", action="store_true", help="print a JSON object")
    parser.set_defaults(run=_show)


def _show(arguments: argparse.Namespace) -> int:
    with Place(arguments).reading() as store:
        person = store.find(arguments.who)
        faces = list(store.face_records(person.id, without_broken=True))
    if arguments.json:
        print(json.dumps(json_of(person, faces), ensure_ascii=False, indent=2))
    else:
        print(told_faces(person, faces))
    return 0


def _add_rename(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = _action(actions, "rename", "give a person another name or customId")
    parser.add_argument("who", metavar="WHO", help="name, customId, id, or the beginning of an id")
    parser.add_argument("name", metavar="NAME", nargs="?", help="the new name, at most 200 characters")
    custom_id = parser.add_mutually_exclusive_group()
    custom_id.add_argument("--custom-id", metavar="ID", help="what another program calls them")
    custom_id.add_argument("--no-custom-id", action="store_true", help="take the customId away")
    parser.set_defaults(run=_rename)


def _rename(arguments: argparse.Namespace) -> int:
    if arguments.name is None and arguments.custom_id is None and not arguments.no_custom_id:
        raise EdgedError("nothing to change", remedy="Give a new NAME, --custom-id ID or --no-custom-id.")
    place = Place(arguments)
    if arguments.name is not None:
        checked_name(arguments.name)
    with place.writing() as store:
        person = store.find(arguments.who)
        # The customId first: it is what can be refused, and then nothing was changed.
        if arguments.custom_id is not None or arguments.no_custom_id:
            person = store.set_custom_id(person.id, arguments.custom_id)
        if arguments.name is not None:
            person = store.rename(person.id, arguments.name)
        warn(place.finish(store))
    print(table_of([person]))
    return 0


def _add_remove(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    for name in ("remove", "erase"):
        _add_removal(actions, name)


def _add_removal(actions: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str) -> None:
    parser = _action(
        actions,
        name,
        "forget people for good: faces, chips, embeddings, and all of them in snapshots",
        "There is no way back, except by enrolling again or from an export. `edged erase` does the same to"
        " one person, and gives a receipt.",
    )
    parser.add_argument("who", metavar="WHO", nargs="+", help="name, customId, id, or the beginning of an id")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    add_wait_option(parser)
    parser.set_defaults(run=_remove)


def _remove(arguments: argparse.Namespace) -> int:
    from edged.app.erasing import erase
    from edged.store.erasures import outbox_in

    place = Place(arguments)
    with place.writing() as store, ExitStack() as opened:
        outbox = outbox_in(place.data_dir)
        if outbox is not None:
            opened.callback(outbox.close)
        people = {person.id: person for person in map(store.find, arguments.who)}
        words = ", ".join(f"{person.label} ({counted(person.faces)})" for person in people.values())
        if not arguments.yes and not _confirmed(f"Forget {words} in namespace {place.namespace} for good?"):
            raise EdgedError("nobody was removed")
        receipt = erase(store, place.namespace, list(people), outbox)
    warn(receipt.warnings)
    print(f"removed {words}")
    return Waiting(arguments).finish([one.id for one in receipt.people])


def _confirmed(question: str) -> bool:
    if not sys.stdin.isatty():
        raise EdgedError("this would remove people, and there is nobody to ask", remedy="Say --yes.")
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _add_export(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = _action(
        actions,
        "export",
        "write people with faces and embeddings to one archive",
        "It is for its owner's eyes: whoever has it can recognise these people.",
    )
    parser.add_argument("file", metavar="FILE", type=Path, help="the archive to write, such as people.zip")
    parser.add_argument("who", metavar="WHO", nargs="*", help="only these people (default: everybody)")
    parser.add_argument("--force", action="store_true", help="replace the file if it is there")
    parser.set_defaults(run=_export)


def _export(arguments: argparse.Namespace) -> int:
    from edged.store.archive import export_archive
    from edged.store.sealing import seal_of

    place = Place(arguments)
    with place.reading() as store:
        wanted = {store.find(who).id for who in arguments.who}
        people = [person for person in store.identities() if not wanted or person.id in wanted]
        faces = export_archive(
            store,
            people,
            arguments.file,
            namespace=place.namespace,
            utc_ms=place.clock.moment().utc_ms,
            may_replace=arguments.force,
        )
        if seal_of(store.connection).is_sealed:
            warn([f"{arguments.file} is not encrypted, as the store is: keep it as you keep the key"])
    print(f"{arguments.file} has {counted(len(people), 'person', 'people')} with {counted(faces)}")
    return 0


def _add_import(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = _action(
        actions,
        "import",
        "take over the people of an archive, all or none",
        "Somebody with the same id or customId is the same person and is completed, not doubled.",
    )
    parser.add_argument("file", metavar="FILE", type=Path, help="what `edged identities export` wrote")
    parser.add_argument("--json", action="store_true", help="print what was done as a JSON object")
    parser.set_defaults(run=_import)


def _import(arguments: argparse.Namespace) -> int:
    from edged.store.archive import import_archive

    place = Place(arguments)
    with place.writing(may_create=True) as store:
        report = import_archive(store, arguments.file)
        warn(place.finish(store))
    if arguments.json:
        done = {"new": report.new, "updated": report.updated, "skipped": report.skipped}
        print(
            json.dumps({**done, "faces": report.faces, "models": report.models}, ensure_ascii=False, indent=2)
        )
        return 0
    for words, names in (("new", report.new), ("updated", report.updated), ("already known", report.skipped)):
        if names:
            print(f"{words}: {', '.join(names)}")
    print(f"{counted(report.faces)} added to namespace {place.namespace}")
    for model_hash, faces in report.models.items():
        print(f"  {counted(faces)} with an embedding by the model {model_hash[:12]}")
    return 0
