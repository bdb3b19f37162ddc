"""The dashboard that ships, and the names in its queries."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.conftest import ROOT

FOLDER = ROOT / "docs" / "telemetry"
DASHBOARD = FOLDER / "grafana-dashboard.json"
ALERTS = FOLDER / "alerts.yml"

_METRIC = re.compile(r"\b((?:cascade|gen_ai)_\w+)(?=[{[])")
_VARIABLES = {
    "$__rate_interval": "10s",
    "$__interval": "10s",
    "$__range": "1m",
    "$cascade": ".*",
}


def dashboard() -> dict[str, Any]:
    read: dict[str, Any] = json.loads(DASHBOARD.read_text("utf-8"))
    return read


def queries() -> dict[str, str]:
    """Every query of a panel, by the panel's title and the query's letter."""
    return {
        f"{panel['title']} {target['refId']}": target["expr"]
        for panel in dashboard()["panels"]
        for target in panel.get("targets", ())
    }


def filled(query: str) -> str:
    """A query as Grafana sends it."""
    for name, value in _VARIABLES.items():
        query = query.replace(name, value)
    return query


def metrics(query: str) -> set[str]:
    """The metrics that a query reads."""
    return set(_METRIC.findall(query))
