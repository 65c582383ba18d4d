"""`edged recognize`: who is in these pictures?"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edged.cli.identities_place import Place, add_place_options
from edged.domain.errors import InputError

if TYPE_CHECKING:
    # Not at run time: it brings OpenCV and NumPy, which `edged --help` does without.
    from edged.app.recognition import Recognised

DESCRIPTION = """\
Find the faces of picture files and compare them with who is enrolled: a job as the recognition API answers
it, on the spot. One picture is less evidence than a track of many frames, so more is asked of it.
"""

EPILOG = """\
examples:
  edged recognize door.jpg
  edged recognize --json *.jpg | jq '.images[].objects[].edge.name'
  edged recognize --annotate seen.png door.jpg

Ends with 65 when a picture cannot be used; the others are recognised all the same.
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "recognize",
        help="say who is in picture files",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("images", nargs="+", type=Path, metavar="IMAGE", help="JPEG, PNG, WebP or BMP file")
    parser.add_argument("--json", action="store_true", help="print the job as JSON")
    parser.add_argument(
        "--annotate",
        type=Path,
        metavar="OUT",
        help="draw boxes, landmarks and names: a picture file, or for several images a folder",
    )
    add_place_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Recognise, print, draw; 65 when a picture could not be used."""
    import msgspec

    from edged.app.chosen_models import load_chosen_models
    from edged.app.recognition import PictureRecogniser
    from edged.recognition.gallery import Gallery
    from edged.settings import recognition as defaults

    place = Place(arguments)
    settings = place.settings
    models = load_chosen_models(
        settings.models if settings else defaults.Models(),
        (settings.detection if settings else defaults.Detection()).min_score,
        place.data_dir,
    )
    gallery = Gallery.empty(models.calibrated())
    if place.is_there:
        with place.reading() as store:
            change = store.changes_since(0, models.embedder.model_hash)
        gallery = gallery.with_change(change) if change else gallery
    recogniser = PictureRecogniser(
        models,
        gallery,
        settings.quality if settings else defaults.Quality(),
        settings.recognition if settings else defaults.Recognition(),
        namespace=place.namespace,
        device=(settings.device if settings else None) or "local",
        unit=settings.sightings.bounding_box if settings else "fractions",
        at=place.clock.moment(),
    )
    recognised = [recogniser.recognise(path) for path in arguments.images]
    if arguments.json:
        print(msgspec.json.format(msgspec.json.encode(recogniser.job(recognised))).decode())
    else:
        _tell(recognised, is_anybody_enrolled=len(gallery) > 0, namespace=place.namespace)
    if arguments.annotate:
        _draw(recognised, arguments.annotate)
    troubles = [one.trouble for one in recognised if one.trouble]
    for trouble in troubles:
        print(f"edged: {trouble}", file=sys.stderr)
    return InputError.exit_code if troubles else 0


def _tell(recognised: "Sequence[Recognised]", *, is_anybody_enrolled: bool, namespace: str) -> None:
    from edged.app.recognition import told

    for one in recognised:
        if one.trouble:
            continue
        faces = ", ".join(told(decision) for _, decision in one.faces)
        print(f"{one.path}: {faces or 'no face'}")
    if not is_anybody_enrolled:
        print(
            f"nobody is enrolled in namespace {namespace}: see `edged identities add --help`", file=sys.stderr
        )


def _draw(recognised: "Sequence[Recognised]", out: Path) -> None:
    """Write the annotated pictures: one to the file `out`, several into the folder `out`."""
    from edged.camera.picture_file import write_picture

    if len(recognised) == 1:
        targets = [out]
    else:
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"{out} cannot be a folder: {error.strerror}",
                remedy="several pictures are drawn into a folder: name one, or a new one",
            ) from None
        targets = _names_of_their_own(out, [one.path.stem for one in recognised])
    for one, target in zip(recognised, targets, strict=True):
        picture = one.drawn()
        if picture is not None:
            write_picture(target, picture)
            print(f"drawn: {target}", file=sys.stderr)


def _names_of_their_own(folder: Path, stems: Sequence[str]) -> list[Path]:
    """A PNG for each stem; those that come again are counted, so that none overwrites another."""
    names: list[str] = []
    for stem in stems:
        name, number = stem, 1
        while name in names:
            number += 1
            name = f"{stem}-{number}"
        names.append(name)
    return [folder / f"{name}.png" for name in names]
