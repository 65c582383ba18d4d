"""`edged sync status`."""

import argparse
import json
import sys

from edged.cli.sync_place import SyncPlace, sync_action


def add_status(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the action."""
    parser = sync_action(
        actions,
        "status",
        "say how the sync of a namespace stands, and what to do",
        "At the authority, how far each member is. Ends with 1 where something is to be done.",
        """edged sync status
        edged sync status --namespace office --json""",
        _run,
    )
    parser.add_argument("--json", action="store_true", help="print a JSON object")


def _run(arguments: argparse.Namespace) -> int:
    from edged.app.sync_status import standing
    from edged.app.sync_told import word_of
    from edged.cli.sync_words import json_of, told

    place = SyncPlace(arguments)
    now_ms = place.clock.moment().utc_ms
    seen = None
    if place.is_there:
        with place.reading() as store:
            seen = standing(
                store.connection,
                place.namespace,
                now_ms,
                max_age_ms=place.max_age_ms,
                is_running=place.is_running,
                daemon=word_of(place.data_dir, place.namespace, place.daemon),
            )
    if seen is None:
        if arguments.json:
            print(json.dumps({"namespace": place.namespace, "role": None}))
        print(
            f"namespace {place.namespace} is not synced on this node\n"
            "  `edged sync init` makes this node its authority, `edged sync join CODE` a member.",
            file=sys.stderr,
        )
        return 0
    print(json.dumps(json_of(seen), ensure_ascii=False, indent=2) if arguments.json else told(seen, now_ms))
    return 1 if seen.trouble else 0
