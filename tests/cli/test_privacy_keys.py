"""`edged privacy new-key`, `encrypt`, `decrypt` and `rotate`, as a person types them."""

import base64
import stat
import subprocess
import sys

import pytest

from builders.namespaces import a_new_face, raw_bytes
from builders.sealing import fill, opened, plain_bytes
from edged.app.encryption import key_from
from edged.cli.main import main
from edged.store.archive import export_archive
from edged.store.sealing import seal_of
from edged.system.lock import FolderLock

CONFIG = """
data_dir: data
feeds:
  - id: door
    source: {type: file, path: clip.mp4}
sinks:
  - {type: console}
"""
WITH_KEY = f"{CONFIG}privacy: {{encryption_key: !secret faces}}\n"


class Home:
    """A configuration, its secrets and its data folder; `run` runs a command on them."""

    def __init__(self, folder, capsys):
        self.folder = folder
        self.data_dir = folder / "data"
        self._capsys = capsys
        self.config = folder / "config.yaml"
        self.config.write_text(WITH_KEY)
        (folder / "secrets").mkdir()
        self.key = folder / "secrets" / "faces"

    def run(self, *words):
        code = main([*map(str, words), "--config", str(self.config)])
        said = self._capsys.readouterr()
        return code, said.out, said.err

    def new_key(self, path=None):
        assert main(["privacy", "new-key", "--file", str(path or self.key)]) == 0
        self._capsys.readouterr()
        return key_from((path or self.key).read_text(), "it")

    def is_readable(self):
        raw = raw_bytes(self.data_dir)
        return any(piece in raw for piece in plain_bytes())


