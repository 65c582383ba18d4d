import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from edged.delivery.outcome import Fate
from edged.delivery.route import Route
from edged.delivery.settlement import Settlement
from edged.domain.hook import MOST_OF_REQUESTS, MOST_REGISTERED, Hook, HookLimitError
from edged.domain.message import Message, MessageKind, Reply
from edged.domain.moment import Moment
from edged.store import database
from edged.store.outbox import FILE_NAME, Outbox
from edged.store.outbox_file import SCHEMA
from edged.store.outbox_rescue import rescue

START = Moment(steady_ms=5_000_000, utc_ms=1_790_000_000_000)
DAY_MS = 86_400_000


def a_hook(hook_id: str = "h1", **changes: object) -> Hook:
    """A registered one."""
    hook = Hook(
        id=hook_id,
        url=f"https://{hook_id}.example/secret-path",
        secret="whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
        client_id="app",
        namespaces=("home",),
        created_ms=START.utc_ms,
        is_registered=True,
    )
    return replace(hook, **changes)


def a_request_hook(hook_id: str = "r1", **changes: object) -> Hook:
    return a_hook(hook_id, **({"secret": None, "namespaces": (), "is_registered": False} | changes))


def a_message(subject: str = "job-a", sequence: int = 1, **changes: object) -> Message:
    """Of a camera."""
    body = {"id": subject, "images": [], "edge": {"sequence": sequence, "updatedAt": START.utc_ms}}
    message = Message(
        kind=MessageKind.JOB,
        namespace="home",
        feed_id="door",
        subject_id=subject,
        sequence=sequence,
        is_final=False,
        body=json.dumps(body).encode(),
        at_ms=START.utc_ms,
    )
    return replace(message, **changes)


def a_request(subject: str = "req-a", sequence: int = 1, **changes: object) -> Message:
    return a_message(subject, sequence, **({"is_request": True, "client_id": "app"} | changes))


@pytest.fixture
def an_outbox(tmp_path) -> Iterator[Callable[..., Outbox]]:
    """Outboxes of one folder with the sinks `s` and `mqtt`, each a run of its own."""
    opened: list[Outbox] = []

    def make(at: Moment = START, boot: str = "boot", folder: Path = tmp_path) -> Outbox:
        for earlier in opened:
            earlier.close()
        kinds = frozenset(MessageKind)
        outbox = Outbox(folder, [Route("s", kinds), Route("mqtt", kinds)])
        outbox.begin(at, boot)
        opened.append(outbox)
        return outbox

    yield make
    for outbox in opened:
        outbox.close()


def waiting(outbox: Outbox, sink: str, at: Moment = START) -> list[tuple[str, int]]:
    """What waits for a sink; it is still there afterwards."""
    parcels = outbox.claim(sink, 100, at, 60)
    outbox.settle(sink, Settlement(released=tuple(p.id for p in parcels)), at)
    return [(p.message.subject_id, p.message.sequence) for p in parcels]


def deliver(outbox: Outbox, sink: str, at: Moment = START) -> list[Message]:
    parcels = outbox.claim(sink, 100, at, 60)
    outbox.settle(sink, Settlement(delivered=tuple(p.id for p in parcels)), at)
    return [p.message for p in parcels]


def test_a_hook_is_kept_as_it_was_and_over_a_restart(an_outbox):
    outbox = an_outbox()
    hook = outbox.add_hook(a_hook(namespaces=("home", "shop")))
    outbox = an_outbox()
    assert outbox.hook("h1") == hook == a_hook(namespaces=("home", "shop"))
    assert outbox.hooks("app") == outbox.hooks() == [hook]
    assert outbox.hooks("other") == []
    assert outbox.hook("h2") is None


def test_a_hook_shows_neither_its_secret_nor_its_path():
    hook = a_hook(url="https://user:word@h.example:8443/secret-path?token=x")
    assert hook.where == "https://h.example:8443"
    assert not any(word in repr(hook) for word in ("whsec", "secret-path", "token", "word"))


