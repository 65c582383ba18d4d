"""The key of the configuration, and what the daemon does at its start to be as it says."""

import base64

import pytest

from builders.namespaces import MODEL, HandClock, Ids, a_new_face, raw_bytes
from builders.sealing import a_key, fill, opened, plain_bytes
from edged.app.configuration import load
from edged.app.encryption import bring_into_force, configured_key, key_for_command, key_from, new_key
from edged.domain.errors import ConfigurationError
from edged.settings.privacy import Privacy
from edged.settings.quantities import Secret
from edged.store.namespace_files import namespace_path
from edged.store.resealing import is_swept, reseal
from edged.store.sealing import UnreadableKey, seal_of

CONFIG = """
feeds:
  - id: door
    source: {type: file, path: clip.mp4}
sinks:
  - {type: console}
privacy:
  encryption_key: !secret faces
"""


def bring(data_dir, key, namespaces=("home",), tell=lambda _: None):
    bring_into_force(data_dir, namespaces, key, HandClock(), Ids("daemon"), tell)


def state_of(data_dir, key, namespace="home"):
    with opened(data_dir, key, namespace=namespace) as store:
        return seal_of(store.connection).is_sealed, is_swept(store)


class TestKey:
    def test_a_new_key_is_a_key(self):
        one, other = new_key(), new_key()

        assert one != other
        assert len(key_from(one + "\n", "it").secret) == 32

    @pytest.mark.parametrize("text", ["", "no base64!", base64.b64encode(b"x" * 31).decode(), "ü"])
    def test_what_is_none_is_told_without_being_repeated(self, text):
        with pytest.raises(ConfigurationError, match="secret `faces` is no key") as refused:
            configured_key(Privacy(encryption_key=Secret("faces", text)))

        assert not text or text not in str(refused.value)

    def test_without_a_setting_there_is_none(self):
        assert configured_key(Privacy()) is None

    def test_a_command_reads_it_and_no_other_secret(self, tmp_path):
        path = tmp_path / "config.yaml"
        path.write_text(CONFIG)
        loaded = load(path, with_secrets=False)

        found = key_for_command(loaded, {"EDGED_SECRET_FACES": new_key()})
        missing = key_for_command(loaded, {})

        assert len(found.secret) == 32
        assert isinstance(missing, UnreadableKey)
        assert "faces" in missing.why


class TestStart:
    def test_what_is_plain_is_encrypted_and_progress_is_told(self, tmp_path, caplog):
        fill(tmp_path, None)
        told = []

        bring(tmp_path, a_key(), tell=lambda progress: told.append(str(progress)))

        assert state_of(tmp_path, a_key()) == (True, True)
        assert "namespace home: 12 of 12 pictures and embeddings" in told
        assert "12 pictures and embeddings were encrypted" in caplog.text
        assert not [piece for piece in plain_bytes() if piece in raw_bytes(tmp_path)]

    def test_so_is_what_no_feed_uses(self, tmp_path):
        fill(tmp_path, None, namespace="office")

        bring(tmp_path, a_key())

        assert state_of(tmp_path, a_key(), "office") == (True, True)

    def test_the_second_start_does_nothing(self, tmp_path):
        fill(tmp_path, None)
        bring(tmp_path, a_key())
        told = []

        bring(tmp_path, a_key(), tell=told.append)

        assert told == []

    def test_what_a_crash_left_is_cleared(self, tmp_path):
        fill(tmp_path, None)
        with opened(tmp_path, a_key()) as store:
            reseal(store, a_key())

        bring(tmp_path, a_key())

        assert state_of(tmp_path, a_key()) == (True, True)
        assert not [piece for piece in plain_bytes() if piece in raw_bytes(tmp_path)]

    def test_a_damaged_copy_that_was_put_aside_is_named(self, tmp_path, caplog):
        fill(tmp_path, None)
        aside = namespace_path(tmp_path, "home").with_name("home.db.corrupt-20240101T000000Z")
        aside.write_bytes(b"x")

        bring(tmp_path, a_key())

        assert f"{aside}, a damaged copy" in caplog.text

    @pytest.mark.parametrize(("key", "why"), [(None, "no key is configured"), (a_key(2), "another key")])
    def test_without_the_right_key_it_does_not_start_and_says_what_to_do(self, tmp_path, key, why):
        fill(tmp_path, a_key())

        with pytest.raises(ConfigurationError, match=why) as refused:
            bring(tmp_path, key)

        assert refused.value.exit_code == 78
        assert "edged privacy" in refused.value.remedy
        with opened(tmp_path, a_key()) as store:
            assert len(store.changes_since(0, MODEL).changed) == 1

    def test_a_namespace_that_nobody_serves_keeps_nobody_from_starting(self, tmp_path, caplog):
        fill(tmp_path, a_key(), namespace="office")

        bring(tmp_path, None)

        assert "namespace office: its encryption was not looked after" in caplog.text

    def test_of_what_nobody_serves_nothing_is_moved_and_no_foreign_file_is_touched(self, tmp_path, caplog):
        fill(tmp_path, None, namespace="office")
        damaged = namespace_path(tmp_path, "office")
        damaged.write_bytes(b"no database" + damaged.read_bytes()[11:])
        foreign = damaged.with_name("not a namespace.db")
        foreign.write_bytes(b"")

        bring(tmp_path, a_key())

        assert "namespace office: its encryption was not looked after" in caplog.text
        assert damaged.read_bytes()[:11] == b"no database"
        assert foreign.read_bytes() == b""

    def test_a_damaged_file_is_recovered_first_and_what_takes_its_place_is_encrypted(self, tmp_path):
        fill(tmp_path, None)
        path = namespace_path(tmp_path, "home")
        path.write_bytes(b"no database" + path.read_bytes()[11:])

        bring(tmp_path, a_key())

        assert state_of(tmp_path, a_key()) == (True, True)
        with opened(tmp_path, a_key()) as store:
            assert [person.name for person in store.identities()] == ["Ada"]

    def test_a_file_that_was_cut_to_nothing_is_not_taken_for_a_new_one(self, tmp_path):
        for namespace in ("home", "office"):
            fill(tmp_path, None, namespace=namespace)
            namespace_path(tmp_path, namespace).write_bytes(b"")

        bring(tmp_path, None)

        with opened(tmp_path, None) as store:
            assert [person.name for person in store.identities()] == ["Ada"]
        assert namespace_path(tmp_path, "office").read_bytes() == b"", "nobody looks after it"

    def test_a_damaged_file_stays_where_it_is_until_the_key_of_its_snapshots_is_there(self, tmp_path):
        fill(tmp_path, a_key())
        path = namespace_path(tmp_path, "home")
        damaged = b"no database" + path.read_bytes()[11:]
        path.write_bytes(damaged)

        with pytest.raises(ConfigurationError, match="another key"):
            bring(tmp_path, a_key(2))
        assert path.read_bytes() == damaged

        bring(tmp_path, a_key())
        with opened(tmp_path, a_key()) as store:
            assert [person.name for person in store.identities()] == ["Ada"]

    def test_an_empty_namespace_is_encrypted_before_anybody_is_enrolled(self, tmp_path):
        with opened(tmp_path, None):
            pass

        bring(tmp_path, a_key())
        with opened(tmp_path, a_key()) as store:
            store.add_identity("Ada", [a_new_face(1, chip=True)])

        assert not [piece for piece in plain_bytes() if piece in raw_bytes(tmp_path)]
