"""`edged calibrate`, as a person types it."""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from bench.daemon import FIXTURES
from builders.groups import THEN_MS, a_track_id
from builders.namespaces import OTHER_MODEL, HandClock, Ids, a_new_face, a_store, random_unit
from edged.app.group_model import calibrated_embedder
from edged.cli.main import main
from edged.domain.face import Embedding
from edged.domain.group import GroupedTrack, Membership, StrangeFace
from edged.domain.identity import NewFace
from edged.inference.catalogue import Catalogue
from edged.inference.runtime import find_runtime
from edged.recognition.grouping import founded_id
from edged.settings.groups import Groups
from edged.settings.recognition import Models
from edged.store.group_records import GroupRecords
from edged.store.namespace_files import namespace_path

MODEL = Catalogue().embedder_for("auto", find_runtime().name).sha256
USUAL_FACE = calibrated_embedder(Models(), Path("none"))[1].prototypes.mean(axis=0)
PHOTOGRAPHS = FIXTURES.parent / "reference" / "calibration-embeddings.npz"

CONFIG = """\
data_dir: {data}
feeds: [{{id: door, namespace: home, source: {{type: usb, device: /dev/video0}}}}]
sinks: [{{type: console}}]
{more}
"""


@pytest.fixture
def data(tmp_path):
    """The data folder."""
    return tmp_path / "data"


