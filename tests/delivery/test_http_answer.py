from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.delivery.http_answer import LONGEST_RETRY_AFTER_S, outcome_of, retry_after_s
from edged.delivery.outcome import Fate

NOW_S = 1_790_000_000.0


def fate(status):
    return outcome_of(status, None, lambda: NOW_S).fate


@given(st.integers(100, 999))
def test_every_status_means_something_and_only_2xx_is_delivered(status):
    assert (fate(status) is Fate.DELIVERED) == (200 <= status < 300)


@given(st.integers(400, 499))
def test_a_client_error_is_final_but_for_the_four_that_say_later(status):
    assert (fate(status) is Fate.REFUSED) == (status not in {408, 425, 429})


@given(st.integers(100, 999))
def test_only_410_says_that_the_receiver_is_gone(status):
    assert outcome_of(status, None, lambda: NOW_S).is_gone == (status == 410)


@given(st.integers(300, 399))
def test_a_redirect_is_refused(status):
    assert fate(status) is Fate.REFUSED


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, 0),
        ("0", 0),
        ("120", 120),
        (" 7 ", 7),
        ("-5", 0),
        ("1.5", 0),
        ("soon", 0),
        ("", 0),
        ("٣", 0),
        ("9" * 5000, LONGEST_RETRY_AFTER_S),
        (format_datetime(datetime.fromtimestamp(NOW_S + 90, UTC), usegmt=True), 90),
        (format_datetime(datetime.fromtimestamp(NOW_S - 90, UTC), usegmt=True), 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_RETRY_AFTER_S),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 0),
    ],
)
def test_retry_after_comes_in_seconds_or_as_a_date(header, seconds):
    assert retry_after_s(header, lambda: NOW_S) == seconds


@given(st.text())
def test_no_header_upsets_it(header):
    assert 0 <= retry_after_s(header, lambda: NOW_S) <= LONGEST_RETRY_AFTER_S
