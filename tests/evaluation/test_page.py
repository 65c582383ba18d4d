"""The report as a page and as text: complete, safe, and readable without scripts."""

import re
from xml.etree import ElementTree as ET

import msgspec
import pytest

from builders.evaluation import a_face_set, a_measured_calibration
from edged.evaluation.decided import Jury, decided
from edged.evaluation.draws import Cell
from edged.evaluation.open_set import open_set
from edged.evaluation.page import page_of
from edged.evaluation.pairs import pair_scores
from edged.evaluation.report import Evaluation, Pictures, stages_of
from edged.evaluation.svg import Axis, Line, Plot, deviates_axis, drawn, rates_axis
from edged.evaluation.tables import percent, text_of
from edged.evaluation.track_findings import Clips, Outcome, Seen, tally
from edged.evaluation.verification import verify
from edged.settings.recognition import Recognition

NASTY = '<script>alert("x")</script> & \udcff'


@pytest.fixture(scope="module")
def report() -> Evaluation:
    faces = a_face_set([7] * 6 + [3] * 20)
    jury = Jury(Recognition(), a_measured_calibration())
    cell = open_set(decided(faces, Cell(4, 3, 2), jury, strangers=50, seed=1), 26, resamples=10, seed=1)
    seen = Seen(split=0, clip=NASTY, person=NASTY, enrolled=True, outcome=Outcome.WRONG, said=NASTY)
    counted = tally([seen], resamples=10, seed=1)
    return Evaluation(
        edged="1.0",
        at_ms=0,
        dataset=NASTY,
        embedder="0" * 64,
        false_accept=1e-4,
        seed=1,
        resamples=10,
        pictures=Pictures(
            pictures=62,
            people=26,
            embedded=62,
            resumed=0,
            ways={"as the daemon finds it": 62},
            with_several_faces=0,
            rejections={},
            rejected=0,
            left_out=0,
            duplicates=0,
            unreadable=(f"{NASTY}.jpg is no picture",),
        ),
        stages=stages_of([{"read": 1.0, "embed": 2.0}, {"read": 3.0, "embed": 4.0}]),
        verifications=(verify(pair_scores(faces), "all pairs", resamples=10, seed=1),),
        open_set=(cell, cell),
        clips=Clips(
            clips=1,
            people=1,
            splits=1,
            gallery=1,
            asked=1e-4,
            tracks=counted,
            images=counted,
            wrong=(seen,),
            missed=(),
        ),
        notes=(NASTY,),
    )


def test_names_are_text_and_never_markup(report):
    page = page_of(report)

    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert page.encode("utf-8")


def test_nothing_is_fetched_and_nothing_runs(report):
    page = page_of(report)

    assert re.findall(r"(?:src|href)\s*=|@import|url\(|\bon\w+=|https?://", page) == []


def test_the_page_is_well_formed_and_its_plots_say_what_they_show(report):
    page = page_of(report)
    root = ET.fromstring(re.sub(r"<meta[^>]*>", "", page.removeprefix("<!doctype html>")))

    plots = list(root.iter("svg"))
    assert len(plots) == 5
    assert all(plot.find("title").text and plot.find("desc").text for plot in plots)
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    assert all(set(plot.get("aria-labelledby").split()) <= set(ids) for plot in plots)


def test_plots_stay_inside_their_frames(report):
    for points in re.findall(r'points="([^"]*)"', page_of(report)):
        for point in points.split():
            x, y = map(float, point.split(","))
            assert 0 <= x <= 560
            assert 0 <= y <= 380


def test_text_and_page_have_the_same_figures(report):
    text = text_of(report)

    for hit in report.verifications[0].hits:
        assert f"{hit.hit_rate.value:.4f}" in text
        assert f"{hit.hit_rate.value:.4f}" in page_of(report)
    assert "wrong name" in text


def test_json_reads_back_as_it_was(report):
    harmless = msgspec.structs.replace(report, dataset="people", notes=(), pictures=None, clips=None)

    assert msgspec.json.decode(msgspec.json.encode(harmless), type=Evaluation) == harmless


def test_stages_are_told_with_their_sum():
    stages = {stage.stage: stage for stage in stages_of([{"a": 1.0, "b": 2.0}, {}, {"a": 3.0, "b": 6.0}])}

    assert stages["a"].median_ms == 2.0
    assert (stages["all stages"].median_ms, stages["all stages"].pictures) == (6.0, 2)
    assert list(stages)[-1] == "all stages"


@pytest.mark.parametrize(
    ("share", "words"),
    [(0, "0 %"), (1, "100 %"), (0.5, "50.00 %"), (0.99999, "99.999 %"), (0.00001, "0.001 %")],
)
def test_only_what_is_whole_is_called_so(share, words):
    assert percent(share) == words


def test_normal_scores_are_straight_on_axes_of_deviates():
    axis = deviates_axis("rate", 1e-4)

    assert axis.share(1e-4) == 0
    assert axis.share(0.0227501) - axis.share(0.0013499) == pytest.approx(
        axis.share(0.1586553) - axis.share(0.0227501), abs=1e-4
    )


def test_a_value_beyond_an_axis_is_drawn_at_its_end():
    axis = rates_axis("rate", 1e-4)

    assert (axis.share(0.0), axis.share(7.0)) == (0.0, 1.0)


def test_a_plots_words_are_text():
    plot = Plot("<b>", "<i>", rates_axis("<u>", 1e-3), Axis("y", "linear", 0, 1, (0, 1)), (Line("<p>", []),))

    assert not re.findall(r"<[biup]>", drawn(plot, 0))
