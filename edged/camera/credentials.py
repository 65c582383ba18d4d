"""User and password at a camera."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from edged.domain.errors import CameraError, CameraFault
from edged.settings.sources import NetworkSource


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who we are to a camera. Never printed."""

    username: str = field(repr=False)
    password: str = field(repr=False)

    def within(self, url: str) -> str:
        """The URL with both, percent-encoded; only for calls inside this process."""
        scheme, rest = url.split("://", 1)
        return f"{scheme}://{quote(self.username, safe='')}:{quote(self.password, safe='')}@{rest}"


def credentials_of(source: NetworkSource) -> Credentials | None:
    """What the settings give, if they give any."""
    if source.username is None:
        return None
    return Credentials(source.username, "" if source.password is None else source.password.reveal())


def url_within(url: str, credentials: Credentials | None) -> str:
    """The URL, with the credentials if there are any."""
    return url if credentials is None else credentials.within(url)


def refused(url: str, credentials: Credentials | None) -> CameraError:
    """The error of a camera that refuses user or password."""
    if credentials is None:
        return CameraError(
            CameraFault.UNAUTHORISED,
            f"{url} asks for a user and a password",
            remedy="Give username, and password as `!secret NAME`.",
        )
    return CameraError(
        CameraFault.UNAUTHORISED,
        f"{url} refuses the user `{credentials.username}` or the password",
        remedy="Compare them with the camera's; some cameras have a separate account for streams.",
    )


_NO_ANSWER: Final[Mapping[type[OSError], str]] = {
    ConnectionRefusedError: "refuses the connection",
    TimeoutError: "does not answer",
}


def unreachable(url: str, reason: BaseException | str) -> CameraError:
    """The error of a camera that cannot be connected to."""
    words = _NO_ANSWER.get(type(reason)) if isinstance(reason, OSError) else None
    if words is None:
        told = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
        words = f"cannot be reached ({told})"
    return CameraError(
        CameraFault.UNREACHABLE,
        f"{url} {words}",
        remedy="Look whether the camera is on, and whether address and port are right.",
    )
