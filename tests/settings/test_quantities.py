import copy
import json
import pickle

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.domain.errors import ConfigurationError
from edged.settings.quantities import Duration, FalseAccept, Secret, Size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500 ms", 0.5), ("10 s", 10), ("1.5min", 90), (" 2 h ", 7200), ("7 d", 604800), ("0 s", 0)],
)
def test_a_duration_is_a_number_of_seconds(text: str, seconds: float) -> None:
    assert Duration.parse(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["256 MB", "1 GiB", "0.5 kB", "7 B"])
def test_a_size_is_written_as_it_was_read(text: str) -> None:
    assert Size.parse(str(Size.parse(text))) == Size.parse(text)


@pytest.mark.parametrize(
    "text", ["10", "10 seconds", "s", "-1 s", "1e3 s", "", "1:30", "9" * 400 + " s", 10, None]
)
def test_a_duration_without_number_and_unit_is_refused_with_the_units(text: object) -> None:
    with pytest.raises(ValueError, match="ms, s, min, h, d"):
        Duration.parse(text)


@given(st.integers(min_value=0, max_value=10**10))
def test_a_duration_reads_back_what_it_writes(milliseconds: int) -> None:
    duration = Duration(milliseconds / 1000)
    assert float(Duration.parse(str(duration))) == pytest.approx(float(duration), rel=1e-9)


@given(st.integers(min_value=0, max_value=10**14))
def test_a_size_reads_back_what_it_writes(count: int) -> None:
    assert Size.parse(str(Size(count))) == count


def test_a_duration_is_written_in_the_largest_unit_that_fits() -> None:
    assert [str(Duration(s)) for s in (0, 0.1, 0.3, 1.5, 60, 90, 3600, 604800)] == [
        "0 ms", "100 ms", "300 ms", "1500 ms", "1 min", "90 s", "1 h", "7 d",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "rate"),
    [("1 in 10_000 tracks", 1e-4), ("1 in 500", 0.002), (" strict ", 1e-4), ("balanced", 1e-3)],
)
def test_a_false_accept_rate_is_a_share(text: str, rate: float) -> None:
    assert FalseAccept.parse(text) == pytest.approx(rate)


@pytest.mark.parametrize(
    "text", ["0.001", "1 in 0", "1 in 1", "1 in _", "2 in 100", "Strict", "", 0.001, None]
)
def test_a_false_accept_rate_in_other_words_is_refused_with_the_levels(text: object) -> None:
    with pytest.raises(ValueError, match=r"1 in 10_000 tracks.*relaxed, balanced, strict"):
        FalseAccept.parse(text)


@given(st.integers(min_value=2, max_value=10**9))
def test_a_false_accept_rate_reads_back_what_it_writes(odds: int) -> None:
    rate = FalseAccept(1 / odds)
    assert float(FalseAccept.parse(str(rate))) == pytest.approx(float(rate), rel=1e-9)


SECRET = Secret("camera", "hunter2")


@pytest.mark.parametrize(
    "shown",
    [
        repr(SECRET),
        str(SECRET),
        f"{SECRET}",
        f"{SECRET:>40}",
        f"{SECRET!r}",
        "%s" % SECRET,  # noqa: UP031 - what logging does
        repr([SECRET, {"a": SECRET}]),
        json.dumps({"a": SECRET}, default=str),
        str(ConfigurationError(f"wrong: {SECRET}")),
    ],
)
def test_a_secret_shows_as_stars(shown: str) -> None:
    assert "hunter2" not in shown
    assert "****" in shown


def test_a_secret_is_revealed_on_demand_only() -> None:
    assert SECRET.reveal() == "hunter2"


def test_a_secret_that_was_not_looked_up_says_so() -> None:
    with pytest.raises(ConfigurationError, match="`camera` was not looked up"):
        Secret("camera").reveal()


def test_a_copy_of_a_secret_is_the_secret() -> None:
    assert copy.deepcopy([SECRET])[0] is SECRET
    assert copy.copy(SECRET) is SECRET


def test_a_secret_is_not_pickled() -> None:
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps({"a": SECRET})


def test_a_secret_is_not_encoded() -> None:
    with pytest.raises(TypeError):
        msgspec.json.encode({"a": SECRET})
    with pytest.raises(TypeError):
        json.dumps({"a": SECRET})


def test_secrets_are_equal_when_name_and_value_are() -> None:
    assert Secret("camera", "hunter2") == SECRET
    assert Secret("camera", "other") != SECRET
    assert len({SECRET, Secret("camera", "hunter2")}) == 1
