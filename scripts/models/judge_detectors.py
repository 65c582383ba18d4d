"""Judges detectors by frames they were not quantized by: what they find, and what they take for a face.

usage: python scripts/models/judge_detectors.py FOLDER [REFERENCE [MODEL ...]]

FOLDER has `clips` and `portraits`. REFERENCE, without it the published full range, is what the others are
compared with, in an environment that edged runs in.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from edged.domain.box import Box
from edged.domain.face import Detection
from edged.inference.card import DetectorHead, EmbedderHead, LandmarksHead
from edged.inference.catalogue import AUTO, Catalogue, head_of
from edged.inference.detector import FaceDetector
from edged.inference.embedder import ChipEmbedder
from edged.inference.landmarker import FaceMeshLandmarker
from edged.inference.models import load_network
from edged.inference.runtime import find_runtime
from edged.vision.alignment import aligned_chip
from judging_frames import JudgingFrame, judging_frames

THRESHOLDS = (0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.7)
LEAST = 0.2
"""Score from which on detections are gathered."""
LEAST_OVERLAP = 0.3
"""IoU with the clip's place from which on a box is its face."""
SHARES = 0.3, 1.2
"""Of a portrait's width that its face's box has."""
COMPARED = 0.5
"""Threshold at which two models' faces are compared."""

Found = list[list[Detection]]


def main(arguments: Sequence[str]) -> None:
    """Judge the reference and the models that are named."""
    reference, *others = arguments[1:] or ["blazeface-full-range", "blazeface-full-range-int8"]
    frames = list(judging_frames(Path(arguments[0])))
    known = _found(reference, frames)
    places = _places(frames, known)
    print(f"{len(frames)} frames; thresholds {', '.join(map(str, THRESHOLDS))}")
    _tell(reference, frames, known, places)
    for name in others:
        found = _found(name, frames)
        _tell(name, frames, found, places)
        _compare(frames, known, found, places)


def _found(name: str, frames: Sequence[JudgingFrame]) -> Found:
    catalogue = Catalogue()
    card = catalogue.card(name, "detector")
    network = load_network(catalogue, card, find_runtime(), threads=1)
    detector = FaceDetector(network, head_of(card, DetectorHead), LEAST)
    return [detector.detect(frame.pixels) for frame in frames]


def _places(frames: Sequence[JudgingFrame], known: Found) -> dict[str, Box]:
    """Where the face of each clip is: people sit still, so it is the median of what the reference found."""
    boxes: dict[str, list[tuple[float, ...]]] = {}
    for frame, faces in zip(frames, known, strict=True):
        if frame.group.startswith("clip") and faces and faces[0].score >= COMPARED:
            box = faces[0].box
            boxes.setdefault(frame.group, []).append((box.x_min, box.y_min, box.x_max, box.y_max))
    return {group: Box(*np.median(found, axis=0)) for group, found in boxes.items()}


def _is_hit(frame: JudgingFrame, face: Detection, places: dict[str, Box]) -> bool:
    if frame.group in places:
        return face.box.iou(places[frame.group]) > LEAST_OVERLAP
    if frame.portrait is None:
        return False
    x, y = face.box.centre
    share = face.box.width / frame.portrait.width
    inside = (
        frame.portrait.x_min < x < frame.portrait.x_max and frame.portrait.y_min < y < frame.portrait.y_max
    )
    return inside and SHARES[0] < share < SHARES[1]


def _tell(name: str, frames: Sequence[JudgingFrame], found: Found, places: dict[str, Box]) -> None:
    print(f"\n{name}")
    for group, has_face in (("clip", True), ("portraits", True), ("bottle", False), ("scenes", False)):
        chosen = [
            (frame, faces)
            for frame, faces in zip(frames, found, strict=True)
            if frame.group.startswith(group)
        ]
        hits, alarms = [], []
        for least in THRESHOLDS:
            kept = [(frame, [face for face in faces if face.score >= least]) for frame, faces in chosen]
            judged = [[_is_hit(frame, face, places) for face in faces] for frame, faces in kept]
            hits.append(sum(any(faces) for faces in judged))
            alarms.append(sum(not all(faces) for faces in judged))
        told = f"hits {hits}; " if has_face else ""
        print(f"  {group}, {len(chosen)} frames: {told}frames with a false alarm {alarms}")


def _compare(frames: Sequence[JudgingFrame], known: Found, found: Found, places: dict[str, Box]) -> None:
    deviations, overlaps, lost, gained = [], [], 0, 0
    for frame, before, after in zip(frames, known, found, strict=True):
        first = next((face for face in before if _is_hit(frame, face, places)), None)
        second = next((face for face in after if _is_hit(frame, face, places)), None)
        was = first is not None and first.score >= COMPARED
        is_now = second is not None and second.score >= COMPARED
        lost, gained = lost + (was and not is_now), gained + (is_now and not was)
        if first is not None and second is not None and was:
            eyes = np.linalg.norm(first.keypoints[0] - first.keypoints[1])
            deviations.append(np.linalg.norm(second.keypoints - first.keypoints, axis=1).mean() / eyes)
            overlaps.append(first.box.iou(second.box))
    middle, high = np.percentile(deviations, [50, 95])
    low, usual = np.percentile(overlaps, [5, 50])
    print(f"  keypoints off by a share of the eyes' distance: p50 {middle:.3f}, p95 {high:.3f}")
    print(
        f"  overlap of boxes (IoU): p5 {low:.3f}, p50 {usual:.3f}; lost {lost}, gained {gained} at {COMPARED}"
    )
    similarities = _similarities(frames, known, found, places)
    print(f"  similarity of clips' mean embeddings: least {min(similarities):.4f} of {len(similarities)}")


def _similarities(
    frames: Sequence[JudgingFrame], known: Found, found: Found, places: dict[str, Box]
) -> list[float]:
    """For each clip, of the mean embedding by the one detector's boxes and by the other's."""
    catalogue, runtime = Catalogue(), find_runtime()
    mesh, embedding = catalogue.card("face-landmarks"), catalogue.embedder_for(AUTO, runtime.name)
    landmarker = FaceMeshLandmarker(
        load_network(catalogue, mesh, runtime, threads=1), head_of(mesh, LandmarksHead)
    )
    embedder = ChipEmbedder(
        load_network(catalogue, embedding, runtime, threads=1),
        head_of(embedding, EmbedderHead),
        embedding.sha256,
    )

    def mean(detections: Found, group: str) -> np.ndarray:
        total = np.zeros(embedder_size, np.float64)
        for frame, faces in zip(frames, detections, strict=True):
            face = next(
                (face for face in faces if frame.group == group and _is_hit(frame, face, places)), None
            )
            if face is not None:
                chip = aligned_chip(frame.pixels, landmarker.locate(frame.pixels, face))
                total += embedder.embed(chip)
        return total / np.linalg.norm(total)

    embedder_size = head_of(embedding, EmbedderHead).size
    return [float(mean(known, group) @ mean(found, group)) for group in places]


if __name__ == "__main__":
    cv2.setNumThreads(1)
    main(sys.argv[1:])
