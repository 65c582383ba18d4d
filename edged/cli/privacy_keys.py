"""`edged privacy new-key`, `encrypt`, `decrypt`, `rotate`: pictures and embeddings encrypted on the disk."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from edged.cli.config_option import DEFAULT_PATH, add_config_option, add_data_dir_option
from edged.domain.errors import ConfigurationError, InputError, StoreError

if TYPE_CHECKING:
    from edged.app.reembedding import Progress
    from edged.store.sealing import EncryptionKey

_NEW_KEY = """\
Make a key for `privacy.encryption_key` and print it, or write it to a file for its owner alone. Whoever
loses the key loses all pictures and embeddings: people keep their names and must be enrolled again. Keep a
copy of it where the machine's disk is not.
"""

_ENCRYPT = """\
Encrypt the pictures and embeddings of every namespace with `privacy.encryption_key`, in place. The daemon
does the same at its start; it must not run meanwhile. Snapshots are replaced, and nothing readable stays in
free pages or logs. A namespace is changed whole or not at all.
"""

_DECRYPT = """\
Write the pictures and embeddings of every namespace as they are, without encryption. Takes the key of the
configuration, or that of a file. The daemon must not run meanwhile.
"""

_ROTATE = """\
Go over to another key: what is encrypted with the key of a file is encrypted with `privacy.encryption_key`
instead. The daemon must not run meanwhile.
"""


def add_key_parsers(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the subcommands."""
    new = actions.add_parser(
        "new-key", help="make a key that pictures are encrypted with", description=_NEW_KEY
    )
    new.add_argument(
        "--file", type=Path, metavar="FILE", help="write it there, with mode 0600, not to the terminal"
    )
    new.set_defaults(run=_new_key)

    encrypt = _action(actions, "encrypt", "encrypt pictures and embeddings on the disk", _ENCRYPT)
    encrypt.set_defaults(run=_encrypt)

    decrypt = _action(actions, "decrypt", "keep pictures and embeddings without encryption again", _DECRYPT)
    decrypt.add_argument(
        "--key-file", type=Path, metavar="FILE", help="the key (default: the configuration's)"
    )
    _add_discard(decrypt)
    decrypt.set_defaults(run=_decrypt)

    rotate = _action(actions, "rotate", "encrypt with another key", _ROTATE)
    rotate.add_argument(
        "--old-key-file", type=Path, metavar="FILE", required=True, help="the key that was used until now"
    )
    _add_discard(rotate)
    rotate.set_defaults(run=_rotate)


def _action(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, words: str, description: str
) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=words, description=description)
    add_config_option(parser)
    add_data_dir_option(parser)
    return parser


def _add_discard(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--discard-damaged",
        action="store_true",
        help="delete what does not open, instead of changing nothing",
    )


def _new_key(arguments: argparse.Namespace) -> int:
    from edged.app.encryption import new_key
    from edged.system.private_file import write_new

    key = new_key()
    if arguments.file is None:
        print(key)
        place = "a file `secrets/NAME` beside the configuration, with mode 0600, or systemd's credentials"
    else:
        write_new(arguments.file, f"{key}\n")
        place = f"{arguments.file}, which is for its owner alone"
    print(
        f"Its place: {place}. Then, in the configuration:\n"
        "  privacy:\n    encryption_key: !secret NAME\n"
        "Keep a copy elsewhere: without the key, all pictures and embeddings are lost.",
        file=sys.stderr,
    )
    return 0


def _encrypt(arguments: argparse.Namespace) -> int:
    place = _Place(arguments)
    key = place.needed_key()
    return place.convert(opening=key, target=key, may_discard=False)


def _decrypt(arguments: argparse.Namespace) -> int:
    place = _Place(arguments)
    key = place.needed_key() if arguments.key_file is None else _key_of_file(arguments.key_file)
    code = place.convert(opening=key, target=None, may_discard=arguments.discard_damaged)
    if place.is_key_configured:
        print(
            "`privacy.encryption_key` is still configured: take it out, else the daemon's next start encrypts"
            " everything again",
            file=sys.stderr,
        )
    return code


