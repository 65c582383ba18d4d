"""`edged models use` and `edged models forget`: another embedder without enrolling anybody again."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edged.cli.config_option import DEFAULT_PATH, add_config_option, add_data_dir_option
from edged.domain.errors import EdgedError, ModelError

if TYPE_CHECKING:
    from edged.app.reembedding import Progress
    from edged.inference.card import ModelCard
    from edged.pipeline.ports import Embedder
    from edged.settings.recognition import Models
    from edged.store.embedder_record import ChosenEmbedder
    from edged.store.namespace_models import Survey

USE: Final = """\
Go over to another embedder. Everybody who is enrolled, and every unknown person, is embedded anew from the
chips that were kept of them, in all namespaces of the data folder; then, in one step, the new model is in
force. Until that step the old one is, whatever happens; what was done by then is not done again. Faces
without a chip cannot be taken along: they are listed first. What the old model made is kept, so that `--back`
takes no time, until `edged models forget` deletes it.

Without CARD it tells which embedder is in force and what each has embedded. A daemon that runs goes on with
the old model until it is started anew.
"""

FORGET: Final = """\
Delete what an embedder made of all faces, in every namespace and every snapshot, for good. The embedder in
force is refused. An embedding that is all there is of a face is kept.
"""

_STEP_MS: Final = 5000


def add_use_parser(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the action `use`."""
    parser = actions.add_parser(
        "use",
        help="go over to another embedder, or back",
        description=USE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("card", nargs="?", metavar="CARD", help="the embedder to go over to")
    parser.add_argument("--back", action="store_true", help="go back to the embedder before this one")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
    _add_common(parser)
    parser.set_defaults(run=_run_use)


def add_forget_parser(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the action `forget`."""
    parser = actions.add_parser(
        "forget",
        help="delete what an embedder made of all faces",
        description=FORGET,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "card", metavar="CARD", help="an embedder's card, or eight and more digits of its SHA-256"
    )
    _add_common(parser)
    parser.set_defaults(run=_run_forget)


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument(
        "--directory", metavar="DIR", help="folder of your own models (default: the configuration's)"
    )
    add_data_dir_option(parser)
    add_config_option(parser)


class _Place:
    """The data folder and the models that the command line and the configuration name."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        import msgspec

        from edged.app.absolute_paths import with_absolute_paths
        from edged.app.configuration import load
        from edged.app.data_dir import data_dir_of
        from edged.app.encryption import key_for_command
        from edged.app.model_change import DataFolder
        from edged.settings.recognition import Models
        from edged.system.chance import new_id
        from edged.system.clock import SystemClock

        self.config: Path | None = None
        self.models: Models = Models()
        configured, base_dir = arguments.data_dir, Path.cwd()
        key = None
        if arguments.config != DEFAULT_PATH or arguments.config.exists():
            loaded = load(arguments.config, with_secrets=False)
            self.config = loaded.path
            key = key_for_command(loaded)
            self.models = with_absolute_paths(loaded.settings.models, loaded.base_dir)
            if configured is None:
                configured, base_dir = loaded.settings.data_dir, loaded.base_dir
        if arguments.directory is not None:
            self.models = msgspec.structs.replace(self.models, directory=arguments.directory)
        self.folder: DataFolder = DataFolder(data_dir_of(configured, base_dir), SystemClock(), new_id, key)


def _run_use(arguments: argparse.Namespace) -> int:
    from edged.app.model_change import change_over, in_force, previous_choice, surveys

    place = _Place(arguments)
    now = in_force(place.folder, place.models)
    if arguments.card is not None and arguments.back:
        raise EdgedError("`--back` names the embedder by itself; give it or CARD")
    if arguments.card is None and not arguments.back:
        _tell_state(place, now)
        return 0
    target = previous_choice(place.folder) if arguments.back else None
    name = target.card if target else arguments.card
    card, embedder = _loaded(place.models, name)
    if target is not None and embedder.model_hash != target.model_hash:
        raise ModelError(
            f"the embedder before was {target.card} with the hash {target.model_hash}, and the model of that"
            f" name, or its card, is now {embedder.model_hash}",
            remedy=f"put model and card back, or go over to the new one: `edged models use {target.card}`",
        )
    found = surveys(place.folder, embedder.model_hash, read_only=arguments.dry_run)
    is_change = now is None or now.model_hash != embedder.model_hash
    _tell_plan(f"{card.name} ({embedder.model_hash[:12]})", now if is_change else None, found)
    if arguments.dry_run:
        return 0
    lost = sum(one.enrolled.lost for one in found.values())
    if (lost or is_change) and not _confirmed(arguments, f"Go over to {card.name}?"):
        print("nothing was changed")
        return 1
    place.folder.path.mkdir(mode=0o700, parents=True, exist_ok=True)
    done = change_over(place.folder, card, embedder, now, _Teller())
    print(f"{card.name} is in force; {done} faces were embedded anew")
    _tell_what_is_left(place, card.name, is_change=is_change, can_go_back=is_change and now is not None)
    return 0


def _loaded(models: "Models", name: str) -> "tuple[ModelCard, Embedder]":
    """The target, ready to run; refuses one that a daemon could not decide with."""
    import msgspec

    from edged.inference.card import EmbedderHead
    from edged.inference.catalogue import head_of
    from edged.inference.models import load_embedder

    wanted = msgspec.structs.replace(models, embedder=name)
    card, embedder = load_embedder(wanted)
    if head_of(card, EmbedderHead).calibration is None:
        raise ModelError(
            f"the card of {card.name} has no `calibration`: nobody knows which similarity is enough with it",
            remedy="measure it on photographs of many people: `edged evaluate FOLDER --calibrate`",
        )
    return card, embedder


def _tell_state(place: _Place, now: "ChosenEmbedder | None") -> None:
    from edged.app.model_change import counts
    from edged.inference.card import embedding_hash
    from edged.inference.catalogue import Catalogue
    from edged.store.embedder_record import read_record

    record = read_record(place.folder.path)
    print(f"in force: {f'{now.card} ({now.model_hash[:12]})' if now else 'none that has a card'}")
    if record is not None and record.previous is not None:
        print(
            f"before:   {record.previous.card} ({record.previous.model_hash[:12]}); `edged models use --back`"
        )
    names = {embedding_hash(card): card.name for card in Catalogue(place.models.directory).cards()}
    for model_hash, count in sorted(counts(place.folder).items(), key=lambda item: -item[1]):
        print(
            f"{count} faces embedded by {names.get(model_hash, 'a model without a card')} ({model_hash[:12]})"
        )


def _tell_plan(target: str, before: "ChosenEmbedder | None", found: "dict[str, Survey]") -> None:
    print(f"embedder {target}{f', from {before.card}' if before else ''}")
    for namespace, one in found.items():
        strangers = one.grouped.pending
        print(
            f"namespace {namespace}: {one.enrolled.faces} faces of enrolled people,"
            f" {one.enrolled.embedded} embedded already, {one.enrolled.pending} to embed,"
            f" {one.enrolled.lost} without a chip"
            + (f"; {strangers} faces of unknown people to embed" if strangers else "")
        )
        for unseen in one.unseen:
            person = unseen.identity
            everything = unseen.lost == person.faces
            print(
                f"  {person.label} ({person.id}): {unseen.lost} of {person.faces} faces have no chip"
                + ("; is not recognised until enrolled again" if everything else "")
            )
    if not found:
        print("nobody is enrolled")


def _tell_what_is_left(place: _Place, name: str, *, is_change: bool, can_go_back: bool) -> None:
    from edged.app.model_change import line_of_embedder
    from edged.inference.catalogue import AUTO
    from edged.system.lock import holder

    configured = place.models.embedder
    if configured not in (AUTO, name):
        line = line_of_embedder(place.config) if place.config else None
        where = f"{place.config}, line {line}" if line else str(place.config)
        print(
            f"But {where} says `embedder: {configured}`, and the daemon obeys it: write `embedder: auto`"
            f" there, or `embedder: {name}`"
        )
    process = holder(place.folder.path)
    if process is not None and is_change:
        print(
            f"The daemon that runs (process {process}) goes on with the embedder it has, until it is started"
            " anew: `systemctl restart edged`. A reload is not enough"
        )
    if can_go_back:
        print("`edged models use --back` goes back; `edged models forget` deletes what the old one made")


def _run_forget(arguments: argparse.Namespace) -> int:
    from edged.app.model_change import forget

    place = _Place(arguments)
    model_hash, name = _meant(place, arguments.card)
    if not _confirmed(
        arguments, f"Delete all that {name} made of the faces in {place.folder.path}, for good?"
    ):
        print("nothing was changed")
        return 1
    done = forget(place.folder, model_hash, place.models)
    print(f"{done.embeddings} embeddings by {name} were deleted")
    if done.kept:
        print(
            f"{done.kept} were kept: their faces have neither a chip nor another embedding. Go without them"
            " by `edged identities remove`"
        )
    for warning in done.warnings:
        print(f"edged: warning: {warning}", file=sys.stderr)
    return 0


def _meant(place: _Place, card: str) -> tuple[str, str]:
    """The hash and the name of the model that a card's name or the beginning of a hash means."""
    from edged.app.model_change import counts
    from edged.inference.card import embedding_hash
    from edged.inference.catalogue import Catalogue

    catalogue = Catalogue(place.models.directory)
    if card in catalogue.names():
        return embedding_hash(catalogue.card(card, "embedder")), card
    known = counts(place.folder)
    found = [one for one in known if len(card) >= 8 and one.startswith(card.lower())]  # noqa: PLR2004
    if len(found) != 1:
        listed = ", ".join(one[:12] for one in known) or "none"
        raise ModelError(
            f"{card!r} is neither a card nor the hash of a model that embedded faces here",
            remedy=f"models that did: {listed}",
        )
    return found[0], found[0][:12]


def _confirmed(arguments: argparse.Namespace, question: str) -> bool:
    if arguments.yes:
        return True
    if not sys.stdin.isatty():
        raise EdgedError(
            "this changes what people are recognised by, and there is nobody to ask", remedy="Say --yes."
        )
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


class _Teller:
    """Progress on standard error: one line that changes on a terminal, elsewhere a line now and then."""

    def __init__(self) -> None:
        self._next_ms = 0
        self._is_terminal = sys.stderr.isatty()

    def __call__(self, progress: "Progress") -> None:
        is_through = progress.done >= progress.total
        if self._is_terminal:
            print(f"\r{progress}\033[K", end="\n" if is_through else "", file=sys.stderr, flush=True)
        elif is_through or progress.elapsed_ms >= self._next_ms:
            print(progress, file=sys.stderr, flush=True)
            self._next_ms = 0 if is_through else progress.elapsed_ms + _STEP_MS
