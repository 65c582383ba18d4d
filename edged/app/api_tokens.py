"""Who may use the API: the clients of the configuration, and the access tokens they were given."""

import hashlib
import hmac
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from edged.api.access import Caller
from edged.api.answers import TokenAnswer
from edged.api.client_address import neighbourhood
from edged.api.problem import Code, Problem
from edged.api.rate import Attempts
from edged.api.requests import ClientCredentials
from edged.app.api_stores import stored
from edged.domain.errors import ConfigurationError
from edged.domain.moment import Clock
from edged.settings.http import Client, Http
from edged.store.api_store import StoredToken

_SHORTEST_SECRET: Final = 16
_FINGERPRINT_CHARACTERS: Final = 8
"""Of a secret, kept beside its tokens: 32 bits tell that it was changed, and tell nobody what it is."""


class TokenStore(Protocol):
    """Where tokens are kept, as their SHA-256."""

    def add_token(self, token: StoredToken) -> None:
        """Keep a token."""
        ...

    def token(self, digest: bytes) -> StoredToken | None:
        """The token with this SHA-256."""
        ...

    def revoke(self, digest: bytes) -> bool:
        """End a token."""
        ...


@dataclass(frozen=True, slots=True)
class _Known:
    """A client, with what is compared instead of its secret."""

    client: Client
    secret_digest: bytes
    fingerprint: str
    caller: Caller


class ApiTokens:
    """Gives out access tokens, knows them again, and makes them worthless. For several threads at once.

    A token is good for as long as it said, while its client is in the configuration with the same secret;
    what it may do is what the configuration says now.

    Args:
        settings: the section `http`, its secrets looked up.
        namespaces: those of the feeds, for clients that name none.
        store: where tokens are kept.
        clock: the time.
        new_token: makes a token nobody guesses.

    Raises ConfigurationError where a client's secret is too short, all of them at once.
    """

    def __init__(
        self,
        settings: Http,
        namespaces: Sequence[str],
        store: TokenStore,
        clock: Clock,
        new_token: Callable[[], str],
    ) -> None:
        _refuse_short_secrets(settings.clients)
        self._known = {client.id: _known(client, namespaces) for client in settings.clients}
        self._life_ms = round(settings.token_life * 1000)
        self._attempts = Attempts(settings.token_attempts)
        self._store = store
        self._clock = clock
        self._new_token = new_token
        self._lock = threading.Lock()

    def token(self, credentials: ClientCredentials, address: str) -> TokenAnswer:
        """A new access token.

        Raises Problem 401 for wrong credentials, 429 for an address that had too many of them.
        """
        who = neighbourhood(address)
        now = self._clock.moment()
        with self._lock:
            wait_s = self._attempts.take(who, now.steady_ms)
        if wait_s:
            raise Problem(
                Code.TOO_MANY, "too many wrong secrets came from this address", retry_after_s=wait_s
            )
        known = self._checked(credentials)
        with self._lock:
            self._attempts.give_back(who, now.steady_ms)
        token = self._new_token()
        expires_ms = now.utc_ms + self._life_ms
        client_id = known.client.id
        with stored():
            self._store.add_token(
                StoredToken(_digest(token), client_id, known.fingerprint, now.utc_ms, expires_ms)
            )
        return TokenAnswer(
            access_token=token,
            issued_at=now.utc_ms,
            expires_at=expires_ms,
            org_name=known.client.organization,
            app_name=client_id,
            scope=" ".join(known.client.scopes),
        )

    def caller(self, token: str) -> Caller:
        """Who has this token; raises Problem 401 where it is none, is over, or is its client's no more."""
        with stored():
            kept = self._store.token(_digest(token))
        known = None if kept is None else self._known.get(kept.client_id)
        if kept is None or known is None or kept.secret_fingerprint != known.fingerprint:
            raise Problem(Code.UNAUTHORIZED, "the access token is not known here; get a new one")
        if self._clock.moment().utc_ms >= kept.expires_ms:
            raise Problem(Code.UNAUTHORIZED, "the access token is over; get a new one")
        return known.caller

    def revoke(self, token: str) -> None:
        """Make a token worthless, from now on."""
        with stored():
            self._store.revoke(_digest(token))

    def _checked(self, credentials: ClientCredentials) -> _Known:
        known = self._known.get(credentials.client_id)
        # An unknown client takes as long as a wrong secret.
        expected = _digest("") if known is None else known.secret_digest
        is_right = hmac.compare_digest(_digest(credentials.client_secret), expected)
        if known is None or not is_right:
            raise Problem(Code.UNAUTHORIZED, "the client's id or its secret is wrong")
        return known


def _known(client: Client, namespaces: Sequence[str]) -> _Known:
    digest = _digest(client.secret.reveal())
    # Of another kind than the digest: neither tells anything of the other.
    fingerprint = hmac.digest(digest, b"edged fingerprint of " + client.id.encode(), "sha256").hex()
    return _Known(
        client=client,
        secret_digest=digest,
        fingerprint=fingerprint[:_FINGERPRINT_CHARACTERS],
        caller=Caller(
            client_id=client.id,
            organization=client.organization,
            scopes=frozenset(client.scopes),
            namespaces=frozenset(client.namespaces or namespaces),
        ),
    )


def _refuse_short_secrets(clients: Sequence[Client]) -> None:
    short = [client.id for client in clients if len(client.secret.reveal()) < _SHORTEST_SECRET]
    if short:
        raise ConfigurationError(
            f"`http.clients`: a secret has fewer than {_SHORTEST_SECRET} characters: {', '.join(short)}",
            remedy="make a new one, for example with `openssl rand -base64 24`",
        )


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode(errors="surrogatepass")).digest()
