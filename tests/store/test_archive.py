"""People in an archive: out of one namespace, into another, and nothing half."""

import hashlib
import io
import json
import random
import stat
import warnings
import zipfile

import numpy as np
import pytest

from builders.namespaces import MODEL, OTHER_MODEL, START_UTC_MS, a_new_face, a_store, random_unit
from edged.domain.errors import InputError
from edged.store.archive import export_archive, import_archive
from edged.store.fsck import fsck


def export(store, target, people=None, **options):
    return export_archive(
        store, people or store.identities(), target, namespace="home", utc_ms=START_UTC_MS, **options
    )


@pytest.fixture
def source(tmp_path):
    """A namespace with Ada, of two models, and Bob, without chips."""
    with a_store(tmp_path / "source", seed="source") as store:
        ada = store.add_identity("Ada Łę", [a_new_face(1, chip=True), a_new_face(2)], custom_id="1")
        store.add_embeddings(OTHER_MODEL, [(next(store.face_records(ada.id)).id, random_unit(7))])
        store.add_identity("Bob", [a_new_face(3)])
        yield store


@pytest.fixture
def target(tmp_path):
    with a_store(tmp_path / "target", seed="target") as store:
        yield store


@pytest.fixture
def archive(source, tmp_path):
    export(source, tmp_path / "people.zip")
    return tmp_path / "people.zip"


def everything(store):
    return [(person, list(store.face_records(person.id))) for person in store.identities()]


def unit_of(size, seed):
    vector = np.random.default_rng(seed).normal(size=size).astype(np.float32)
    return vector / np.linalg.norm(vector)


@pytest.mark.parametrize("size", [16, 96, 512, 4096])
def test_embeddings_of_other_sizes_go_along(source, target, tmp_path, size):
    model = f"{size:064}"
    for person in source.identities():
        faces = [face.id for face in source.face_records(person.id)]
        source.add_embeddings(model, [(face, unit_of(size, seed)) for seed, face in enumerate(faces)])
    export(source, tmp_path / "sizes.zip")
    import_archive(target, tmp_path / "sizes.zip")
    assert everything(target) == everything(source)
    assert target.changes_since(0, model).changed[0].embeddings.shape[1] == size
    assert fsck(target.path) == []


@pytest.mark.parametrize("size", [15, 4097])
def test_a_vector_that_no_embedder_gives_is_refused(source, size):
    (face, *_) = source.face_records(source.identities()[0].id)
    with pytest.raises(ValueError, match="16 to 4096"):
        source.add_embeddings(MODEL, [(face.id, unit_of(size, 1))])


def test_an_import_gives_back_exactly_what_was_exported(source, target, archive):
    report = import_archive(target, archive)

    assert everything(target) == everything(source)
    assert (report.new, report.updated, report.skipped) == (["Ada Łę", "Bob"], [], [])
    assert (report.faces, report.models) == (3, {MODEL: 3, OTHER_MODEL: 1})
    assert target.ledger.revision == 1, "one change"
    assert fsck(target.path) == []


def test_the_daemon_sees_an_import_as_one_change(target, archive):
    import_archive(target, archive)

    change = target.changes_since(0, MODEL)

    assert change is not None
    assert {one.identity.name: len(one.embeddings) for one in change.changed} == {"Ada Łę": 2, "Bob": 1}


def test_the_same_archive_twice_doubles_nobody(target, archive):
    import_archive(target, archive)
    before = (everything(target), target.ledger)

    report = import_archive(target, archive)

    assert (report.new, report.updated, report.skipped) == ([], [], ["Ada Łę", "Bob"])
    assert (everything(target), target.ledger) == before, "not even a new revision"


def test_a_known_person_gets_what_they_lack(source, target, archive, tmp_path):
    import_archive(target, archive)
    ada = source.find("1")
    source._clock.ms = 60_000
    source.add_faces(ada.id, [a_new_face(9)])
    source.rename(ada.id, "Ada Lovelace")
    export(source, tmp_path / "later.zip")
    seen = target.ledger.revision

    report = import_archive(target, tmp_path / "later.zip")

    assert (report.new, report.updated, report.skipped) == ([], ["Ada Lovelace"], ["Bob"])
    assert everything(target) == everything(source)
    change = target.changes_since(seen, MODEL)
    assert change is not None
    assert [one.identity.name for one in change.changed] == ["Ada Lovelace"]


