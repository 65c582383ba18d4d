"""When an authority believes that its namespace was founded anew elsewhere."""

import msgspec
import pytest

from builders.sync import NAMESPACE, AnAuthority
from edged.replication.refounding import Refounding, advice, elsewhere_of
from edged.replication.statement import StatementKind, signed
from edged.replication.statements import Manifest, Report

OWN, OTHER = AnAuthority("own"), AnAuthority("other")
PAYLOAD = OTHER.epoch(3, []).payload
FOUND = elsewhere_of(PAYLOAD, NAMESPACE, OWN.public)
AFTER = FOUND.issued_ms + 1


def a_report(node: str, **changes: object) -> Report:
    said = {"namespace": NAMESPACE, "node": node, "epoch": 2, "manifest": "a" * 64, "swept_epoch": 2}
    return Report(**(said | {"at": AFTER, "state": "in step"} | changes))


def a_refounding() -> Refounding:
    refounding = Refounding()
    refounding.came(FOUND)
    return refounding


def follows(node: str) -> Report:
    return a_report(node, manifest=FOUND.name)


def test_a_manifest_that_another_key_signed_is_taken_note_of_and_nothing_else_is():
    assert FOUND.authority == OTHER.public.hex()
    assert elsewhere_of(OWN.epoch(3, []).payload, NAMESPACE, OWN.public) is None
    assert elsewhere_of(PAYLOAD, "office", OWN.public) is None
    assert elsewhere_of(b"junk", NAMESPACE, OWN.public) is None
    body = msgspec.json.decode(PAYLOAD[PAYLOAD.index(b"{") :].split(b"\n")[0], type=Manifest)
    posing = signed(StatementKind.MANIFEST, body, OWN.keys.authority)
    assert elsewhere_of(posing, NAMESPACE, b"x" * 32) is None


def test_members_that_follow_it_are_named():
    assert a_refounding().followers([follows("hall"), follows("attic")]) == ["attic", "hall"]
    assert Refounding().followers([follows("hall")]) == []


def test_one_member_that_is_with_this_authority_outweighs_all_others():
    assert a_refounding().followers([follows("hall"), follows("attic"), a_report("door")]) == []


@pytest.mark.parametrize(
    "silent",
    [
        a_report("door", at=FOUND.issued_ms - 1),
        a_report("door", state="untrusted"),
        a_report(FOUND.writer),
    ],
)
def test_who_was_not_heard_since_or_believes_nobody_or_made_it_says_nothing(silent):
    assert a_refounding().followers([follows("hall"), silent]) == ["hall"]
    assert a_refounding().followers([silent]) == []


def test_what_is_gone_from_the_broker_has_no_followers():
    refounding = a_refounding()
    refounding.came(None)

    assert refounding.followers([follows("hall")]) == []


def test_the_owner_is_told_what_to_do_in_both_cases():
    assert "access lists" in advice(FOUND, [])
    for words in (advice(FOUND, []), advice(FOUND, ["hall"])):
        assert FOUND.writer in words
        assert "edged sync leave --unsaid" in words
    assert "(hall)" in advice(FOUND, ["hall"])
    assert "and others" in advice(FOUND, list("abcdefg"))
