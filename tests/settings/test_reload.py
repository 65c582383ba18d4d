from typing import Any

import msgspec
import pytest

from edged.settings.feeds import Feed
from edged.settings.history import History, JobHistory, PictureHistory
from edged.settings.privacy import Chips, Privacy
from edged.settings.quantities import Duration, Secret
from edged.settings.recognition import Detection, Motion, Recognition
from edged.settings.reload import RELOADABLE, changes
from edged.settings.root import Log, Settings
from edged.settings.sinks import ConsoleSink, FileSink, MqttSink
from edged.settings.sources import RtspSource, UsbSource


def some_settings(**changed: Any) -> Settings:
    feed = Feed(id="door", source=RtspSource(url="rtsp://camera.example/1"))
    sink = MqttSink(host="broker.example", username="edged", password=Secret("mqtt", "hunter2"))
    return msgspec.structs.replace(Settings(feeds=(feed,), sinks=(sink,)), **changed)


def test_equal_configurations_change_nothing() -> None:
    reload = changes(some_settings(), some_settings())
    assert (reload.can, reload.needs_restart, reload.settings) == ((), (), some_settings())


def test_what_decisions_read_is_taken_over() -> None:
    new = some_settings(recognition=Recognition(margin=0.2), motion=Motion(enabled=False))
    reload = changes(some_settings(), new)
    assert reload.can == ("motion.enabled", "recognition.margin")
    assert reload.needs_restart == ()
    assert reload.settings == new


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        ({"data_dir": "/elsewhere"}, "data_dir"),
        ({"feeds": (Feed(id="door", source=UsbSource()),)}, "feeds[0].source"),
        (
            {"feeds": (Feed(id="door", fps=5, source=RtspSource(url="rtsp://camera.example/1")),)},
            "feeds[0].fps",
        ),
        ({"sinks": (ConsoleSink(), FileSink(path="a"))}, "sinks"),
        ({"log": Log(format="json")}, "log.format"),
        ({"detection": Detection(min_score=0.9)}, "detection.min_score"),
    ],
)
def test_what_is_in_open_things_needs_a_restart(changed: dict[str, Any], path: str) -> None:
    reload = changes(some_settings(), some_settings(**changed))
    assert (reload.can, reload.needs_restart) == ((), (path,))
    assert reload.settings == some_settings()


def test_limits_of_what_is_kept_are_taken_over_and_whether_it_is_kept_is_not() -> None:
    pictures = PictureHistory(keep=True, max_age=Duration(3600))
    new = some_settings(
        history=History(jobs=JobHistory(most=50), pictures=pictures),
        privacy=Privacy(chips=Chips(keep=False)),
    )
    reload = changes(some_settings(), new)
    assert reload.can == ("privacy.chips.keep", "history.jobs.most", "history.pictures.max_age")
    assert reload.needs_restart == ("history.pictures.keep",)
    assert reload.settings.history == History(
        jobs=JobHistory(most=50), pictures=PictureHistory(max_age=Duration(3600))
    )
    assert reload.settings.privacy == new.privacy


def test_of_a_mixed_change_only_the_one_half_is_taken_over() -> None:
    new = some_settings(
        log=Log(level="debug", format="json"), detection=Detection(min_score=0.9, min_face_px=40)
    )
    reload = changes(some_settings(), new)
    assert reload.can == ("log.level", "detection.min_face_px")
    assert reload.needs_restart == ("log.format", "detection.min_score")
    assert reload.settings.log == Log(level="debug")
    assert reload.settings.detection == Detection(min_face_px=40)


def test_a_changed_secret_is_told_by_its_path_alone() -> None:
    sink = MqttSink(host="broker.example", username="edged", password=Secret("mqtt", "hunter3"))
    reload = changes(some_settings(), some_settings(sinks=(sink,)))
    assert reload.needs_restart == ("sinks[0].password",)
    assert "hunter" not in repr(reload)


def test_a_duration_that_is_written_otherwise_is_no_change() -> None:
    one = some_settings(motion=Motion(hold=Duration.parse("1 min")))
    assert changes(one, some_settings(motion=Motion(hold=Duration.parse("60 s")))).can == ()


def test_every_reloadable_path_is_a_key() -> None:
    for path in RELOADABLE:
        value: Any = some_settings()
        for name in path.split("."):
            value = getattr(value, name)
