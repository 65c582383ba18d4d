import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.api.negotiation import is_json, preferred
from edged.api.problem import Problem

BOTH = ("application/json", "image/jpeg")


def _taken(accept: str | None) -> str:
    try:
        return preferred(accept, BOTH)
    except Problem as problem:
        return str(problem.status)


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        (None, "application/json"),
        ("", "application/json"),
        ("*/*", "application/json"),
        ("image/jpeg", "image/jpeg"),
        ("IMAGE/JPEG", "image/jpeg"),
        ("image/*, */*;q=0.1", "image/jpeg"),
        ("*/*, application/json;q=0.5", "image/jpeg"),
        ("image/jpeg;q=0.5, */*;q=0.4", "image/jpeg"),
        ("image/jpeg;q=0.4, application/*;q=0.4", "application/json"),
        ("text/html, image/jpeg;q=0", "406"),
        ("application/xml", "406"),
        ("image/jpeg;q=5", "406"),
        ("json", "406"),
    ],
)
def test_the_form_that_is_liked_best_is_taken(accept: str | None, media: str) -> None:
    assert _taken(accept) == media


@given(st.text(max_size=200))
def test_whatever_is_written_there_is_an_answer_or_a_problem(accept: str) -> None:
    assert _taken(accept) in {*BOTH, "406"}


@pytest.mark.parametrize(
    ("content_type", "is_good"),
    [
        ("application/json", True),
        ("Application/JSON ; charset=UTF-8", True),
        ('application/json; charset="utf-8"', True),
        ("application/json; charset=latin-1", False),
        ("application/jsonp", False),
        ("text/json", False),
        ("", False),
        (None, False),
    ],
)
def test_json_is_known_by_its_content_type(content_type: str | None, is_good: bool) -> None:  # noqa: FBT001
    assert is_json(content_type) == is_good
