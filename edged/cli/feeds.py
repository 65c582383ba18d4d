"""`edged feeds`: which feeds there are, and their privacy switches."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from edged.cli.config_option import add_config_option, add_data_dir_option
from edged.domain.errors import EdgedError

if TYPE_CHECKING:
    from edged.settings.feeds import Feed
    from edged.settings.root import Settings

DESCRIPTION = """\
Every feed has a privacy switch. While it is off the camera is not read at all, and nobody is said to be
there. A running daemon heeds it within a second, and after a restart it stands as it did.

actions:
  list         list the feeds, with their switch and their hours (without an action: this)
  on FEED      let a feed be looked at, within its hours
  off FEED     do not look at it until it is switched on again
"""

EPILOG = """\
examples:
  edged feeds
  edged feeds off living-room
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "feeds",
        help="list the feeds; switch them off and on",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "action",
        nargs="?",
        choices=("list", "on", "off"),
        default="list",
        metavar="ACTION",
        help="what to do (see above)",
    )
    parser.add_argument("feed", nargs="?", metavar="FEED", help="the id of a feed")
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_config_option(parser)
    add_data_dir_option(parser)
    parser.set_defaults(run=lambda arguments: _run(parser, arguments))


def _run(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> int:
    from edged.app.configuration import load
    from edged.app.data_dir import data_dir_of

    if (arguments.action == "list") != (arguments.feed is None):
        parser.error("`list` takes no FEED" if arguments.feed else f"`{arguments.action}` needs a FEED")
    loaded = load(arguments.config, with_secrets=False)
    if arguments.data_dir is not None:
        data_dir = data_dir_of(arguments.data_dir, Path.cwd())
    else:
        data_dir = data_dir_of(loaded.settings.data_dir, loaded.base_dir)
    if arguments.action == "list":
        return _list(loaded.settings, data_dir, as_json=arguments.json)
    return _switch(loaded.settings, data_dir, arguments.feed, is_on=arguments.action == "on")


def _list(settings: "Settings", data_dir: Path, *, as_json: bool) -> int:
    from edged.settings.schedule import schedule_words
    from edged.store.feed_switches import FeedSwitches

    off = FeedSwitches(data_dir).off()
    rows: list[dict[str, str]] = [
        {
            "id": feed.id,
            "namespace": feed.namespace,
            "source": str(feed.source.__struct_config__.tag),
            "switch": "none" if _is_replay(feed) else "off" if feed.id in off else "on",
            "hours": "none" if _is_replay(feed) else schedule_words(feed.schedule),
        }
        for feed in settings.feeds
    ]
    if as_json:
        print(json.dumps(rows, indent=2, ensure_ascii=False))
        return 0
    titles = {"id": "FEED", "namespace": "NAMESPACE", "source": "SOURCE", "switch": "SWITCH"}
    widths = {name: max(len(row[name]) for row in [titles, *rows]) for name in titles}
    for row in [{**titles, "hours": "HOURS"}, *rows]:
        print(*(f"{row[name]:{width}}" for name, width in widths.items()), row["hours"], sep="  ")
    return 0


def _switch(settings: "Settings", data_dir: Path, feed_id: str, *, is_on: bool) -> int:
    from edged.store.feed_switches import FeedSwitches

    feed = next((feed for feed in settings.feeds if feed.id == feed_id), None)
    if feed is None:
        raise EdgedError(
            f"there is no feed `{feed_id}`", remedy="`edged feeds` lists those of the configuration."
        )
    if _is_replay(feed):
        raise EdgedError(
            f"the feed `{feed_id}` replays a clip, and is not switched",
            remedy="Whoever does not want it to be looked at leaves it out of the configuration.",
        )
    FeedSwitches(data_dir).set(feed_id, is_on=is_on)
    print(f"{feed_id}: {'on' if is_on else 'off'}")
    return 0


def _is_replay(feed: "Feed") -> bool:
    """Whether its frames tell of a clip's own time, which neither switch nor hours are about."""
    return getattr(feed.source, "pace", "realtime") == "fast"
