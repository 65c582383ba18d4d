"""`edged identities add`: enrol a person from pictures and clips."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from edged.cli.identities_place import Place, add_place_options
from edged.cli.identities_words import counted, json_of, told_advice, warn
from edged.domain.errors import EdgedError, IdentityError, InputError
from edged.domain.identity import Identity, checked_custom_id, checked_name

if TYPE_CHECKING:
    from edged.app.enrolment import Enroller, Enrolment
    from edged.pipeline.ports import Models
    from edged.store.namespace_store import NamespaceStore

USAGE = """\
edged identities add [options] NAME FILE [FILE …]
       edged identities add [options] --to WHO FILE [FILE …]"""

DESCRIPTION = """\
Enrol a person from pictures (JPEG, PNG, WebP, BMP) and clips, or give one who is enrolled more faces. Each
file must show one person. From a clip, and from all files together, the best and most varied faces are taken,
eight at most. Three and more pictures of different days make a far better template than one.

A file without a face, with several, or of another person than the rest is refused, and then nothing is
changed. Weak pictures, and likeness to somebody already enrolled, are said, and what would help further.
"""

_USE_TO = "; if it is the same person, use --to"


def add_add_parser(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the action."""
    parser = actions.add_parser(
        "add",
        help="enrol a person from pictures and clips",
        usage=USAGE,
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("words", nargs="+", metavar="NAME FILE", help="the person's name, then the files")
    parser.add_argument("--to", metavar="WHO", help="add the faces to this person instead of a new one")
    parser.add_argument("--custom-id", metavar="ID", help="what another program calls the new person")
    parser.add_argument("--another", action="store_true", help="enrol a second person of the same name")
    parser.add_argument("--strict", action="store_true", help="refuse wherever otherwise a warning is given")
    parser.add_argument("--json", action="store_true", help="print what was enrolled as a JSON object")
    add_place_options(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    place = Place(arguments)
    name, files = _name_and_files(arguments)
    target = _checked_target(arguments, place, name)
    enroller, models = _enroller(place)
    model_hash = models.embedder.model_hash
    enrolment = enroller.examine(files)
    warnings = list(enrolment.warnings)
    with place.writing(may_create=True) as store:
        gallery = store.changes_since(0, model_hash)
        if gallery is not None:
            enrolment, more = enrolment.compared(gallery, models.calibrated(), target.id if target else "")
            warnings += [f"{doubt}{_USE_TO if target is None else ''}" for doubt in more]
        if warnings and arguments.strict:
            raise InputError("\n".join(warnings), remedy="Nothing was enrolled, because of --strict.")
        faces = enrolment.new_faces(model_hash)
        if target is None:
            person = store.add_identity(name, faces, custom_id=arguments.custom_id)
        else:
            person = store.add_faces(target.id, faces)
        warn([*warnings, *place.finish(store)])
        lacks = _lacks(person, enrolment, store, is_new=target is None)
    if arguments.json:
        print(_json(person, enrolment, warnings, lacks))
    else:
        print("\n".join([_told(person, enrolment, place), *told_advice(lacks)]))
    return 0


def _lacks(person: Identity, enrolment: "Enrolment", store: "NamespaceStore", *, is_new: bool) -> list[str]:
    """What all the person's faces lack; of earlier ones only what their chips tell."""
    from edged.app.stored_faces import shown_by
    from edged.recognition.advice import advice

    if is_new:
        return advice(person.label, enrolment.shown())
    return advice(person.label, shown_by(store.face_records(person.id, without_broken=True)))


def _name_and_files(arguments: argparse.Namespace) -> tuple[str, list[Path]]:
    """Tell the name from the files; raises EdgedError where one is missing."""
    words: list[str] = arguments.words
    if arguments.to is not None:
        if arguments.custom_id is not None or arguments.another:
            raise EdgedError(
                "--to names somebody who is enrolled; --custom-id and --another are for new people"
            )
        return "", [Path(word) for word in words]
    name = checked_name(words[0])
    if not name or len(words) == 1:
        raise EdgedError(
            "a new person needs a name and at least one picture or clip", remedy=f"usage: {USAGE}"
        )
    if arguments.custom_id is not None:
        checked_custom_id(arguments.custom_id)
    return name, [Path(word) for word in words[1:]]


def _checked_target(arguments: argparse.Namespace, place: Place, name: str) -> Identity | None:
    """Whom the faces are for, None for a new person; refuses early what would be refused in the end."""
    if arguments.to is not None:
        with place.reading() as store:
            return store.find(arguments.to)
    if place.is_there:
        with place.reading() as store:
            everybody = store.identities()
        for person in everybody:
            if person.name.casefold() == name.casefold() and not arguments.another:
                raise IdentityError(
                    f"{person.name} is enrolled already ({person.id})",
                    remedy="--to gives them more faces; --another enrols a second person of that name.",
                )
            if arguments.custom_id is not None and person.custom_id == arguments.custom_id:
                raise IdentityError(f"the customId {arguments.custom_id!r} is taken by {person.label}")
    return None


def _enroller(place: Place) -> "tuple[Enroller, Models]":
    from edged.app.chosen_models import load_chosen_models
    from edged.app.enrolment import Enroller
    from edged.camera.factory import make_source
    from edged.settings import recognition
    from edged.settings.sources import FileSource

    configured = place.settings
    settings = configured.models if configured else recognition.Models()
    detection = configured.detection if configured else recognition.Detection()
    quality = configured.quality if configured else recognition.Quality()
    models = load_chosen_models(settings, detection.min_score, place.data_dir)
    enroller = Enroller(
        models,
        quality,
        detection,
        open_clip=lambda path: make_source(FileSource(path=str(path)), Path.cwd(), place.clock),
        tell=lambda line: print(line, file=sys.stderr),
    )
    return enroller, models


def _told(person: Identity, enrolment: "Enrolment", place: Place) -> str:
    from edged.recognition.enrolment import least_similarity

    counts = f"{counted(len(enrolment.faces))} of {enrolment.found} found, {counted(person.faces)} in all"
    lines = [f"enrolled {person.label} in namespace {place.namespace}: {counts} ({person.id})"]
    lines += [f"  quality {face.quality.score:.2f}  {enrolment.source_of(face)}" for face in enrolment.faces]
    if len(enrolment.faces) > 1:
        lines.append(
            f"  the two least alike of them have a similarity of {least_similarity(enrolment.faces):.3f}"
        )
    return "\n".join(lines)


def _json(person: Identity, enrolment: "Enrolment", warnings: list[str], lacks: list[str]) -> str:
    from edged.recognition.enrolment import least_similarity

    faces = [
        {"source": enrolment.source_of(face), "quality": round(face.quality.score, 4)}
        for face in enrolment.faces
    ]
    told = {
        "identity": json_of(person),
        "faces": faces,
        "found": enrolment.found,
        "leastSimilarity": round(least_similarity(enrolment.faces), 4),
        "warnings": warnings,
        "advice": lacks,
    }
    return json.dumps(told, ensure_ascii=False, indent=2)
