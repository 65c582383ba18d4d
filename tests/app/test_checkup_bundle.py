"""The archive for an issue report holds nothing that is nobody else's business: planted, and looked for."""

import base64
import json
import re
import stat
import tarfile
import unicodedata
from urllib.parse import quote

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bench.daemon import secret
from builders.doctor import a_configuration, examined
from builders.namespaces import HandClock, Ids, a_new_face, random_chip, random_unit
from edged.app.checkup.bundle import write_bundle
from edged.app.checkup.censor import Censor
from edged.domain.errors import InputError
from edged.store.namespace_chips import chip_to_png
from edged.store.namespace_files import namespace_path
from edged.store.namespace_store import NamespaceStore

SECRETS = {
    "camera": "cam-Pass_7731/ü",
    "mqtt": 'mq"tt\\4471',
    "hook": "whsec_" + base64.b64encode(b"hook-secret-of-24-bytes!").decode(),
    "client": "client-secret-90210-long",
    "metrics": "metrics-token-55512-long",
}
PEOPLE = {"Zoë Quartermaine": "employee-778812", "Olu Adebayo-Finch": "OAF_31337", "Xi": "0099887766"}
IN_ADDRESSES = {
    "url path": "T0PS3CR3TPATHxyz",
    "query": "querysecret123",
    "userinfo": "hunter2pw",
    "camera host": "frontcam.example.net",
    "broker host": "broker-9.example.net",
    "hook host": "hooks.example.net",
    "address": "192.0.2.77",
    "ipv6": "2001:db8::77",
    "mac": "de:ad:be:ef:00:77",
    "user": "camera-operator-5",
    "e-mail": "zq@people.example.net",
}
IMAGES = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"RIFF", b"WEBP", b"JFIF")

LOG = f"""\
feed hall: unreachable: rtsp://operator:hunter2pw@frontcam.example.net:554/live?k=querysecret123
Zoë Quartermaine came; ZOË QUARTERMAINE (employee-778812), Xi, Olu Adebayo-Finch, OAF_31337
{quote("Zoë Quartermaine")} and {json.dumps("Zoë Quartermaine")} and Quartermaine alone
{unicodedata.normalize("NFD", "Zoë Quartermaine")} 0099887766
password cam-Pass_7731/ü and {quote("cam-Pass_7731/ü", safe="")}, {json.dumps(SECRETS["mqtt"])}
POST https://hooks.example.net/api/T0PS3CR3TPATHxyz from 192.0.2.77 and [2001:db8::77]:443
de:ad:be:ef:00:77 camera-operator-5 zq@people.example.net {SECRETS["client"]}
2026-01-01T00:00:07+00:00 Ready: 1 feed, device bench
"""


def a_whole_configuration(folder):
    (folder / "secrets").mkdir(parents=True)
    for name, value in SECRETS.items():
        (folder / "secrets" / name).write_text(value)
        (folder / "secrets" / name).chmod(0o600)
    camera = {
        "type": "rtsp",
        "url": "rtsp://frontcam.example.net:8554/Streaming/T0PS3CR3TPATHxyz/102?token=querysecret123",
        "username": "camera-operator-5",
        "password": secret("camera"),
        "backend": "ffmpeg",
        "ffmpeg_input": ["-hwaccel", "drm", "-headers", "X-Key: querysecret123"],
    }
    points = [{"x": 0.0, "y": 0.0}, {"x": 1.0, "y": 0.0}, {"x": 1.0, "y": 1.0}]
    feed = {
        "id": "hall",
        "source": camera,
        "masks": [{"name": "Zoë Quartermaine", "points": points}],
    }
    broker = {"host": "broker-9.example.net", "username": "camera-operator-5", "password": secret("mqtt")}
    hook = {"url": "https://hooks.example.net/api/T0PS3CR3TPATHxyz", "secret": secret("hook")}
    http = {
        "listen": "127.0.0.1:18080",
        "clients": [{"id": "app", "secret": secret("client")}],
        "metrics": {"token": secret("metrics")},
    }
    return a_configuration(
        folder,
        feeds=[feed],
        sinks=[{"type": "mqtt", **broker}, {"type": "webhook", **hook}],
        http=http,
    )


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundle")
    config = a_whole_configuration(folder)
    with NamespaceStore.open(namespace_path(folder / "data", "home"), HandClock(), Ids()) as store:
        for number, (name, custom_id) in enumerate(PEOPLE.items()):
            store.add_identity(name, [a_new_face(number, chip=True)], custom_id=custom_id)
    examination, findings = examined(config, "machine", "configuration", "store")
    written = write_bundle(examination, findings, folder, read_log=lambda: LOG)
    with tarfile.open(written.path) as archive:
        members = {one.name: archive.extractfile(one).read() for one in archive.getmembers()}
    return written, members


def planted():
    whole = {**SECRETS, **IN_ADDRESSES}
    people = {one for pair in PEOPLE.items() for one in pair}
    words = {*whole.values(), *people, "Quartermaine", "Adebayo-Finch"}
    return words | {quote(word) for word in words} | {json.dumps(word)[1:-1] for word in words}


def test_nothing_that_was_planted_is_in_it(bundle):
    _, members = bundle
    for name, content in members.items():
        text = unicodedata.normalize("NFC", content.decode()).casefold()
        found = [word for word in planted() if len(word) > 2 and word.casefold() in text]
        assert found == [], name
        assert " xi," not in text


