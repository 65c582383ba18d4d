import hashlib
import io
import tarfile
import zipfile

import pytest

from edged.inference.catalogue import Catalogue
from packages import COPIED, EMBEDDER_WEIGHTS, MEDIAPIPE, Member, PackageError, checked_member, content_of

CONTENT = b"weights"
GOOD = Member(MEDIAPIPE, "folder/model.bin", hashlib.sha256(CONTENT).hexdigest())


@pytest.fixture(params=["wheel", "sdist"])
def archive(request, tmp_path):
    if request.param == "wheel":
        path = tmp_path / "package.whl"
        with zipfile.ZipFile(path, "w") as wheel:
            wheel.writestr(GOOD.path, CONTENT)
        return path
    path = tmp_path / "package.tar.gz"
    with tarfile.open(path, "w:gz") as source:
        entry = tarfile.TarInfo(GOOD.path)
        entry.size = len(CONTENT)
        source.addfile(entry, io.BytesIO(CONTENT))
        folder = tarfile.TarInfo("folder/empty")
        folder.type = tarfile.DIRTYPE
        source.addfile(folder)
    return path


def test_a_file_is_taken_out_of_its_package(archive):
    assert checked_member(archive, GOOD) == CONTENT


def test_a_file_of_another_hash_is_refused(archive):
    with pytest.raises(PackageError, match=r"model\.bin in .* has SHA-256 .* instead of 0000"):
        checked_member(archive, Member(MEDIAPIPE, GOOD.path, "0" * 64))


@pytest.mark.parametrize("path", ["folder/other.bin", "folder/empty"])
def test_a_file_that_is_not_in_the_package_is_refused(archive, path):
    with pytest.raises(PackageError, match="has no readable folder/"):
        checked_member(archive, Member(MEDIAPIPE, path, GOOD.sha256))


@pytest.mark.parametrize("name", ["package.whl", "package.tar.gz"])
def test_what_is_no_package_is_refused(tmp_path, name):
    (tmp_path / name).write_bytes(b"<html>not found</html>")
    with pytest.raises(PackageError, match="has no readable"):
        checked_member(tmp_path / name, GOOD)


def test_an_altered_package_in_the_cache_is_refused(tmp_path):
    (tmp_path / MEDIAPIPE.file).write_bytes(b"something else")
    with pytest.raises(PackageError, match=r"mediapipe-0\.10\.14.* instead of a807328339e7"):
        content_of(COPIED["face-landmarks"], tmp_path)


def test_the_cards_name_the_sources_that_the_scripts_use():
    cards = {card.name: card.origin for card in Catalogue().cards()}
    for name, member in COPIED.items():
        assert (cards[name].path, cards[name].sha256) == (member.path, member.sha256)
    for name in set(cards) - set(COPIED):
        if name.removesuffix("-int8") in COPIED:
            member = COPIED[name.removesuffix("-int8")]
            assert (cards[name].path, cards[name].sha256) == (member.path, member.sha256)
            continue
        assert EMBEDDER_WEIGHTS.path.endswith(cards[name].path)
        assert cards[name].sha256 == EMBEDDER_WEIGHTS.sha256


def test_a_copied_model_has_the_hash_of_its_source():
    for name, member in COPIED.items():
        assert Catalogue().card(name).sha256 == member.sha256
