"""`edged models add`: a first card for a model of one's own."""

import argparse
import json
from pathlib import Path
from typing import Final

from edged.domain.errors import InputError, ModelError

DESCRIPTION: Final = """\
Look at the tensors of a .tflite file and write a card to begin with beside it: its role and head as they are
guessed, the input's size, what is quantized, the SHA-256. It says what was guessed and what has to be filled
in by hand; `edged models verify NAME --directory DIR` then shows whether the model finds the face in a
picture.
"""


def add_add_parser(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the action."""
    parser = actions.add_parser(
        "add",
        help="write a card for a model of your own",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="the .tflite file")
    parser.add_argument("--name", help="name of the model (default: the file's)")
    parser.add_argument(
        "--directory", type=Path, metavar="DIR", help="folder to copy the model to (default: where it is)"
    )
    parser.add_argument("--force", action="store_true", help="replace a card that is there")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from edged.inference.runtime import find_runtime
    from edged.inference.skeleton import skeleton_of

    source: Path = arguments.file
    name = arguments.name or source.stem
    if not name or "/" in name or name.startswith("."):
        raise ModelError(
            f"{name!r} cannot be a model's name: its card is NAME.json", remedy="give another by --name"
        )
    folder: Path = arguments.directory or source.parent
    card = folder / f"{name}.json"
    if card.exists() and not arguments.force:
        raise InputError(f"{card} is there already", remedy="Choose another name by --name, or say --force.")
    skeleton = skeleton_of(source, name, find_runtime())
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if folder.resolve() != source.parent.resolve():
            (folder / source.name).write_bytes(source.read_bytes())
        card.write_text(json.dumps(skeleton.card, indent=2) + "\n")
    except OSError as error:
        raise InputError(f"{error.filename or folder}: {error.strerror}") from error
    print(f"{card}: {'; '.join(skeleton.guesses)}")
    print("Guessed from the tensors' shapes. Check or fill in:")
    for line in skeleton.open:
        print(f"- {line}")
    print(f"Then try it: edged models verify {name} --directory {folder}")
    return 0
