"""The longer ways through the commands of `edged sync`, on nodes that run, over a real mosquitto.

`scripts/test-sync-roles` runs them; nobody else does, because they take half a minute.
"""

import functools
import http.server
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from bench.mosquitto import IS_INSTALLED, WHY_NOT, Mosquitto, eventually
from builders.houses import CommandedHouse
from edged.domain.sync_state import SyncRole, SyncState
from edged.replication.invitation import read_code
from edged.replication.keys import SEED_BYTES
from edged.system.clock import SystemClock

pytestmark = pytest.mark.skipif(not IS_INSTALLED, reason=WHY_NOT)

Village = Callable[..., CommandedHouse]


@pytest.fixture
def house(tmp_path) -> Iterator[Village]:
    """Makes houses at one broker; they are stopped at the end."""
    with ExitStack() as stack:
        broker = stack.enter_context(Mosquitto(persistence=False))

        def made(name: str, folder: str | None = None, **sync: object) -> CommandedHouse:
            one = CommandedHouse(tmp_path / (folder or name), name, broker, **sync)
            stack.callback(one.stop)
            return one

        yield made


def authority(house: Village, **sync: object) -> CommandedHouse:
    attic = house("attic", **sync)
    attic.sync("init")
    attic.enrol("Ada", 1)
    attic.start()
    eventually(lambda: attic.is_as(SyncRole.AUTHORITY), "attic to publish")
    return attic


def member(house: Village, attic: CommandedHouse, name: str, **sync: object) -> CommandedHouse:
    one = house(name, **sync).start()
    one.sync("join", attic.sync("invite").out.strip())
    return one


def everywhere(*houses: CommandedHouse, names: list[str]) -> None:
    eventually(lambda: all(each.names() == names for each in houses), f"{names} everywhere")


@pytest.fixture
def word(tmp_path) -> tuple[str, str]:
    path = tmp_path / "word"
    path.write_text("six words nobody would put together\n")
    return "--passphrase-file", str(path)


# --- joining


def test_a_code_that_is_of_no_use_says_why(house):
    attic, barn = authority(house), house("barn")
    code = attic.sync("invite").out.strip()
    late = attic.sync("invite", "--expires", "1 s").out.strip()
    for words, hint in (
        ((code[:-3],), "mistyped"),
        (("hello",), "begins with `edged1-`"),
        ((), "one invitation is needed"),
        ((code, "--namespace", "office"), "the invitation is to home"),
    ):
        said = barn.edged("sync", "join", *words)
        assert said.code != 0
        assert hint in said.err
    assert not list(barn.data_dir.iterdir())

    eventually(lambda: read_code(late).expires_ms < SystemClock().moment().utc_ms, "the time to be over")
    assert "has run out" in barn.edged("sync", "join", late).err
    assert barn.sync("join", code).out == "joined home: 1 person\n"
    cellar = house("cellar")
    for start in (lambda: None, cellar.start):
        start()
        said = cellar.edged("sync", "join", code, "--wait", "2 s")
        assert said.code == 75
        assert "used up" in said.err
    assert cellar.sync("join", attic.sync("invite").out.strip()).out == "joined home: 1 person\n"


def test_who_was_enrolled_at_a_node_before_it_joined_is_proposed(house):
    attic, barn = authority(house), house("barn")
    barn.enrol("Bea", 9)
    code = attic.sync("invite").out.strip()
    assert "nobody to ask" in barn.edged("sync", "join", code).err
    assert barn.row is None
    barn.sync("join", code, "--yes")
    barn.start()

    everywhere(attic, barn, names=["Ada", "Bea"])


# --- a lost authority


def test_a_backup_is_restored_on_a_new_machine_and_takes_over_what_came_after_it(house, tmp_path, word):
    attic = authority(house)
    barn = member(house, attic, "barn")
    attic.sync("backup", str(tmp_path / "backup"), *word)
    attic.enrol("After", 2)
    everywhere(barn, names=["Ada", "After"])
    attic.stop()

    other = house("den")
    said = other.edged("sync", "restore", str(tmp_path / "backup"), *word, "--yes")
    assert said.code == 1
    assert "`device: attic`" in said.err
    other.configure(device="attic")
    other.sync("restore", str(tmp_path / "backup"), *word, "--yes")
    assert other.edged("sync", "restore", str(tmp_path / "backup"), *word, "--yes").code == 1
    other.sync("restore", str(tmp_path / "backup"), *word, "--yes", "--replace")
    other.start()
    other.enrol("Den", 3)
    everywhere(other, barn, names=["Ada", "After", "Den"])


