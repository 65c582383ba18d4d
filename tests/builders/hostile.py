"""An authority with one member, and what a member gone bad, or a stranger, sends it."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from builders.authorities import (
    TOPICS,
    Broker,
    a_join,
    a_report,
    an_authority,
)
from builders.namespaces import MODEL, a_new_face, random_unit
from edged.domain.identifiers import derived_id
from edged.domain.sync_state import SyncRole, SyncState
from edged.replication.people import SharedFace
from edged.replication.statements import Wanted
from edged.store.sync_members import members
from edged.store.sync_records import membership
from edged.sync.authority import Authority

PEOPLE = ["Ada", "Ben"]
SOMEBODY = derived_id("somebody", 1)
LOW_ORDER = (
    bytes(32),
    (1).to_bytes(32, "little"),
    bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
)
"""Points of small order of Curve25519, https://cr.yp.to/ecdh.html#validate."""


def a_site(folder: Path, *, people: Sequence[str] = PEOPLE, **settings: str) -> tuple[Broker, Authority]:
    """An authority with these people and one member, `door`, that has them."""
    broker = Broker()
    authority = an_authority(folder, broker, **settings)
    broker.turn()
    with authority._desk.parts.open_store() as store:
        for number, name in enumerate(people):
            store.add_identity(name, [a_new_face(number)])
    broker.publish(TOPICS.join("door"), a_join("door"), is_retained=False)
    broker.run(4)
    broker.publish(TOPICS.report("door"), a_report(broker, "door"))
    broker.run(1)
    return broker, authority


def names_at(authority) -> list[str]:
    with authority._desk.parts.open_store() as store:
        return sorted(each.name for each in store.identities())


def role_of(authority) -> SyncRole:
    return membership(authority._desk.store.connection).role


def a_wanted(**changes) -> Wanted:
    """A new person with one face, as an honest member wants it, but for the changes."""
    said = {"identity_id": SOMEBODY, "model": MODEL, "created_ms": 1, "name": "Mallory", "add_faces": faces()}
    return Wanted(**(said | changes))


def faces(**changes) -> bytes:
    face = SharedFace(derived_id("face", 1), 0.5, "x", 1, random_unit(9).astype("<f4").tobytes())
    return msgspec.msgpack.encode([msgspec.structs.replace(face, **changes)])


def require_honest_work(broker: Broker, authority) -> None:
    """All is as it was, and goes on."""
    assert role_of(authority) is SyncRole.AUTHORITY
    assert names_at(authority) == PEOPLE
    assert [each.node for each in members(authority._desk.store.connection)] == ["door"]
    broker.run(30)
    with authority._desk.parts.open_store() as store:
        store.add_identity("Cem", [a_new_face(7)])
    broker.run(12)
    assert broker.names("door") == [*PEOPLE, "Cem"]
    assert authority.standing(broker.now).state is SyncState.IN_STEP


NOT_A_NUMBER = np.full(128, np.nan, "<f4").tobytes()
OTHER_SIZE = np.full(16, 0.25, "<f4").tobytes()
BAD_WANTED = (
    b"",
    b"\xc1junk",
    msgspec.msgpack.encode({"identity_id": 7}),
    msgspec.msgpack.encode({"identity_id": SOMEBODY, "model": MODEL, "created_ms": 2**64 - 1}),
    *(
        msgspec.msgpack.encode(wanted)
        for wanted in (
            a_wanted(identity_id=""),
            a_wanted(identity_id="x" * 36),
            a_wanted(identity_id=f"{SOMEBODY}\n"),
            a_wanted(identity_id=SOMEBODY.upper()),
            a_wanted(model="f" * 64),
            a_wanted(model="no hash"),
            a_wanted(created_ms=-1),
            a_wanted(created_ms=2**63),
            a_wanted(name="x" * 201),
            a_wanted(name="a\x00b\x1b[2J"),
            a_wanted(custom_id="x" * 300),
            a_wanted(remove_faces=("no id",) * 100),
            a_wanted(add_faces=b"\xc1"),
            a_wanted(add_faces=b"\x91" * 5000),
            a_wanted(add_faces=faces(vector=NOT_A_NUMBER)),
            a_wanted(add_faces=faces(vector=OTHER_SIZE)),
            a_wanted(add_faces=faces(vector=b"")),
            a_wanted(add_faces=faces(vector=None)),
            a_wanted(add_faces=faces(vector=random_unit(9).astype("<f4").tobytes()[:-1])),
            a_wanted(add_faces=faces(quality=float("nan"))),
            a_wanted(add_faces=faces(quality=2.0)),
            a_wanted(add_faces=faces(created_ms=2**63)),
            a_wanted(add_faces=faces(id="")),
            a_wanted(add_faces=faces(source="x" * 301)),
            a_wanted(add_faces=faces(png=b"no PNG")),
            a_wanted(created_ms=None),
            a_wanted(add_faces=b"\x92" + faces()[1:] * 2),
            a_wanted(add_faces=faces(vector=(random_unit(9) * 2).astype("<f4").tobytes())),
        )
    ),
)
