"""Asks an RTSP server what it sends, and why a stream does not open: players only say that it does not."""

import re
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar
from urllib.parse import urljoin, urlsplit

from edged.camera.credentials import Credentials, refused, unreachable
from edged.camera.rtsp_auth import authorization
from edged.domain.errors import CameraError, CameraFault

_MOST_BYTES: Final = 256 * 1024
_MOST_READS: Final = 64
"""With one time-out each: a server that sends a byte now and then does not hold us for ever."""

_UNAUTHORISED: Final = frozenset({401, 403})
_NOT_FOUND: Final = frozenset({404, 410, 454})
_UNSUPPORTED_TRANSPORT: Final = 461
_OK: Final = 200

_CODECS: Final[Mapping[str, str]] = {"h265": "hevc", "jpeg": "mjpeg", "mp4v-es": "mpeg4", "mpv": "mpeg2video"}
"""Encoding names of RTP that ffmpeg calls otherwise."""

_STATIC_PAYLOADS: Final[Mapping[str, str]] = {"26": "mjpeg", "31": "h261", "32": "mpeg2video", "34": "h263"}
"""Payload types that need no name (RFC 3551)."""

_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: tuple[tuple[str, str], ...]
    body: str

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]


class _NotRtspError(Exception):
    """Whoever answers speaks something else, or nothing that can be understood."""


def why_not(url: str, credentials: Credentials | None, transport: str, timeout_s: float) -> CameraError:
    """Why a stream could not be opened, found out by a connection of our own.

    Args:
        url: address without user and password.
        credentials: who we are, if anybody.
        transport: `tcp` or `udp`, as the stream was asked for.
        timeout_s: for connecting and for each answer.
    """

    def find_fault(talk: "_Talk") -> CameraError:
        return talk.fault(transport)

    return _asked(url, credentials, timeout_s, find_fault)


def codec_of(url: str, credentials: Credentials | None, timeout_s: float) -> str:
    """The codec of the stream's video, as ffmpeg calls it: `h264`, `hevc`, `mjpeg`.

    One short connection; raises `CameraError` where it does not come to an answer. Arguments as above.
    """
    answer = _asked(url, credentials, timeout_s, _Talk.codec)
    if isinstance(answer, CameraError):
        raise answer
    return answer


def _asked(
    url: str,
    credentials: Credentials | None,
    timeout_s: float,
    question: Callable[["_Talk"], _Found | CameraError],
) -> _Found | CameraError:
    try:
        parts = urlsplit(url)
        port = parts.port or (322 if parts.scheme == "rtsps" else 554)
        connection = socket.create_connection((parts.hostname or "", port), timeout_s)
    except (OSError, UnicodeError, ValueError) as error:
        return unreachable(url, error)
    try:
        with connection, _secured(connection, parts.scheme, parts.hostname) as channel:
            return question(_Talk(channel, url, credentials))
    except TimeoutError:
        return CameraError(
            CameraFault.SILENT,
            f"{url} takes the connection and says nothing",
            remedy="Restart the camera, or whatever listens at that port.",
        )
    except (_NotRtspError, ssl.SSLError):
        return CameraError(
            CameraFault.NOT_VIDEO,
            f"{url} answers, but not as an RTSP server does",
            remedy="Look at the port: RTSP is mostly at 554, a camera's web page at 80.",
        )
    except OSError as error:
        return CameraError(CameraFault.DISCONNECTED, f"{url} hangs up ({error.strerror or error})")


def _secured(connection: socket.socket, scheme: str, host: str | None) -> socket.socket:
    if scheme != "rtsps":
        return connection
    # As FFmpeg does by default: hardly any camera's certificate could be checked.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(connection, server_hostname=host)


