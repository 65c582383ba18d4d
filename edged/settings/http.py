"""The recognition API over HTTP: where it listens, and who may use it."""

from typing import Annotated, Final, Literal

from edged.settings.names import FEED_ID, LISTEN_ADDRESS, NAMESPACE, PUBLIC_ADDRESS
from edged.settings.quantities import Duration, Secret, Section, Size, key

Scope = Literal[
    "recognition:read",
    "recognition:create",
    "recognition:update",
    "recognition:remove",
    "detect:read",
    "detect:create",
]

EVERY_SCOPE: Final[tuple[Scope, ...]] = (
    "recognition:read",
    "recognition:create",
    "recognition:update",
    "recognition:remove",
    "detect:read",
    "detect:create",
)


class HttpTls(Section, frozen=True, kw_only=True):
    """TLS of the server."""

    certificate_file: Annotated[
        str, key("The server's certificate, with those between it and its authority, PEM.", min_length=1)
    ]
    key_file: Annotated[str, key("Key of the certificate, PEM, mode 0600.", min_length=1)]
    key_password: Annotated[Secret | None, key("Password of that key, as `!secret name`.")] = None


class Client(Section, frozen=True, kw_only=True):
    """A program that may use the API."""

    id: Annotated[str, key("Its `clientId`.", **FEED_ID)]
    secret: Annotated[Secret, key("Its `clientSecret`, as `!secret name`; 16 characters or more.")]
    namespaces: Annotated[
        tuple[Annotated[str, key("A namespace.", **NAMESPACE)], ...],
        key("Namespaces it may use; without it those of the feeds."),
    ] = ()
    scopes: Annotated[tuple[Scope, ...], key("What it may do.", min_length=1)] = EVERY_SCOPE
    organization: Annotated[str, key("Told as `orgName` with its tokens.", min_length=1, max_length=64)] = (
        "edged"
    )


class Metrics(Section, frozen=True, kw_only=True):
    """Figures for Prometheus at `/metrics`."""

    token: Annotated[
        Secret | None,
        key(
            "Bearer token that whoever asks must have, as `!secret name`, 16 characters or more. Without it"
            " only programs on this machine are answered."
        ),
    ] = None


class Http(Section, frozen=True, kw_only=True):
    """The HTTP server. Without this section nothing listens."""

    listen: Annotated[
        str,
        key("Address and port. `0.0.0.0:8080` is every address of the machine.", **LISTEN_ADDRESS),
    ] = "127.0.0.1:8080"
    public_url: Annotated[
        str | None,
        key(
            "Address by which others reach it, for the addresses of pictures in jobs; without it `listen`.",
            **PUBLIC_ADDRESS,
        ),
    ] = None
    tls: Annotated[HttpTls | None, key("Certificate and key; without it the server speaks plain HTTP.")] = (
        None
    )
    allow_plain: Annotated[
        bool,
        key("Listen without TLS where others can reach it: behind a proxy, or in a network you trust."),
    ] = False
    trusted_proxies: Annotated[
        tuple[Annotated[str, key("An address.", min_length=2, max_length=64)], ...],
        key("Proxies whose `X-Forwarded-For` is believed.", max_length=16),
    ] = ()
    clients: Annotated[
        tuple[Client, ...],
        key(
            "Who may use it, each with its own `id`. Without any there is no API: only health and `metrics`.",
            max_length=64,
        ),
    ] = ()
    metrics: Annotated[
        Metrics | None, key("Figures for Prometheus; `{}` with the defaults. Without it there are none.")
    ] = None
    max_body: Annotated[
        Size, key("A request with a longer body is refused.", at_least="10 kB", at_most="256 MB")
    ] = Size(16_000_000)
    token_attempts: Annotated[
        int,
        key("Wrong secrets that an address may send in a minute; more have to wait.", ge=1, le=1000),
    ] = 10
    token_life: Annotated[
        Duration, key("How long an access token is good for.", at_least="1 min", at_most="30 d")
    ] = Duration(86400)
