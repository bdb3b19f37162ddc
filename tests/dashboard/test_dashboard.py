"""The dashboard and the example of alerts ask for metrics that a cascade really serves."""

from __future__ import annotations

import runpy
from collections.abc import Iterator
from urllib.request import urlopen

import pytest

from cascade_core.telemetry import names
from tests.dashboard.panels import ALERTS, DASHBOARD, FOLDER, dashboard, metrics, queries
from tests.dashboard.servers import traffic

ASKED = {
    **queries(),
    **{
        f"alerts.yml {place}": expression
        for place, expression in enumerate(ALERTS.read_text("utf-8").split("- alert:")[1:])
    },
}


@pytest.fixture(scope="module")
def page() -> Iterator[str]:
    with traffic() as address, urlopen(f"http://{address}/metrics") as answer:
        yield answer.read().decode()


def served(page: str) -> set[str]:
    return {line.split("{")[0].split()[0] for line in page.splitlines() if line[:1] != "#"}


def test_the_file_is_what_its_program_writes() -> None:
    made = runpy.run_path(str(FOLDER / "dashboard.py"))
    assert made["made"]() == dashboard()


def test_what_a_dashboard_needs_to_be_imported_is_there() -> None:
    read = dashboard()
    assert read["schemaVersion"] >= 41
    assert {each["name"] for each in read["templating"]["list"]} == {"datasource", "cascade"}
    panels = read["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        if panel["type"] != "row":
            assert panel["description"]
            assert panel["datasource"]["uid"] == "${datasource}"
    assert "\n" not in DASHBOARD.name


def test_no_two_panels_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard()["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells


@pytest.mark.parametrize("query", ASKED)
def test_every_metric_that_is_asked_for_is_served(query: str, page: str) -> None:
    asked = metrics(ASKED[query])
    assert asked
    assert asked <= served(page)


@pytest.mark.parametrize("metric", names.METRICS)
def test_every_metric_is_served_under_the_name_that_is_written_for_it(
    metric: str, page: str
) -> None:
    exposed = runpy.run_path(str(FOLDER / "dashboard.py"))["exposed"](metric)
    suffix = "_count" if names.METRICS[metric][0] == "histogram" else ""
    assert f"{exposed}{suffix}" in served(page)
