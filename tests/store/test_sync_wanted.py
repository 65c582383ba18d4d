"""What a member wants, however ill it is meant: it is done whole, or refused and nothing is changed."""

import struct
import tempfile
import zlib
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builders.namespaces import EMBEDDER, MODEL, OTHER_MODEL, a_new_face, a_store, random_chip, random_unit
from edged.domain.identifiers import derived_id
from edged.replication.people import SharedFace
from edged.replication.statements import Wanted
from edged.store.database import transaction
from edged.store.fsck import fsck
from edged.store.namespace_chips import CHIP_LIMIT_BYTES, chip_to_png
from edged.store.sync_wanted import Outcome, WantedError, apply_wanted, checked_wanted

NOW_MS = 1_700_000_000_000
NOBODY = derived_id("nobody", 0)
FACE = derived_id("new face", 0)
PNG = chip_to_png(random_chip(1))


def a_vector(number=1):
    return random_unit(number).astype("<f4").tobytes()


def a_face(**other):
    said = {
        "id": FACE,
        "quality": 0.5,
        "source": "portrait.jpg",
        "created_ms": NOW_MS,
        "vector": a_vector(),
        "png": None,
    }
    return SharedFace(**said | other)


def a_wanted(*faces, **other):
    said = {"identity_id": NOBODY, "model": MODEL, "created_ms": NOW_MS, "name": "Ada"} | other
    return Wanted(add_faces=msgspec.msgpack.encode(faces) if faces else b"", **said)


def png_of(width, height, body=b""):
    """A PNG that says it is so large; its pixels are `body`."""
    head = struct.pack(">II5B", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(body)), (b"IEND", b""))
    written = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + written


@pytest.fixture
def people(store):
    return [store.add_identity(name, [a_new_face(place)]) for place, name in enumerate(("Bob", "Cy"))]


def do(store, wanted):
    checked_wanted(wanted, EMBEDDER)
    with transaction(store.connection):
        return apply_wanted(store, wanted, EMBEDDER)


def all_rows(store):
    return [
        store.connection.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()
        for table in ("identity", "face", "embedding", "chip", "tombstone", "ledger")
    ]


def why_not(store, wanted):
    before = all_rows(store)
    with pytest.raises(WantedError) as caught:
        do(store, wanted)
    assert all_rows(store) == before
    return caught.value.why


def test_somebody_new_is_added_whole(store):
    assert do(store, a_wanted(a_face(png=PNG))) == Outcome(has_changed=True)
    assert store.get(NOBODY).name == "Ada"
    assert [face.id for face in store.faces_of(NOBODY, MODEL)] == [FACE]
    # Whatever comes twice is done once.
    assert do(store, a_wanted(a_face(png=PNG))) == Outcome()
    assert fsck(store.path) == []


def test_somebody_new_of_a_node_whose_clock_is_ahead_is_made_now(store):
    do(store, a_wanted(a_face(), created_ms=NOW_MS + 86_400_000))
    assert store.connection.execute("SELECT created_ms <= updated_ms FROM identity").fetchone() == (1,)
    assert fsck(store.path) == []


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"identity_id": ""}, "ids"),
        ({"identity_id": NOBODY.upper()}, "ids"),
        ({"identity_id": f"{NOBODY}\n"}, "ids"),
        ({"identity_id": "a" * 1_000_000}, "ids"),
        ({"heir": "x"}, "ids"),
        ({"remove_faces": (FACE, "; DROP TABLE face")}, "ids"),
        ({"model": "b" * 63}, "ids"),
        ({"model": f"{MODEL}\n"}, "ids"),
        ({"created_ms": -1}, "time"),
        ({"created_ms": 2**53 + 1}, "time"),
        ({"name": "x" * 1_000_000}, "name"),
        ({"name": "Ada\n"}, "name"),
        ({"name": " Ada"}, "name"),
        ({"name": "A\0da"}, "name"),
        ({"name": "A\x1b[2Jda"}, "name"),
        ({"name": "Ada\u0301\u0061\u0308"}, "name"),
        ({"custom_id": "x" * 10_000}, "customId"),
        ({"custom_id": "a\u2028b"}, "customId"),
        ({"add_faces": b"\xc1"}, "faces cannot be read"),
        ({"add_faces": b"\x91" * 100_000}, "faces cannot be read"),
        ({"add_faces": msgspec.msgpack.encode([["only an id"]])}, "faces cannot be read"),
    ],
)
def test_what_is_not_well_formed_is_refused(store, changed, why):
    assert why in why_not(store, msgspec.structs.replace(a_wanted(), **changed))


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"id": "x"}, "well formed"),
        ({"created_ms": -1}, "well formed"),
        ({"created_ms": 2**60}, "well formed"),
        ({"source": "x" * 301}, "well formed"),
        ({"quality": float("nan")}, "quality"),
        ({"quality": float("inf")}, "quality"),
        ({"quality": -0.1}, "quality"),
        ({"quality": 1.5}, "quality"),
        ({"vector": b""}, "size"),
        ({"vector": a_vector()[:-1]}, "size"),
        ({"vector": a_vector()[:60]}, "size"),
        ({"vector": b"\0" * 16_388}, "size"),
        ({"vector": b"\0" * 512}, "unit length"),
        ({"vector": np.full(128, np.nan, "<f4").tobytes()}, "unit length"),
        ({"vector": np.full(128, np.inf, "<f4").tobytes()}, "unit length"),
        ({"vector": np.full(128, 3e38, "<f4").tobytes()}, "unit length"),
        ({"vector": (random_unit(1) * 2).astype("<f4").tobytes()}, "unit length"),
        ({"vector": None}, "neither"),
        ({"png": b""}, "PNG"),
        ({"png": b"GIF89a"}, "PNG"),
        ({"png": PNG[:100]}, "PNG"),
        ({"png": PNG[:-40_000]}, "PNG"),
        ({"png": b"\x89PNG\r\n\x1a\n" + b"x" * 1000}, "PNG"),
        ({"png": PNG + b"x" * CHIP_LIMIT_BYTES}, "PNG"),
        ({"png": png_of(151, 150, bytes(151 * 150 * 3))}, "PNG"),
        ({"png": png_of(30_000, 30_000)}, "PNG"),
        ({"png": png_of(150, 150, b"too little")}, "PNG"),
    ],
)
def test_a_face_that_cannot_be_is_refused(store, changed, why):
    assert why in why_not(store, a_wanted(a_face(**changed)))