@pytest.mark.usefixtures("source")
def test_what_was_changed_here_since_is_not_undone(target, archive):
    import_archive(target, archive)
    target._clock.ms = 60_000
    target.rename(target.find("1").id, "Ada, renamed here")

    import_archive(target, archive)

    assert target.find("1").name == "Ada, renamed here"


def test_the_same_custom_id_is_the_same_person(target, archive):
    here = target.add_identity("Ada", [a_new_face(20)], custom_id="1")

    report = import_archive(target, archive)

    assert report.updated == ["Ada Łę"]
    assert target.get(here.id).faces == 3


@pytest.mark.usefixtures("source")
def test_a_custom_id_of_another_refuses_the_whole_archive(target, archive):
    import_archive(target, archive)
    target.set_custom_id(target.find("1").id, None)
    target.set_custom_id(target.find("Bob").id, "1")
    before = everything(target)

    with pytest.raises(InputError, match="has the customId '1', which here is that of Bob"):
        import_archive(target, archive)

    assert everything(target) == before


def test_whoever_comes_back_is_not_told_as_removed(target, archive):
    import_archive(target, archive)
    bob = target.find("Bob")
    seen = target.ledger.revision
    target.remove([bob.id])

    import_archive(target, archive)

    change = target.changes_since(seen, MODEL)
    assert change is not None
    assert change.removed == ()
    assert [one.identity.id for one in change.changed] == [bob.id]
    assert fsck(target.path) == []


def test_an_archive_is_for_its_owner_alone_and_never_replaces_one_unasked(source, archive):
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    before = archive.read_bytes()

    with pytest.raises(InputError, match="is there already"):
        export(source, archive)
    assert archive.read_bytes() == before

    assert export(source, archive, source.identities()[:1], may_replace=True) == 2
    assert archive.read_bytes() != before
    assert [path.name for path in archive.parent.iterdir() if "partial" in path.name] == []


def test_equal_exports_are_equal_files(source, archive, tmp_path):
    export(source, tmp_path / "again.zip")

    assert archive.read_bytes() == (tmp_path / "again.zip").read_bytes()


def test_a_place_that_cannot_be_written_is_told(source, tmp_path):
    with pytest.raises(InputError, match="cannot be written"):
        export(source, tmp_path / "nowhere" / "people.zip")


# --- archives that are not as they should be


def rewritten(archive, change=None, *, rename=None, **replaced):
    """The archive with some members replaced, and the manifest changed by a function."""
    out = io.BytesIO()
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(out, "w") as new:
        for info in old.infolist():
            content = old.read(info)
            if info.filename == "manifest.json" and change is not None:
                manifest = json.loads(content)
                change(manifest)
                content = json.dumps(manifest).encode()
            content = replaced.get(info.filename.split("/")[0], content)
            new.writestr(rename(info.filename) if rename else info.filename, content)
    archive.write_bytes(out.getvalue())


def member(manifest, kind):
    return next(entry for name, entry in manifest["members"].items() if name.startswith(kind))


def person(manifest):
    return manifest["identities"][0]


