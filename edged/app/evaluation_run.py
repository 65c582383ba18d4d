"""One run of `edged evaluate`: data set and settings in, report out."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from edged import __version__
from edged.app.calibration_card import write_calibration
from edged.app.chosen_models import load_chosen_models, with_chosen_embedder
from edged.app.evaluation import (
    Doubt,
    Tell,
    face_set,
    open_sets,
    pictures_told,
    protocol_of,
    sights_of,
    verifications_of,
)
from edged.app.evaluation_clips import evaluate_clips
from edged.app.evaluation_embeddings import read_embeddings, write_embeddings
from edged.app.evaluation_faces import FaceFinder, RawEmbedder, Sight, SpareDetectors
from edged.app.evaluation_folders import people_in, pictures_of
from edged.app.evaluation_sights import ClipRoom
from edged.app.evaluation_work import Journal
from edged.camera.factory import make_source
from edged.domain.errors import InputError
from edged.domain.moment import Clock
from edged.evaluation.decided import Jury
from edged.evaluation.draws import Cell
from edged.evaluation.faces import FaceSet
from edged.evaluation.fitting import fitted
from edged.evaluation.open_set import OpenSet
from edged.evaluation.protocol import parse_protocol
from edged.evaluation.report import Evaluation, PairProtocol, Pictures, Stage, stages_of
from edged.evaluation.track_findings import Clips
from edged.evaluation.verification import Verification
from edged.inference.catalogue import Catalogue
from edged.inference.runtime import find_runtime
from edged.pipeline.ports import Models
from edged.settings.feeds import Feed
from edged.settings.root import Settings
from edged.settings.sinks import ConsoleSink
from edged.settings.sources import FileSource

MOST_SPLITS: Final = 64
"""Ways to enrol people from their clips."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants to know.

    Attributes:
        dataset: folder of people, CSV file of clips, or NPZ file of embeddings.
        pairs: pairs.txt, or None.
        cells: open-set questions; without any, the first of a few usual ones that the data allow.
        with_open_set: whether open-set questions are asked at all.
        strangers: probes of strangers a cell, at least.
        good_only: leave out faces that the daemon would not embed.
        limit: pictures or clips at most, of a protocol pairs of each kind a fold; None for all.
        resamples: of the bootstrap.
        seed: of all chance.
        work: folder for what was done, or None.
        embeddings: NPZ file to write, or None.
        calibrate: measure the embedder on these pictures and write it into its card.
    """

    dataset: Path
    pairs: Path | None
    cells: tuple[Cell, ...]
    with_open_set: bool
    strangers: int
    good_only: bool
    limit: int | None
    resamples: int
    seed: int
    work: Path | None
    embeddings: Path | None
    calibrate: bool = False


@dataclass(slots=True)
class _Found:
    """The parts of the report, as far as they are."""

    notes: list[str]
    pictures: Pictures | None = None
    stages: tuple[Stage, ...] = ()
    protocol: PairProtocol | None = None
    verifications: tuple[Verification, ...] = ()
    open_set: tuple[OpenSet, ...] = ()
    clips: Clips | None = None


class EvaluationRun:
    """Does what was asked.

    Args:
        asked: what.
        settings: the daemon's.
        data_dir: the daemon's; its choice of an embedder holds.
        clock: for the report's time.
        stopwatch_ns: a steady clock, nanoseconds.
        tell: hears how far it is.
    """

    def __init__(
        self,
        asked: Asked,
        settings: Settings,
        data_dir: Path,
        clock: Clock,
        stopwatch_ns: Callable[[], int],
        tell: Tell,
    ) -> None:
        self._asked = asked
        self._settings = settings
        self._data_dir = data_dir
        self._clock = clock
        self._stopwatch_ns = stopwatch_ns
        self._tell = tell
        self._doubt = Doubt(asked.resamples, asked.seed)

    def evaluate(self) -> Evaluation:
        """The report; raises InputError where the data set cannot be evaluated."""
        dataset = self._asked.dataset
        if not dataset.exists():
            raise InputError(f"{dataset} is not there")
        models = load_chosen_models(self._settings.models, self._settings.detection.min_score, self._data_dir)
        found = _Found(list(models.remarks))
        if dataset.is_dir():
            self._folder(models, found)
        elif dataset.suffix.lower() == ".npz":
            names, faces = read_embeddings(dataset)
            self._faces(FaceSet(names, *faces), models, found)
        else:
            self._clips(models, found)
        return Evaluation(
            edged=__version__,
            at_ms=self._clock.moment().utc_ms,
            dataset=str(dataset),
            embedder=models.embedder.model_hash,
            false_accept=float(self._settings.recognition.false_accept),
            seed=self._asked.seed,
            resamples=self._asked.resamples,
            pictures=found.pictures,
            stages=found.stages,
            protocol=found.protocol,
            verifications=found.verifications,
            open_set=found.open_set,
            clips=found.clips,
            notes=tuple(found.notes),
        )

    def _folder(self, models: Models, found: _Found) -> None:
        if self._asked.pairs is not None:
            self._protocol(self._asked.pairs, models, found)
        if self._asked.pairs is not None and not self._asked.with_open_set:
            return
        folder = people_in(self._asked.dataset).limited(self._asked.limit)
        found.notes += folder.notes
        people = [one.person for one in folder.pictures]
        sights = self._sights([one.path for one in folder.pictures], people, models, found, with_spares=False)
        self._faces(face_set(people, sights), models, found)

    def _protocol(self, source: Path, models: Models, found: _Found) -> None:
        try:
            text = source.read_text("utf-8")
        except OSError as error:
            raise InputError(f"{source} cannot be read: {error.strerror or error}") from None
        except UnicodeDecodeError:
            raise InputError(f"{source} is no text in UTF-8") from None
        protocol = parse_protocol(text, str(source)).limited(self._asked.limit)
        paths = pictures_of(protocol, self._asked.dataset, str(source))
        people = [picture.name for picture in paths]
        sights = self._sights(list(paths.values()), people, models, found, with_spares=True)
        by_picture = dict(zip(paths, sights, strict=True))
        found.protocol = protocol_of(protocol, by_picture, models.calibration, self._doubt, self._tell)

    def _sights(
        self, paths: list[Path], people: list[str], models: Models, found: _Found, *, with_spares: bool
    ) -> list[Sight]:
        """Every picture looked at; with spare detectors each that can be read gives an embedding."""
        asked, settings = self._asked, self._settings
        raw = models.embedder if asked.embeddings is not None else None
        finder = FaceFinder(
            models,
            settings.quality,
            settings.detection,
            self._stopwatch_ns,
            spares=SpareDetectors(settings.models) if with_spares else None,
            raw=raw if isinstance(raw, RawEmbedder) else None,
        )
        name = f"{'protocol' if with_spares else 'pictures'}-{self._key(models)}"
        with Journal(asked.work, name, Sight) as journal:
            sights = sights_of(paths, finder, journal, self._tell, raw=raw is not None)
            resumed = journal.used
        left_out = 0
        if asked.good_only and not with_spares:
            left_out = sum(sight.is_embedded and bool(sight.rejections) for sight in sights)
        found.pictures = pictures_told(people, sights, resumed, left_out=left_out)
        found.stages = stages_of([sight.stages_ms for sight in sights])
        if asked.embeddings is not None:
            write_embeddings(asked.embeddings, people, sights)
        if left_out:
            sights = [
                msgspec.structs.replace(one, embedding=b"") if one.rejections else one for one in sights
            ]
        return sights

    def _faces(self, faces: FaceSet, models: Models, found: _Found) -> None:
        asked = self._asked
        if asked.calibrate:
            self._calibrate(faces, found)
        found.verifications = verifications_of(faces, models.calibration, self._doubt, self._tell)
        if models.calibration is None:
            if asked.cells:
                models.calibrated()
            found.notes.append("no open set: the embedder's card has no calibration to decide by")
            return
        jury = Jury(self._settings.recognition, models.calibration)
        cells, notes = open_sets(faces, asked.cells, jury, self._doubt, asked.strangers, self._tell)
        if asked.cells and not cells:
            raise InputError("\n".join(notes), remedy="Ask for fewer people, pictures or faces.")
        found.open_set = tuple(cells)
        found.notes += notes

    def _calibrate(self, faces: FaceSet, found: _Found) -> None:
        """Measure the embedder on these faces and write its card; raises InputError for a shipped one."""
        catalogue = Catalogue(self._settings.models.directory)
        chosen = with_chosen_embedder(self._settings.models, self._data_dir).embedder
        card = catalogue.embedder_for(chosen, find_runtime().name)
        if catalogue.is_shipped(card):
            raise InputError(
                f"{card.name} came with edged, and its card is measured",
                remedy="Name a model of your own at `models.embedder`; `edged models add` makes its card.",
            )
        self._tell("measuring", 0, 1)
        measured = fitted(
            faces.embeddings,
            faces.person.tolist(),
            data=f"{self._asked.dataset.name}: {len(faces):,} faces of {len(faces.names):,} people",
            made_by=f"edged {__version__}, edged evaluate --calibrate",
        )
        path = catalogue.folder_of(card.name) / f"{card.name}.json"
        cohort = write_calibration([path], measured)
        found.notes.append(f"the calibration is written into {path}, its cohort into {cohort.name}")

    def _clips(self, models: Models, found: _Found) -> None:
        asked, settings = self._asked, self._settings
        room = ClipRoom(
            settings=settings,
            models=models,
            open_clip=lambda path: make_source(FileSource(path=str(path)), Path.cwd(), self._clock),
            fps=settings.feeds[0].fps,
            work=asked.work,
            key=self._key(models, settings.feeds[0].fps),
            run_key=self._key(
                models,
                settings.feeds[0].fps,
                settings.recognition,
                settings.tracking,
                settings.motion,
                settings.sightings,
                models.calibrated().statistics,
            ),
            tell=self._tell,
        )
        found.clips, notes = evaluate_clips(
            asked.dataset,
            room,
            most_splits=MOST_SPLITS,
            limit=asked.limit,
            resamples=asked.resamples,
            seed=asked.seed,
        )
        found.notes += notes

    def _key(self, models: Models, *more: msgspec.Struct | float) -> str:
        """Changes with everything that what is kept depends on, beside the pictures and clips themselves.

        `more` is what matters beside models, detection and quality.
        """
        settings = self._settings
        cards = Catalogue(settings.models.directory).cards()
        parts = [settings.models, settings.detection, settings.quality, *more]
        words = [
            __version__,
            models.embedder.model_hash,
            *(card.sha256 for card in cards),
            *(msgspec.json.encode(part, enc_hook=str).decode() for part in parts),
        ]
        return hashlib.sha256("\0".join(words).encode()).hexdigest()[:16]


def default_settings() -> Settings:
    """Those of a daemon that nobody configured."""
    feed = Feed(id="evaluation", source=FileSource(path="-"))
    return Settings(feeds=(feed,), sinks=(ConsoleSink(),))
