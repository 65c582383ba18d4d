"""Evaluation of a data set of pictures: embedded once, then every figure that the data allow."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edged.app.evaluation_faces import FaceFinder, Sight, Way, content_hash
from edged.app.evaluation_work import Journal
from edged.domain.errors import InputError
from edged.evaluation.decided import Jury, decided
from edged.evaluation.draws import Cell, best_possible, why_impossible
from edged.evaluation.faces import FaceSet
from edged.evaluation.folds import Accuracy, ScoredPairs, fold_accuracy
from edged.evaluation.open_set import OpenSet, open_set
from edged.evaluation.pairs import pair_scores
from edged.evaluation.protocol import Picture, Protocol
from edged.evaluation.report import PairProtocol, Pictures
from edged.evaluation.sorted_scores import SortedScores
from edged.evaluation.verification import Verification, verify
from edged.recognition.calibration import Calibration

Tell = Callable[[str, int, int], None]
"""What is being done, and how much of how much is done."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """How intervals are made.

    Attributes:
        resamples: of the bootstrap.
        seed: of all chance.
    """

    resamples: int
    seed: int


def sights_of(
    paths: Sequence[Path], finder: FaceFinder, journal: Journal[Sight], tell: Tell, *, raw: bool
) -> list[Sight]:
    """Look at each picture, or take from the journal what was seen before; raises InputError.

    `raw` asks for the embedder's own answers, which an entry of the journal may be without. Where no
    picture can be read at all, something is wrong with the data set and not with its pictures.
    """
    sights = []
    for number, path in enumerate(paths):
        try:
            content = content_hash(path)
        except InputError as error:
            sights.append(Sight(content="", way=Way.UNREADABLE, trouble=error.what))
            continue
        sight = journal.get(content)
        if sight is None or (raw and sight.is_embedded and sight.raw is None):
            sight = finder.sight(path, content)
            journal.put(content, sight)
        sights.append(sight)
        tell("pictures", number + 1, len(paths))
    if not any(sight.way is not Way.UNREADABLE for sight in sights):
        raise InputError(
            f"none of the {len(sights)} pictures can be read", remedy=sights[0].trouble if sights else ""
        )
    return sights


def pictures_told(
    people: Sequence[str], sights: Sequence[Sight], resumed: int, *, left_out: int = 0
) -> Pictures:
    """What the pictures gave, counted; `people` says of each whose it is."""
    embedded = [sight for sight in sights if sight.is_embedded]
    contents = Counter(sight.content for sight in sights if sight.content)
    return Pictures(
        pictures=len(sights),
        people=len(set(people)),
        embedded=len(embedded),
        resumed=min(resumed, len(sights)),
        ways={str(way): count for way in Way if (count := sum(sight.way is way for sight in sights))},
        with_several_faces=sum(sight.faces > 1 for sight in sights),
        rejections=dict(Counter(reason for sight in embedded for reason in sight.rejections)),
        rejected=sum(bool(sight.rejections) for sight in embedded),
        left_out=left_out,
        duplicates=sum(count - 1 for count in contents.values()),
        unreadable=tuple(sight.trouble for sight in sights if sight.way is Way.UNREADABLE),
    )


def face_set(people: Sequence[str], sights: Sequence[Sight]) -> FaceSet:
    """The embedded faces, and the people who have one; raises InputError where no picture has any."""
    pairs = [(person, sight) for person, sight in zip(people, sights, strict=True) if sight.is_embedded]
    if not pairs:
        raise InputError("no face is found in any picture")
    names = tuple(dict.fromkeys(person for person, _ in pairs))
    number = {name: index for index, name in enumerate(names)}
    return FaceSet(
        names,
        np.array([number[person] for person, _ in pairs], np.int32),
        np.stack([sight.vector() for _, sight in pairs]),
        np.array([sight.quality for _, sight in pairs], np.float32),
    )


AS_DECIDED = "as the daemon compares"
PLAIN = "by the plain cosine"
"""Two ways of scoring: the daemon's, adjusted for the crowd around each face, and what others publish."""


def verifications_of(
    faces: FaceSet, calibration: Calibration | None, doubt: Doubt, tell: Tell
) -> tuple[Verification, ...]:
    """Every face with every other, in each way of scoring; raises InputError where all are alike."""
    counts = faces.counts()
    if len(counts) == 1:
        raise InputError(
            f"all {len(faces)} faces are of one person, {faces.names[0]!r}: nobody could be mistaken",
            remedy="Add folders of other people.",
        )
    if counts.max() == 1:
        raise InputError(
            f"each of the {len(counts)} people has one picture with a face: nobody can be recognised again",
            remedy="Add a second picture of somebody.",
        )
    return tuple(
        verify(
            pair_scores(scored, lambda share: tell("pairs", round(share * 100), 100)),
            f"all pairs of the data set, {way}",
            resamples=doubt.resamples,
            seed=doubt.seed,
        )
        for way, scored in _ways(faces, calibration)
    )


