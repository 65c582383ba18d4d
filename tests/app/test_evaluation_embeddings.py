import numpy as np
import pytest

from edged.app.evaluation_embeddings import read_embeddings, write_embeddings
from edged.app.evaluation_faces import Sight, Way
from edged.domain.errors import InputError


def a_sight(number, *, raw=True):
    random = np.random.Generator(np.random.PCG64(number))
    chip, mirrored = (random.normal(size=128).astype("<f4").tobytes() for _ in range(2))
    return Sight(
        content=str(number),
        way=Way.DAEMON,
        quality=0.5,
        embedding=b"x" * 512,
        raw=(chip, mirrored) if raw else None,
    )


def test_what_is_written_is_read_again(tmp_path):
    path = tmp_path / "faces.npz"
    write_embeddings(path, ["Ben", "Ada", "Ben"], [a_sight(1), a_sight(2), a_sight(3)])

    names, (person, embeddings, quality) = read_embeddings(path)

    assert names == ("Ben", "Ada")
    assert person.tolist() == [0, 1, 0]
    assert np.linalg.norm(embeddings, axis=1) == pytest.approx(1, abs=1e-5)
    assert quality.tolist() == [0.5] * 3


def test_the_reference_form_without_names_and_qualities_is_read_too(tmp_path):
    path = tmp_path / "faces.npz"
    chips = np.random.Generator(np.random.PCG64(1)).normal(size=(3, 128)).astype(np.float16)
    np.savez(path, person=np.array([7, 9, 7]), chip=chips, mirrored=chips)

    names, (person, _, quality) = read_embeddings(path)

    assert (names, person.tolist(), quality.tolist()) == (("7", "9"), [0, 1, 0], [1.0] * 3)


def test_pictures_without_a_face_are_not_written(tmp_path):
    path = tmp_path / "faces.npz"
    write_embeddings(path, ["Ada", "Ben"], [a_sight(1, raw=False), a_sight(2)])

    assert read_embeddings(path)[0] == ("Ben",)


def test_without_any_face_nothing_is_written(tmp_path):
    with pytest.raises(InputError, match="no face is found"):
        write_embeddings(tmp_path / "faces.npz", ["Ada"], [a_sight(1, raw=False)])


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    with pytest.raises(InputError, match="cannot be written"):
        write_embeddings(tmp_path / "nowhere" / "faces.npz", ["Ada"], [a_sight(1)])


@pytest.mark.parametrize(
    "arrays",
    [
        {"person": np.arange(2)},
        {"person": np.arange(2), "chip": np.ones((3, 128)), "mirrored": np.ones((3, 128))},
        {"person": np.arange(0), "chip": np.ones((0, 128)), "mirrored": np.ones((0, 128))},
        {"person": np.arange(1), "chip": np.full((1, 4), np.nan), "mirrored": np.ones((1, 4))},
        {"person": np.array([{}], object), "chip": np.ones((1, 4)), "mirrored": np.ones((1, 4))},
    ],
)
def test_arrays_that_are_no_embeddings_are_refused(tmp_path, arrays):
    np.savez(tmp_path / "faces.npz", **arrays)

    with pytest.raises(InputError, match=r"faces\.npz"):
        read_embeddings(tmp_path / "faces.npz")
