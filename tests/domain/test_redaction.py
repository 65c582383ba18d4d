"""Foreign words without the secrets in them."""

from hypothesis import given
from hypothesis import strategies as st

from edged.domain.redaction import redacted


def test_a_secret_is_replaced_as_it_is_and_percent_encoded():
    text = redacted("tried p:w/x@y, sent p%3Aw%2Fx%40y and p%3Aw/x%40y", ["p:w/x@y"])

    assert text == "tried ****, sent **** and ****"


def test_the_user_inside_a_url_is_replaced_even_when_nobody_says_what_the_secret_is():
    assert (
        redacted("Impossible to open 'rtsp://cam:geheim@host/live'")
        == "Impossible to open 'rtsp://****@host/live'"
    )


def test_words_without_secrets_stay_as_they_are():
    words = "rtsp://camera.lan:554/live: 404 Not Found, ask admin@example.org"

    assert redacted(words, ["", "geheim"]) == words


@given(before=st.text(), secret=st.text("abcXYZ:/@% ", min_size=6), after=st.text())
def test_no_secret_is_left(before: str, secret: str, after: str):
    assert secret not in redacted(before + secret + after, [secret])
