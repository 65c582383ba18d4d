"""How enrolled people are told: as a table, as details, as JSON."""

import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from edged.domain.identity import Identity
from edged.store.namespace_queries import FaceRecord

_HEADINGS = ("NAME", "CUSTOM ID", "FACES", "ENROLLED", "ID")


def table_of(people: Sequence[Identity]) -> str:
    """One line a person under a line of headings, as wide as the widest."""
    rows = [_HEADINGS, *(_row(person) for person in people)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _row(person: Identity) -> tuple[str, ...]:
    name, custom_id = person.name or "-", person.custom_id or "-"
    return name, custom_id, str(person.faces), _day(person.created_ms), person.id


def told_faces(person: Identity, faces: Sequence[FaceRecord]) -> str:
    """A person and each of their faces."""
    lines = [
        f"name      {person.name or '-'}",
        f"customId  {person.custom_id or '-'}",
        f"id        {person.id}",
        f"enrolled  {_minute(person.created_ms)}, changed {_minute(person.updated_ms)}",
        f"faces     {len(faces)}",
    ]
    for face in faces:
        models = ", ".join(model_hash[:12] for model_hash, _ in face.vectors) or "none yet"
        chip = "with chip" if face.png else "no chip"
        lines.append(f"  quality {face.quality:.2f}  {face.source or '-'}  ({chip}; embedded by {models})")
    return "\n".join([*lines, *told_advice(_advice(person, faces))])


def told_advice(lacks: Iterable[str]) -> list[str]:
    """What would help, a line each."""
    return [f"  advice: {lack}" for lack in lacks]


def _advice(person: Identity, faces: Sequence[FaceRecord]) -> list[str]:
    from edged.app.stored_faces import shown_by
    from edged.recognition.advice import advice

    return advice(person.label, shown_by(faces))


def json_of(person: Identity, faces: Sequence[FaceRecord] | None = None) -> dict[str, Any]:
    """A person as the commands print them for programs; absent when empty, as in jobs."""
    told: dict[str, Any] = {"id": person.id, "name": person.name}
    if person.custom_id is not None:
        told["customId"] = person.custom_id
    told |= {"createdAt": person.created_ms, "updatedAt": person.updated_ms, "faceCount": person.faces}
    if faces is not None:
        told["faces"] = [
            {
                "id": face.id,
                "quality": round(face.quality, 4),
                "source": face.source,
                "createdAt": face.created_ms,
                "hasChip": face.png is not None,
                "models": [model_hash for model_hash, _ in face.vectors],
            }
            for face in faces
        ]
        told["advice"] = _advice(person, faces)
    return told


def counted(number: int, one: str = "face", several: str = "faces") -> str:
    """`1 face`, `2 faces`."""
    return f"{number} {one if number == 1 else several}"


def warn(warnings: Iterable[str]) -> None:
    """Say what did not refuse the command and should be known."""
    for warning in warnings:
        print(f"edged: warning: {warning}", file=sys.stderr)


def _day(utc_ms: int) -> str:
    return _minute(utc_ms)[:10]


def _minute(utc_ms: int) -> str:
    return datetime.fromtimestamp(utc_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