@pytest.fixture
def home(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("EDGED_CONFIG", raising=False)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    return Home(tmp_path, capsys)


class TestNewKey:
    def test_it_is_printed_alone_and_what_to_do_with_it_beside(self, capsys):
        assert main(["privacy", "new-key"]) == 0

        said = capsys.readouterr()
        assert len(base64.b64decode(said.out, validate=False)) == 32
        assert said.out.strip() not in said.err
        assert "encryption_key: !secret NAME" in said.err
        assert "lost" in said.err

    def test_a_file_is_for_its_owner_alone_and_is_never_replaced(self, home, capsys):
        home.new_key()

        assert stat.S_IMODE(home.key.stat().st_mode) == 0o600
        before = home.key.read_text()
        assert main(["privacy", "new-key", "--file", str(home.key)]) == 65
        assert "is there already" in capsys.readouterr().err
        assert home.key.read_text() == before


class TestEncrypt:
    def test_what_was_readable_is_not_and_commands_go_on(self, home):
        key = home.new_key()
        fill(home.data_dir, None)
        assert home.is_readable()

        code, out, err = home.run("privacy", "encrypt")

        assert (code, err) == (0, "")
        assert "12 pictures and embeddings encrypted" in out
        assert not home.is_readable()
        assert home.run("privacy", "encrypt")[:2] == (0, "namespace home: nothing to do\n")
        assert "Ada" in home.run("identities", "list")[1]
        assert home.run("identities", "show", "Ada")[0] == 0
        assert home.run("groups", "list")[0] == 0
        code, _, err = home.run("identities", "export", home.folder / "people.zip")
        assert (code, "people.zip is not encrypted" in err) == (0, True)
        assert plain_bytes()[0] in (home.folder / "people.zip").read_bytes()
        with opened(home.data_dir, key) as store:
            assert seal_of(store.connection).is_sealed

    def test_without_a_key_it_says_how_to_get_one(self, home):
        home.config.write_text(CONFIG)
        fill(home.data_dir, None)

        code, _, err = home.run("privacy", "encrypt")

        assert code == 78
        assert "edged privacy new-key" in err

    def test_a_daemon_must_not_run_meanwhile(self, home):
        home.new_key()
        fill(home.data_dir, None)

        with FolderLock(home.data_dir):
            code, _, err = home.run("privacy", "encrypt")

        assert code == 74
        assert "already runs" in err
        assert home.is_readable()

    def test_a_key_that_may_not_be_read_is_told_to_whoever_needs_it(self, home):
        fill(home.data_dir, home.new_key())
        home.key.unlink()

        assert "Ada" in home.run("identities", "list")[1]
        code, _, err = home.run("identities", "show", "Ada")
        assert code == 74
        assert "secret `faces` is nowhere" in err
        assert home.run("identities", "remove", "Ada", "--yes")[0] == 0

    def test_nobody_is_enrolled_in_the_plain_once_there_is_a_key(self, home):
        key = home.new_key()
        fill(home.folder / "other", key)
        with opened(home.folder / "other", key, seed="bob") as store:
            bob = store.add_identity("Bob", [a_new_face(5)])
            export_archive(store, [bob], home.folder / "b.zip", namespace="home", utc_ms=0)
        assert (
            home.run("identities", "export", home.folder / "a.zip", "--data-dir", home.folder / "other")[0]
            == 0
        )
        fill(home.data_dir, None, namespace="home")

        code, _, err = home.run("identities", "import", home.folder / "a.zip", "--namespace", "office")
        assert code == 0, err
        with opened(home.data_dir, key, namespace="office") as store:
            assert seal_of(store.connection).is_sealed, "a new namespace is sealed from its first face on"

        code, _, err = home.run("identities", "import", home.folder / "b.zip")
        assert code == 74
        assert "not encrypted yet" in err


class TestDecrypt:
    def test_it_is_as_before_and_the_setting_is_told(self, home):
        fill(home.data_dir, home.new_key())

        code, out, err = home.run("privacy", "decrypt")

        assert code == 0
        assert "12 pictures and embeddings decrypted" in out
        assert "still configured" in err
        assert home.is_readable()

    def test_with_the_key_in_a_file_once_the_setting_is_gone(self, home):
        fill(home.data_dir, home.new_key())
        home.config.write_text(CONFIG)
        assert home.run("privacy", "decrypt")[0] == 78

        code, _, err = home.run("privacy", "decrypt", "--key-file", home.key)

        assert (code, err) == (0, "")
        assert home.is_readable()
        assert home.run("identities", "show", "Ada")[0] == 0

    def test_a_plain_namespace_is_left_alone_even_an_empty_one(self, home):
        home.new_key()
        with opened(home.data_dir, None):
            pass

        assert home.run("privacy", "decrypt")[1] == "namespace home: nothing to do\n"
        with opened(home.data_dir, None) as store:
            assert not seal_of(store.connection).is_sealed

    @pytest.mark.parametrize("text", ["", "no key", "x" * 2000])
    def test_what_is_no_key_is_told_without_being_repeated(self, home, text):
        fill(home.data_dir, home.new_key())
        wrong = home.folder / "wrong"
        wrong.write_text(text)

        code, _, err = home.run("privacy", "decrypt", "--key-file", wrong)

        assert code == 78
        assert "is no key" in err


class TestRotate:
    def test_the_new_key_opens_and_the_old_one_does_not(self, home):
        old = home.folder / "old"
        fill(home.data_dir, home.new_key(old))
        new = home.new_key()
        assert home.run("privacy", "encrypt")[0] == 74

        code, out, _ = home.run("privacy", "rotate", "--old-key-file", old)

        assert code == 0
        assert "12 pictures and embeddings encrypted" in out
        with opened(home.data_dir, new) as store:
            assert len(store.changes_since(0, "a" * 64).changed) == 1
        assert home.run("privacy", "rotate", "--old-key-file", old)[1] == "namespace home: nothing to do\n"

    def test_a_wrong_old_key_changes_nothing(self, home):
        key = home.new_key(home.folder / "first")
        fill(home.data_dir, key)
        home.new_key()
        home.new_key(home.folder / "wrong")

        code, _, err = home.run("privacy", "rotate", "--old-key-file", home.folder / "wrong")

        assert code == 74
        assert "another key" in err
        with opened(home.data_dir, key) as store:
            assert len(store.changes_since(0, "a" * 64).changed) == 1

    def test_what_does_not_open_is_deleted_only_when_that_is_said(self, home):
        old = home.folder / "old"
        with_old = home.new_key(old)
        fill(home.data_dir, with_old)
        home.new_key()
        with opened(home.data_dir, with_old) as store:
            store.connection.execute("UPDATE picture SET jpeg = zeroblob(500)")

        code, _, err = home.run("privacy", "rotate", "--old-key-file", old)
        assert code == 74
        assert "does not open" in err

        code, out, _ = home.run("privacy", "rotate", "--old-key-file", old, "--discard-damaged")
        assert code == 0
        assert "1 did not open and were deleted" in out


def test_a_command_without_a_key_does_not_import_the_library(home):
    fill(home.data_dir, None)
    home.config.write_text(CONFIG)
    words = ["identities", "list", "--config", str(home.config)]
    script = (
        "import sys; from edged.cli.main import main;"
        f" code = main({words!r}); sys.exit(code or 'cryptography' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, "Ada" in done.stdout) == (0, True), done.stderr
