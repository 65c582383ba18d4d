"""What the API does with people, on a real database; only the models stand aside."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from msgspec import UNSET

from builders.history import a_face_id, a_seen_face, an_entry, an_image_id
from builders.namespaces import MODEL, HandClock, Ids, a_new_face, random_chip, random_unit
from builders.recognition import a_calibration, a_face
from edged.api.problem import Code, Problem
from edged.api.requests import (
    AddPictures,
    IdentityCreate,
    IdentityEdge,
    IdentityImages,
    IdentityUpdate,
    ImageItem,
    MergeIdentities,
    Search,
)
from edged.app.api_enrolment import NewPictures
from edged.app.api_people import ApiPeople
from edged.app.api_stores import ApiStores
from edged.app.configuration import settings_from
from edged.app.erasing import erase
from edged.app.reading import Reader
from edged.domain.face import Chip, Embedding, Face
from edged.domain.picture_address import PictureAddresses
from edged.pipeline.picture import PictureLook

BASE = "http://porch:8080"
OTHER_MODEL = "b" * 64
PICTURE = ImageItem(blob=b"what the models do not look at here")


class Looks:
    """Stands for the models: gives what it was told to give."""

    def __init__(self) -> None:
        self.found: list[PictureLook] = []
        self.embedded: list[Chip] = []

    def looks(self, *_: object) -> list[PictureLook]:
        return self.found

    def embed(self, chips: Sequence[Chip], _timeout_s: float) -> list[Embedding]:
        self.embedded += chips
        return [random_unit(900 + number) for number, _ in enumerate(chips)]


class Bench:
    """The part with what it stands on."""

    def __init__(self, data_dir: Path) -> None:
        clock = HandClock()
        self.stores = ApiStores(data_dir, clock, Ids("api"))
        self.looks = Looks()
        self.changes = 0
        settings = settings_from(
            "feeds: [{id: door, source: {type: file, path: a.mp4}}]\nsinks: [{type: console}]\n",
            Path("config.yaml"),
            Reader(pytest.fail),
        )
        self.erased: list[tuple[str, str]] = []
        self.people = ApiPeople(
            self.stores,
            self.looks,
            NewPictures(lambda: settings, a_calibration(), MODEL, Ids("new"), lambda: clock.moment().utc_ms),
            PictureAddresses("porch", BASE, keeps_pictures=True),
            MODEL,
            self._count,
            lambda: None,
            self._erase,
        )

    def _erase(self, store, namespace, identity_id):
        self.erased.append((namespace, identity_id))
        return erase(store, namespace, [identity_id], None).warnings

    def _count(self) -> None:
        self.changes += 1

    def record(self, *entries) -> None:
        with self.stores.of("home") as store:
            store.record(entries)

    def enrolled(self, name: str, *numbers: int) -> str:
        with self.stores.of("home") as store:
            return store.people.add_identity(name, [a_new_face(number) for number in numbers]).id


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def a_look(number: int, *, score: float = 0.8) -> PictureLook:
    face = a_face(quality=score)
    looked_at = Face(face.detection, face.quality, random_chip(number), random_unit(number))
    return PictureLook((looked_at,), 640, 480)


def test_an_identity_is_made_of_faces_seen_before(bench) -> None:
    bench.record(an_entry(1, [a_seen_face(1), a_seen_face(2)]))
    made = bench.people.create(
        "home",
        IdentityCreate(
            custom_id="emp-7", image_ids=(a_face_id(1), a_face_id(2)), edge=IdentityEdge(name="Ada")
        ),
    )
    assert {image.id for image in made.images} == {a_face_id(1), a_face_id(2)}
    assert all(image.edge.enrolled and image.identity_id == made.id for image in made.images)
    assert made.images[0].url == f"{BASE}/v2/recognition/images/home/{made.images[0].id}/picture"
    assert (made.custom_id, made.edge.name, made.namespace) == ("emp-7", "Ada", "home")
    assert bench.people.identity("home", made.id) == made
    assert bench.changes == 1


def test_an_identity_without_faces_can_be_made(bench) -> None:
    made = bench.people.create("home", IdentityCreate())
    assert made.images == ()
    assert [one.id for one in bench.people.identities("home", Search())] == [made.id]


def test_a_face_of_another_model_is_embedded_before_it_is_enrolled(bench) -> None:
    bench.record(an_entry(1, [a_seen_face(1, model=OTHER_MODEL)]))
    made = bench.people.create("home", IdentityCreate(image_ids=(a_face_id(1),)))
    assert len(bench.looks.embedded) == 1
    assert len(made.images) == 1


def test_a_face_that_nobody_has_seen_makes_no_identity(bench) -> None:
    with pytest.raises(Problem, match=a_face_id(9)) as caught:
        bench.people.create("home", IdentityCreate(image_ids=(a_face_id(9),)))
    assert caught.value.code is Code.CONFLICT
    assert bench.people.identities("home", Search()) == []
    assert bench.changes == 0


def test_a_custom_id_belongs_to_one_identity(bench) -> None:
    bench.people.create("home", IdentityCreate(custom_id="emp-7"))
    with pytest.raises(Problem, match="emp-7") as caught:
        bench.people.create("home", IdentityCreate(custom_id="emp-7"))
    assert caught.value.code is Code.CONFLICT


def test_an_update_changes_all_or_nothing(bench) -> None:
    bench.record(an_entry(1, [a_seen_face(1), a_seen_face(2)]))
    made = bench.people.create("home", IdentityCreate(image_ids=(a_face_id(1),)))
    with pytest.raises(Problem):
        bench.people.update(
            "home",
            made.id,
            IdentityUpdate(
                edge=IdentityEdge(name="Ada"), images=IdentityImages(add=(a_face_id(2), a_face_id(9)))
            ),
        )
    assert bench.people.identity("home", made.id) == made
    changed = bench.people.update(
        "home",
        made.id,
        IdentityUpdate(
            custom_id="emp-7",
            edge=IdentityEdge(name="Ada"),
            images=IdentityImages(add=(a_face_id(2),), remove=(a_face_id(1),)),
        ),
    )
    assert [image.id for image in changed.images] == [a_face_id(2)]
    assert (changed.edge.name, changed.custom_id) == ("Ada", "emp-7")
    assert bench.people.face("home", a_face_id(1)).identity_id is None


def test_what_an_update_leaves_out_stays(bench) -> None:
    made = bench.people.create("home", IdentityCreate(custom_id="emp-7", edge=IdentityEdge(name="Ada")))
    assert bench.people.update("home", made.id, IdentityUpdate()).custom_id == "emp-7"
    assert bench.people.update("home", made.id, IdentityUpdate(custom_id=None)).custom_id is None
    assert bench.people.update("home", made.id, IdentityUpdate(custom_id=UNSET)).edge.name == "Ada"


def test_a_deleted_identity_is_gone_with_its_faces(bench) -> None:
    bench.record(an_entry(1, [a_seen_face(1)], pictures=True))
    made = bench.people.create("home", IdentityCreate(image_ids=(a_face_id(1),)))
    assert bench.people.picture("home", an_image_id(1)).startswith(b"\xff\xd8")
    assert bench.people.delete("home", made.id) == ()
    assert bench.erased == [("home", made.id)]
    for gone in (
        lambda: bench.people.identity("home", made.id),
        lambda: bench.people.face("home", a_face_id(1)),
        lambda: bench.people.face_picture("home", a_face_id(1)),
        lambda: bench.people.picture("home", an_image_id(1)),
        lambda: bench.people.delete("home", made.id),
    ):
        with pytest.raises(Problem) as caught:
            gone()
        assert caught.value.code is Code.NOT_FOUND


def test_the_picture_of_a_face_is_its_crop_in_the_right_colours(bench) -> None:
    bench.record(an_entry(1, [a_seen_face(1)]))
    jpeg = bench.people.face_picture("home", a_face_id(1))
    shown = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR_RGB)
    assert shown is not None
    assert shown.shape == (150, 150, 3)
    apart = np.abs(shown.astype(int) - random_chip(1).astype(int)).mean()
    swapped = np.abs(shown[:, :, ::-1].astype(int) - random_chip(1).astype(int)).mean()
    assert apart < swapped


def test_merged_identities_are_one(bench) -> None:
    first, second = bench.enrolled("Ada", 1), bench.enrolled("A. Lovelace", 2, 3)
    merged = bench.people.merge("home", first, MergeIdentities(ids=(second,)))
    assert len(merged.images) == 3
    with pytest.raises(Problem):
        bench.people.identity("home", second)
    with pytest.raises(Problem) as caught:
        bench.people.merge("home", first, MergeIdentities(ids=(second,)))
    assert (caught.value.code, caught.value.field) == (Code.CONFLICT, "ids")


def test_pictures_are_enrolled_with_where_the_face_was(bench) -> None:
    made = bench.people.create("home", IdentityCreate())
    bench.looks.found = [a_look(1)]
    asked = AddPictures(images=(ImageItem(blob=b"x", custom_id="passport"),))
    changed = bench.people.add_pictures("home", made.id, asked)
    (image,) = changed.images
    assert image.custom_id == "passport"
    assert image.bounding_box is not None
    assert image.edge.enrolled
    assert bench.people.face("home", image.id) == image


def test_a_picture_with_nobody_or_several_is_refused_with_its_place(bench) -> None:
    made = bench.people.create("home", IdentityCreate())
    bench.looks.found = [a_look(1), PictureLook((), 640, 480)]
    with pytest.raises(Problem, match="no face") as caught:
        bench.people.add_pictures("home", made.id, AddPictures(images=(PICTURE, PICTURE)))
    assert caught.value.field == "images[1]"
    bench.looks.found = [PictureLook(a_look(1).faces * 2, 640, 480)]
    with pytest.raises(Problem, match="2 faces"):
        bench.people.add_pictures("home", made.id, AddPictures(images=(PICTURE,)))
    assert bench.people.identity("home", made.id).images == ()


def test_pictures_of_two_people_are_refused(bench) -> None:
    made = bench.people.create("home", IdentityCreate())
    bench.looks.found = [a_look(1), a_look(2)]
    with pytest.raises(Problem, match="two people"):
        bench.people.add_pictures("home", made.id, AddPictures(images=(PICTURE, PICTURE)))


def test_a_picture_of_somebody_else_than_the_identity_is_refused(bench) -> None:
    identity_id = bench.enrolled("Ada", 1)
    bench.looks.found = [a_look(2)]
    with pytest.raises(Problem, match="two people") as caught:
        bench.people.add_pictures("home", identity_id, AddPictures(images=(PICTURE,)))
    assert caught.value.field == "images"


def test_likeness_to_somebody_else_is_said_and_refuses_nothing(bench) -> None:
    bench.enrolled("Ada", 1)
    made = bench.people.create("home", IdentityCreate())
    bench.looks.found = [a_look(1)]
    changed = bench.people.add_pictures("home", made.id, AddPictures(images=(PICTURE,)))
    assert len(changed.images) == 1
    assert any("Ada" in warning for warning in changed.edge.warnings)


def test_an_unusable_database_is_said_without_its_words(bench, tmp_path) -> None:
    bench.people.create("home", IdentityCreate())
    path = tmp_path / "namespaces" / "home.db"
    path.unlink()
    path.mkdir()
    with pytest.raises(Problem) as caught:
        bench.people.identities("home", Search())
    assert caught.value.code is Code.UNAVAILABLE
    assert str(tmp_path) not in caught.value.message
