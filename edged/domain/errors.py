"""The errors a person may have to act on. Adapters translate everything foreign into one of these."""

from enum import StrEnum


class EdgedError(Exception):
    """Something a person can act on: what happened, where, and what to do next.

    `exit_code` is what a command ends with when nothing handles the error; the numbers are those of
    sysexits.h, so that systemd and scripts can tell them apart.
    """

    exit_code = 1

    def __init__(self, what: str, *, remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.what}\n  {self.remedy}" if self.remedy else self.what


class ConfigurationError(EdgedError):
    """The configuration, or a secret it names, cannot be used as it stands (EX_CONFIG)."""

    exit_code = 78


class InputError(EdgedError):
    """A picture, clip or archive that somebody handed over cannot be used (EX_DATAERR)."""

    exit_code = 65


class IdentityError(InputError):
    """A person is not enrolled, not the only one of that name, or not to be called so."""

    exit_code = 1


class GroupError(InputError):
    """A group is not there, or cannot be what a command asks of it."""

    exit_code = 1


class ModelError(EdgedError):
    """A model or the runtime that runs it is missing, altered or unusable (EX_OSFILE)."""

    exit_code = 72


class StoreFault(StrEnum):
    """What is wrong with a database. The set is closed."""

    LOCKED = "locked"
    """Another program writes to it and did not finish in time: trying again may help."""
    CORRUPT = "corrupt"
    """Its content is damaged, or it is no database at all."""
    FULL = "full"
    """No room is left on the device, or in the quota."""
    FORBIDDEN = "forbidden"
    """It may not be opened, made or written: rights, or a read-only file system."""
    MISSING = "missing"
    """It is not there."""
    FOREIGN = "foreign"
    """It is a sound database, of another kind or of a newer edged."""
    SEALED = "sealed"
    """It is encrypted and the key is not there or another one; or it is to be, and is not yet."""
    BROKEN = "broken"
    """The device or the file system failed, or something nobody foresaw."""


class StoreError(EdgedError):
    """A database could not be opened, read or written (EX_IOERR)."""

    exit_code = 74

    def __init__(self, what: str, *, fault: StoreFault = StoreFault.BROKEN, remedy: str = "") -> None:
        super().__init__(what, remedy=remedy)
        self.fault = fault


class DeliveryError(EdgedError):
    """A sink does not take messages (EX_UNAVAILABLE)."""

    exit_code = 69


class CameraFault(StrEnum):
    """What is wrong with a feed, in the words its state and its log use. The set is closed."""

    UNREACHABLE = "unreachable"
    """Nothing answers at the address: refused, no route, no such host."""
    UNAUTHORISED = "unauthorised"
    """The camera answers and refuses the user or the password."""
    NOT_FOUND = "not found"
    """No such path, device or file, though its machine answers."""
    NOT_VIDEO = "not video"
    """Something answers or opens, and it is no video that can be decoded."""
    DISCONNECTED = "disconnected"
    """The stream ended: the camera or the decoder went away."""
    SILENT = "silent"
    """The connection stands and nothing comes."""
    FROZEN = "frozen"
    """Frames come and all are the same picture."""
    ONE_COLOUR = "one colour"
    """Frames come and show one flat colour."""


class CameraError(EdgedError):
    """A feed does not give frames (EX_NOINPUT)."""

    exit_code = 66

    def __init__(self, fault: CameraFault, what: str, *, remedy: str = "") -> None:
        super().__init__(what, remedy=remedy)
        self.fault = fault


class EndOfMediaError(Exception):
    """A clip or a folder of images is at its end: not a fault, and nobody need act."""