def _ways(faces: FaceSet, calibration: Calibration | None) -> list[tuple[str, FaceSet]]:
    """The daemon's way of scoring first; the plain cosine alone where they are the same."""
    has_cohort = calibration is not None and calibration.statistics.cohort is not None
    decided = [(AS_DECIDED, faces.as_decided(calibration))] if calibration and has_cohort else []
    return [*decided, (PLAIN, faces)]


def open_sets(
    faces: FaceSet, cells: Sequence[Cell], jury: Jury, doubt: Doubt, strangers: int, tell: Tell
) -> tuple[list[OpenSet], list[str]]:
    """The figures of each cell that the data allow, and why the others are not possible.

    Without any cell it is the first possible of a few usual ones.
    """
    counts = faces.counts()
    if not cells:
        best = best_possible(counts)
        if best is None:
            return [], ["open set: the data set has too few people with several pictures"]
        cells = [best]
    done, notes = [], []
    for cell in cells:
        if why := why_impossible(counts, cell):
            notes.append(f"not possible with these data: {why}")
            continue
        found = decided(
            faces,
            cell,
            jury,
            strangers=strangers,
            seed=doubt.seed,
            tell=_in_percent(tell, f"open set, {cell}"),
        )
        done.append(open_set(found, len(counts), resamples=doubt.resamples, seed=doubt.seed))
    return done, notes


def _in_percent(tell: Tell, what: str) -> Callable[[float], None]:
    return lambda share: tell(what, round(share * 100), 100)


def protocol_of(
    protocol: Protocol,
    sights: Mapping[Picture, Sight],
    calibration: Calibration | None,
    doubt: Doubt,
    tell: Tell,
) -> PairProtocol:
    """The figures of pairs.txt; `sights` has every picture that it names."""
    pictures = sorted(sights)
    embedded = [picture for picture in pictures if sights[picture].is_embedded]
    faces = face_set([picture.name for picture in embedded], [sights[picture] for picture in embedded])
    rows = {picture: row for row, picture in enumerate(embedded)}
    accuracies: list[Accuracy] = []
    verifications: list[Verification] = []
    for way, scored in _ways(faces, calibration):
        pairs = _scored(protocol, rows, scored)
        accuracies += _accuracies(protocol, pairs, sights, way, doubt)
        if not accuracies:
            raise InputError(
                f"no pair of both kinds is left: of the {len(pictures)} pictures that the protocol names"
                f" {len(embedded)} can be compared"
            )
        verifications += _verified(protocol, pairs, scored, way, doubt, tell)
    return PairProtocol(
        pairs=len(protocol.pairs),
        folds=protocol.folds,
        pictures=len(pictures),
        accuracies=tuple(accuracies),
        verifications=tuple(verifications),
    )


def _verified(
    protocol: Protocol, pairs: ScoredPairs, faces: FaceSet, way: str, doubt: Doubt, tell: Tell
) -> Iterator[Verification]:
    scores = pair_scores(faces, lambda share: tell(f"pairs, {way}", round(share * 100), 100))
    people = {name: number for number, name in enumerate(faces.names)}
    own = np.array([people.get(pair.one.name, 0) for pair in protocol.pairs if pair.is_genuine], np.int32)
    similarity = np.nan_to_num(pairs.similarity[pairs.genuine], nan=-np.inf)
    yield verify(
        scores,
        f"all pairs among the protocol's pictures, {way}",
        resamples=doubt.resamples,
        seed=doubt.seed,
    )
    yield verify(
        scores,
        f"the protocol's {len(own):,} pairs of one person, all pairs of two among its pictures, {way}",
        genuine=SortedScores.of(similarity, own),
        resamples=doubt.resamples,
        seed=doubt.seed,
    )


def _accuracies(
    protocol: Protocol, pairs: ScoredPairs, sights: Mapping[Picture, Sight], way: str, doubt: Doubt
) -> Iterable[Accuracy]:
    not_found = np.array(
        [
            any(sights[picture].way is not Way.DAEMON for picture in (pair.one, pair.other))
            for pair in protocol.pairs
        ]
    )
    for counted, chosen in (
        ("every pair, each picture by the best crop to be had", pairs),
        (
            "every pair; one with a picture in which the daemon's detector finds no face counts as wrong",
            pairs.without_score(not_found),
        ),
        ("only pairs of pictures in which the daemon's detector finds a face", pairs.only(~not_found)),
    ):
        accuracy = fold_accuracy(chosen, f"{counted}; {way}", resamples=doubt.resamples, seed=doubt.seed)
        if accuracy is not None:
            yield accuracy


def _scored(protocol: Protocol, rows: Mapping[Picture, int], faces: FaceSet) -> ScoredPairs:
    costs = np.zeros(len(faces), np.float32) if faces.costs is None else faces.costs

    def similarity(one: Picture, other: Picture) -> float:
        if one not in rows or other not in rows:
            return np.nan
        first, second = rows[one], rows[other]
        cosine = float(faces.embeddings[first] @ faces.embeddings[second])
        return cosine - float(costs[first]) - float(costs[second])

    return ScoredPairs(
        np.array([similarity(pair.one, pair.other) for pair in protocol.pairs]),
        np.array([pair.is_genuine for pair in protocol.pairs]),
        np.array([pair.fold for pair in protocol.pairs]),
    )
