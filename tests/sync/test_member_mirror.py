"""A member with a web server that lies: what it makes up is not taken, and the broker brings the pages."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bench.mosquitto import eventually
from builders.namespaces import HandClock, a_store
from builders.sync import NAMESPACE, ABroker, AnAuthority, a_person, be_member, node_parts
from edged.domain.sync_state import SyncState
from edged.store.sync_records import shared_person
from edged.sync.member import Member
from edged.sync.mirror import Mirror

PEOPLE = [a_person(n, faces=2) for n in range(8)]
AUTHORITY = AnAuthority()
EPOCH = AUTHORITY.epoch(1, PEOPLE, buckets=8)
PAGES = EPOCH.pages
OTHERS = AUTHORITY.epoch(2, PEOPLE[:4], buckets=8).pages


def honest(name):
    return 200, PAGES[name]


def another_page(name):
    """One that is as long, of the same authority and key."""
    found = [each for each in (*PAGES.values(), *OTHERS.values()) if len(each) == len(PAGES[name])]
    return 200, next((each for each in found if each != PAGES[name]), bytes(len(PAGES[name])))


LIES = {
    "none is there": lambda _: (404, b"not here"),
    "it is broken": lambda _: (500, b""),
    "it is altered": lambda name: (200, PAGES[name][:-1] + bytes([PAGES[name][-1] ^ 1])),
    "it is cut off": lambda name: (200, PAGES[name][:-1]),
    "it has no end": lambda name: (200, PAGES[name] + b"x" * 1_000_000),
    "it is another one": another_page,
    "it is empty": lambda _: (200, b""),
    "half of them are lies": lambda name: honest(name) if int(name[0], 16) % 2 else another_page(name),
}


class LyingServer(ThreadingHTTPServer):
    """Answers as a test has it answer, by the last part of the path."""

    daemon_threads = True

    def __init__(self, answer):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = answer
        self.thread = threading.Thread(target=self.serve_forever, args=(0.01,))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.thread.join()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        status, content = self.server.answer(self.path.rpartition("/")[2])
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        try:
            self.wfile.write(content)
        except ConnectionError:
            # Who asked had enough.
            self.close_connection = True

    def log_message(self, *_):
        pass


class Site:
    """A member whose mirror is that server, on a broker that has the manifest, and the pages where asked."""

    def __init__(self, folder, server, *, has_pages):
        self.clock, self.broker = HandClock(), ABroker()
        self.mirror = Mirror(f"http://127.0.0.1:{server.server_port}", NAMESPACE, None, self.clock, 5.0)
        parts = node_parts(folder, mirror=self.mirror)
        self.store = a_store(folder, seed="look")
        be_member(self.store, AUTHORITY, parts)
        self.member = Member(parts)
        self.broker.keep(EPOCH, AUTHORITY.topics)
        if not has_pages:
            self.broker.retained = {AUTHORITY.topics.manifest: EPOCH.payload}
        self.broker.connect(self.member, self.clock.moment())

    def turn(self):
        self.broker.run(self.member, self.clock, turns=1, step_ms=1000)

    @property
    def standing(self):
        return self.member.standing(self.clock.moment())

    def is_in_step(self):
        self.turn()
        return self.standing.state is SyncState.IN_STEP

    def people(self):
        ids = [row[0] for row in self.store.connection.execute("SELECT id FROM identity ORDER BY id")]
        return [shared_person(self.store.connection, each, AUTHORITY.model, with_chips=False) for each in ids]

    def close(self):
        self.member.close()
        self.mirror.close()
        self.store.close()


@pytest.fixture
def a_site(tmp_path):
    made = []

    def make(server, **other):
        made.append(Site(tmp_path, server, **other))
        return made[-1]

    yield make
    for site in made:
        site.close()


def test_pages_that_only_the_mirror_has_are_enough(a_site):
    with LyingServer(honest) as server:
        site = a_site(server, has_pages=False)
        eventually(site.is_in_step, "the pages of the mirror")
        assert site.people() == sorted(PEOPLE, key=lambda person: person.id)
        assert (site.mirror.served, site.standing.refused) == (8, {})


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_what_the_mirror_makes_up_is_never_applied_and_the_broker_brings_it(a_site, lie):
    with LyingServer(lie) as server:
        site = a_site(server, has_pages=True)
        eventually(site.is_in_step, "the pages of the broker")
        assert site.people() == sorted(PEOPLE, key=lambda person: person.id)


@pytest.mark.parametrize("lie", ["it is another one", "it is cut off"])
def test_without_the_broker_nothing_of_a_lie_is_applied_and_the_truth_heals_it(a_site, lie):
    with LyingServer(LIES[lie]) as server:
        site = a_site(server, has_pages=False)

        def has_failed():
            site.turn()
            return site.mirror.served + site.mirror.failed > len(PAGES)

        eventually(has_failed, "some lies")
        assert site.people() == []
        assert site.standing.state is SyncState.BEHIND
        server.answer = honest
        eventually(site.is_in_step, "the truth")
        assert site.people() == sorted(PEOPLE, key=lambda person: person.id)
