"""`edged privacy report`, as a person types it."""

import json

import pytest

from builders.groups import a_grouped_track
from builders.history import a_seen_face, an_entry
from builders.namespaces import START_UTC_MS, HandClock, Ids, a_new_face, a_store
from builders.syncs import an_epoch
from edged.cli.main import main
from edged.settings.groups import Groups
from edged.store.database import transaction
from edged.store.feed_switches import FeedSwitches
from edged.store.group_records import GroupRecords
from edged.store.history_store import HistoryStore

CONFIG = """\
data_dir: {data}
feeds:
  - id: door
    source: {{type: file, path: clip.mp4}}
    masks:
      - {{name: neighbour, points: [{{x: 0, y: 0}}, {{x: 1, y: 0}}, {{x: 0, y: 1}}]}}
    schedule:
      - {{days: [mon], begin: "08:00", end: "18:00"}}
sinks:
  - {{type: mqtt, host: broker.example, image: sent}}
  - {{type: webhook, url: "https://hooks.example/secret-path?token=1"}}
privacy:
  chips: {{max_age: 90 d}}
"""


@pytest.fixture
def run(tmp_path, capsys, monkeypatch):
    """Runs `edged privacy report …` on a folder of its own: exit code, output, errors."""
    monkeypatch.delenv("EDGED_CONFIG", raising=False)
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG.format(data=tmp_path / "data"))

    def report(*arguments, config=config):
        where = ["--config", str(config)] if config else ["--data-dir", str(tmp_path / "data")]
        code = main(["privacy", "report", *where, *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return report


@pytest.fixture
def ada(tmp_path):
    """Ada, who is in everything, beside an unknown person."""
    folder = tmp_path / "data"
    with a_store(folder) as store:
        person = store.add_identity("Ada", [a_new_face(1, chip=True), a_new_face(2)], custom_id="emp-1")
        store.snapshots.take(store.connection, START_UTC_MS)
        seen = a_seen_face(11, identity_id=person.id)
        HistoryStore(store).record([an_entry(1, [seen, a_seen_face(12)], pictures=True)])
    records = GroupRecords(folder, ["home"], Groups(), HandClock(), Ids("daemon"))
    records.record([("home", a_grouped_track(1, 7, chips=True))])
    records.close()
    with a_store(folder, namespace="office", seed="office") as store:
        store.add_identity("Bob", [a_new_face(3)])
    FeedSwitches(folder).set("door", is_on=False)
    (folder / "namespaces" / "home.db.corrupt-20240101T000000Z").write_bytes(b"old")
    return person


@pytest.mark.usefixtures("ada")
def test_everything_that_is_kept_is_counted_with_its_limits(run, tmp_path):
    file = tmp_path / "data" / "namespaces" / "home.db"
    before = file.read_bytes()
    code, out, err = run("--json")

    assert (code, err) == (0, "")
    told = json.loads(out)
    home, office = told["namespaces"]
    kept = {one["what"]: one for one in home["kept"]}
    assert {what: one["number"] for what, one in kept.items()} == {
        "people": 1,
        "faces": 2,
        "crops": 1,
        "embeddings": 2,
        "unknownPeople": 1,
        "unknownTracks": 1,
        "unknownFaces": 2,
        "jobs": 1,
        "seenFaces": 2,
        "pictures": 2,
        "tombstones": 0,
    }
    assert kept["seenFaces"]["oldestGoesAt"] == START_UTC_MS + 7 * 86_400_000
    assert kept["crops"]["maxAgeMs"] == 90 * 86_400_000
    assert kept["people"]["kept"] == "until somebody erases them"
    assert kept["pictures"]["keep"] is False
    assert kept["jobs"]["sizeBytes"] > 100
    assert [one["name"] for one in home["people"]] == ["Ada"]
    assert [one["name"] for one in office["people"]] == ["Bob"]
    assert (home["encrypted"], len(home["snapshots"])) == (False, 1)
    assert told["damagedCopies"][0]["sizeBytes"] == 3
    assert told["feeds"][0]["masks"] == ["neighbour"]
    assert told["feeds"][0]["on"] is False
    assert told["feeds"][0]["schedule"] == ["mon 08:00 to 18:00"]
    mqtt, webhook = told["sinks"]
    assert (mqtt["where"], mqtt["encryptedInTransit"], mqtt["image"]) == (
        "broker.example:1883",
        False,
        "sent",
    )
    assert (webhook["where"], webhook["encryptedInTransit"]) == ("https://hooks.example", True)
    assert "secret-path" not in out
    assert file.read_bytes() == before


@pytest.mark.usefixtures("ada")
def test_people_read_it_too(run):
    code, out, _ = run()

    assert code == 0
    assert "namespace home" in out
    assert "2 faces seen in jobs" in out
    assert "which goes 2023-11-21" in out
    assert "NOT encrypted: others may read along" in out
    assert "delete it when nothing is wanted of it" in out
    assert "blacked out: neighbour; looked at: mon 08:00 to 18:00, switched off" in out
    assert "nobody may ask: there is no API" in out


def test_what_is_kept_of_one_person_can_be_handed_to_them(run, ada):
    code, out, _ = run("--person", "emp-1", "--json")

    told = json.loads(out)
    kept = {one["what"]: one["number"] for one in told["kept"]}
    assert code == 0
    assert kept == {"faces": 2, "crops": 1, "embeddings": 2, "jobs": 1, "seenFaces": 1, "pictures": 1}
    assert (told["name"], told["customId"], told["seenAt"]) == ("Ada", "emp-1", ["door"])
    assert "Bob" not in out

    words = run("--person", "Ada")[1]
    assert words.startswith("What is kept about Ada")
    assert f"edged erase {ada.id} --namespace home" in words


@pytest.mark.usefixtures("ada")
def test_a_person_is_found_in_any_namespace_unless_one_is_named(run):
    assert run("--person", "Bob")[0] == 0
    code, _, err = run("--person", "Bob", "--namespace", "home")
    assert code == 1
    assert "nobody enrolled here is 'Bob'" in err


@pytest.mark.usefixtures("ada")
def test_whatever_words_the_name_has(run, tmp_path):
    name = "who is more than one person"
    with a_store(tmp_path / "data", namespace="office", seed="third") as store:
        store.add_identity(name)

    assert run("--person", name)[0] == 0


def test_a_name_in_two_namespaces_is_refused_with_both(run, ada, tmp_path):
    with a_store(tmp_path / "data", namespace="office", seed="twin") as store:
        twin = store.add_identity("Ada")

    code, _, err = run("--person", "Ada")

    assert code == 1
    assert ada.id in err
    assert twin.id in err


@pytest.mark.usefixtures("ada")
def test_without_a_configuration_it_says_what_is_there_and_that_limits_are_not_known(run):
    code, out, _ = run(config=None)

    assert code == 0
    assert "1 people enrolled" in out
    assert "no configuration was found" in out


@pytest.mark.usefixtures("ada")
def test_a_file_that_cannot_be_read_is_said_and_refuses_an_answer_about_a_person(run, tmp_path):
    (tmp_path / "data" / "namespaces" / "cellar.db").write_bytes(b"no database " * 1000)

    assert "cannot be read" in run()[1]
    assert run("--person", "Ada")[0] == 74


def test_an_empty_folder_has_nothing(run):
    code, out, _ = run()

    assert code == 0
    assert "there is no outbox" in out


@pytest.fixture
def synced(run, ada, tmp_path):  # noqa: ARG001 - it writes the configuration, which is added to
    """The same, and the namespace is synced: from here to a member that has not confirmed an erasure."""
    with a_store(tmp_path / "data", seed="sync") as store:
        an_epoch(store, epoch=3)
        with transaction(store.connection):
            store.connection.execute("UPDATE sync_epoch SET erased_epoch = 3")
            store.connection.execute(
                "INSERT INTO sync_member (node, node_key, sealing_key, authority_key, joined_ms)"
                " VALUES ('hall', zeroblob(32), zeroblob(32), zeroblob(32), 0)"
            )
    with (tmp_path / "config.yaml").open("a") as file:
        file.write("sync: {chips: true, mirror: 'https://pages.example/secret/path'}\n")
    return ada


@pytest.mark.usefixtures("synced")
def test_what_sync_carries_elsewhere_is_told_with_who_has_not_confirmed_an_erasure(run):
    _, out, _ = run("--json")
    (home,) = [one for one in json.loads(out)["namespaces"] if one["namespace"] == "home"]

    sync = home["sync"]
    assert (sync["role"], sync["members"], sync["erasureNotConfirmedBy"]) == ("authority", ["hall"], ["hall"])
    assert sync["carried"] == ["names", "customIds", "embeddings", "crops"]
    assert (sync["broker"], sync["encryptedInTransit"]) == ("broker.example:1883", False)
    assert sync["mirror"] == "https://pages.example"
    assert "secret" not in out.replace("secret-path", "")


@pytest.mark.usefixtures("synced")
def test_a_person_is_told_of_it_too(run):
    _, out, _ = run("--person", "Ada")

    assert "kept the same on other nodes, as authority kitchen, over the broker broker.example:1883" in out
    assert "have not confirmed the last erasure: hall" in out


@pytest.mark.usefixtures("ada")
def test_of_a_namespace_that_is_not_synced_nothing_is_told_of_it(run):
    assert "other nodes" not in run()[1]
