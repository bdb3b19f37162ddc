"""Pictures are well-formed, describe themselves, and take the page's colours."""

import re
import xml.etree.ElementTree as ET
from math import nan

import numpy as np
import pytest

from cascade_core.evaluation import ece_noise_floor, oracle, sweep
from cascade_core.statistics.reliability import reliability
from tests.core.report.making import CLASSES, columns, curve, measured

pytest.importorskip("matplotlib")

from cascade_core.report import figures

SVG = "{http://www.w3.org/2000/svg}"


def texts(plot):
    return [node.text for node in ET.fromstring(plot.svg).iter(f"{SVG}text")]


@pytest.fixture(scope="module")
def plots():
    confidence, weak, strong, cheap, dear = columns()
    return [
        figures.cost_quality(
            curve(), best=oracle(weak, strong, cheap, dear), point=measured(quality=0.8)
        ),
        figures.cost_quality(curve(), axis="escalated"),
        figures.reliability_diagram(reliability(confidence, weak), noise_floor=0.01),
        figures.confidence_histograms(confidence, weak),
        figures.by_class(CLASSES),
    ]


def test_every_picture_is_well_formed_and_described(plots):
    for plot in plots:
        root = ET.fromstring(plot.svg)
        assert root.get("role") == "img"
        assert root.find(f"{SVG}title").text
        assert root.find(f"{SVG}desc").text == plot.alt
        assert plot.alt


def test_every_colour_is_the_pages(plots):
    for plot in plots:
        assert "var(--ink)" in plot.svg
        assert not set(re.findall(r"#[0-9a-f]{6}\b", plot.svg)) - {"#ffffff"}


def test_pictures_of_one_page_share_no_name(plots):
    names = [set(re.findall(r'\bid="([^"]+)"', plot.svg)) for plot in plots]
    assert sum(map(len, names)) == len(set().union(*names))
    for plot, own in zip(plots, names, strict=True):
        used = re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', plot.svg)
        assert {first or second for first, second in used} <= own


def test_the_same_figures_give_the_same_bytes():
    assert figures.cost_quality(curve()).svg == figures.cost_quality(curve()).svg


def test_the_curve_stands_among_the_lines_it_is_measured_against(plots):
    plot = plots[0]
    assert {"coin", "oracle (hindsight)", "other thresholds", "this policy"} <= set(texts(plot))
    assert "APGR" not in plot.alt
    assert "0.6" in plot.alt


def test_the_share_is_drawn_where_costs_are_unknown():
    confidence, weak, strong, cheap, dear = columns()
    dear[0] = nan
    plot = figures.cost_quality(
        sweep(confidence, weak, strong, cheap, dear), point=measured(cost_share=None)
    )
    assert "share answered beyond tier 0" in texts(plot)
    assert "this policy" in texts(plot)


def test_a_policy_without_a_known_cost_is_not_placed_on_the_cost_axis():
    assert "this policy" not in texts(
        figures.cost_quality(curve(), point=measured(cost_share=None))
    )


def test_bins_carry_their_counts_and_the_error_its_floor():
    confidence, weak, *_ = columns()
    floor = ece_noise_floor(confidence)
    plot = figures.reliability_diagram(reliability(confidence, weak), noise_floor=floor)
    assert texts(plot).count("30") == 10
    assert f"{floor:.3f}" in plot.caption


def test_drafts_without_a_confidence_are_counted_below_the_histogram():
    plot = figures.confidence_histograms([0.5, nan, nan], [1, 0, 1])
    assert plot.caption.startswith("2 drafts")
    assert "good ones" not in plot.caption
    assert figures.confidence_histograms([nan], [1]).alt.count("–") == 2


def test_a_class_may_be_called_anything():
    plot = figures.by_class(CLASSES)
    assert "$x_{$ <b>&" in texts(plot)
    assert "billing [bold]" in texts(plot)


@pytest.mark.filterwarnings("error")
def test_names_in_any_script_are_written_and_have_room():
    names = ["退款申请与付款退款申请", "배송 문의", "🎉", "#4", "n"]
    plot = figures.by_class({name: measured() for name in names})
    root = ET.fromstring(plot.svg)
    placed = {node.text: node for node in root.iter(f"{SVG}text") if node.text in names}
    assert set(placed) == set(names)
    right_end = float(re.findall(r"[\d.]+", placed[names[0]].get("transform"))[-2])
    assert right_end > 11 * 10  # eleven characters as wide as the font is high


def test_a_long_name_leaves_room_for_the_bars():
    plot = figures.by_class({"long " * 40: measured()})
    assert max(len(text or "") for text in texts(plot)) <= 24
    assert "long " * 40 in plot.alt


def test_bins_that_crowd_do_not_write_over_each_other():
    crowded = np.concatenate([np.linspace(0.99, 1, 90), np.linspace(0.1, 0.8, 10)])
    plot = figures.reliability_diagram(reliability(crowded, np.ones(100)))
    assert texts(plot).count("10") < 10


def test_a_million_points_are_drawn_as_a_few_hundred():
    n = 200_000
    score = np.linspace(0, 1, n)
    large = sweep(score, score, np.ones(n), np.ones(n), np.full(n, 5.0))
    assert len(figures.cost_quality(large).svg) < 100_000
