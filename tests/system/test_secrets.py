import os
from collections.abc import Callable
from pathlib import Path

import pytest

from edged.domain.errors import ConfigurationError
from edged.system.secrets import SecretStore, named, variable_of

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="files of another user can be made by root only")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "secrets"
    path.mkdir()
    return path


@pytest.fixture
def credentials(tmp_path: Path) -> Path:
    path = tmp_path / "credentials"
    path.mkdir()
    return path


def a_file(path: Path, content: bytes = b"hunter2\n", mode: int = 0o600) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


def refusal(store: SecretStore, name: str = "camera") -> str:
    with pytest.raises(ConfigurationError) as caught:
        store.read(name)
    assert "hunter2" not in str(caught.value)
    return str(caught.value)


def test_systemds_credential_comes_first(folder: Path, credentials: Path) -> None:
    # systemd makes them 0440, in a folder that only the service can enter.
    a_file(credentials / "camera", b"of systemd", mode=0o440)
    a_file(folder / "camera", b"of the file")
    environ = {"CREDENTIALS_DIRECTORY": str(credentials), "EDGED_SECRET_CAMERA": "of the environment"}
    assert SecretStore(folder, environ).read("camera").reveal() == "of systemd"


def test_the_file_comes_before_the_environment(folder: Path, credentials: Path) -> None:
    a_file(folder / "camera", b"of the file")
    environ = {"CREDENTIALS_DIRECTORY": str(credentials), "EDGED_SECRET_CAMERA": "of the environment"}
    assert SecretStore(folder, environ).read("camera").reveal() == "of the file"


def test_the_environment_comes_last(folder: Path) -> None:
    environ = {"EDGED_SECRET_FRONT_CAMERA_2": "hunter2"}
    assert SecretStore(folder, environ).read("front-camera.2").reveal() == "hunter2"
    assert variable_of("front-camera.2") == "EDGED_SECRET_FRONT_CAMERA_2"


def test_a_missing_secret_says_where_it_was_looked_for(folder: Path, credentials: Path) -> None:
    said = refusal(SecretStore(folder, {"CREDENTIALS_DIRECTORY": str(credentials)}))
    assert "secret `camera` is nowhere" in said
    assert "LoadCredential=" in said
    assert str(folder / "camera") in said
    assert "EDGED_SECRET_CAMERA" in said


def test_without_a_folder_of_secrets_the_others_are_looked_at(tmp_path: Path) -> None:
    environ = {"EDGED_SECRET_CAMERA": "hunter2"}
    assert SecretStore(tmp_path / "nowhere", environ).read("camera").reveal() == "hunter2"


@pytest.mark.parametrize(
    ("content", "secret"),
    [(b"a\n", "a"), (b"a\r\n", "a"), (b"a", "a"), (b"a\n\n", "a\n"), (b" a ", " a "), ("ä€".encode(), "ä€")],
)
def test_one_newline_at_the_end_is_taken_off(folder: Path, content: bytes, secret: str) -> None:
    a_file(folder / "camera", content)
    assert SecretStore(folder, {}).read("camera").reveal() == secret


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610])
def test_a_file_that_others_may_read_is_refused_with_the_remedy(folder: Path, mode: int) -> None:
    path = a_file(folder / "camera", mode=mode)
    said = refusal(SecretStore(folder, {"EDGED_SECRET_CAMERA": "x"}))
    assert f"mode {mode:04o}" in said
    assert f"chmod 600 {path}" in said


def test_a_stricter_mode_is_taken(folder: Path) -> None:
    a_file(folder / "camera", mode=0o400)
    assert SecretStore(folder, {}).read("camera").reveal() == "hunter2"


@as_root
def test_a_file_of_another_user_is_refused(folder: Path) -> None:
    os.chown(a_file(folder / "camera"), 12345, 12345)
    assert "belongs to another user" in refusal(SecretStore(folder, {}))


@as_root
def test_a_file_that_the_user_may_not_open_names_systemds_way(folder: Path) -> None:
    path = a_file(folder / "camera")
    folder.parent.chmod(0o700)
    os.seteuid(65534)
    try:
        said = refusal(SecretStore(folder, {}))
    finally:
        os.seteuid(0)
    assert f"LoadCredential=camera:{path}" in said


@pytest.mark.parametrize(
    "name", ["../camera", "a/b", "", ".", "..", ".hidden", "a b", "x" * 65, "camera\n", "ä"]
)
def test_a_name_that_is_no_name_never_reaches_the_disk(folder: Path, name: str) -> None:
    (folder.parent / "camera").write_text("hunter2")
    said = refusal(SecretStore(folder, {}), name)
    assert "no name of a secret" in said
    with pytest.raises(ConfigurationError, match="no name of a secret"):
        named(name)


def _a_folder(path: Path) -> None:
    path.mkdir(mode=0o700)


def _a_pipe(path: Path) -> None:
    os.mkfifo(path, 0o600)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (_a_folder, "is not a file"),
        (_a_pipe, "is not a file"),
        (lambda path: a_file(path, b""), "empty or binary"),
        (lambda path: a_file(path, b"\n"), "empty or binary"),
        (lambda path: a_file(path, b"hunter2\0"), "empty or binary"),
        (lambda path: a_file(path, b"hunter2\xff"), "not UTF-8"),
        (lambda path: a_file(path, b"x" * 65537), "more than 65536 bytes"),
    ],
)
def test_what_is_no_secret_is_refused(folder: Path, make: Callable[[Path], object], words: str) -> None:
    make(folder / "camera")
    assert words in refusal(SecretStore(folder, {}))


def test_a_link_to_a_private_file_is_followed(folder: Path, tmp_path: Path) -> None:
    (folder / "camera").symlink_to(a_file(tmp_path / "elsewhere"))
    assert SecretStore(folder, {}).read("camera").reveal() == "hunter2"


def test_an_empty_variable_is_refused(folder: Path) -> None:
    assert "empty" in refusal(SecretStore(folder, {"EDGED_SECRET_CAMERA": ""}))
