from collections.abc import Callable, Iterator

import pytest

from edged.domain.moment import Moment
from edged.store.outbox import FILE_NAME, Outbox
from edged.store.outbox_rescue import rescue

START = Moment(steady_ms=5_000_000, utc_ms=1_790_000_000_000)


@pytest.fixture
def an_outbox(tmp_path) -> Iterator[Callable[[], Outbox]]:
    opened: list[Outbox] = []

    def make() -> Outbox:
        for earlier in opened:
            earlier.close()
        outbox = Outbox(tmp_path)
        outbox.begin(START, "boot")
        opened.append(outbox)
        return outbox

    yield make
    for outbox in opened:
        outbox.close()


def test_what_a_broker_keeps_is_known_to_the_next_run(an_outbox):
    an_outbox().note_retained("mqtt", "b:1", {"edged/a": "", "edged/b": '{"x": "sensor"}'})
    assert an_outbox().retained("mqtt", "b:1") == {"edged/a": "", "edged/b": '{"x": "sensor"}'}


def test_sinks_and_brokers_are_apart(an_outbox):
    outbox = an_outbox()
    outbox.note_retained("mqtt", "b:1", {"edged/a": ""})
    assert outbox.retained("mqtt", "b:2") == outbox.retained("other", "b:1") == {}


def test_a_topic_is_noted_anew_with_other_parts_and_forgotten_when_it_is_cleared(an_outbox):
    outbox = an_outbox()
    outbox.note_retained("mqtt", "b:1", {"edged/a": "", "edged/b": ""})
    outbox.note_retained("mqtt", "b:1", {"edged/a": "parts"})
    outbox.forget_retained("mqtt", "b:1", ["edged/b", "edged/c"])
    assert outbox.retained("mqtt", "b:1") == {"edged/a": "parts"}


def test_what_is_saved_of_a_damaged_outbox_has_it_too(an_outbox, tmp_path):
    an_outbox().note_retained("mqtt", "b:1", {"edged/a": "parts"})
    new = Outbox(tmp_path / "new")
    told = new._file.change(lambda connection: rescue(tmp_path / FILE_NAME, connection))
    assert "1 of retained" in told
    assert new.retained("mqtt", "b:1") == {"edged/a": "parts"}
    new.close()
