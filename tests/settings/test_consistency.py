import pytest

from edged.settings.consistency import conflicts, doubts, repeated
from edged.settings.feeds import Crop, Feed, Retry
from edged.settings.http import Client, Http, HttpTls
from edged.settings.quantities import Duration, Secret, Section
from edged.settings.recognition import Motion, Quality, Recognition, Sightings
from edged.settings.root import Settings
from edged.settings.sinks import ConsoleSink, MqttSink, MqttTls
from edged.settings.sources import FileSource, HttpSource, ImagesSource, RtspSource, SnapshotSource, UsbSource

ADDRESS = "rtsp://camera.example/1"
PASSWORD = Secret("camera", "hunter2")
CLIENTS = (Client(id="home-automation", secret=PASSWORD),)
TLS = HttpTls(certificate_file="a.pem", key_file="a.key")


@pytest.mark.parametrize(
    ("section", "key"),
    [
        (Retry(first=Duration(31), most=Duration(30)), "first"),
        (Crop(x_min=0.5, x_max=0.5), "x_min"),
        (Crop(y_min=0.6, y_max=0.5), "y_min"),
        (Motion(open_at=0.1, close_at=0.1), "close_at"),
        (Quality(min_brightness=240), "min_brightness"),
        (Recognition(min_faces=6, unknown_after=5), "min_faces"),
        (Recognition(embeddings_per_s_decided=6), "embeddings_per_s_decided"),
        (Sightings(min_interval=Duration(4)), "min_interval"),
        (Sightings(max_age=Duration(2)), "close_after"),
        (RtspSource(url=ADDRESS, ffmpeg_input=("-hwaccel", "drm")), "ffmpeg_input"),
        (RtspSource(url=ADDRESS, password=PASSWORD), "password"),
        (HttpSource(url="http://camera.example/", password=PASSWORD), "password"),
        (SnapshotSource(url="http://camera.example/", password=PASSWORD), "password"),
        (FileSource(path="a.mp4", ffmpeg_input=("-an",)), "ffmpeg_input"),
        (FileSource(path="a.mp4", start="2023-02-29T00:00:00Z"), "start"),
        (ImagesSource(path="a", start="2023-02-30T00:00:00Z"), "start"),
        (UsbSource(width_px=640), "width_px"),
        (UsbSource(height_px=480), "height_px"),
        (MqttSink(host="broker.example", password=PASSWORD), "password"),
        (MqttTls(certificate_file="a.pem"), "certificate_file"),
        (MqttTls(key_file="a.key"), "key_file"),
        (MqttTls(certificate_file="a.pem", key_password=PASSWORD), "key_password"),
        (Http(clients=CLIENTS, listen="127.0.0.1:65536"), "listen"),
        (Http(clients=CLIENTS, listen="0.0.0.0:8080"), "listen"),
        (Http(clients=CLIENTS, listen="[::]:8080"), "listen"),
        (Http(clients=CLIENTS, listen="camera.example:8080"), "listen"),
        (Http(clients=CLIENTS, trusted_proxies=("10.0.0.1", "proxy.example")), "trusted_proxies"),
    ],
)
def test_keys_that_contradict_each_other_are_found(section: Section, key: str) -> None:
    found = list(conflicts(section))
    assert key in [conflict.key for conflict in found]
    assert all("hunter2" not in conflict.what for conflict in found)


@pytest.mark.parametrize(
    "section",
    [
        Retry(first=Duration(30), most=Duration(30)),
        Crop(),
        Motion(),
        Quality(),
        Recognition(min_faces=5, unknown_after=5),
        Sightings(),
        RtspSource(url=ADDRESS, backend="ffmpeg", ffmpeg_input=("-an",), username="a", password=PASSWORD),
        UsbSource(width_px=640, height_px=480),
        MqttTls(certificate_file="a.pem", key_file="a.key", key_password=PASSWORD),
        FileSource(path="a.mp4", start="2024-02-29T23:59:59.999Z"),
        ConsoleSink(),
        Http(clients=CLIENTS),
        Http(clients=CLIENTS, listen="[::1]:65535"),
        Http(clients=CLIENTS, listen="localhost:1"),
        Http(clients=CLIENTS, listen="0.0.0.0:8080", tls=TLS),
        Http(clients=CLIENTS, listen="192.0.2.1:80", allow_plain=True),
        Http(clients=CLIENTS, trusted_proxies=("10.0.0.1", "fd00::/8", "192.168.1.7/24")),
    ],
)
def test_keys_that_go_together_are_left_alone(section: Section) -> None:
    assert list(conflicts(section)) == []


def test_a_conflict_says_both_values_in_the_words_of_the_file() -> None:
    (conflict,) = conflicts(Retry(first=Duration(40), most=Duration(30)))
    assert conflict.what == "is 40 s, and must be at most `most`, which is 30 s"


def test_names_that_come_again_are_told_with_their_first_place() -> None:
    assert list(repeated(["a", "b", "a", None, "a", None])) == [(2, 0), (4, 0)]


def test_a_password_in_a_query_is_doubted_and_not_repeated() -> None:
    feed = Feed(id="door", source=RtspSource(url="rtsp://camera.example/?user=edged&password=hunter2"))
    (doubt,) = doubts(Settings(feeds=(feed,), sinks=(ConsoleSink(),)))
    assert doubt.startswith("feeds[0].source.url: holds a password")
    assert "hunter2" not in doubt


def test_a_namespace_without_feed_is_doubted() -> None:
    feed = Feed(id="door", source=RtspSource(url=ADDRESS))
    settings = Settings(feeds=(feed,), sinks=(ConsoleSink(namespaces=("home", "hmoe")),))
    assert list(doubts(settings)) == ["sinks[0].namespaces: no feed has the namespace `hmoe`"]
