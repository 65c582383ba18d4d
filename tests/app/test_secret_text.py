"""Secrets in texts: read as they were written, and nothing else is taken for one."""

import pytest

from edged.app.secret_text import secret_in, text_of

SECRET = bytes(range(32))


def test_a_text_holds_its_secret_also_as_a_line_of_a_file():
    assert secret_in(text_of(SECRET), 32) == SECRET
    assert secret_in(f"  {text_of(SECRET)}\n", 32) == SECRET


@pytest.mark.parametrize(
    "text", ["", "no base64!", "é", text_of(SECRET[:-1]), text_of(SECRET + b"1"), text_of(SECRET)[:-1]]
)
def test_what_is_none_of_that_size_is_none(text):
    assert secret_in(text, 32) is None