MISTAKES = {
    "another format": (lambda m: m.update(format="zip of holiday pictures"), "calls itself"),
    "a newer version": (lambda m: m.update(version=2), "its version is 2; this edged reads 1"),
    "an unknown field": (lambda m: m.update(surprise=1), "unknown field `surprise`"),
    "a missing field": (lambda m: person(m).pop("name"), "missing required field `name`"),
    "an identity twice": (lambda m: m["identities"].append(person(m)), "is in it twice"),
    "an id that is none": (lambda m: person(m).update(id="x"), "cannot be"),
    "a path as a face's id": (lambda m: person(m)["faces"][0].update(id="../../etc/passwd"), "cannot be"),
    "a name too long": (lambda m: person(m).update(name="x" * 201), "at most 200"),
    "a name with a line's end": (lambda m: person(m).update(name="a\nb"), "one line"),
    "a quality above one": (lambda m: person(m)["faces"][0].update(quality=2), "cannot be"),
    "a time before time": (lambda m: person(m).update(createdAt=-1), "cannot be"),
    "a face of nothing": (lambda m: person(m)["faces"][1].update(embeddings={}), "cannot be"),
    "a row that is not there": (
        lambda m: person(m)["faces"][1].update(embeddings={MODEL: 99}),
        "not one embedding for each face",
    ),
    "a model's hash that is none": (
        lambda m: person(m)["faces"][1].update(embeddings={"x": 0}),
        "cannot be",
    ),
    "a wrong hash of a chip": (
        lambda m: member(m, "chips/").update(sha256="0" * 64),
        "not what was exported",
    ),
    "a wrong size": (lambda m: member(m, "embeddings/").update(bytes=512), "not"),
    "a member too few in the list": (lambda m: m["members"].popitem(), "does not fit"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_an_archive_with_a_mistake_changes_nothing(target, archive, mistake):
    change, words = MISTAKES[mistake]
    rewritten(archive, change)

    with pytest.raises(InputError, match=words) as refused:
        import_archive(target, archive)

    assert str(archive) in str(refused.value)
    assert "Nothing was changed" in refused.value.remedy
    assert (target.identities(), target.ledger.revision) == ([], 0)


def with_content(archive, kind, content):
    """The archive with another content of the members of a kind, and the manifest agreeing."""

    def agree(manifest):
        for name, entry in manifest["members"].items():
            if name.startswith(kind):
                entry.update(bytes=len(content), sha256=hashlib.sha256(content).hexdigest())

    rewritten(archive, agree, **{kind: content})


@pytest.mark.parametrize(
    ("kind", "content", "words"),
    [
        ("chips", b"\x89PNG\r\n\x1a\n" + b"\0" * 100, "chip is damaged"),
        ("embeddings", np.full(128 * 3, np.nan, "<f4").tobytes(), "unit length|one embedding for each"),
        ("embeddings", np.zeros(128, "<f4").tobytes(), "unit length|one embedding for each"),
        ("embeddings", b"abc", "one embedding for each"),
    ],
)
def test_content_that_is_none_is_refused_even_when_the_list_agrees(target, archive, kind, content, words):
    with_content(archive, kind, content)

    with pytest.raises(InputError, match=words):
        import_archive(target, archive)

    assert target.identities() == []


def test_a_changed_byte_anywhere_is_noticed_or_harmless(target, archive):
    whole = archive.read_bytes()
    chance = random.Random(7)

    for _ in range(60):
        damaged = bytearray(whole)
        damaged[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        archive.write_bytes(damaged)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            refusal = None
            try:
                import_archive(target, archive)
            except InputError as error:
                refusal = str(error)
            if refusal is not None:
                assert str(archive) in refusal
            else:
                assert [one.name for one in target.identities()] == ["Ada Łę", "Bob"]
                target.remove([one.id for one in target.identities()])


def test_half_an_archive_is_no_zip(target, archive):
    archive.write_bytes(archive.read_bytes()[:-300])

    with pytest.raises(InputError, match="no whole ZIP"):
        import_archive(target, archive)


@pytest.mark.parametrize("content", [b"", b"just some text\n"])
def test_what_is_no_archive_is_told(target, tmp_path, content):
    (tmp_path / "x.zip").write_bytes(content)

    with pytest.raises(InputError, match="no whole ZIP"):
        import_archive(target, tmp_path / "x.zip")


def test_somebody_elses_zip_is_told(target, tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as file:
        file.writestr("holiday.txt", "sunny")

    with pytest.raises(InputError, match="was not made by"):
        import_archive(target, tmp_path / "x.zip")


def test_a_missing_archive_is_told(target, tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        import_archive(target, tmp_path / "no.zip")


def test_a_bomb_is_not_unpacked(target, tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("manifest.json", b" " * 100_000_000)

    with pytest.raises(InputError, match="far more than such an archive does"):
        import_archive(target, tmp_path / "x.zip")


def test_a_chip_too_large_is_not_unpacked(target, archive):
    rewritten(archive, chips=b"\0" * 300_000)

    with pytest.raises(InputError, match="would unpack to 300000 bytes"):
        import_archive(target, archive)


def test_two_members_of_one_name_are_refused(target, archive):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rewritten(archive, rename=lambda name: "manifest.json" if name.startswith("chips") else name)

    with pytest.raises(InputError, match="two members of the same name"):
        import_archive(target, archive)