def _rotate(arguments: argparse.Namespace) -> int:
    place = _Place(arguments)
    old = _key_of_file(arguments.old_key_file)
    return place.convert(opening=old, target=place.needed_key(), may_discard=arguments.discard_damaged)


def _key_of_file(path: Path) -> "EncryptionKey":
    from edged.app.encryption import key_from
    from edged.system.regular_file import open_regular_file

    try:
        with open_regular_file(path) as file:
            text = file.read(1000)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from None
    return key_from(text.decode(errors="replace"), str(path))


class _Place:
    """The configuration's key, and the data folder's namespaces."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        from edged.app.configuration import load
        from edged.app.data_dir import data_dir_of
        from edged.app.encryption import key_for_command

        self._key = None
        configured, base_dir = arguments.data_dir, Path.cwd()
        if arguments.config != DEFAULT_PATH or arguments.config.exists():
            loaded = load(arguments.config, with_secrets=False)
            self._key = key_for_command(loaded)
            if configured is None:
                configured, base_dir = loaded.settings.data_dir, loaded.base_dir
        self.data_dir = data_dir_of(configured, base_dir)

    @property
    def is_key_configured(self) -> bool:
        """Whether the configuration names a key."""
        return self._key is not None

    def needed_key(self) -> "EncryptionKey":
        """The configuration's key; raises ConfigurationError where there is none to be had."""
        from edged.store.sealing import UnreadableKey

        if self._key is None:
            raise ConfigurationError(
                "no key is configured",
                remedy="`edged privacy new-key` makes one; `privacy.encryption_key: !secret NAME` names it.",
            )
        if isinstance(self._key, UnreadableKey):
            raise ConfigurationError(f"the key cannot be read: {self._key.why}")
        return self._key

    def convert(self, *, opening: "EncryptionKey", target: "EncryptionKey | None", may_discard: bool) -> int:
        """Bring every namespace over; returns 0, or 1 where something is left to be done by hand."""
        from edged.store.namespace_files import namespaces_in

        if not self.data_dir.is_dir():
            raise StoreError(f"there is no data folder {self.data_dir}", remedy="`--data-dir` names another.")
        with self._alone():
            namespaces = namespaces_in(self.data_dir)
            warnings = [
                warning
                for namespace in namespaces
                for warning in self._convert_one(namespace, opening, target, may_discard=may_discard)
            ]
        if not namespaces:
            print(f"{self.data_dir} has no namespace yet", file=sys.stderr)
        for warning in warnings:
            print(f"warning: {warning}", file=sys.stderr)
        return 1 if warnings else 0

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """No daemon runs on the folder meanwhile; raises StoreError where one does."""
        from edged.system.lock import FolderLock

        with FolderLock(self.data_dir):
            yield

    def _convert_one(
        self,
        namespace: str,
        opening: "EncryptionKey",
        target: "EncryptionKey | None",
        *,
        may_discard: bool,
    ) -> list[str]:
        from edged.app.encryption import convert, needs_conversion, swept
        from edged.store.namespace_files import namespace_path
        from edged.store.namespace_store import NamespaceStore
        from edged.store.resealing import is_swept
        from edged.system.chance import new_id
        from edged.system.clock import SystemClock

        path, clock = namespace_path(self.data_dir, namespace), SystemClock()
        with NamespaceStore.open(path, clock, new_id) as store:
            if not needs_conversion(store, opening, target):
                print(f"namespace {namespace}: nothing to do")
            else:
                done = convert(namespace, store, target, clock, _told, may_discard=may_discard)
                words = "encrypted" if target else "decrypted"
                print(f"namespace {namespace}: {done.blobs} pictures and embeddings {words}")
                if done.discarded:
                    print(f"namespace {namespace}: {done.discarded} did not open and were deleted")
            return [] if is_swept(store) else swept(namespace, store, clock, _told)


def _told(progress: "Progress") -> None:
    if sys.stderr.isatty():
        line = str(progress) if progress.done < progress.total else ""
        print(f"\r{line}\x1b[K", end="", file=sys.stderr, flush=True)
