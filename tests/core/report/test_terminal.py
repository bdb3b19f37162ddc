"""Tables as they look in a terminal."""

import io

import pytest
from rich.console import Console

from cascade_core.evaluation import Interval
from cascade_core.report.rows import Figure
from cascade_core.report.terminal import classes, curve_points, figures
from tests.core.report.making import CLASSES, curve


def printed(table, width=80):
    written = io.StringIO()
    Console(file=written, width=width).print(table)
    return written.getvalue()


def test_figures_stand_beside_their_intervals():
    text = printed(figures("Here", [Figure("quality", 0.9, Interval(0.8, 0.95)), Figure("x", 0.1)]))
    assert "Here" in text
    line = next(line for line in text.splitlines() if "quality" in line)
    assert line.split("quality")[1].split() == ["90.0", "%", "80.0", "%", "…", "95.0", "%"]


def test_a_table_without_intervals_has_no_column_for_them():
    assert "interval" not in printed(figures("Here", [Figure("quality", 0.9)]))


def test_a_curve_is_shown_from_accepting_everything_to_accepting_nothing():
    text = printed(curve_points("Curve", curve(), 5))
    lines = [line for line in text.splitlines() if "$" in line]
    assert len(lines) == 5
    assert lines[0].split()[:2] == ["0.000", "0.0"]
    assert "accept none" in lines[-1]
    assert "100.0 %" in lines[-1]
    assert "111.1 %" in lines[-1]  # on the cost axis, both tiers having been paid
    assert "cost axis" in text


@pytest.mark.parametrize("width", [80, 120])
def test_names_of_classes_are_not_read_as_markup(width):
    text = printed(classes("By class", CLASSES), width)
    assert "billing [bold]" in text
    assert "$x_{$ <b>&" in text
    assert all(len(line) <= width for line in text.splitlines())
