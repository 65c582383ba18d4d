import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from edged.cli.main import main
from edged.delivery.route import Route
from edged.delivery.settlement import Retry, Settlement
from edged.domain.hook import Hook
from edged.domain.message import Message, MessageKind
from edged.store.outbox import FILE_NAME, Outbox
from edged.system.clock import SystemClock


def a_message(subject: str) -> Message:
    return Message(
        MessageKind.JOB, "home", "door", subject, 2, is_final=True, body=b'{"id":1}', at_ms=1_790_000_000_000
    )


@pytest.fixture
def data_dir(tmp_path) -> Path:
    """An outbox with a message that waits, one that is tried again, and two dead letters."""
    now = SystemClock().moment()
    with closing(Outbox(tmp_path, [Route("mqtt", frozenset(MessageKind))])) as outbox:
        outbox.begin(now, "boot")
        outbox.commit([a_message(name) for name in ("dead-1", "dead-2", "tried", "waits")], now)
        one, two, three, _ = outbox.claim("mqtt", 10, now, 60)
        settlement = Settlement(
            buried=((one.id, "410 Gone"), (two.id, "not authorised")),
            retried=(Retry(three.id, 60_000, counts=True, reason="500"),),
        )
        outbox.settle("mqtt", settlement, now)
    return tmp_path


def run(capsys, data_dir, *arguments):
    code = main(["outbox", *arguments, "--data-dir", str(data_dir)])
    return code, capsys.readouterr()


def test_without_an_action_it_says_what_waits_for_whom_and_why(capsys, data_dir):
    code, told = run(capsys, data_dir)
    assert code == 0
    first, sink, *rest = told.out.splitlines()
    assert first == "4 messages kept, 32 bytes; 0 open jobs"
    assert sink.startswith("mqtt: 2 waiting, the oldest for 0 s, 1 tried before; 2 dead letters; 0 sent")
    assert rest == ["  last failure: 500", "  buried: 2"]


def test_as_json_the_status_has_the_same(capsys, data_dir):
    _, told = run(capsys, data_dir, "status", "--json")
    status = json.loads(told.out)
    assert (status["messages"], status["bytes"], status["openJobs"]) == (4, 32, 0)
    (sink,) = status["sinks"]
    assert sink.pop("oldestAgeMs") >= 0
    assert sink == {
        "sink": "mqtt",
        "waiting": 2,
        "retrying": 1,
        "dead": 2,
        "lastReason": "500",
        "counters": {"buried": 2},
    }


def test_dead_letters_are_listed(capsys, data_dir):
    _, told = run(capsys, data_dir, "dead")
    lines = told.out.splitlines()
    assert "mqtt  job dead-1-2 of home/door, 8 bytes" in lines[0]
    assert lines[1] == "  410 Gone"
    _, told = run(capsys, data_dir, "dead", "--json")
    letters = json.loads(told.out)
    assert [(one["subjectId"], one["reason"]) for one in letters] == [
        ("dead-1", "410 Gone"),
        ("dead-2", "not authorised"),
    ]


def test_one_is_sent_again_one_is_dropped_and_then_there_are_none(capsys, data_dir):
    _, told = run(capsys, data_dir, "dead", "--json")
    first, second = [str(one["id"]) for one in json.loads(told.out)]
    assert run(capsys, data_dir, "resend", first)[1].out == "1 dead letter will be sent again\n"
    assert run(capsys, data_dir, "drop", second)[1].out == "1 dead letter dropped\n"
    assert run(capsys, data_dir, "dead")[1].out == "no dead letters\n"
    assert run(capsys, data_dir, "dead", "--json")[1].out == "[]\n"
    code, told = run(capsys, data_dir, "drop", second)
    assert code == 1
    assert f"there is no dead letter {second}" in told.err


def test_all_are_sent_again(capsys, data_dir):
    assert run(capsys, data_dir, "resend", "--all", "--json")[1].out == '{\n  "resent": 2\n}\n'
    assert run(capsys, data_dir, "resend", "--all")[1].out == "no dead letters\n"


def test_a_folder_without_an_outbox_is_said_and_none_is_made(capsys, tmp_path):
    code, told = run(capsys, tmp_path)
    assert code == 1
    assert "there is no outbox in" in told.err
    assert not (tmp_path / FILE_NAME).exists()


def test_something_else_in_its_place_is_told_in_words(capsys, tmp_path):
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as other:
        other.execute("CREATE TABLE notes (text)")
        other.commit()
    code, told = run(capsys, tmp_path)
    assert code == 74
    assert "is a database, but not a" in told.err


def test_a_damaged_file_is_told_and_left_where_it_is(capsys, tmp_path):
    (tmp_path / FILE_NAME).write_bytes(b"no database at all" * 1000)
    code, told = run(capsys, tmp_path)
    assert code == 74
    assert "is damaged" in told.err
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


@pytest.mark.parametrize(
    "arguments",
    [["resend"], ["drop"], ["status", "5"], ["dead", "--all"], ["resend", "5", "--all"], ["burn"]],
)
def test_a_command_line_that_makes_no_sense_is_not_understood(capsys, data_dir, arguments):
    with pytest.raises(SystemExit) as caught:
        run(capsys, data_dir, *arguments)
    assert caught.value.code == 2


def test_the_configuration_says_where_and_names_the_sinks(capsys, data_dir):
    config = data_dir / "edged.yaml"
    config.write_text(
        "data_dir: .\n"
        "feeds: [{id: door, source: {type: file, path: x.mp4}}]\n"
        "sinks: [{type: mqtt, host: broker, username: u, password: !secret broker}, {type: console}]\n",
        "utf-8",
    )
    assert main(["outbox", "--config", str(config), "--json"]) == 0
    sinks = json.loads(capsys.readouterr().out)["sinks"]
    assert [sink["sink"] for sink in sinks] == ["mqtt", "console"]


def test_the_webhooks_of_clients_are_listed_without_what_may_be_secret(capsys, data_dir):
    def a_hook(number: int, *, is_registered: bool) -> Hook:
        url = f"https://h{number}.example/secret-path?token=x"
        return Hook(
            id=f"h{number}",
            url=url,
            secret="whsec_secret",
            client_id="app",
            namespaces=("home",),
            created_ms=number,
            is_registered=is_registered,
        )

    now = SystemClock().moment()
    with closing(Outbox(data_dir, [])) as outbox:
        outbox.add_hook(a_hook(1, is_registered=True))
        for number in range(2, 24):
            outbox.add_hook(a_hook(number, is_registered=False))
        outbox.commit([a_message("job")], now)
        (parcel,) = outbox.claim("hook:h1", 10, now, 60)
        retry = Retry(parcel.id, 60_000, counts=False, reason="no answer in time")
        outbox.settle("hook:h1", Settlement(retried=(retry,)), now)
        outbox.release_hook("h23")
    _, told = run(capsys, data_dir)
    lines = told.out.splitlines()
    assert "webhook of app at https://h1.example (h1): 1 waiting, the oldest for 0 s" in lines
    assert "  last failure: no answer in time" in lines
    assert "webhook of requests of app at https://h21.example (h21): 0 waiting" in lines
    assert lines[-1] == "and 1 more webhook of requests"
    _, as_json = run(capsys, data_dir, "--json")
    status = json.loads(as_json.out)
    assert (len(status["hooks"]), status["hooks"][0]["where"], status["hookCounters"]) == (
        22,
        "https://h1.example",
        {},
    )
    assert "secret" not in told.out + as_json.out