def test_a_camera_job_goes_to_the_sinks_and_to_the_hooks_of_its_namespace(an_outbox):
    outbox = an_outbox()
    outbox.add_hook(a_hook("h1"))
    outbox.add_hook(a_hook("h2", namespaces=("shop",)))
    outbox.add_hook(a_hook("h3", namespaces=(), client_id="other"))
    event = a_message("e", kind=MessageKind.EVENT, is_final=True)
    outbox.commit([a_message(), event, a_message("job-b", namespace="shop")], START)
    assert waiting(outbox, "s") == [("job-a", 1), ("e", 1), ("job-b", 1)]
    assert waiting(outbox, "hook:h1") == [("job-a", 1)]
    assert waiting(outbox, "hook:h2") == [("job-b", 1)]
    assert waiting(outbox, "hook:h3") == []
    assert [hook.id for hook in outbox.due_hooks(START)] == ["h1", "h2"]


def test_a_request_goes_to_hooks_and_to_those_it_names_and_to_no_other_sink(an_outbox):
    outbox = an_outbox()
    outbox.add_hook(a_hook("h1"))
    named = outbox.add_hook(a_request_hook())
    outbox.add_hook(a_request_hook("r2", client_id="other"))
    outbox.commit([a_request(recipients=(named.sink_id, "mqtt", "nobody", "hook:gone"))], START)
    assert waiting(outbox, "s") == []
    assert (
        waiting(outbox, "mqtt") == waiting(outbox, "hook:h1") == waiting(outbox, "hook:r1") == [("req-a", 1)]
    )
    assert waiting(outbox, "hook:r2") == []


def test_a_detect_job_is_told_to_its_own_clients_hooks(an_outbox):
    outbox = an_outbox()
    outbox.add_hook(a_hook("h1"))
    outbox.add_hook(a_hook("h2", client_id="other"))
    outbox.commit([a_request(namespace="", feed_id="")], START)
    assert waiting(outbox, "hook:h1") == [("req-a", 1)]
    assert waiting(outbox, "hook:h2") == []


def test_where_an_answer_goes_comes_back_with_the_message(an_outbox):
    outbox = an_outbox()
    message = a_request(recipients=("mqtt",), reply=Reply("answers/1", b"\x00\xff"))
    outbox.commit([message], START)
    assert deliver(outbox, "mqtt") == [replace(message, recipients=())]


def test_a_requests_hook_goes_with_its_last_message_and_not_before_the_job_is_final(an_outbox):
    outbox = an_outbox()
    hook = outbox.add_hook(a_request_hook())
    outbox.commit([a_request(recipients=(hook.sink_id,))], START)
    assert [m.sequence for m in deliver(outbox, hook.sink_id)] == [1]
    assert outbox.hook(hook.id) == hook
    outbox.commit([a_request(sequence=2, is_final=True, recipients=(hook.sink_id,))], START)
    assert outbox.hook(hook.id) == hook
    assert [m.sequence for m in deliver(outbox, hook.sink_id)] == [2]
    assert outbox.hook(hook.id) is None


def test_requests_of_one_client_with_one_address_share_a_hook(an_outbox):
    outbox = an_outbox()
    first = outbox.add_hook(a_request_hook("r1", url="https://x.example/"))
    second = outbox.add_hook(a_request_hook("r2", url="https://x.example/"))
    other = outbox.add_hook(a_request_hook("r3", url="https://x.example/", client_id=None))
    assert (first.id, second.id, other.id, other.client_id) == ("r1", "r1", "r3", None)
    to = (first.sink_id,)
    outbox.commit([a_request("a", is_final=True, recipients=to), a_request("b", recipients=to)], START)
    deliver(outbox, first.sink_id)
    assert outbox.hook("r1") is not None, "the other request's job is open"
    outbox.commit([a_request("b", 2, is_final=True, recipients=to)], START)
    deliver(outbox, first.sink_id)
    assert outbox.hook("r1") is None


