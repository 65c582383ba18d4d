"""`edged api`: the description of the recognition API for programs, and an end to a program's access."""

import argparse
import json

from edged.cli.config_option import add_config_option
from edged.domain.errors import EdgedError

DESCRIPTION = """\
The recognition API over HTTP, which the daemon serves where the configuration has a section `http`.
"""

SCHEMA_DESCRIPTION = """\
Print the API's description, OpenAPI 3.1, as `/openapi.json` serves it.
"""

REVOKE_DESCRIPTION = """\
Make the access tokens of a client worthless at once, also in a daemon that runs. The client can get new ones
with its secret; to keep it out, change the secret or remove the client from the configuration, and restart.
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "api",
        help="the recognition API over HTTP: its description, and ending access",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    schema = actions.add_parser(
        "schema", help="print the OpenAPI description", description=SCHEMA_DESCRIPTION
    )
    schema.set_defaults(run=_schema)
    revoke = actions.add_parser(
        "revoke",
        help="make a client's access tokens worthless",
        description=REVOKE_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    whose = revoke.add_mutually_exclusive_group(required=True)
    whose.add_argument("client", nargs="?", metavar="CLIENT", help="the client's `id` in the configuration")
    whose.add_argument("--all", action="store_true", help="those of every client")
    add_config_option(revoke)
    revoke.set_defaults(run=_revoke)


def _schema(_arguments: argparse.Namespace) -> int:
    from edged import __version__
    from edged.api.schema import document

    print(json.dumps(document(__version__), indent=2, ensure_ascii=False))
    return 0


def _revoke(arguments: argparse.Namespace) -> int:
    from edged.app.configuration import load
    from edged.app.data_dir import data_dir_of
    from edged.store.api_store import ApiStore

    loaded = load(arguments.config, with_secrets=False)
    clients = [client.id for client in loaded.settings.http.clients] if loaded.settings.http else []
    if arguments.client is not None and arguments.client not in clients:
        known = ", ".join(clients) or "none"
        raise EdgedError(
            f"there is no client {arguments.client!r} in {loaded.path}", remedy=f"It has: {known}."
        )
    data_dir = data_dir_of(loaded.settings.data_dir, loaded.base_dir)
    store = ApiStore(data_dir)
    try:
        revoked = sum(map(store.revoke_client, clients if arguments.all else [arguments.client]))
    finally:
        store.close()
    print(f"{revoked} access token{'' if revoked == 1 else 's'} revoked")
    return 0
