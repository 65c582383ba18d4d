"""The figures of sync as Prometheus reads them, and the page that tells of them."""

import re
from types import SimpleNamespace

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from bench.checkout import ROOT
from edged.app.metrics_sync import sync
from edged.domain.sync_state import NamespaceSync, SyncRole, SyncState
from edged.sync.board import SyncBoard

AUTHORITY = NamespaceSync(
    "home",
    SyncRole.AUTHORITY,
    SyncState.IN_STEP,
    epoch=7,
    seen_epoch=7,
    age_ms=0,
    members=3,
    members_behind=1,
)
MEMBER = NamespaceSync(
    "work", SyncRole.MEMBER, SyncState.OLD, epoch=5, seen_epoch=6, age_ms=90_500, refused={"altered": 2}
)


def scraped(*standings, withheld=()):
    board = SyncBoard()
    for one in standings:
        board.tell(one)
    watch = SimpleNamespace(withheld=lambda: frozenset(withheld))
    measured = SimpleNamespace(around=SimpleNamespace(sync_board=board, watch=watch))
    registry = CollectorRegistry()

    class Figures:
        def collect(self):
            return sync(measured)

        def describe(self):
            return ()

    registry.register(Figures())
    return generate_latest(registry).decode()


def samples(text):
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_a_daemon_that_syncs_nothing_has_no_figure_of_it():
    assert scraped() == ""


def test_every_figure_is_on_its_page_and_no_other():
    page = (ROOT / "docs" / "metrics.md").read_text("utf-8")
    described = set(re.findall(r"^\| `(edged_sync_[a-z_]+)", page, re.MULTILINE))
    told = {
        family.name + ("_total" if family.type == "counter" else "")
        for family in text_string_to_metric_families(scraped(AUTHORITY, MEMBER))
    }

    assert told == described


def test_the_figures_are_those_of_each_namespace():
    told = samples(scraped(AUTHORITY, MEMBER, withheld=["work"]))

    assert told["edged_sync_epoch", "home"] == 7
    assert (told["edged_sync_epoch", "work"], told["edged_sync_epoch_seen", "work"]) == (5, 6)
    assert told["edged_sync_age_seconds", "work"] == 90.5
    assert (told["edged_sync_state", "old", "work"], told["edged_sync_state", "home", "old"]) == (1, 0)
    assert told["edged_sync_members_behind", "home"] == 1
    assert ("edged_sync_members_behind", "work") not in told
    assert told["edged_sync_refused_total", "altered", "work"] == 2
    assert (told["edged_sync_withheld", "work"], told["edged_sync_withheld", "home"]) == (1, 0)