def test_a_request_that_was_never_begun_leaves_no_hook(an_outbox):
    outbox = an_outbox()
    outbox.release_hook(outbox.add_hook(a_request_hook("r1")).id)
    assert outbox.hook("r1") is None
    outbox.add_hook(a_request_hook("r2"))
    assert an_outbox().hook("r2") is None, "the daemon died before it began"


def test_a_client_has_no_more_than_its_hooks_and_requests_no_more_than_theirs(an_outbox):
    outbox = an_outbox()
    for number in range(MOST_REGISTERED):
        outbox.add_hook(a_hook(f"h{number}"))
    with pytest.raises(HookLimitError):
        outbox.add_hook(a_hook("one-more"))
    outbox.add_hook(a_hook("of-another", client_id="other"))
    with closing(database.open_database(Path(database_of(outbox)), SCHEMA)) as connection:
        connection.executemany(
            "INSERT INTO hook VALUES (?, ?, NULL, 'app', '[]', 0, 1, 0)",
            [(f"r{number}", f"https://r{number}.example/") for number in range(MOST_OF_REQUESTS - 1)],
        )
    outbox.add_hook(a_request_hook("last"))
    with pytest.raises(HookLimitError):
        outbox.add_hook(a_request_hook("too-many"))
    assert outbox.add_hook(a_request_hook("again", url="https://last.example/secret-path")).id == "last"


def database_of(outbox: Outbox) -> str:
    return str(outbox._file._path)


def test_what_waited_for_a_removed_hook_is_gone_and_counted(an_outbox):
    outbox = an_outbox()
    outbox.add_hook(a_hook())
    outbox.commit([a_message()], START)
    assert outbox.remove_hook("h1")
    assert not outbox.remove_hook("h1")
    status = outbox.status(START)
    assert status.hook_counters == {"hook_removed": 1}
    assert [sink.sink for sink in status.sinks] == ["s", "mqtt"]
    outbox.commit([a_message(sequence=2)], START)
    assert waiting(outbox, "hook:h1") == []


def test_hooks_of_clients_that_are_gone_go_and_the_others_follow_their_clients_namespaces(an_outbox):
    outbox = an_outbox()
    outbox.add_hook(a_hook("h1"))
    outbox.add_hook(a_hook("h2", client_id="other"))
    outbox.add_hook(a_request_hook("r1", client_id="other"))
    outbox.add_hook(a_request_hook("r2", client_id=None))
    outbox.commit([a_message()], START)
    outbox.keep_clients({"app": ["shop", "garage"]})
    assert [hook.namespaces for hook in outbox.hooks()] == [("garage", "shop")]
    assert [outbox.hook(one) is None for one in ("h1", "h2", "r1", "r2")] == [False, True, True, False]
    assert outbox.status(START).hook_counters == {"hook_removed": 1}


def test_what_a_hook_refuses_is_no_dead_letter(an_outbox):
    outbox = an_outbox()
    hook = outbox.add_hook(a_request_hook())
    outbox.commit([a_request(is_final=True, recipients=(hook.sink_id,))], START)
    (parcel,) = outbox.claim(hook.sink_id, 10, START, 60)
    outbox.settle(hook.sink_id, Settlement(buried=((parcel.id, str(Fate.REFUSED)),)), START)
    assert outbox.dead_letters() == []
    assert outbox.status(START).hook_counters == {"refused": 1}
    assert outbox.hook(hook.id) is None


def test_hooks_are_given_up_after_a_day_and_sinks_are_not(an_outbox):
    outbox = an_outbox()
    outbox.add_hook(a_hook())
    outbox.commit([a_message("old", is_final=True)], START)
    outbox.commit([a_message("young", is_final=True)], START.plus_ms(DAY_MS))
    later = START.plus_ms(DAY_MS + 1)
    given_up = outbox.give_up(later, 7 * 86_400, 10**9)
    assert (given_up.too_old, given_up.too_much, given_up.of_hooks) == (0, 0, 1)
    assert waiting(outbox, "hook:h1", later) == [("young", 1)]
    assert waiting(outbox, "s", later) == [("old", 1), ("young", 1)]
    assert outbox.status(later).hook_counters == {"given_up_age": 1}