def test_two_writers_are_noticed_and_settled_by_the_commands_of_the_page(house, tmp_path, word):
    attic = authority(house)
    barn = member(house, attic, "barn")
    attic.sync("backup", str(tmp_path / "backup"), *word)
    attic.stop()
    new = house("attic", "new")
    new.sync("restore", str(tmp_path / "backup"), *word, "--yes")
    new.start()
    new.enrol("Right", 2)
    everywhere(new, barn, names=["Ada", "Right"])
    # The lost one is found, and somebody enrols there.
    attic.enrol("Wrong", 3)
    attic.start()
    eventually(lambda: attic.row.role is SyncRole.SPLIT, "attic to stop")
    said = attic.edged("sync", "status")
    assert said.code == 1
    assert '"Two writers"' in said.out
    assert '"Two writers"' in attic.edged("sync", "invite").err
    assert attic.edged("sync", "init", "--refound", "--yes").code == 1
    attic.sync("leave", "--yes")
    attic.stop()
    assert not (attic.data_dir / "sync" / "home.key").exists()

    new.stop()
    new.sync("backup", str(tmp_path / "settled"), *word)
    new.sync("restore", str(tmp_path / "settled"), *word, "--yes", "--replace")
    new.start()
    new.enrol("Settled", 4)
    everywhere(new, barn, names=["Ada", "Right", "Settled"])
    attic.configure(device="attic-2")
    attic.sync("join", new.sync("invite").out.strip(), "--yes")
    attic.start()
    everywhere(attic, new, barn, names=["Ada", "Right", "Settled", "Wrong"])


def test_a_namespace_is_founded_anew_at_a_member_and_the_others_are_told(house):
    attic = authority(house)
    barn, cellar = member(house, attic, "barn"), member(house, attic, "cellar")
    attic.stop()
    assert "nobody to ask" in barn.edged("sync", "init", "--refound").err
    barn.sync("init", "--refound", "--yes")
    eventually(lambda: cellar.is_as(SyncRole.MEMBER, SyncState.UNTRUSTED), "cellar not to believe it")
    cellar.status()
    said = cellar.edged("sync", "status")
    assert said.code == 1
    assert "edged sync join CODE" in said.out
    code = barn.sync("invite").out.strip()
    assert "nobody to ask" in cellar.edged("sync", "join", code).err
    cellar.sync("join", code, "--yes")
    barn.enrol("Bob", 2)
    everywhere(barn, cellar, names=["Ada", "Bob"])


# --- pages beside the broker, secrets beside the data folder, receipts


def test_pages_that_were_exported_are_fetched_from_a_web_server(house, tmp_path):
    www = tmp_path / "www"
    www.mkdir()
    asked = []

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *words: object) -> None:
            asked.append(words)

    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=str(www))
    ) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            attic = authority(house, pages="mirror", export=str(www))
            mirror = f"http://127.0.0.1:{server.server_address[1]}"
            barn = member(house, attic, "barn", mirror=mirror)
            attic.enrol("Bob", 2)
            everywhere(attic, barn, names=["Ada", "Bob"])
        finally:
            server.shutdown()
            thread.join()
    assert asked
    for one in (attic, barn):
        out = one.sync("export", str(tmp_path / f"of-{one.name}")).out
        assert f"of epoch {attic.epoch}" in out
    pages = [
        {path.name for path in (tmp_path / f"of-{name}" / "home").iterdir()} for name in ("attic", "barn")
    ]
    assert pages[0] == pages[1] <= {path.name for path in (www / "home").iterdir()}


def test_a_secret_of_the_configuration_that_is_none_is_said_with_what_to_do(house):
    attic = authority(house)
    barn = house("barn")
    barn.keep_secret("home_sync", "too short")
    barn.configure(keys=[{"namespace": "home", "key": "!secret home_sync"}])
    said = barn.edged("sync", "join", attic.sync("invite").out.strip())
    assert said.code == 78
    assert "edged sync new-key" in said.err
    barn.configure()
    barn.sync("join", attic.sync("invite").out.strip())
    barn.configure(keys=[{"namespace": "home", "key": "!secret home_sync"}])
    barn.start()
    eventually(lambda: barn.is_as(SyncRole.MEMBER, SyncState.NO_KEY), "barn to say that it has none")
    assert f"it must be {SEED_BYTES} bytes" in barn.trouble
    assert "edged sync new-key" in barn.trouble
    assert "too short" not in barn.trouble


def test_who_has_not_confirmed_an_erasure_is_named(house):
    attic = authority(house)
    barn, cellar = member(house, attic, "barn"), member(house, attic, "cellar")
    eventually(lambda: attic.is_followed_by("barn", "cellar"), "both to report")
    cellar.stop()
    said = attic.edged("identities", "erase", "Ada", "--yes", "--wait", "3 s")
    assert said.code == 75
    assert "barn  confirmed" in said.out
    assert "cellar  not yet, last heard" in said.out
    assert barn.names() == []
    assert cellar.names() == ["Ada"]
    cellar.start()
    everywhere(cellar, names=[])
