"""One daemon a data folder."""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from edged.domain.errors import StoreError

FILE_NAME: Final = "edged.lock"


def holder(folder: Path) -> int | None:
    """The process whose daemon runs on a folder; None where none does.

    Looks without getting in the way: the file keeps the number of the last one, which must be alive and be
    the one that holds the lock.
    """
    try:
        descriptor = os.open(folder / FILE_NAME, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        process = int(os.read(descriptor, 32) or b"0")
        if process <= 0 or not Path(f"/proc/{process}").exists():
            return None
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return process
    except (OSError, ValueError):
        return None
    finally:
        os.close(descriptor)
    return None


class FolderLock:
    """Held as long as the process lives or the context lasts; the kernel lets go of it with the process."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME
        self._descriptor = -1

    def __enter__(self) -> Self:
        """Take the lock; raises `StoreError` when another process has it, naming that one."""
        try:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            if os.geteuid() == 0:
                # Started once by hand, as root: the service's user must be able to take it afterwards.
                owner = self._path.parent.stat()
                os.fchown(self._descriptor, owner.st_uid, owner.st_gid)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(self._descriptor, 32).decode(errors="replace").strip() or "unknown"
            self._close()
            raise StoreError(
                f"another edged (process {holder}) already runs on {self._path.parent}",
                remedy="stop it first, or give this one a data_dir of its own",
            ) from None
        except OSError as error:
            self._close()
            raise StoreError(
                f"the data folder {self._path.parent} cannot be used: {error.strerror}",
                remedy="give the user edged runs as the right to write there",
            ) from None
        os.ftruncate(self._descriptor, 0)
        os.write(self._descriptor, f"{os.getpid()}\n".encode())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