def test_what_waits_for_hooks_alone_makes_room_first(an_outbox):
    outbox = an_outbox()
    outbox.add_hook(a_hook())
    body = b"x" * 1000
    outbox.commit([a_message(f"camera-{n}", is_final=True, body=body) for n in range(3)], START)
    outbox.commit([a_request(f"request-{n}", is_final=True, body=body) for n in range(3)], START)
    given_up = outbox.give_up(START, 7 * 86_400, 4500)
    assert (given_up.too_much, given_up.of_hooks) == (0, 2)
    assert [subject for subject, _ in waiting(outbox, "s")] == ["camera-0", "camera-1", "camera-2"]
    assert [s for s, _ in waiting(outbox, "hook:h1")] == ["camera-0", "camera-1", "camera-2", "request-2"]
    outbox.give_up(START, 7 * 86_400, 2500)
    assert [subject for subject, _ in waiting(outbox, "s")] == ["camera-1", "camera-2"]
    assert [s for s, _ in waiting(outbox, "hook:h1")] == ["camera-1", "camera-2"]


def test_a_hook_that_waits_for_a_retry_is_not_due(an_outbox):
    outbox = an_outbox()
    outbox.add_hook(a_hook())
    outbox.commit([a_message()], START)
    outbox.claim("hook:h1", 1, START, 60)
    assert outbox.due_hooks(START) == []
    assert [hook.id for hook in outbox.due_hooks(START.plus_ms(60_000))] == ["h1"]


def test_a_request_of_a_daemon_that_died_is_closed_for_all_who_were_told_of_it(an_outbox):
    outbox = an_outbox()
    outbox.add_hook(a_hook())
    hook = outbox.add_hook(a_request_hook())
    reply = Reply("answers/1", b"7")
    told = a_request(recipients=(hook.sink_id, "mqtt"), reply=reply)
    outbox.commit([told], START)
    deliver(outbox, hook.sink_id)
    outbox = an_outbox(boot="another")
    assert len(outbox.close_orphans(START)) == 1
    (final,) = deliver(outbox, hook.sink_id)
    assert (final.subject_id, final.sequence, final.is_final, final.is_request) == ("req-a", 2, True, True)
    assert json.loads(final.body)["status"] == "COMPLETED_ALL_ERROR"
    assert [m.reply for m in deliver(outbox, "mqtt")][-1] == reply
    assert waiting(outbox, "hook:h1")[-1] == ("req-a", 2)
    assert waiting(outbox, "s") == []
    assert outbox.hook(hook.id) is None


def test_the_status_tells_of_hooks_without_secrets(an_outbox):
    outbox = an_outbox()
    outbox.add_hook(a_hook())
    outbox.add_hook(a_request_hook())
    outbox.commit([a_message()], START)
    status = outbox.status(START.plus_ms(5000))
    first, second = status.hooks
    assert (first.id, first.where, first.client_id, first.is_registered) == (
        "h1",
        "https://h1.example",
        "app",
        True,
    )
    assert (first.waiting, first.oldest_age_ms, second.waiting, second.oldest_age_ms) == (1, 5000, 0, None)
    assert "secret" not in repr(status)