def test_no_picture_and_no_embedding_is_in_it(bundle):
    written, members = bundle
    faces = [chip_to_png(random_chip(number)) for number in range(len(PEOPLE))]
    vectors = [random_unit(number).astype("<f4").tobytes() for number in range(len(PEOPLE))]
    raw = [content for blob in faces + vectors for content in (blob[:32], base64.b64encode(blob[:30]))]
    for name, content in members.items():
        assert content.decode(), f"{name} is text"
        assert [blob for blob in [*raw, *IMAGES] if blob in content] == []
    assert [blob for blob in raw if blob in written.path.read_bytes()] == []


def test_what_a_maintainer_needs_is_left(bundle):
    _, members = bundle
    shown = yaml.safe_load(members["edged-doctor/configuration.yaml"])
    source = shown["feeds"][0]["source"]

    camera = source["url"].removesuffix(":8554/Streaming/…/102?…=…")
    assert re.fullmatch(r"rtsp://host-\d+", camera), source["url"]
    assert source["ffmpeg_input"] == ["-hwaccel", "drm", "-headers", "…"]
    assert source["password"] == "**** (camera)"
    assert shown["feeds"][0]["id"] == "hall"
    log = members["edged-doctor/log.txt"].decode()
    assert f"{camera}:554/live" in log, "the same host has the same name everywhere"
    assert "Ready: 1 feed, device bench" in log
    assert "3 people" in members["edged-doctor/findings.txt"].decode()
    assert [json.loads(line)["what"] for line in members["edged-doctor/findings.jsonl"].splitlines()]
    databases = json.loads(members["edged-doctor/databases.json"])
    assert databases["namespace home"]["counts"]["faces"] == 3


def test_it_is_for_its_owner_alone_lists_itself_and_is_named_by_device_and_time(bundle):
    written, members = bundle
    assert stat.S_IMODE(written.path.stat().st_mode) == 0o600
    assert written.path.name.startswith("edged-doctor-bench-2")
    assert {f"edged-doctor/{name}" for name, _ in written.contents} == set(members)
    readme = members["edged-doctor/README.txt"].decode()
    assert all(name in readme for name, _ in written.contents[1:])
    assert list(written.path.parent.glob(".*.partial")) == []


def test_it_overwrites_nothing(tmp_path):
    examination, findings = examined(a_configuration(tmp_path / "x"), "configuration")
    there = tmp_path / "there.tar.gz"
    there.write_text("mine")
    with pytest.raises(InputError, match="is there already"):
        write_bundle(examination, findings, there, read_log=lambda: "")
    assert there.read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["there.tar.gz", "x"]


def test_where_the_names_of_people_cannot_be_read_no_log_goes_along(tmp_path):
    config = a_configuration(tmp_path)
    (tmp_path / "data" / "namespaces").mkdir(parents=True)
    (tmp_path / "data" / "namespaces" / "home.db").write_bytes(b"no database" * 1000)
    examination, findings = examined(config, "configuration")
    written = write_bundle(examination, findings, tmp_path / "b.tar.gz", read_log=lambda: LOG)
    assert "log.txt" not in dict(written.contents)


def test_a_wrong_configuration_gives_an_archive_all_the_same(tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text("feeds: []\n")
    examination, findings = examined(config, "configuration")
    written = write_bundle(examination, findings, tmp_path / "b.tar.gz", read_log=lambda: LOG)
    assert dict(written.contents).keys() == {"README.txt", "findings.txt", "findings.jsonl", "models.json"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("12:30:45 edged 0.1.0, OpenCV 5.0.0", "12:30:45 edged 0.1.0, OpenCV 5.0.0"),
        ("http://127.0.0.1:8080/healthz", "http://127.0.0.1:8080/healthz"),
        ("rtsp://10.0.0.3/h264_stream", "rtsp://host-1/h264_stream"),
        ("rtsp://c/user=admin_password=x_channel=1", "rtsp://host-1/…"),
        ("from 10.0.0.3 and 10.0.0.4, 10.0.0.3", "from host-1 and host-2, host-1"),
        ("fe80::1 at 0a:1b:2c:3d:4e:5f", "host-1 at (hardware address)"),
        ("/home/zoe/clips/a.mp4", "/home/…/clips/a.mp4"),
        ("host-3 again", "host-3 again"),
    ],
)
def test_addresses_are_left_out_and_figures_stay(text, told):
    assert Censor().text(text) == told


def test_names_are_words_of_their_own_and_short_numbers_stay():
    censor = Censor(people=["Al", "17"])
    assert censor.text("Al also sees 17 faces; al") == "person-1 also sees 17 faces; person-1"


@given(
    secret_text=st.text(min_size=4).filter(lambda text: text.strip("*")),
    around=st.tuples(st.text(), st.text()),
)
def test_no_secret_is_left_whatever_it_is_made_of(secret_text, around):
    censor = Censor(secrets=[secret_text])
    assert secret_text not in censor.text(secret_text.join(around)).replace("****", "")


@given(
    name=st.text(st.characters(categories=("Lu", "Ll"), max_codepoint=0x24F), min_size=2).filter(
        lambda name: name.casefold() not in "person host address hardware"
    ),
    between=st.sampled_from([" ", ", ", "_", "/", ": ", '"', "-"]),
)
def test_no_name_is_left_in_any_spelling(name, between):
    spelt = [name, name.upper(), unicodedata.normalize("NFD", name), quote(name), json.dumps(name)[1:-1]]
    text = between + between.join(spelt) + between
    assert name.casefold() not in Censor(people=[name]).text(text).casefold()
