"""Labelled clips: people are enrolled from one, and the others go through the daemon's own pipeline."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np

from edged.app.evaluation_memory import Memory
from edged.app.evaluation_replay import TrackTold, frames_of, replay
from edged.app.evaluation_sights import ClipRoom, ClipSight, ReadableClip, clips_of, readable_clips, vector_of
from edged.app.evaluation_work import Journal
from edged.domain.errors import InputError
from edged.domain.frame import Frame
from edged.domain.identity import GalleryChange, Identity, IdentityFaces
from edged.evaluation.clip_list import ClipSplit, splits_of
from edged.evaluation.track_findings import Clips, Outcome, Seen, outcome_of, tally
from edged.recognition.calibration import Calibration
from edged.recognition.decision import Rule, decide
from edged.recognition.evidence import Evidence
from edged.recognition.gallery import Gallery


class ClipRun(msgspec.Struct, frozen=True, kw_only=True):
    """The tracks of a clip with a gallery, as the work folder keeps them."""

    tracks: tuple[tuple[str, str | None, tuple[str, ...], float | None, int | None], ...]
    """Verdict, name, every name that was told, similarity, time of the first decision in ms."""


def evaluate_clips(
    listed: Path, room: ClipRoom, *, most_splits: int, limit: int | None, resamples: int, seed: int
) -> tuple[Clips, list[str]]:
    """The figures of a list of clips, and notes on what could not be used; raises InputError."""
    clips = clips_of(listed)[:limit]
    memory, notes = Memory(room.models), list[str]()
    with (
        Journal(room.work, f"clips-{room.key}", ClipSight) as sights,
        Journal(room.work, f"runs-{room.run_key}", ClipRun) as runs,
    ):
        readable = list(readable_clips(clips, room, memory, sights, notes))
        if not readable:
            raise InputError(
                f"{listed}: none of its {len(clips)} clips can be read", remedy="\n  ".join(notes)
            )
        notes += [
            f"{one.path.name}: nobody can be enrolled from it: {one.sight.refusal}"
            for one in readable
            if one.sight.refusal and one.clip.person
        ]
        splits = splits_of(
            [one.clip for one in readable],
            [bool(one.sight.enrolled) for one in readable],
            most_splits,
            seed,
        )
        tracks, images = _seen(readable, splits, room, memory, runs)
    return _findings(readable, splits, room, tracks, images, resamples, seed), notes


def _seen(
    clips: Sequence[ReadableClip],
    splits: Sequence[ClipSplit],
    room: ClipRoom,
    memory: Memory,
    runs: Journal[ClipRun],
) -> tuple[list[Seen], list[Seen]]:
    """Every track and every image of every probe in every split."""
    galleries = [_gallery(clips, split, room.models.calibrated()) for split in splits]
    tracks, images, done = list[Seen](), list[Seen](), 0
    recognition = msgspec.structs.replace(room.settings.recognition, min_faces=1, unknown_after=1)
    at_once = Rule(recognition, room.models.calibrated())
    for number, one in enumerate(clips):
        memory.forget()
        for index, split in enumerate(splits):
            done += 1
            if not split.is_probe(number):
                continue
            gallery, hashed = galleries[index]
            key = f"{one.content}:{hashed}"
            run = runs.get(key)
            if run is None:
                run = _run(one, room, memory, gallery)
                runs.put(key, run)
            enrolled = one.clip.person in split.enrolled
            tracks += _of_tracks(run, one, index, enrolled=enrolled)
            images += _of_images(one, gallery, at_once, index, enrolled=enrolled)
            room.tell("clips recognised", done, len(clips) * len(splits))
    return tracks, images


def _run(one: ReadableClip, room: ClipRoom, memory: Memory, gallery: Gallery) -> ClipRun:
    frames: Iterator[Frame] = frames_of(room.open_clip(one.path), one.path, room.fps)
    told: list[TrackTold] = replay(room.settings, memory.models(), frames, gallery)
    return ClipRun(
        tracks=tuple(
            (str(track.verdict), track.name, tuple(track.names), track.similarity, track.decided_ms)
            for track in told
        )
    )


def _of_tracks(run: ClipRun, one: ReadableClip, split: int, *, enrolled: bool) -> Iterator[Seen]:
    if not run.tracks:
        person = one.clip.person
        outcome = Outcome.NOT_SEEN if enrolled else Outcome.REJECTED if person else Outcome.EMPTY
        yield _as_seen(one, split, outcome, enrolled=enrolled)
    for verdict, name, names, similarity, decided_ms in run.tracks:
        outcome = outcome_of(one.clip.person, enrolled=enrolled, said=name, verdict=verdict, names=names)
        yield _as_seen(
            one,
            split,
            outcome,
            enrolled=enrolled,
            said=", ".join(dict.fromkeys([*names, name or verdict])),
            similarity=similarity,
            at_ms=decided_ms,
        )


def _of_images(
    one: ReadableClip, gallery: Gallery, rule: Rule, split: int, *, enrolled: bool
) -> Iterator[Seen]:
    for embedding, quality in one.sight.images:
        evidence = Evidence()
        evidence.add(vector_of(embedding), quality)
        decision = decide(evidence, gallery, rule)
        name = decision.identity.name if decision.identity else None
        outcome = outcome_of(
            one.clip.person,
            enrolled=enrolled,
            said=name,
            verdict=str(decision.verdict),
            names=[name] if name is not None else [],
        )
        yield _as_seen(one, split, outcome, enrolled=enrolled, similarity=decision.similarity)


def _as_seen(
    one: ReadableClip,
    split: int,
    outcome: Outcome,
    *,
    enrolled: bool,
    said: str = "",
    similarity: float | None = None,
    at_ms: int | None = None,
) -> Seen:
    return Seen(
        split=split,
        clip=one.clip.clip,
        person=one.clip.person,
        enrolled=enrolled,
        outcome=outcome,
        said=said,
        similarity=similarity,
        at_ms=at_ms,
    )


def _gallery(
    clips: Sequence[ReadableClip], split: ClipSplit, calibration: Calibration
) -> tuple[Gallery, str]:
    """Who is enrolled in a split, and a hash of all of it."""
    digest = hashlib.sha256()
    people = list[IdentityFaces]()
    for person, numbers in split.enrolled.items():
        faces = [embedding for number in numbers for embedding in clips[number].sight.enrolled]
        digest.update(person.encode() + b"\0" + b"".join(faces))
        identity = Identity(f"person-{len(people)}", person, None, 0, 0, len(faces))
        people.append(IdentityFaces(identity, np.stack([vector_of(face) for face in faces])))
    return Gallery.empty(calibration).with_change(GalleryChange(1, tuple(people), ())), digest.hexdigest()


def _findings(
    clips: Sequence[ReadableClip],
    splits: Sequence[ClipSplit],
    room: ClipRoom,
    tracks: Sequence[Seen],
    images: Sequence[Seen],
    resamples: int,
    seed: int,
) -> Clips:
    not_named = (Outcome.MISSED, Outcome.UNDECIDED, Outcome.NOT_SEEN)
    return Clips(
        clips=len(clips),
        people=len({one.clip.person for one in clips if one.clip.person}),
        splits=len(splits),
        gallery=len(splits[0].enrolled),
        asked=float(room.settings.recognition.false_accept),
        tracks=tally(tracks, resamples=resamples, seed=seed),
        images=tally(images, resamples=resamples, seed=seed),
        wrong=tuple(one for one in tracks if one.outcome is Outcome.WRONG),
        missed=tuple(one for one in tracks if one.outcome in not_named),
    )
