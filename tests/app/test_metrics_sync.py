"""The figures of sync as Prometheus reads them, and the page that tells of them."""

import re
from types import SimpleNamespace

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from bench.checkout import ROOT
from edged.app.metrics_sync import sync
from edged.domain.sync_state import NamespaceSync, SyncRole, SyncState
from edged.replication.refusal import Refusal
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


def test_every_state_role_and_reason_is_on_the_pages_and_no_other():
    metrics = (ROOT / "docs" / "metrics.md").read_text("utf-8")

    def values(metric):
        (row,) = re.findall(rf"^\| `{metric}` \|[^|]*\|(.*)\|$", metrics, re.MULTILINE)
        return set(re.findall(r"`([^`]+)`", row))

    assert values("edged_sync_state") == set(SyncState)
    assert values("edged_sync_role") == set(SyncRole)
    assert values("edged_sync_refused_total") == set(Refusal)
    states = (ROOT / "docs" / "sync.md").read_text("utf-8").partition("## States, and what to do\n")[2]
    table = re.findall(r"^\| `([a-z ]+)` \|", states.partition("\n## ")[0], re.MULTILINE)
    assert sorted(table) == sorted(SyncState)


LEFT_OUT = {
    SyncState.IN_STEP: "all is well",
    SyncState.OLD: "`sync.when_old: keep` wants no word of it; else there are words, which are trouble",
}
"""States that no alert has to tell of, and why."""


def test_every_state_is_in_an_alert_or_is_left_out_on_purpose():
    alerts = dict(
        re.findall(
            r"- alert: (EdgedSync\w+)\n(?:\s*#.*\n)*\s*expr: (.*)\n",
            (ROOT / "docs" / "grafana" / "alerts.yaml").read_text("utf-8"),
        )
    )
    assert "edged_sync_trouble == 1" in alerts["EdgedSyncInTrouble"]
    stuck = re.search(r'state=~"([^"]+)"', alerts["EdgedSyncStuck"])[1]

    for state in SyncState:
        for words in ("", "what is wrong"):
            told = samples(scraped(NamespaceSync("home", SyncRole.MEMBER, state, trouble=words)))
            is_told = told["edged_sync_trouble", "home"] == 1 or re.fullmatch(stuck, state) is not None
            assert is_told == (bool(words) or state not in LEFT_OUT), state


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
