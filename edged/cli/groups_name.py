"""`edged groups name`: make a person of a group."""

import argparse
import json
from typing import TYPE_CHECKING

from edged.cli.groups_place import GROUP_HELP, action
from edged.cli.groups_words import SHORT
from edged.cli.identities_place import Place
from edged.cli.identities_words import counted, json_of, warn
from edged.domain.errors import EdgedError, IdentityError, InputError
from edged.domain.identity import Identity, checked_custom_id, checked_name

if TYPE_CHECKING:
    from edged.domain.identity import IdentityFaces
    from edged.recognition.enrolment import Candidate
    from edged.store.group_queries import Group
    from edged.store.group_store import GroupStore
    from edged.store.namespace_store import NamespaceStore

WORDS = "make a person of a group, from its best and most varied faces"
MORE = """\
With --into, give the faces to somebody who is enrolled already. The group is gone, the faces that were not
taken are deleted, and from the next second on the person is known."""


def add_name_parser(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the action."""
    parser = action(actions, "name", WORDS, MORE)
    parser.add_argument("group", metavar="GROUP", help=GROUP_HELP)
    parser.add_argument("name", metavar="NAME", nargs="?", help="the person's name, at most 200 characters")
    parser.add_argument("--into", metavar="WHO", help="give the faces to this person instead of a new one")
    parser.add_argument("--custom-id", metavar="ID", help="what another program calls the new person")
    parser.add_argument("--another", action="store_true", help="make a second person of the same name")
    parser.add_argument("--strict", action="store_true", help="refuse wherever otherwise a warning is given")
    parser.add_argument("--json", action="store_true", help="print the person as a JSON object")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from edged.store.group_store import GroupStore

    _must_make_sense(arguments)
    place = Place(arguments)
    with place.writing() as store:
        groups = GroupStore(store)
        group = groups.find(arguments.group)
        target = store.find(arguments.into) if arguments.into is not None else None
        if target is None:
            _must_be_new(store, arguments)
        numbers, warnings = _chosen(place, store, groups, group, target)
        if warnings and arguments.strict:
            raise InputError("\n".join(warnings), remedy="Nothing was named, because of --strict.")
        person = groups.enrol(
            group,
            numbers,
            name=arguments.name or "",
            custom_id=arguments.custom_id,
            into=target.id if target else None,
        )
        warn([*warnings, *place.finish(store)])
    if arguments.json:
        print(json.dumps(json_of(person), ensure_ascii=False, indent=2))
    else:
        print(
            f"group {group.id[:SHORT]} is {person.label} in namespace {place.namespace}:"
            f" {counted(len(numbers))} of {group.faces} taken, {counted(person.faces)} in all ({person.id})"
        )
    return 0


def _must_make_sense(arguments: argparse.Namespace) -> None:
    if arguments.into is not None:
        if arguments.name is not None or arguments.custom_id is not None or arguments.another:
            raise EdgedError(
                "--into names somebody who is enrolled; NAME, --custom-id and --another are for new people"
            )
        return
    if not checked_name(arguments.name or ""):
        raise EdgedError("a new person needs a name", remedy="Give NAME, or --into WHO.")
    if arguments.custom_id is not None:
        checked_custom_id(arguments.custom_id)


def _must_be_new(store: "NamespaceStore", arguments: argparse.Namespace) -> None:
    name = checked_name(arguments.name)
    for person in store.identities():
        if person.name.casefold() == name.casefold() and not arguments.another:
            raise IdentityError(
                f"{person.name} is enrolled already ({person.id})",
                remedy="--into gives them the faces; --another makes a second person of that name.",
            )


def _chosen(
    place: Place, store: "NamespaceStore", groups: "GroupStore", group: "Group", target: Identity | None
) -> tuple[list[int], list[str]]:
    """The numbers of the faces to enrol, and what is to be said of them; raises InputError."""
    from edged.app.group_model import calibrated_embedder
    from edged.recognition.enrolment import best_and_varied, likeness
    from edged.settings.recognition import Models

    settings = place.settings.models if place.settings else Models()
    model_hash, calibration = calibrated_embedder(settings, place.data_dir)
    found = [(face.number, face.candidate(model_hash)) for face in groups.faces_of(group)]
    usable = [(number, candidate) for number, candidate in found if candidate is not None]
    if not usable:
        raise InputError(
            f"no face of group {group.id} has an embedding of the model in use",
            remedy="Start the daemon once, which embeds the chips that were kept, or forget the group.",
        )
    everybody = store.changes_since(0, model_hash)
    own = None
    if everybody is not None and target is not None:
        own = next((one for one in everybody.changed if one.identity.id == target.id), None)
    candidates = [candidate for _, candidate in usable]
    warnings: list[str] = []
    if own is not None:
        candidates, warnings = _new_to(own, candidates, group)
    chosen = best_and_varied(candidates)
    if everybody is not None:
        match = likeness(everybody, chosen, calibration, besides=target.id if target else "")
        if match is not None:
            warnings.append(
                f"the faces look like {match.identity.label} ({match.identity.id}), who is enrolled:"
                f" {match.similarity:.3f} alike; if it is the same person, use --into"
            )
    taken = {id(candidate) for candidate in chosen}
    return [number for number, candidate in usable if id(candidate) in taken], warnings


def _new_to(
    own: "IdentityFaces", candidates: "list[Candidate]", group: "Group"
) -> "tuple[list[Candidate], list[str]]":
    """The faces that somebody enrolled does not have yet, and doubts that it is them; raises InputError."""
    from edged.recognition.enrolment import DIFFERENT_BELOW, DOUBTFUL_BELOW, not_among, similarity_to

    similarity = similarity_to(own.embeddings, candidates)
    words = f"the faces of group {group.id[:SHORT]} and those of {own.identity.label}"
    if similarity < DIFFERENT_BELOW:
        raise InputError(
            f"{words} are only {similarity:.3f} alike: they show two people",
            remedy="Nothing was changed. Give the group a name of its own.",
        )
    new = not_among(own.embeddings, candidates)
    if not new:
        raise InputError(f"{own.identity.label} has all faces of this group", remedy="Forget the group.")
    doubts = []
    if similarity < DOUBTFUL_BELOW:
        doubts.append(f"{words} are only {similarity:.3f} alike; is it the same person?")
    return new, doubts
