"""Pictures over HTTP: requests with time-outs, Basic and Digest, own certificates; errors in our words."""

import http.client
import ssl
import urllib.error
import urllib.request
from functools import partial
from pathlib import Path
from typing import IO, Any, Final

from edged.camera.credentials import Credentials, credentials_of, refused, unreachable
from edged.camera.files import resolved
from edged.domain.errors import CameraError, CameraFault
from edged.domain.moment import Clock
from edged.settings.sources import HttpSource, SnapshotSource

_UNAUTHORISED: Final = frozenset({401, 403})
_NOT_FOUND: Final = frozenset({404, 410})


class Answer:
    """The answer to one request, read piece by piece until a time limit."""

    def __init__(self, response: http.client.HTTPResponse, url: str, limit_s: float, clock: Clock) -> None:
        self._response = response
        self._url = url
        self._limit_s = limit_s
        self._clock = clock

    @property
    def content_type(self) -> str:
        """The media type in small letters, without parameters."""
        return self._response.headers.get_content_type()

    @property
    def boundary(self) -> str | None:
        """What stands between the parts, where there are any."""
        boundary = self._response.headers.get_param("boundary")
        return boundary if isinstance(boundary, str) else None

    def now_ms(self) -> int:
        """The present, for `read`."""
        return self._clock.moment().steady_ms

    def read(self, since_ms: int) -> bytes:
        """What has arrived, at least a byte; nothing at the end.

        Raises `CameraError` (`SILENT`) when all that is awaited since `since_ms` takes longer than the limit:
        a camera that sends a byte a second is as silent as one that sends none.
        """
        if self.now_ms() - since_ms > 1000 * self._limit_s:
            raise self._silent()
        try:
            return self._response.read1(65536)
        except TimeoutError:
            raise self._silent() from None
        except (OSError, http.client.HTTPException) as error:
            raise CameraError(
                CameraFault.DISCONNECTED, f"{self._url} ended the connection ({type(error).__name__})"
            ) from None

    def close(self) -> None:
        """Hang up."""
        self._response.close()

    def _silent(self) -> CameraError:
        return CameraError(
            CameraFault.SILENT,
            f"{self._url} sent no whole picture for {self._limit_s:g} s",
            remedy="Look at the camera and the network; read_timeout is the limit.",
        )


class Fetcher:
    """Makes requests to one address."""

    def __init__(self, settings: HttpSource | SnapshotSource, base_dir: Path, clock: Clock) -> None:
        self._settings = settings
        self._base_dir = base_dir
        self._clock = clock
        self._opener: urllib.request.OpenerDirector | None = None

    def fetch(self) -> Answer:
        """Ask for the address; raises `CameraError` for every answer that is not a good one."""
        settings = self._settings
        credentials = credentials_of(settings)
        if self._opener is None:
            self._opener = _opener(settings, credentials, self._trust())
        request = urllib.request.Request(settings.url, headers={"User-Agent": "edged"})  # noqa: S310
        try:
            response = self._opener.open(request, timeout=settings.open_timeout)
        except (OSError, http.client.HTTPException, NotImplementedError, ValueError) as error:
            fault = _translated(error, settings.url, credentials)
        else:
            return Answer(response, settings.url, settings.read_timeout, self._clock)
        # Raised out here, the error does not hold on to the request and its sockets.
        raise fault

    def _trust(self) -> ssl.SSLContext:
        ca_file = self._settings.ca_file
        if ca_file is None:
            return ssl.create_default_context()
        path = resolved(ca_file, self._base_dir)
        try:
            return ssl.create_default_context(cafile=str(path))
        except OSError as error:
            raise CameraError(
                CameraFault.NOT_FOUND, f"the certificates {path} cannot be read ({error.strerror or error})"
            ) from None


