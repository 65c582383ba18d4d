import json
import os
import threading
from collections.abc import Iterator

import pytest

from bench.mosquitto import eventually
from edged.delivery.outcome import Fate
from edged.publish.console import ConsoleSink
from edged.system.clock import SystemClock


@pytest.fixture
def a_pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        try:
            os.close(end)
        except OSError:
            continue


def test_each_message_is_one_line_as_it_was_committed(a_pipe, a_parcel):
    reader, writer = a_pipe
    parcels = [a_parcel(), a_parcel(body=b'{"a":\n  1}')]
    outcomes = ConsoleSink("console", SystemClock(), writer).deliver(parcels)
    assert [o.fate for o in outcomes] == [Fate.DELIVERED] * 2
    first, second = os.read(reader, 65536).splitlines()
    assert first == parcels[0].message.body
    assert json.loads(second) == {"a": 1}


def test_a_reader_that_has_gone_ends_the_sink_and_what_waits_stays(a_pipe, a_parcel):
    reader, writer = a_pipe
    os.close(reader)
    sink = ConsoleSink("console", SystemClock(), writer)
    outcomes = sink.deliver([a_parcel(), a_parcel()])
    assert [o.fate for o in outcomes] == [Fate.UNREACHABLE, Fate.UNTRIED]
    assert sink.is_finished
    assert not sink.is_ready()


def test_standard_output_that_was_closed_is_no_reason_to_fall(a_parcel):
    reader, writer = os.pipe()
    os.close(reader)
    os.close(writer)
    sink = ConsoleSink("console", SystemClock(), writer)
    assert sink.deliver([a_parcel()])[0].fate is Fate.UNREACHABLE
    assert sink.is_finished


def test_a_reader_that_is_slow_gets_every_byte(a_pipe, a_parcel):
    reader, writer = a_pipe
    body = b'"' + b"x" * 300_000 + b'"'
    read: list[bytes] = []

    def slowly() -> None:
        while sum(map(len, read)) <= len(body):
            read.append(os.read(reader, 1000))

    thread = threading.Thread(target=slowly)
    thread.start()
    (outcome,) = ConsoleSink("console", SystemClock(), writer).deliver([a_parcel(body=body)])
    thread.join()
    assert outcome.fate is Fate.DELIVERED
    assert b"".join(read) == body + b"\n"


def test_a_stop_does_not_wait_for_a_reader_that_reads_no_more(a_pipe, a_parcel):
    _, writer = a_pipe
    sink = ConsoleSink("console", SystemClock(), writer)
    outcomes = []
    parcels = [a_parcel(body=b"x" * 300_000), a_parcel()]
    thread = threading.Thread(target=lambda: outcomes.extend(sink.deliver(parcels)))
    thread.start()
    eventually(thread.is_alive, "the write to block")
    sink.interrupt()
    thread.join(10)
    assert [o.fate for o in outcomes] == [Fate.UNTRIED] * 2


def test_a_terminal_that_does_not_block_gets_every_byte(a_pipe, a_parcel):
    reader, writer = a_pipe
    os.set_blocking(writer, False)
    body = b"y" * 200_000
    sink = ConsoleSink("console", SystemClock(), writer)
    outcomes = []
    thread = threading.Thread(target=lambda: outcomes.extend(sink.deliver([a_parcel(body=body)])))
    thread.start()
    got = b""
    while len(got) <= len(body):
        got += os.read(reader, 4096)
    thread.join(10)
    assert got == body + b"\n"
    assert outcomes[0].fate is Fate.DELIVERED