class _Talk:
    """A few requests on one connection."""

    def __init__(self, channel: socket.socket, url: str, credentials: Credentials | None) -> None:
        self._channel = channel
        self._url = url
        self._credentials = credentials
        self._sequence = 0

    def fault(self, transport: str) -> CameraError:
        """Ask for the description and for one stream, as a player would, and see where it ends."""
        described = self._described()
        if isinstance(described, CameraError):
            return described
        control = _video_control(described.body)
        if control is None:
            return self._without_video()
        return self._fault_of_setup(described, control, transport)

    def codec(self) -> str | CameraError:
        """What the stream is described to be."""
        described = self._described()
        if isinstance(described, CameraError):
            return described
        return video_codec(described.body) or self._without_video()

    def _described(self) -> _Answer | CameraError:
        described = self._ask("DESCRIBE", self._url, "Accept: application/sdp")
        if described.status in _UNAUTHORISED:
            return refused(self._url, self._credentials)
        if described.status in _NOT_FOUND:
            return CameraError(
                CameraFault.NOT_FOUND,
                f"{self._url} is not there, though its server answers",
                remedy="Look up the stream's path in the camera's manual or its ONVIF page.",
            )
        if described.status != _OK:
            return CameraError(
                CameraFault.NOT_VIDEO, f"{self._url} answers with status {described.status} and no stream"
            )
        return described

    def _without_video(self) -> CameraError:
        return CameraError(CameraFault.NOT_VIDEO, f"{self._url} describes a stream without video")

    def _fault_of_setup(self, described: _Answer, control: str, transport: str) -> CameraError:
        base = (described.all("content-base") or [self._url])[0]
        target = control if "://" in control else urljoin(base.rstrip("/") + "/", control)
        wish = (
            "RTP/AVP/TCP;unicast;interleaved=0-1"
            if transport == "tcp"
            else "RTP/AVP;unicast;client_port=5000-5001"
        )
        answer = self._ask("SETUP", target, f"Transport: {wish}")
        if answer.status == _UNSUPPORTED_TRANSPORT:
            other = "udp" if transport == "tcp" else "tcp"
            return CameraError(
                CameraFault.NOT_VIDEO,
                f"{self._url} does not send over {transport}",
                remedy=f"Set transport: {other}.",
            )
        return CameraError(
            CameraFault.SILENT,
            f"{self._url} describes a stream, and no picture that can be decoded came in time",
            remedy="Raise open_timeout if the camera is slow; else look at the stream with another player.",
        )

    def _ask(self, method: str, uri: str, header: str) -> _Answer:
        answer = self._exchange(method, uri, (header,))
        if answer.status != 401 or self._credentials is None:  # noqa: PLR2004
            return answer
        challenges = answer.all("www-authenticate")
        proof = authorization(challenges, self._credentials, method, uri, cnonce="edged")
        return answer if proof is None else self._exchange(method, uri, (header, f"Authorization: {proof}"))

    def _exchange(self, method: str, uri: str, headers: tuple[str, ...]) -> _Answer:
        self._sequence += 1
        lines = (f"{method} {uri} RTSP/1.0", f"CSeq: {self._sequence}", "User-Agent: edged", *headers, "", "")
        self._channel.sendall("\r\n".join(lines).encode())
        return _read_answer(self._channel)


def _read_answer(channel: socket.socket) -> _Answer:
    received = b""
    for _ in range(_MOST_READS):
        data = channel.recv(16384)
        received += data
        if not received.startswith(b"RTSP/"[: len(received)]) or not data or len(received) > _MOST_BYTES:
            raise _NotRtspError
        head, end, body = received.partition(b"\r\n\r\n")
        if end:
            answer = _parsed(head.decode("utf-8", "replace"), body)
            if answer is not None:
                return answer
    raise TimeoutError


def _parsed(head: str, body: bytes) -> _Answer | None:
    """The answer, or None while its body is not whole."""
    first, *lines = head.split("\r\n")
    match = re.fullmatch(r"RTSP/\d\.\d (\d{3}).*", first)
    if match is None:
        raise _NotRtspError
    pairs = (line.partition(":") for line in lines)
    headers = tuple((name.strip().lower(), value.strip()) for name, _, value in pairs)
    length = next((value for name, value in headers if name == "content-length"), "0")
    if not length.isdigit():
        raise _NotRtspError
    if len(body) < int(length):
        return None
    return _Answer(int(match[1]), headers, body[: int(length)].decode("utf-8", "replace"))


def _video_control(description: str) -> str | None:
    """Where the first video stream of a session description (RFC 8866) is set up; None without video."""
    found = False
    for line in description.splitlines():
        if line.startswith("m="):
            if found:
                return ""
            found = line.startswith("m=video")
        elif found and line.startswith("a=control:"):
            return line.removeprefix("a=control:").strip()
    return "" if found else None


def video_codec(description: str) -> str | None:
    """The codec of the first video stream of a session description (RFC 8866), as ffmpeg calls it."""
    video = re.search(r"^m=video \S+ \S+ (\d+).*?(?=^m=|\Z)", description, re.MULTILINE | re.DOTALL)
    if video is None:
        return None
    name = re.search(rf"^a=rtpmap:{video[1]} ([^/\s]+)", video[0], re.MULTILINE)
    if name is None:
        return _STATIC_PAYLOADS.get(video[1], "unknown")
    return _CODECS.get(name[1].lower(), name[1].lower())