def test_a_face_twice_and_one_of_another_model_without_its_crop_are_refused(store):
    assert "twice" in why_not(store, a_wanted(a_face(), a_face()))
    assert "another model" in why_not(store, a_wanted(a_face(), model=OTHER_MODEL))


def test_a_face_of_another_model_is_kept_by_its_crop_alone(store):
    outcome = do(store, a_wanted(a_face(png=PNG), model=OTHER_MODEL))
    assert outcome == Outcome(has_changed=True, lacks_vectors=True)
    assert store.connection.execute("SELECT count(*) FROM embedding").fetchone() == (0,)


@pytest.mark.parametrize("png", [None, PNG])
def test_an_embedding_of_another_size_is_refused_also_where_nobody_is_known_yet(store, png):
    vector = np.zeros(64, "<f4")
    vector[0] = 1
    assert "size" in why_not(store, a_wanted(a_face(vector=vector.tobytes(), png=png)))


def test_who_is_not_here_is_not_changed_and_who_was_removed_does_not_come_back(store, people):
    assert "removed meanwhile" in why_not(store, a_wanted(created_ms=None, name="Else"))
    store.remove([people[0].id])
    assert "removed meanwhile" in why_not(store, a_wanted(identity_id=people[0].id))
    assert do(store, a_wanted(identity_id=people[0].id, created_ms=None, remove=True)) == Outcome()


def test_a_custom_id_of_somebody_else_is_not_taken(store, people):
    store.set_custom_id(people[0].id, "7")
    assert "taken" in why_not(store, a_wanted(a_face(), custom_id="7"))
    assert "taken" in why_not(store, a_wanted(identity_id=people[1].id, created_ms=None, custom_id="7"))
    assert do(store, a_wanted(identity_id=people[0].id, created_ms=None, name=None, custom_id="")).has_changed
    assert store.get(people[0].id).custom_id is None


def test_faces_go_and_move_only_as_they_are_said_to(store, people):
    bob, cy = (person.id for person in people)
    (his,) = store.faces_of(bob, MODEL)
    # Of nobody, of another person: it stays where it is.
    wanted = a_wanted(identity_id=cy, created_ms=None, name=None, remove_faces=(FACE, his.id))
    assert do(store, wanted) == Outcome()
    moved = a_wanted(a_face(id=his.id), identity_id=cy, created_ms=None, name=None)
    assert do(store, moved) == Outcome(has_changed=True)
    assert len(store.faces_of(cy, MODEL)) == 2
    gone = do(store, a_wanted(identity_id=cy, created_ms=None, name=None, remove_faces=(his.id,)))
    assert gone == Outcome(has_changed=True, has_erased=True)
    assert list(store.sweep()) == []
    assert fsck(store.path) == []


def test_somebody_is_merged_only_into_who_is_here(store, people):
    bob, cy = (person.id for person in people)
    for heir in (NOBODY, bob):
        assert "not here" in why_not(
            store, a_wanted(identity_id=bob, created_ms=None, remove=True, heir=heir)
        )
    assert do(store, a_wanted(identity_id=bob, created_ms=None, remove=True, heir=cy)).has_changed
    assert [person.id for person in store.identities()] == [cy]


def test_a_removal_asks_to_be_swept(store, people):
    outcome = do(store, a_wanted(identity_id=people[0].id, created_ms=None, remove=True))
    assert outcome == Outcome(has_changed=True, has_erased=True)


IDS = st.sampled_from([derived_id("few", number) for number in range(4)])
FACES = st.lists(
    st.builds(
        SharedFace,
        id=IDS,
        quality=st.floats(),
        source=st.text(max_size=3),
        created_ms=st.integers(-1, 5),
        vector=st.one_of(st.none(), st.binary(max_size=80), st.integers(1, 3).map(a_vector)),
        png=st.none(),
    ),
    max_size=2,
)
ANYTHING = st.builds(
    Wanted,
    identity_id=st.one_of(IDS, st.text(max_size=40)),
    model=st.sampled_from([MODEL, OTHER_MODEL, ""]),
    remove=st.booleans(),
    heir=st.one_of(st.none(), IDS),
    created_ms=st.one_of(st.none(), st.integers(-1, 2**54)),
    name=st.one_of(st.none(), st.text(max_size=5)),
    custom_id=st.one_of(st.none(), st.text(max_size=2)),
    add_faces=st.one_of(st.just(b""), FACES.map(msgspec.msgpack.encode), st.binary(max_size=20)),
    remove_faces=st.lists(IDS, max_size=2).map(tuple),
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ANYTHING, max_size=8))
def test_whatever_is_wanted_the_database_stays_sound(wishes):
    with tempfile.TemporaryDirectory() as folder, a_store(Path(folder)) as store:
        for wanted in wishes:
            before = all_rows(store)
            try:
                do(store, wanted)
            except WantedError:
                assert all_rows(store) == before
        assert list(store.sweep()) == []
        assert fsck(store.path) == []