@pytest.fixture
def calibrate(data, capsys, monkeypatch):
    """Runs `edged calibrate …` on the data folder: exit code, output, errors."""
    monkeypatch.delenv("EDGED_CONFIG", raising=False)

    def run(*arguments):
        code = main(["calibrate", "--data-dir", str(data), *map(str, arguments)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def enrol(data, people: dict[str, Sequence[Embedding]], *, model: str = MODEL) -> None:
    with a_store(data, seed=model) as store:
        for name, faces in people.items():
            rows = [NewFace(model, face, None, 0.8, f"{name}-{row}.jpg") for row, face in enumerate(faces)]
            store.add_identity(name, rows)


def record(data, strangers: Iterable[Embedding], *, model: str = MODEL) -> None:
    """A group for each, of one track."""
    records = GroupRecords(data, ["home"], Groups(), HandClock(), Ids("daemon"))
    news = []
    for number, mean in enumerate(strangers):
        group, track = founded_id(a_track_id(number), ()), a_track_id(number)
        face = StrangeFace(mean, None, 0.8, 0.0, 0.0, THEN_MS)
        membership = Membership(group, 0, THEN_MS)
        news.append(
            (
                "home",
                GroupedTrack(track, "hall", membership, THEN_MS, THEN_MS + 900, model, mean, 1.0, (face,)),
            )
        )
    records.record(news)
    records.close()


def look_of(person: int) -> Embedding:
    """A face among faces: people are about .83 alike, as photographs of them are."""
    vector = USUAL_FACE + 0.45 * random_unit(person)
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


def nearly(face: Embedding, number: int, apart: float = 0.12) -> Embedding:
    """Another view of the same face."""
    vector = face + apart * random_unit(10_000 + number)
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


def views(person: int, count: int = 3, *, apart: float = 0.12) -> list[Embedding]:
    return [nearly(look_of(person), person * 10 + view, apart) for view in range(count)]


def content_of(data) -> list[str]:
    """Everything in the namespace's database, as SQL."""
    connection = sqlite3.connect(namespace_path(data, "home"))
    with closing(connection):
        return list(connection.iterdump())


class TestWhatIsMissing:
    def test_nobody_ever_enrolled(self, calibrate):
        code, out, err = calibrate()

        assert (code, out) == (1, "")
        assert "nobody is enrolled in namespace home" in err

    def test_nobody_left(self, calibrate, data):
        with a_store(data) as store:
            person = store.add_identity("Ada", [a_new_face(1, model=MODEL)])
            store.remove([person.id])

        code, _, err = calibrate()

        assert code == 1
        assert "`edged identities add` enrols" in err

    def test_faces_of_another_model(self, calibrate, data):
        enrol(data, {"Ada": views(1)}, model=OTHER_MODEL)

        code, _, err = calibrate()

        assert code == 65
        assert "none of the 3 enrolled faces in namespace home" in err
        assert f"by the model in use ({MODEL[:12]})" in err
        assert "Start the daemon once" in err

    def test_some_faces_of_another_model(self, calibrate, data):
        enrol(data, {"Ada": views(1)})
        enrol(data, {"Ben": views(2, 2)}, model=OTHER_MODEL)

        code, out, _ = calibrate()

        assert code == 0
        assert "1 person with 3 pictures" in out
        assert (
            "note: Not looked at, for want of an embedding by the model in use: 2 of the enrolled faces"
            in out
        )

    def test_one_person(self, calibrate, data):
        enrol(data, {"Ada": views(1)})

        assert "note: Only Ada is enrolled" in calibrate()[1]

    def test_one_face_each(self, calibrate, data):
        enrol(data, {"Ada": views(1, 1), "Ben": views(2, 1)})

        code, out, _ = calibrate()

        assert code == 0
        assert "note: Nobody has two different enrolled faces" in out
        assert "Ada: has one picture" in out

    def test_no_strangers_yet(self, calibrate, data):
        enrol(data, {"Ada": views(1), "Ben": views(2)})

        code, out, _ = calibrate()

        assert code == 0
        assert "note: No unknown people were recorded yet" in out
        assert "without recorded strangers no offset can be found" in out

    def test_groups_switched_off(self, calibrate, data, tmp_path):
        enrol(data, {"Ada": views(1), "Ben": views(2)})
        config = tmp_path / "config.yaml"
        config.write_text(CONFIG.format(data=data, more="groups: {enabled: false}"), "utf-8")

        assert "`groups.enabled` is off" in calibrate("--config", config)[1]

    def test_too_few_strangers(self, calibrate, data):
        enrol(data, {f"person {number}": views(number) for number in range(12)})
        record(data, (look_of(500 + number) for number in range(13)))

        out = calibrate()[1]

        assert (
            "13 strangers were recorded, and with 12 enrolled it takes 20 to find an offset. 7 are missing"
            in out
        )

    def test_groups_of_another_model(self, calibrate, data):
        enrol(data, {"Ada": views(1), "Ben": views(2)})
        record(data, [look_of(9)], model=OTHER_MODEL)

        assert "by the model in use: 1 of the groups." in calibrate()[1]

    @pytest.mark.parametrize(("level", "words"), [("0.001", "is no level"), ("1 in 3", "is out of bounds")])
    def test_a_level_that_is_none(self, calibrate, level, words):
        code, _, err = calibrate("--level", level)

        assert code == 1
        assert f"--level '{level}' {words}" in err


def test_who_is_missed_and_who_comes_by_as_a_stranger_is_told(calibrate, data):
    enrol(data, {"Ada Lovelace": views(1), "Ben": views(2), "Cleo": views(3, 2, apart=0.6)})
    record(data, [nearly(look_of(1), 77), *(look_of(500 + number) for number in range(5))])
    before = content_of(data)

    code, out, _ = calibrate("--level", "1 in 5_000")

    assert code == 0
    assert "  *  1 in 5_000    6 of 8" in out
    assert "Cleo: 2 of 2 pictures missed. 2 are enrolled: add more, of other days, light and angles." in out
    group = founded_id(a_track_id(0), ())[:8]
    assert f"group {group} looks like Ada Lovelace (0.9" in out
    assert f"name it with `edged groups name {group} --into 'Ada Lovelace'`, or forget it" in out
    assert content_of(data) == before


def test_json_has_all_of_it(calibrate, data):
    enrol(data, {"Ada": views(1), "Ben": views(2)})
    record(data, [look_of(500)])

    told = json.loads(calibrate("--json", "--level", "balanced")[1])

    assert (told["namespace"], told["modelHash"], told["people"], told["groups"]) == ("home", MODEL, 2, 1)
    assert [one["level"] for one in told["levels"] if one["isConfigured"]] == ["1 in 1_000"]
    assert told["levels"][0]["right"] == {
        "value": 1.0,
        "low": pytest.approx(0.541, abs=1e-3),
        "high": 1.0,
        "events": 6,
        "trials": 6,
        "interval": "exact",
    }
    assert told["proposal"]["strangersNeeded"] > told["proposal"]["strangers"] == 1
    assert told["proposal"]["proposed"] is None


@pytest.fixture(scope="module")
def photographs() -> dict[int, list[Embedding]]:
    """The second half of the people, each with their embeddings as the shipped recipe makes them."""
    with np.load(PHOTOGRAPHS, allow_pickle=False) as kept:
        vectors = kept["chip"].astype(np.float32) + kept["mirrored"].astype(np.float32)
        owners = kept["person"]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    half = np.unique(owners)[len(np.unique(owners)) // 2 :]
    return {int(person): list(vectors[owners == person]) for person in half}


@pytest.mark.skipif(not PHOTOGRAPHS.is_file(), reason=f"the photographs' embeddings are not at {PHOTOGRAPHS}")
class TestOfRealFaces:
    """The second half of LFW's people A to L: 20 enrolled with three pictures, 300 strangers.

    The calibration's cohort has seen these very people, which makes all of them a little less alike than
    people of a house would be: an offset below zero is what is to be expected.
    """

    def home(self, data, photographs, *, alike: float = 0.0) -> None:
        """The namespace; with `alike`, in a light that moves all faces towards one."""
        towards = photographs[max(photographs)][0]

        def lit(face: Embedding) -> Embedding:
            vector = face + alike * towards
            return np.asarray(vector / np.linalg.norm(vector), np.float32)

        random = np.random.default_rng(3)
        enough = [person for person, faces in photographs.items() if len(faces) >= 3]
        enrolled = random.choice(enough, 20, replace=False).tolist()
        others = random.permutation([person for person in photographs if person not in enrolled])[
            :300
        ].tolist()
        enrol(data, {f"person {one}": [lit(face) for face in photographs[one][:3]] for one in enrolled})
        record(data, (lit(photographs[one][0]) for one in others))

    def test_what_is_proposed_is_small(self, calibrate, data, photographs):
        self.home(data, photographs)

        told = json.loads(calibrate("--json")[1])

        proposal = told["proposal"]
        assert (told["people"], told["pictures"], proposal["strangers"]) == (20, 60, 300)
        assert abs(proposal["proposed"] or 0.0) <= 0.006
        assert proposal["high"] - proposal["low"] < 0.006
        strict = next(one for one in told["levels"] if one["level"] == "1 in 10_000")
        assert (strict["wrong"]["events"], strict["strangersNamed"]["events"]) == (0, 0)

    def test_in_a_light_that_makes_all_faces_alike_more_is_asked_for(self, calibrate, data, photographs):
        self.home(data, photographs, alike=0.3)

        code, out, _ = calibrate("--level", "relaxed")
        told = json.loads(calibrate("--level", "relaxed", "--json")[1])

        offset = told["proposal"]["proposed"]
        assert code == 0
        assert 0.008 <= offset <= 0.03
        assert f"recognition:\n      similarity_offset: {offset:g}\n" in out
        relaxed = next(one for one in told["levels"] if one["isConfigured"])
        assert relaxed["strangersNamed"]["value"] > 0.05
        assert told["asProposed"]["strangersNamed"]["low"] < 0.01
