"""Tables as they look in a terminal."""

import io

import pytest
from rich.cells import cell_len
from rich.console import Console

from cascade_core.evaluation import Interval
from cascade_core.report.rows import (
    CURVE_LEGEND,
    OPERATING_LEGEND,
    Figure,
    curve_rows,
    operating_rows,
)
from cascade_core.report.terminal import class_cells, print_classes, print_figures
from tests.core.report.making import CLASSES, curve, measured


def printed(show, *given, width=80):
    written = io.StringIO()
    show(Console(file=written, width=width), *given)
    return written.getvalue()


def test_figures_stand_beside_their_intervals():
    rows = [Figure("quality", 0.9, Interval(0.8, 0.95)), Figure("x", 0.1)]
    text = printed(print_figures, "Here", rows)
    assert "Here" in text
    line = next(line for line in text.splitlines() if "quality" in line)
    assert line.split("quality")[1].split() == ["90.0", "%", "80.0", "%", "…", "95.0", "%"]


def test_a_table_without_intervals_has_no_column_for_them():
    assert "interval" not in printed(print_figures, "Here", [Figure("quality", 0.9)])


@pytest.mark.parametrize("width", [80, 120])
def test_names_of_classes_are_not_read_as_markup(width):
    text = printed(print_classes, "By class", CLASSES, width=width)
    assert "billing [bold]" in text
    assert "$x_{$ <b>&" in text
    assert all(len(line) <= width for line in text.splitlines())


LONG = ["a_name_without_any_space_" * 5, "a name of many words " * 5, "退款申请与付款" * 9]


@pytest.mark.parametrize("width", [20, 40, 60, 80])
@pytest.mark.parametrize("name", LONG)
def test_a_number_is_never_cut_however_long_the_names(width, name):
    own = measured(n=1_234_567, quality=1.0, escalated=1.0, cost_share=1.017, harm=0.146)
    classes = {name: own, f"{name} again": own}
    text = printed(print_classes, "By class", classes, width=width)
    numbers = class_cells(classes)[0][1:]
    whole = [line for line in text.splitlines() if all(number in line for number in numbers)]
    assert len(whole) == 2
    assert all(header in text for header in ("quality", "last", "beyond", "cost", "harm"))


@pytest.mark.parametrize("name", LONG)
def test_eighty_columns_are_enough_for_classes(name):
    whole = measured(n=123_456, quality=1.0, escalated=1.0, cost_share=1.0, harm=1.0)
    text = printed(print_classes, "By class", {name: whole})
    assert all(cell_len(line) <= 80 for line in text.splitlines())


@pytest.mark.parametrize("width", [20, 40, 80])
def test_figures_and_their_intervals_are_never_cut(width):
    rows = [Figure("kept of the last tier's", 0.000123, Interval(0.000123, 0.000987), "usd", "x")]
    text = printed(print_figures, "Here", rows, width=width)
    assert "$0.000123   $0.000123 … $0.000987" in text


def test_every_abbreviation_is_explained_once_in_lines_that_fit_a_terminal():
    legend = [*OPERATING_LEGEND, *CURVE_LEGEND]
    assert all(len(line) <= 80 for line in legend)
    told = [line.partition(":")[0] for line in legend]
    assert len(set(told)) == len(told)
    assert {"APGR", "CPT50", "AUROC", "ECE", "cost axis", "share axis", "harm"} == set(told)
    named = {label.split(", ")[0] for label in (row.label for row in curve_rows(curve()))}
    assert {name[:3] for name in named} <= {name[:3] for name in told}
    text = printed(print_figures, "Here", [Figure("x", 1.0)], OPERATING_LEGEND)
    assert text.splitlines()[-2:] == list(OPERATING_LEGEND)


def test_a_note_gives_way_before_a_label():
    own = measured(escalated=0.5, cost_share=None, cost_usd=0.0001, strong_cost_usd=0.0001)
    rows = operating_rows(own, {"quality": Interval(0.8, 0.95)})
    text = printed(print_figures, "Here", rows, width=75)
    assert "kept of the last tier's" in text
    assert "strong − cheap ≤ 0" not in text