def an_old_outbox(folder: Path) -> Path:
    """As the edged before hooks left it, with an open job and a message that waits."""
    (folder / "migrations").mkdir()
    shutil.copy(SCHEMA.migrations / "0001_outbox.sql", folder / "migrations")
    path = folder / FILE_NAME
    old = replace(SCHEMA, migrations=folder / "migrations")
    with closing(database.open_database(path, old, synchronous="FULL")) as connection:
        body = a_message().body
        connection.execute(
            """INSERT INTO message (kind, namespace, feed_id, subject_id, sequence, is_final, is_replay, body,
                                    at_ms, enqueued_ms)
               VALUES ('job', 'home', 'door', 'job-a', 1, 0, 0, ?, 1, 1)""",
            (body,),
        )
        connection.execute("INSERT INTO delivery (message_id, sink, subject) VALUES (1, 's', 'job:job-a')")
        connection.execute("INSERT INTO open_job VALUES ('job-a', 'home', 'door', 1, 0, ?)", (body,))
    return path


def test_an_outbox_of_the_version_before_is_taken_over(an_outbox, tmp_path):
    an_old_outbox(tmp_path)
    outbox = an_outbox()
    assert len(outbox.close_orphans(START)) == 1
    messages = deliver(outbox, "s")
    assert [(m.sequence, m.is_request, m.reply, m.client_id) for m in messages] == [(2, False, None, "")]
    outbox.add_hook(a_hook())
    outbox.commit([a_message("job-b")], START)
    assert waiting(outbox, "hook:h1") == [("job-b", 1)]


def test_what_is_saved_of_a_damaged_outbox_of_the_version_before_fits_the_new_one(tmp_path, an_outbox):
    old = an_old_outbox(tmp_path)
    new = an_outbox(folder=tmp_path / "new")
    told = new._file.change(lambda connection: rescue(old, connection))
    assert "1 of open_job" in told
    assert "1 of message" in told
    assert waiting(new, "s") == [("job-a", 1)]


CHILD = """
import sys, itertools
from pathlib import Path
from edged.delivery.settlement import Settlement
from edged.domain.hook import Hook
from edged.domain.message import Message, MessageKind
from edged.domain.moment import Moment
from edged.store.outbox import Outbox

now = Moment(1, 1_790_000_000_000)
outbox = Outbox(Path(sys.argv[1]), [])
outbox.begin(now, "boot")
print("ready", flush=True)
for number in itertools.count():
    hook = outbox.add_hook(Hook(id=f"r{number}", url=f"http://h{number % 3}/", secret=None, client_id="app",
                                namespaces=(), created_ms=1, is_registered=False))
    for sequence in (1, 2):
        body = b'{"images":[],"edge":{"updatedAt":1}}'
        outbox.commit([Message(kind=MessageKind.JOB, namespace="home", feed_id="f", subject_id=f"j{number}",
                       sequence=sequence, is_final=sequence == 2, body=body, at_ms=1, is_request=True,
                       recipients=(hook.sink_id,))], now)
        print(number, flush=True)
    if number % 4 == 0:
        parcels = outbox.claim(hook.sink_id, 100, now, 60)
        for parcel in parcels:
            print("sent", parcel.message.subject_id, parcel.message.sequence, flush=True)
        outbox.settle(hook.sink_id, Settlement(delivered=tuple(p.id for p in parcels)), now)
"""


@pytest.mark.parametrize("lines", [2, 7, 30, 101])
def test_a_killed_daemon_leaves_no_hook_without_mail_and_no_mail_without_hook(tmp_path, lines):
    process = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    said = [process.stdout.readline().split() for _ in range(lines)]
    process.kill()
    said += [line.split() for line in process.stdout.read().rpartition("\n")[0].splitlines()]
    process.wait(20)
    process.stdout.close()
    with closing(Outbox(tmp_path, [])) as outbox:
        outbox.begin(START, "boot")
        outbox.close_orphans(START)
        hooks = outbox.due_hooks(START)
        told = {f"j{words[0]}" for words in said if words[0].isdigit()}
        gone = {words[1] for words in said if words[0] == "sent" and words[2] == "2"}
        kept = [message for hook in hooks for message in deliver(outbox, hook.sink_id)]
        assert told <= gone | {message.subject_id for message in kept if message.is_final}
        assert outbox.status(START).hooks == ()
        assert outbox.status(START).messages == 0
