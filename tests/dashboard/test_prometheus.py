"""A real Prometheus reads a program's metrics: every panel shows something, and alerts fire."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dashboard.panels import ALERTS, filled, queries
from tests.dashboard.servers import Prometheus, prometheus, traffic, until

PROGRAMS = Path(os.environ.get("CASCADE_TEST_PROMETHEUS") or ".")

pytestmark = [
    pytest.mark.skipif(
        "CASCADE_TEST_PROMETHEUS" not in os.environ, reason="make test-services has a Prometheus"
    ),
    pytest.mark.timeout(120),
]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    folder = tmp_path_factory.mktemp("prometheus")
    with traffic() as address, prometheus(PROGRAMS, address, ALERTS, folder) as server:
        # A rate needs two readings.
        until(lambda: server.ask("min(count_over_time(cascade_requests_total[1m])) >= 4"))
        yield server


@pytest.mark.parametrize("query", queries())
def test_every_panel_has_data(query: str, running: Prometheus) -> None:
    found = running.ask(filled(queries()[query]))
    assert found, "nothing is found"
    assert all(float(each["value"][1]) == float(each["value"][1]) for each in found)


def test_the_cascades_to_choose_from_are_those_that_ask(running: Prometheus) -> None:
    assert running.get("/api/v1/label/cascade_name/values") == ["desk", "keyless", "lab", "shop"]


def test_the_alerts_are_read_and_evaluated(running: Prometheus) -> None:
    (group,) = running.get("/api/v1/rules")["groups"]
    until(
        lambda: all(
            rule["health"] == "ok" for rule in running.get("/api/v1/rules")["groups"][0]["rules"]
        )
    )
    assert len(group["rules"]) == ALERTS.read_text("utf-8").count("- alert:")


def test_each_alert_fires_where_it_should_and_none_on_ordinary_traffic(tmp_path: Path) -> None:
    written = (Path(__file__).parent / "alerts.test.yml").read_text("utf-8")
    rules = tmp_path / "alerts.test.yml"
    rules.write_text(written.replace("[ALERTS]", f"['{ALERTS}']"), "utf-8")
    for command in (["check", "rules", str(ALERTS)], ["test", "rules", str(rules)]):
        said = subprocess.run(
            [PROGRAMS / "promtool", *command], capture_output=True, text=True, check=False
        )
        assert said.returncode == 0, said.stdout + said.stderr
