"""Codes of invitations: whole or refused, and proved without being told."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.domain.errors import InputError
from edged.replication.invitation import Invitation, is_proved, proof_of, read_code
from edged.replication.statements import Join

AN_INVITATION = Invitation("home", bytes(range(32)), bytes(range(16)), 1_700_000_000_000)
A_JOIN = Join(
    namespace="home",
    node="porch",
    node_key="1" * 64,
    sealing_key="2" * 64,
    authority_key="3" * 64,
    model="4" * 64,
    at=1,
    invitation=AN_INVITATION.hash.hex(),
    proof="0" * 64,
)
NAMES = st.text("abcXYZ019._-", min_size=1, max_size=128)


def reads(text):
    """The invitation, or None."""
    try:
        return read_code(text)
    except InputError:
        return None


@given(
    NAMES, st.binary(min_size=32, max_size=32), st.binary(min_size=16, max_size=16), st.integers(0, 2**48 - 1)
)
def test_a_code_is_read_as_it_was_made(namespace, authority, secret, expires_ms):
    made = Invitation(namespace, authority, secret, expires_ms)
    assert read_code(made.code()) == made


@given(st.data())
def test_capitals_spaces_and_hyphens_do_not_matter(data):
    code = AN_INVITATION.code()
    head, letters = code[:7], code[7:].replace("-", "")
    pieces = [data.draw(st.sampled_from(["", " ", "-", "\n", " - "])) + each for each in letters]
    assert read_code(head.upper() + "".join(pieces).lower()) == AN_INVITATION


@given(st.data())
def test_a_code_with_another_letter_is_refused(data):
    code = AN_INVITATION.code()
    place = data.draw(st.integers(7, len(code) - 1).filter(lambda at: code[at] != "-"))
    other = data.draw(
        st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567189!").filter(lambda each: each != code[place])
    )
    mistyped = code[:place] + other + code[place + 1 :]
    # The last letter has bits that stand for nothing.
    if place == len(code) - 1 and reads(mistyped) == AN_INVITATION:
        return
    with pytest.raises(InputError, match="not whole, or was mistyped"):
        read_code(mistyped)


@given(st.integers(7, len(AN_INVITATION.code()) - 1))
def test_a_code_that_is_cut_off_is_refused(length):
    with pytest.raises(InputError, match="not whole, or was mistyped"):
        read_code(AN_INVITATION.code()[:length])


@given(st.text(max_size=2000))
def test_what_is_no_code_is_refused_in_words(text):
    with pytest.raises(InputError):
        read_code(text)
    with pytest.raises(InputError):
        read_code(f"edged1-{text}")


def test_a_secret_is_not_in_the_representation():
    assert "x00" not in repr(Invitation("home", b"a" * 32, b"\0" * 16, 1))
    assert "secret" not in repr(AN_INVITATION)


def test_who_has_the_secret_proves_it_and_nobody_else():
    proved = msgspec.structs.replace(A_JOIN, proof=proof_of(AN_INVITATION.secret, A_JOIN))
    assert is_proved(AN_INVITATION.secret, proved)
    assert not is_proved(bytes(16), proved)
    assert not is_proved(AN_INVITATION.secret, A_JOIN)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("namespace", "office"),
        ("node", "cellar"),
        ("node_key", "5" * 64),
        ("sealing_key", "5" * 64),
        ("authority_key", "5" * 64),
    ],
)
def test_a_proof_is_for_what_was_asked_and_nothing_else(field, value):
    proved = msgspec.structs.replace(A_JOIN, proof=proof_of(AN_INVITATION.secret, A_JOIN))
    assert not is_proved(AN_INVITATION.secret, msgspec.structs.replace(proved, **{field: value}))
