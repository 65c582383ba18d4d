from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from edged.api.access import Caller
from edged.api.problem import Problem
from edged.api.requests import ClientCredentials
from edged.app.api_tokens import ApiTokens
from edged.domain.errors import ConfigurationError
from edged.domain.moment import Moment
from edged.settings.http import EVERY_SCOPE, Client, Http
from edged.settings.quantities import Duration, Secret
from edged.store.api_store import ApiStore
from edged.system.chance import new_token

SECRET = "long enough a secret"
OTHER_SECRET = "another long secret"
HOME = Client(id="home", secret=Secret("home", SECRET), organization="acme")
READER = Client(
    id="reader",
    secret=Secret("reader", OTHER_SECRET),
    namespaces=("office",),
    scopes=("recognition:read",),
)
GOOD = ClientCredentials(client_id="home", client_secret=SECRET)
WRONG = ClientCredentials(client_id="home", client_secret=OTHER_SECRET)
ADDRESS = "203.0.113.5"


class HandMovedClock:
    """Moves when it is told to."""

    def __init__(self) -> None:
        self.now = Moment(0, 1_487_648_348_000)

    def moment(self) -> Moment:
        return self.now

    def pass_s(self, seconds: float) -> None:
        self.now = self.now.plus_ms(round(seconds * 1000))


@pytest.fixture
def clock() -> HandMovedClock:
    return HandMovedClock()


@pytest.fixture
def make(tmp_path: Path, clock: HandMovedClock):
    stores: list[ApiStore] = []

    def build(*clients: Client, **settings: object) -> ApiTokens:
        store = ApiStore(tmp_path)
        stores.append(store)
        http = Http(clients=clients or (HOME, READER), **settings)
        return ApiTokens(http, ("hall", "yard"), store, clock, new_token)

    yield build
    for store in stores:
        store.close()


def _refused(call: Callable[[], object]) -> Problem:
    with pytest.raises(Problem) as refusal:
        call()
    return refusal.value


def test_a_token_says_what_it_is_good_for(make, clock: HandMovedClock) -> None:
    answer = make().token(GOOD, ADDRESS)
    assert (answer.org_name, answer.app_name) == ("acme", "home")
    assert answer.scope == " ".join(EVERY_SCOPE)
    assert answer.issued_at == clock.now.utc_ms
    assert answer.expires_at == clock.now.utc_ms + 86_400_000
    assert len(answer.access_token) == 43


def test_a_caller_has_the_scopes_and_namespaces_of_the_configuration(make) -> None:
    tokens = make()
    home = tokens.caller(tokens.token(GOOD, ADDRESS).access_token)
    assert home == Caller("home", "acme", frozenset(EVERY_SCOPE), frozenset({"hall", "yard"}))
    asked = ClientCredentials(client_id="reader", client_secret=OTHER_SECRET)
    reader = tokens.caller(tokens.token(asked, ADDRESS).access_token)
    assert (reader.scopes, reader.namespaces) == ({"recognition:read"}, {"office"})


@pytest.mark.parametrize(
    "credentials",
    [
        WRONG,
        ClientCredentials(client_id="home", client_secret=""),
        ClientCredentials(client_id="nobody", client_secret=SECRET),
        ClientCredentials(client_id="", client_secret=""),
        ClientCredentials(client_id="Home", client_secret=SECRET),
        ClientCredentials(client_id="home", client_secret="\u00e9\ud800"),
    ],
)
def test_wrong_credentials_are_refused_all_in_the_same_words(make, credentials: ClientCredentials) -> None:
    problem = _refused(lambda: make().token(credentials, ADDRESS))
    assert (problem.status, problem.message) == (401, "the client's id or its secret is wrong")


def test_a_token_nobody_gave_out_is_refused(make) -> None:
    assert _refused(lambda: make().caller("made up")).status == 401


def test_a_token_ends_when_it_said(make, clock: HandMovedClock) -> None:
    tokens = make(token_life=Duration(60))
    token = tokens.token(GOOD, ADDRESS).access_token
    clock.pass_s(59.9)
    assert tokens.caller(token).client_id == "home"
    clock.pass_s(0.1)
    assert _refused(lambda: tokens.caller(token)).status == 401


def test_a_revoked_token_is_worthless_at_once_and_others_are_not(make) -> None:
    tokens = make()
    one, other = (tokens.token(GOOD, ADDRESS).access_token for _ in range(2))
    assert tokens.caller(one)
    tokens.revoke(one)
    assert _refused(lambda: tokens.caller(one)).status == 401
    assert tokens.caller(other)


def test_a_token_outlives_a_restart_with_the_same_secret_only(make) -> None:
    token = make().token(GOOD, ADDRESS).access_token
    assert make().caller(token).client_id == "home"
    changed = msgspec.structs.replace(HOME, secret=Secret("home", "a new and long secret"))
    assert _refused(lambda: make(changed).caller(token)).status == 401
    assert _refused(lambda: make(READER).caller(token)).status == 401


def test_what_the_configuration_takes_away_a_token_has_no_more(make) -> None:
    token = make().token(GOOD, ADDRESS).access_token
    less = msgspec.structs.replace(HOME, scopes=("detect:read",), namespaces=("hall",))
    caller = make(less).caller(token)
    assert (caller.scopes, caller.namespaces) == ({"detect:read"}, {"hall"})


def test_whoever_guesses_has_to_wait_even_with_the_right_secret(make, clock: HandMovedClock) -> None:
    tokens = make(token_attempts=3)
    for _ in range(3):
        assert _refused(lambda: tokens.token(WRONG, ADDRESS)).status == 401
    waiting = _refused(lambda: tokens.token(GOOD, ADDRESS))
    assert (waiting.status, waiting.retry_after_s) == (429, 20)
    assert tokens.token(GOOD, "203.0.113.6")
    clock.pass_s(20)
    assert tokens.token(GOOD, ADDRESS)


def test_right_secrets_are_not_counted(make) -> None:
    tokens = make(token_attempts=1)
    for _ in range(5):
        assert tokens.token(GOOD, ADDRESS)


def test_one_machine_with_many_ipv6_addresses_is_one(make) -> None:
    tokens = make(token_attempts=1)
    assert _refused(lambda: tokens.token(WRONG, "2001:db8::1")).status == 401
    assert _refused(lambda: tokens.token(WRONG, "2001:db8::2")).status == 429


def test_short_secrets_are_refused_all_at_once_and_not_told(make) -> None:
    short = [Client(id=name, secret=Secret(name, "fifteen letters")) for name in ("one", "two")]
    with pytest.raises(ConfigurationError, match="one, two") as refusal:
        make(*short, HOME)
    assert "fifteen" not in str(refusal.value)


def test_neither_tokens_nor_secrets_are_in_the_file(make, tmp_path: Path) -> None:
    token = make().token(GOOD, ADDRESS).access_token
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"home" in kept
    assert token.encode() not in kept
    assert SECRET.encode() not in kept


def test_a_store_that_fails_is_told_as_unavailable_and_not_as_a_wrong_token(make, tmp_path: Path) -> None:
    tokens = make()
    (tmp_path / "api.db").mkdir()
    for call in (
        lambda: tokens.token(GOOD, ADDRESS),
        lambda: tokens.caller("a token"),
        lambda: tokens.revoke("a token"),
    ):
        problem = _refused(call)
        assert (problem.status, problem.retry_after_s) == (503, 5)
        assert str(tmp_path) not in problem.message
