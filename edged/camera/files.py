"""Paths that people give: resolved, and refused in words."""

from pathlib import Path

from edged.domain.errors import CameraError, CameraFault


def resolved(path: str, base_dir: Path) -> Path:
    """The absolute path: relative ones count from the configuration file's folder."""
    return (base_dir / Path(path).expanduser()).absolute()


def require_clip(path: Path) -> None:
    """Raise `CameraError` unless this is a file that can be read and is not empty."""
    _require_present(path)
    if path.is_dir():
        raise CameraError(
            CameraFault.NOT_VIDEO, f"{path} is a folder", remedy="For a folder of pictures set type: images."
        )
    if not path.is_file():
        raise CameraError(CameraFault.NOT_VIDEO, f"{path} is no ordinary file")
    try:
        with path.open("rb") as clip:
            empty = not clip.read(1)
    except OSError as error:
        raise _unreadable(path, error) from None
    if empty:
        raise CameraError(CameraFault.NOT_VIDEO, f"{path} is empty")


def files_in(folder: Path) -> list[Path]:
    """The files of a folder, in no order; raises `CameraError` unless it is one that can be read."""
    _require_present(folder)
    if not folder.is_dir():
        raise CameraError(
            CameraFault.NOT_VIDEO, f"{folder} is no folder", remedy="For a video file set type: file."
        )
    try:
        return [path for path in folder.iterdir() if path.is_file()]
    except OSError as error:
        raise _unreadable(folder, error) from None


def _require_present(path: Path) -> None:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise CameraError(
            CameraFault.NOT_FOUND,
            f"{path} is not there",
            remedy="Relative paths count from the folder of the configuration file.",
        ) from None
    except OSError as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: OSError) -> CameraError:
    if isinstance(error, PermissionError):
        return CameraError(
            CameraFault.UNAUTHORISED,
            f"{path} may not be read by this user",
            remedy="Give the user that runs edged the right to read it.",
        )
    return CameraError(CameraFault.UNREACHABLE, f"{path} cannot be read ({error.strerror or error})")
