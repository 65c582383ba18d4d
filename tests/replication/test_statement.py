"""Signed statements."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.domain.sync_state import SyncState
from edged.replication.keys import SigningKey
from edged.replication.refusal import Refusal, RefusedError
from edged.replication.statement import MOST_BYTES, StatementKind, signed, taken_apart
from edged.replication.statements import Alive, Report

KEY = SigningKey(bytes(range(32)))
ALIVE = Alive(namespace="home", epoch=7, manifest="ab" * 32, at=1_700_000_000_000)


def refusal_of(kind: StatementKind, payload: bytes) -> Refusal:
    with pytest.raises(RefusedError) as refused:
        taken_apart(kind, payload)
    return refused.value.refusal


def test_what_was_said_is_read_again() -> None:
    statement = taken_apart(StatementKind.ALIVE, signed(StatementKind.ALIVE, ALIVE, KEY))
    assert statement.is_by(KEY.public)
    assert statement.body(Alive) == ALIVE


def test_a_statement_is_two_lines_that_people_can_read() -> None:
    text, signature, rest = signed(StatementKind.ALIVE, ALIVE, KEY).split(b"\n")
    assert text.startswith(b'{"namespace":"home","epoch":7')
    assert len(signature) == 88
    assert rest == b""


def test_a_statement_of_one_kind_is_none_of_another() -> None:
    payload = signed(StatementKind.ALIVE, ALIVE, KEY)
    assert not taken_apart(StatementKind.REPORT, payload).is_by(KEY.public)
    with pytest.raises(RefusedError, match="the report is not signed"):
        taken_apart(StatementKind.REPORT, payload).require(KEY.public)


@given(st.data())
def test_no_byte_of_a_statement_can_be_another(data: st.DataObject) -> None:
    payload = bytearray(signed(StatementKind.ALIVE, ALIVE, KEY))
    place = data.draw(st.integers(0, len(payload) - 2))
    payload[place] ^= data.draw(st.integers(1, 255))
    try:
        statement = taken_apart(StatementKind.ALIVE, bytes(payload))
    except RefusedError:
        return
    assert not statement.is_by(KEY.public)


@pytest.mark.parametrize(
    "payload", [b"", b"{}", b"{}\n", b"{}\nno base64!\n", b"{}\nYWJj\n", b"\xff\n" + b"A" * 87 + b"\n"]
)
def test_what_has_no_signature_is_none(payload: bytes) -> None:
    assert refusal_of(StatementKind.ALIVE, payload) is Refusal.UNSIGNED


def test_what_is_too_large_is_not_read() -> None:
    assert (
        refusal_of(StatementKind.ALIVE, b"x" * (MOST_BYTES[StatementKind.ALIVE] + 200)) is Refusal.OVERSIZED
    )


@pytest.mark.parametrize("text", [b"{", b"[]", b'{"namespace":"home"}', b"[" * 5000, b"\xff"])
def test_a_signed_text_that_is_no_such_body_is_malformed(text: bytes) -> None:
    report = signed(StatementKind.REPORT, ALIVE, KEY)
    broken = text + report[report.index(b"\n") :]
    with pytest.raises(RefusedError) as refused:
        taken_apart(StatementKind.REPORT, broken).body(Report)
    assert refused.value.refusal is Refusal.MALFORMED


GOOD = {
    "namespace": "home",
    "node": "door",
    "epoch": 7,
    "manifest": "ab" * 32,
    "swept_epoch": 7,
    "at": 1,
    "state": "in step",
}


@pytest.mark.parametrize(
    "changed",
    [
        {"manifest": "ab" * 32 + "\n"},
        {"manifest": "AB" * 32},
        {"manifest": "ab" * 31},
        {"node": "door\n"},
        {"node": "door/window"},
        {"node": ""},
        {"state": "in step\n"},
        {"state": "\x1b[2J"},
        {"state": "x" * 33},
        {"epoch": -1},
        {"epoch": 2**53 + 1},
        {"missing": ("ab" * 32 + "\n",)},
        {"missing": ("ab" * 32,) * 65},
        {"version": "1" * 65},
    ],
)
def test_what_is_said_in_another_form_than_it_has_is_malformed(changed: dict[str, object]) -> None:
    taken_apart(StatementKind.REPORT, signed(StatementKind.REPORT, Report(**GOOD), KEY)).body(Report)
    payload = signed(StatementKind.REPORT, Report(**(GOOD | changed)), KEY)
    with pytest.raises(RefusedError) as refused:
        taken_apart(StatementKind.REPORT, payload).body(Report)
    assert refused.value.refusal is Refusal.MALFORMED


@pytest.mark.parametrize("state", SyncState)
def test_every_state_of_a_node_can_be_reported(state: SyncState) -> None:
    report = Report(**(GOOD | {"state": state}))
    assert taken_apart(StatementKind.REPORT, signed(StatementKind.REPORT, report, KEY)).body(Report) == report


def test_a_statement_has_one_form_and_no_other() -> None:
    payload = signed(StatementKind.ALIVE, ALIVE, KEY)
    text, signature, _ = payload.split(b"\n")
    letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    # Of the last letter before the padding four bits mean nothing.
    others = [text + b"\n" + signature[:-3] + bytes([each]) + b"==\n" for each in letters]
    others += [payload[:-1], payload + b"\n", payload.replace(b"\n", b"\r\n"), b" " + payload]
    for other in set(others) - {payload}:
        try:
            assert not taken_apart(StatementKind.ALIVE, other).is_by(KEY.public)
        except RefusedError:
            continue
