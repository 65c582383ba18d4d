"""How groups of unknown people are told: as tables, as JSON, as a sheet of faces."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edged.cli.identities_words import counted, warn
from edged.domain.errors import StoreError

if TYPE_CHECKING:
    from edged.store.group_queries import Group, GroupFace, GroupTrack

SHORT = 8
"""Characters of an id that tables show: enough to name one group among thousands."""

_HEADINGS = ("GROUP", "VISITS", "TRACKS", "FACES", "FIRST SEEN", "LAST SEEN", "FEEDS")


def table_of(groups: "Sequence[Group]") -> str:
    """One line a group under a line of headings, as wide as the widest."""
    rows = [_HEADINGS, *(_row(group) for group in groups)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _row(group: "Group") -> tuple[str, ...]:
    counts = (group.visits, group.tracks, group.faces)
    times = (minute(group.first_seen_ms), minute(group.last_seen_ms))
    return group.id[:SHORT], *map(str, counts), *times, ", ".join(group.feeds)


def told(group: "Group", tracks: "Sequence[GroupTrack]", faces: "Sequence[GroupFace]") -> str:
    """A group with its tracks and faces."""
    visits = counted(group.visits, "visit", "visits")
    lines = [
        f"group  {group.id}",
        f"seen   {visits}, first {minute(group.first_seen_ms)}, last {minute(group.last_seen_ms)}",
        f"tracks {len(tracks)}",
    ]
    lines += [track_line(track) for track in tracks]
    lines.append(f"faces  {len(faces)}")
    lines += [
        f"  quality {face.quality:.2f}  {second(face.at_ms)}  {face.feed_id}"
        f"  (yaw {face.yaw_deg:.0f}, pitch {face.pitch_deg:.0f};"
        f" {'with chip' if face.png else 'no chip'})"
        for face in faces
    ]
    return "\n".join(lines)


def track_line(track: "GroupTrack") -> str:
    """A track with its times, in one line."""
    return (
        f"  {track.id}  {second(track.first_seen_ms)}  {track.feed_id}"
        f"  {(track.last_seen_ms - track.first_seen_ms) / 1000:.1f} s"
        f"  ({counted(track.seen_before, 'visit', 'visits')} before, {counted(track.faces)} kept)"
    )


def json_of(
    group: "Group",
    tracks: "Sequence[GroupTrack] | None" = None,
    faces: "Sequence[GroupFace] | None" = None,
) -> dict[str, Any]:
    """A group as the commands print it for programs."""
    result: dict[str, Any] = {
        "id": group.id,
        "visits": group.visits,
        "firstSeenAt": group.first_seen_ms,
        "lastSeenAt": group.last_seen_ms,
        "feeds": list(group.feeds),
        "trackCount": group.tracks,
        "faceCount": group.faces,
    }
    if tracks is not None:
        result["tracks"] = [
            {
                "id": track.id,
                "feedId": track.feed_id,
                "firstSeenAt": track.first_seen_ms,
                "lastSeenAt": track.last_seen_ms,
                "seenBefore": track.seen_before,
                "faceCount": track.faces,
            }
            for track in tracks
        ]
    if faces is not None:
        result["faces"] = [
            {
                "at": face.at_ms,
                "feedId": face.feed_id,
                "quality": round(face.quality, 4),
                "hasChip": face.png is not None,
            }
            for face in faces
        ]
    return result


def write_sheet(file: Path, groups: "Iterable[tuple[Group, Sequence[GroupFace]]]") -> None:
    """Draw the faces of groups, a row a group, into a PNG file; raises StoreError where that cannot be."""
    import cv2

    from edged.domain.errors import StoreFault
    from edged.store.namespace_chips import chip_from_png
    from edged.vision.contact_sheet import MOST_ROWS, Row, contact_sheet

    rows: list[Row] = []
    for group, faces in groups:
        if len(rows) == MOST_ROWS:
            warn([f"{file} has the first {MOST_ROWS} groups; `edged groups show` draws one"])
            break
        title = f"{group.id[:SHORT]}   {counted(group.visits, 'visit', 'visits')}, {counted(group.faces)}"
        cells = [
            (chip_from_png(face.png) if face.png else None, f"{minute(face.at_ms)[5:16]} q{face.quality:.2f}")
            for face in faces
        ]
        rows.append(Row(f"{title}, last {minute(group.last_seen_ms)}, {', '.join(group.feeds)}", cells))
    done, png = cv2.imencode(".png", contact_sheet(rows))
    if not done:
        raise StoreError("the sheet could not be encoded as PNG")
    try:
        file.write_bytes(png.tobytes())
    except OSError as error:
        raise StoreError(
            f"{file} cannot be written: {error.strerror}",
            fault=StoreFault.FORBIDDEN,
            remedy="Name a file in a folder that you may write to.",
        ) from None


def minute(utc_ms: int) -> str:
    """A time for people, to the minute."""
    return datetime.fromtimestamp(utc_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def second(utc_ms: int) -> str:
    """A time for people, to the second."""
    return datetime.fromtimestamp(utc_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
