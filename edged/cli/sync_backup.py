"""`edged sync backup`, `restore`, `new-key`: what the authority must not lose."""

import argparse
import getpass
import sys
from pathlib import Path

from edged.cli.sync_place import SyncPlace, require_yes, sync_action
from edged.cli.sync_words import when
from edged.domain.errors import EdgedError, InputError

_LEAST_PASSPHRASE = 8
_MOST_BYTES = 4096


def add_backup_actions(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the actions."""
    backup = sync_action(
        actions,
        "backup",
        "write this node's secret and the namespace to one encrypted file",
        "With a running daemon or without. The people in it are those of now: delete old backups after"
        " an erasure.",
        """edged sync backup authority.backup
        edged sync backup authority.backup --passphrase-file /root/passphrase""",
        _backup,
    )
    backup.add_argument("file", metavar="FILE", type=Path, help="the file to write; must not be there")
    _add_passphrase(backup)

    restore = sync_action(
        actions,
        "restore",
        "bring back what `edged sync backup` wrote",
        "The daemon must not run meanwhile, and the lost node must never run again. What was"
        " published since is"
        " taken over from the broker first.",
        """edged sync restore authority.backup
        edged sync restore authority.backup --replace""",
        _restore,
    )
    restore.add_argument("file", metavar="FILE", type=Path, help="the backup")
    _add_passphrase(restore)
    restore.add_argument(
        "--replace", action="store_true", help="delete the namespace and the secret that are here now"
    )
    restore.add_argument("--yes", action="store_true", help="do not ask")

    new_key = actions.add_parser(
        "new-key",
        help="make a secret for `sync.keys`",
        description="Make a node's secret for a namespace, for `sync.keys` in the configuration, and print it"
        " or write it to\na file for its owner alone. Without one in the configuration, `edged sync init` and"
        " `edged sync join`\nmake one and keep it in the data folder.",
        epilog="examples:\n  edged sync new-key --file /etc/edged/secrets/home_sync\n",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    new_key.add_argument(
        "--file", type=Path, metavar="FILE", help="write it there, with mode 0600, not to the terminal"
    )
    new_key.set_defaults(run=_new_key)


def _add_passphrase(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--passphrase-file",
        type=Path,
        metavar="FILE",
        help="its first line is the passphrase (default: it is asked for)",
    )


def _backup(arguments: argparse.Namespace) -> int:
    from edged.app.sync_backup import Saved, save
    from edged.app.sync_keys import key_path, seed_of
    from edged.system.chance import random_bytes

    place = SyncPlace(arguments)
    with place.tables() as tables:
        node = tables.membership().node
    seed = seed_of(place.sync_settings(), place.data_dir, place.namespace)
    if seed is None:
        raise EdgedError(f"this node's secret is gone: {key_path(place.data_dir, place.namespace)}")
    if arguments.file.exists():
        raise InputError(f"{arguments.file} is there already", remedy="Choose another name.")
    passphrase = _passphrase(arguments, is_new=True)
    now_ms = place.clock.moment().utc_ms
    with place.synced_store() as store:
        # A snapshot is the people, and what the sync knows, in one state, beside a daemon that writes.
        copy = store.snapshots.take(store.connection, now_ms)
    save(arguments.file, passphrase, Saved(place.namespace, node, now_ms), seed, copy, random_bytes)
    print(f"{arguments.file} has {place.namespace} as of {when(now_ms)}, for {node}")
    print("Without the passphrase it is of no use. Keep it where this machine is not.", file=sys.stderr)
    if place.key is not None:
        print(
            "Pictures in it are encrypted with `privacy.encryption_key` besides, which is not in it.",
            file=sys.stderr,
        )
    return 0


def _restore(arguments: argparse.Namespace) -> int:
    from edged.app.sync_backup import head_of
    from edged.app.sync_restore import restore

    place = SyncPlace(arguments)
    saved = head_of(arguments.file)
    if saved.namespace != place.namespace:
        raise EdgedError(
            f"{arguments.file} is of namespace {saved.namespace}",
            remedy=f"Say `--namespace {saved.namespace}`.",
        )
    called = place.settings.device if place.settings is not None else None
    if place.settings is not None and called != saved.node:
        raise EdgedError(
            f"{arguments.file} is of the node {saved.node}, and this device is called"
            f" {called or place.device()}",
            remedy=f"Have it be called as the lost one, in the configuration: `device: {saved.node}`.",
        )
    require_yes(
        arguments,
        f"Restore {saved.namespace} as of {when(saved.made_ms)}, for {saved.node}? The node that was"
        " backed up must never run again.",
    )
    passphrase = _passphrase(arguments, is_new=False)
    restore(arguments.file, passphrase, place.data_dir, place.sync_settings(), may_replace=arguments.replace)
    print(f"{saved.namespace} is restored as of {when(saved.made_ms)}")
    if called is None:
        print(
            f"this device must be called as the lost one, in the configuration: `device: {saved.node}`",
            file=sys.stderr,
        )
    return 0


def _new_key(arguments: argparse.Namespace) -> int:
    from edged.app.sync_keys import new_key
    from edged.system.chance import random_bytes
    from edged.system.private_file import write_new

    key = new_key(random_bytes)
    if arguments.file is None:
        print(key)
    else:
        write_new(arguments.file, f"{key}\n")
    print(
        "In the configuration:\n  sync:\n    keys:\n      - {namespace: home, key: !secret NAME}\n"
        "Whoever loses it joins again; of the authority, see `edged sync backup`.",
        file=sys.stderr,
    )
    return 0


def _passphrase(arguments: argparse.Namespace, *, is_new: bool) -> str:
    """Of the file, else of the terminal; never of the command line, which everybody can read."""
    if arguments.passphrase_file is not None:
        text = _first_line(arguments.passphrase_file)
    elif sys.stdin.isatty():
        text = getpass.getpass("Passphrase: ")
        if is_new and getpass.getpass("Once more: ") != text:
            raise EdgedError("the two were not the same")
    else:
        raise EdgedError("there is nobody to ask for the passphrase", remedy="Say --passphrase-file FILE.")
    if is_new and len(text) < _LEAST_PASSPHRASE:
        raise EdgedError(
            f"the passphrase is too short: {_LEAST_PASSPHRASE} characters at least",
            remedy="Six words that nobody would put together are a good one.",
        )
    return text


def _first_line(path: Path) -> str:
    from edged.system.regular_file import open_regular_file

    try:
        with open_regular_file(path) as file:
            text = file.read(_MOST_BYTES).decode()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise InputError(f"{path} cannot be read: {why}") from None
    return text.partition("\n")[0].rstrip("\r")
