"""`edged groups split`: take apart a group that two people got into."""

import argparse
import json
import sys
from typing import TYPE_CHECKING

from edged.cli.groups_place import GROUP_HELP, action, may
from edged.cli.groups_words import SHORT, json_of, table_of, track_line
from edged.cli.identities_place import Place
from edged.cli.identities_words import counted, warn
from edged.domain.errors import EdgedError, GroupError

if TYPE_CHECKING:
    from edged.store.group_queries import Group, GroupTrack
    from edged.store.group_store import GroupStore

MORE = """\
With --track, these tracks become a group of their own. Without, the group falls into the people that a
stricter level sees in it, and you are shown what that would be."""

_PREFIX_AT_LEAST = 4


def add_split_parser(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the action."""
    parser = action(actions, "split", "take apart a group that two people got into", MORE)
    parser.add_argument("group", metavar="GROUP", help=GROUP_HELP)
    parser.add_argument(
        "--track",
        metavar="TRACK",
        nargs="+",
        action="extend",
        help="ids of tracks, or their beginnings, that are somebody else; `groups show` lists them",
    )
    parser.add_argument("--json", action="store_true", help="print what became of it as a JSON array")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from edged.store.group_store import GroupStore

    place = Place(arguments)
    with place.writing() as store:
        groups = GroupStore(store)
        group = groups.find(arguments.group)
        tracks = groups.tracks_of(group)
        if arguments.track:
            parts: list[tuple[str, ...]] = [_named(tracks, arguments.track)]
        else:
            parts = _found(place, groups, group, tracks)
            if not arguments.yes and not may(f"Split group {group.id[:SHORT]} so?"):
                raise EdgedError("nothing was split")
        made = [groups.split_off(group, part) for part in parts]
        result = [groups.find(one.id) for one in (group, *made)]
        warn(store.swept_log())
    if arguments.json:
        print(json.dumps([json_of(one) for one in result], indent=2))
    else:
        print(table_of(result))
    return 0


def _named(tracks: "list[GroupTrack]", references: list[str]) -> tuple[str, ...]:
    """The ids of the tracks that somebody typed; raises GroupError."""
    found = []
    for reference in references:
        fits = [
            track.id
            for track in tracks
            if len(reference) >= _PREFIX_AT_LEAST and track.id.startswith(reference)
        ]
        if len(fits) != 1:
            raise GroupError(
                f"{reference!r} is {'more than one track' if fits else 'no track'} of this group",
                remedy="`edged groups show` lists them; four characters or more name one.",
            )
        found += fits
    if len(set(found)) == len(tracks):
        raise GroupError("these are all the tracks of the group: there is nothing to split off")
    return tuple(found)


def _found(
    place: Place, groups: "GroupStore", group: "Group", tracks: "list[GroupTrack]"
) -> list[tuple[str, ...]]:
    """The clusters that a stricter level gives, all but the one that keeps the group's id; tells of each."""
    from edged.app.group_model import calibrated_embedder
    from edged.recognition.group_split import split
    from edged.settings.groups import Groups
    from edged.settings.quantities import FalseAccept
    from edged.settings.recognition import Models

    settings = place.settings
    model_hash, calibration = calibrated_embedder(settings.models if settings else Models(), place.data_dir)
    level = settings.groups.false_merge if settings else Groups().false_merge
    offset = settings.recognition.similarity_offset if settings else 0.0
    found = split(groups.means_of(group, model_hash), calibration, level, offset)
    if found is None:
        raise GroupError(
            f"the {counted(len(tracks), 'track', 'tracks')} of group {group.id[:SHORT]} look like one person"
            " at every level",
            remedy="Look at them (`edged groups show --contact-sheet FILE`) and name those that are not, with"
            " --track.",
        )
    by_id = {track.id: track for track in tracks}
    lines = [f"at {FalseAccept(found.false_merge)} tracks it falls into {len(found.clusters)} people:"]
    for number, cluster in enumerate(found.clusters):
        words = "keep the group's id" if number == 0 else "become a group of their own"
        lines.append(f"  {counted(len(cluster), 'track', 'tracks')} to {words}:")
        lines += [f"  {track_line(by_id[track_id])}" for track_id in cluster if track_id in by_id]
    print("\n".join(lines), file=sys.stderr)
    return list(found.clusters[1:])
