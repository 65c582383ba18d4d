from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.api.operation import QueryParameter
from edged.api.problem import Problem
from edged.api.query import parse_query

KNOWN = (QueryParameter("text", "string", ""), QueryParameter("number", "number", ""))


def test_what_is_known_is_read_in_its_type_and_all_else_passed_over() -> None:
    assert parse_query(b"text=a%20b+c&number=-1.5e3&else=1&else=2", KNOWN) == {
        "text": "a b c",
        "number": -1500.0,
    }
    assert parse_query(b"", KNOWN) == {}


@pytest.mark.parametrize("number", ["", "x", "nan", "inf", "1_0", "0x1", "%201", "%D9%A1"])
def test_what_is_no_number_is_refused(number: str) -> None:
    with pytest.raises(Problem, match="not a number"):
        parse_query(f"number={number}".encode(), KNOWN)


@given(st.binary(max_size=300))
def test_whatever_is_written_there_is_an_answer_or_a_problem(query: bytes) -> None:
    with suppress(Problem):
        assert set(parse_query(query, KNOWN)) <= {"text", "number"}