def _opener(
    settings: HttpSource | SnapshotSource, credentials: Credentials | None, trust: ssl.SSLContext
) -> urllib.request.OpenerDirector:
    opener = urllib.request.OpenerDirector()
    # No proxies from the environment, no files and no FTP behind a redirection: a camera is near.
    for handler in (
        _Http(settings.read_timeout),
        _Https(settings.read_timeout, trust),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    if credentials is not None:
        known = urllib.request.HTTPPasswordMgrWithDefaultRealm()
        # For this address's server only: a redirection elsewhere gets no password.
        known.add_password(None, settings.url, credentials.username, credentials.password)
        root = settings.url.split("/", 3)
        known.add_password(None, "/".join(root[:3]) + "/", credentials.username, credentials.password)
        opener.add_handler(_HangUp())
        opener.add_handler(urllib.request.HTTPDigestAuthHandler(known))
        opener.add_handler(urllib.request.HTTPBasicAuthHandler(known))
    return opener


class _HangUp(urllib.request.BaseHandler):
    """Ends the connection that was refused, before the next one tries with a password."""

    handler_order = 100

    def http_error_401(self, _request: urllib.request.Request, response: IO[bytes], *_: object) -> None:
        response.close()


class _Http(urllib.request.HTTPHandler):
    def __init__(self, read_timeout_s: float) -> None:
        super().__init__()
        self._read_timeout_s = read_timeout_s

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(partial(_Connection, read_timeout_s=self._read_timeout_s), req)


class _Https(urllib.request.HTTPSHandler):
    def __init__(self, read_timeout_s: float, trust: ssl.SSLContext) -> None:
        super().__init__()
        self._make = partial(_TlsConnection, read_timeout_s=read_timeout_s, context=trust)

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(self._make, req)


class _Connection(http.client.HTTPConnection):
    """Connects within one time-out, then reads with another."""

    def __init__(self, host: str, *, read_timeout_s: float, **options: Any) -> None:
        super().__init__(host, **options)
        self._read_timeout_s = read_timeout_s

    def connect(self) -> None:
        super().connect()
        self.sock.settimeout(self._read_timeout_s)


class _TlsConnection(http.client.HTTPSConnection):
    """The same over TLS."""

    def __init__(self, host: str, *, read_timeout_s: float, **options: Any) -> None:
        super().__init__(host, **options)
        self._read_timeout_s = read_timeout_s

    def connect(self) -> None:
        super().connect()
        self.sock.settimeout(self._read_timeout_s)


def _translated(  # noqa: PLR0911 - a return a kind
    error: Exception, url: str, credentials: Credentials | None
) -> CameraError:
    """What went wrong before there was a good answer."""
    if isinstance(error, urllib.error.HTTPError):
        error.close()
        return _of_status(error.code, url, credentials)
    if isinstance(error, urllib.error.URLError):
        return _of_connection(error.reason, url)
    if isinstance(error, TimeoutError):
        return CameraError(CameraFault.SILENT, f"{url} takes the connection and says nothing")
    if isinstance(error, ConnectionError):
        return CameraError(CameraFault.DISCONNECTED, f"{url} hangs up without an answer")
    if isinstance(error, http.client.HTTPException):
        return CameraError(CameraFault.NOT_VIDEO, f"{url} answers, but not as a web server does")
    if isinstance(error, OSError):
        return unreachable(url, error)
    # urllib says so, by ValueError or NotImplementedError, of ways to authenticate that it does not know.
    return CameraError(
        CameraFault.UNAUTHORISED,
        f"{url} asks for a kind of authentication that is neither Basic nor Digest",
        remedy="Switch the camera to Digest, or to Basic.",
    )


def _of_connection(reason: BaseException | str, url: str) -> CameraError:
    if isinstance(reason, ssl.SSLCertVerificationError):
        return CameraError(
            CameraFault.UNREACHABLE,
            f"{url} has a certificate that is not trusted ({reason.verify_message})",
            remedy="Give its certificate, or its authority's, as ca_file.",
        )
    if isinstance(reason, ssl.SSLError):
        return CameraError(
            CameraFault.NOT_VIDEO,
            f"{url} does not speak TLS",
            remedy="Perhaps the address begins with http://.",
        )
    return unreachable(url, reason)


def _of_status(status: int, url: str, credentials: Credentials | None) -> CameraError:
    if status in _UNAUTHORISED:
        return refused(url, credentials)
    if status in _NOT_FOUND:
        return CameraError(
            CameraFault.NOT_FOUND,
            f"{url} is not there, though its server answers",
            remedy="Look up the picture's path in the camera's manual.",
        )
    return CameraError(CameraFault.NOT_VIDEO, f"{url} answers with status {status} and no picture")
