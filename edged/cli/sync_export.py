"""`edged sync export`: pages for a mirror."""

import argparse
from pathlib import Path

from edged.cli.identities_words import counted
from edged.cli.sync_place import SyncPlace, sync_action
from edged.domain.errors import EdgedError


def add_export(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the action."""
    parser = sync_action(
        actions,
        "export",
        "write the pages of the epoch in force to a folder, for a web server",
        "Members fetch them below `sync.mirror`, by their hash. With `sync.export` the authority's"
        " daemon does the same at every epoch.",
        "edged sync export /srv/www/sync",
        _export,
    )
    parser.add_argument("dir", metavar="DIR", type=Path, help="the folder; pages go to DIR/NAMESPACE")


def _export(arguments: argparse.Namespace) -> int:
    from edged.app.sync_export import export

    place = SyncPlace(arguments)
    keys = place.keys()
    with place.tables() as tables:
        tables.membership()
        done = export(tables, keys, arguments.dir)
    if done is None:
        raise EdgedError(
            "nothing is published yet"
            if place.is_running
            else "nothing is published yet, and no daemon runs",
            remedy="`edged sync status` says how it stands.",
        )
    print(
        f"{arguments.dir / place.namespace} has {counted(done.pages, 'page', 'pages')} of epoch {done.epoch},"
        f" {done.total_bytes} bytes"
    )
    return 0
