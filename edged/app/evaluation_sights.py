"""Labelled clips, and what each shows whoever is enrolled."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from edged.app.enrolment import Enroller
from edged.app.evaluation_faces import content_hash
from edged.app.evaluation_memory import Memory
from edged.app.evaluation_replay import frames_of
from edged.app.evaluation_work import Journal
from edged.domain.errors import InputError
from edged.domain.face import Embedding
from edged.evaluation.clip_list import LabelledClip, parse_clip_list
from edged.pipeline.examine import examine
from edged.pipeline.ports import Models, Source
from edged.settings.root import Settings


class ClipSight(msgspec.Struct, frozen=True, kw_only=True):
    """What a clip shows, whoever is enrolled; as the work folder keeps it."""

    enrolled: tuple[bytes, ...] = ()
    """Embeddings that would be enrolled from it."""
    refusal: str = ""
    """Why nobody can be enrolled from it."""
    images: tuple[tuple[bytes, float], ...] = ()
    """Embedding and quality of the good face of each frame that has one."""
    not_good: int = 0
    """Frames whose face is not good enough."""
    no_face: int = 0


@dataclass(frozen=True, slots=True)
class ClipRoom:
    """What clips are looked at with.

    Attributes:
        settings: the daemon's.
        models: used by the calling thread alone.
        open_clip: gives an unopened source for a video file.
        fps: frames looked at in a second.
        work: folder of what was done before, or None.
        key: names everything that what a clip shows depends on beside the clip.
        run_key: the same of what is said of its tracks, beside clip and gallery.
        tell: takes what is being done, and how much of how much is done.
    """

    settings: Settings
    models: Models
    open_clip: Callable[[Path], Source]
    fps: float
    work: Path | None
    key: str
    run_key: str
    tell: Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class ReadableClip:
    """A clip of the list that can be played."""

    clip: LabelledClip
    path: Path
    content: str
    sight: ClipSight


def clips_of(listed: Path) -> list[tuple[LabelledClip, Path]]:
    """The clips of a CSV file and where they are; raises InputError, with the line of what is wrong."""
    try:
        text = listed.read_text("utf-8")
    except OSError as error:
        raise InputError(f"{listed} cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise InputError(f"{listed} is no text in UTF-8, and a list of clips is a CSV file") from None
    clips = parse_clip_list(text, str(listed))
    paths = [listed.parent / Path(clip.clip).expanduser() for clip in clips]
    lines: dict[Path, int] = {}
    mistakes = []
    for clip, path in zip(clips, paths, strict=True):
        try:
            real = path.resolve()
            is_file = real.is_file()
        except (OSError, RuntimeError, ValueError):
            real, is_file = path, False
        if not is_file:
            mistakes.append(f"{listed}, line {clip.line}: {path} is not there")
        elif real in lines:
            mistakes.append(f"{listed}, line {clip.line}: {path} is in line {lines[real]} already")
        lines.setdefault(real, clip.line)
    if mistakes:
        raise InputError("\n".join(mistakes), remedy="Paths are relative to the folder of the list.")
    return list(zip(clips, paths, strict=True))


def readable_clips(
    clips: Sequence[tuple[LabelledClip, Path]],
    room: ClipRoom,
    memory: Memory,
    sights: Journal[ClipSight],
    notes: list[str],
) -> Iterator[ReadableClip]:
    """Each clip that can be played, with what it shows; what is wrong with the others goes to the notes."""
    for number, (clip, path) in enumerate(clips):
        try:
            content = content_hash(path)
            sight = sights.get(content)
            if sight is None:
                memory.forget()
                sight = _sight(path, room, memory.models())
                sights.put(content, sight)
        except InputError as error:
            notes.append(f"line {clip.line}: {error.what}")
            continue
        finally:
            room.tell("clips looked at", number + 1, len(clips))
        yield ReadableClip(clip, path, content, sight)


def _sight(path: Path, room: ClipRoom, models: Models) -> ClipSight:
    """What a clip shows; raises InputError where it cannot be played."""
    images, not_good, no_face = [], 0, 0
    for frame in frames_of(room.open_clip(path), path, room.fps):
        faces = examine(models, room.settings.quality, frame.pixels)
        face = max(faces, key=lambda one: one.detection.box.area, default=None)
        if face is None:
            no_face += 1
        elif face.embedding is None or face.quality is None:
            not_good += 1
        else:
            images.append((_bytes(face.embedding), face.quality.score))
    if not images and not not_good and not no_face:
        raise InputError(f"{path} is no clip that can be read: it has no frame")
    enrolled: tuple[bytes, ...] = ()
    refusal = ""
    enroller = Enroller(
        models, room.settings.quality, room.settings.detection, room.open_clip, tell=lambda _: None
    )
    try:
        enrolled = tuple(_bytes(face.embedding) for face in enroller.examine([path]).faces)
    except InputError as error:
        refusal = error.what
    return ClipSight(
        enrolled=enrolled, refusal=refusal, images=tuple(images), not_good=not_good, no_face=no_face
    )


def _bytes(vector: Embedding) -> bytes:
    return np.ascontiguousarray(vector, "<f4").tobytes()


def vector_of(content: bytes) -> Embedding:
    """An embedding as the work folder keeps it."""
    return np.frombuffer(content, "<f4").astype(np.float32)
