"""Writes the Grafana dashboard beside this: `python docs/telemetry/dashboard.py`.

Queries are written here once, with the names under which Prometheus has the metrics.
"""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path
from typing import Any

from cascade_core.telemetry import names

OUT = Path(__file__).parent / "grafana-dashboard.json"


def exposed(name: str) -> str:
    """Return a metric's name as OpenTelemetry's exporter gives it to Prometheus."""
    kind, unit, _ = names.METRICS[name]
    of_unit = {"s": "_seconds", "USD": "_USD"}.get(unit, "")
    total = "_total" if kind in ("counter", "observed") else ""
    return name.replace(".", "_") + of_unit + total


def label(attribute: str) -> str:
    """Return an attribute's name as a label."""
    return attribute.replace(".", "_")


REQUESTS = exposed(names.REQUESTS)
DURATION = exposed(names.REQUEST_DURATION)
HANDOFFS = exposed(names.HANDOFFS)
LEFT_ALONE = exposed(names.LEFT_ALONE)
CALLS = exposed(names.CALLS)
SPENT = exposed(names.COST_USD)
COMPARED = exposed(names.COMPARED_COST)
STRONG = exposed(names.STRONG_COST)
UNPRICED = exposed(names.UNPRICED)
TOKENS = exposed(names.TOKEN_USAGE)
AUDITS = exposed(names.AUDITS)
HARM = exposed(names.HARM)
AUDIT_SPENT = exposed(names.AUDIT_SPENT)
AUDIT_LIMIT = exposed(names.AUDIT_LIMIT)
POLICY_ACTIVE = exposed(names.POLICY_ACTIVE)
POLICY_CHANGES = exposed(names.POLICY_CHANGES)
LOG_LOST = exposed(names.LOG_LOST)
TELEMETRY_LOST = exposed(names.TELEMETRY_LOST)

OURS = f'{label(names.CASCADE)}=~"$cascade"'
TIER, MODEL, REASON, OUTCOME = (
    label(name) for name in (names.TIER, names.RESPONSE_MODEL, names.REASON, names.OUTCOME)
)
ESCALATED, EXHAUSTED = (f'{OUTCOME}="{word}"' for word in ("escalated", "exhausted"))
OF_REQUESTS, OF_AUDITS = (f'{label(names.PART)}="{part}"' for part in ("request", "audit"))
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
WIDTH = 24  # of a dashboard, in Grafana's columns
SCHEMA = 41  # of Grafana 12


def increase(metric: str, *labels: str, by: str = "", over: str = "$__range") -> str:
    """A sum over the time shown, or over another."""
    given = ", ".join([OURS, *labels])
    grouped = f" by ({by})" if by else ""
    return f"sum{grouped} (increase({metric}{{{given}}}[{over}]))"


def rate(metric: str, *labels: str, by: str = "") -> str:
    """A sum a second."""
    return increase(metric, *labels, by=by, over="$__rate_interval").replace("increase(", "rate(")


def share(part: str, whole: str) -> str:
    """One sum as a share of another; where there is nothing, 0."""
    return f"({part} or vector(0)) / ({whole} > 0)"


def quantile(q: float, *labels: str) -> str:
    """A latency in seconds."""
    return f"histogram_quantile({q}, {rate(f'{DURATION}_bucket', *labels, by='le')})"


class Board:
    """Panels, placed from the left to the right and from the top to the bottom."""

    def __init__(self) -> None:
        self.panels: list[dict[str, Any]] = []
        self._ids = count(1)
        self._x = self._y = self._height = 0

    def row(self, title: str) -> None:
        """Begin a row."""
        self._next_line()
        self._add("row", title, {"collapsed": False, "panels": []}, width=WIDTH, height=1)
        self._next_line()

    def stat(self, title: str, unit: str, query: str, about: str) -> None:
        """One figure for the time shown."""
        reduced = {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}}
        options = {**reduced, "colorMode": "none", "graphMode": "none", "textMode": "auto"}
        self._queried("stat", title, unit, [(query, "")], about, options, 4, 4, instant=True)

    def lines(
        self,
        title: str,
        unit: str,
        queries: list[tuple[str, str]],
        about: str,
        *,
        stacked: bool = False,
    ) -> None:
        """Lines over time, each with its legend."""
        options = {
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
            "tooltip": {"mode": "multi", "sort": "desc"},
        }
        custom = {
            "drawStyle": "line",
            "lineWidth": 1,
            "fillOpacity": 30 if stacked else 0,
            "stacking": {"group": "A", "mode": "normal" if stacked else "none"},
        }
        self._queried("timeseries", title, unit, queries, about, options, 8, 8, custom=custom)

    def _queried(  # noqa: PLR0913, PLR0917 - a panel has this many sides
        self,
        kind: str,
        title: str,
        unit: str,
        queries: list[tuple[str, str]],
        about: str,
        options: dict[str, Any],
        width: int,
        height: int,
        *,
        instant: bool = False,
        custom: dict[str, Any] | None = None,
    ) -> None:
        targets = [
            {
                "datasource": DATASOURCE,
                "editorMode": "code",
                "expr": query,
                "instant": instant,
                "legendFormat": legend or "__auto",
                "range": not instant,
                "refId": chr(ord("A") + place),
            }
            for place, (query, legend) in enumerate(queries)
        ]
        defaults: dict[str, Any] = {"unit": unit, "custom": custom or {}}
        if unit == "percentunit" and kind == "timeseries":
            defaults |= {"min": 0, "max": 1}
        more = {
            "datasource": DATASOURCE,
            "description": about,
            "fieldConfig": {"defaults": defaults, "overrides": []},
            "options": options,
            "targets": targets,
        }
        self._add(kind, title, more, width=width, height=height)

    def _add(self, kind: str, title: str, more: dict[str, Any], *, width: int, height: int) -> None:
        if self._x + width > WIDTH:
            self._next_line()
        place = {"h": height, "w": width, "x": self._x, "y": self._y}
        self.panels.append(
            {"id": next(self._ids), "type": kind, "title": title, "gridPos": place, **more}
        )
        self._x += width
        self._height = max(self._height, height)

    def _next_line(self) -> None:
        self._y += self._height
        self._x = self._height = 0


def figures(board: Board) -> None:
    """The time shown in a few figures."""
    board.row("In the time shown")
    requests = increase(REQUESTS)
    board.stat("Requests", "short", requests, "All that were asked, however they ended.")
    board.stat(
        "Escalated",
        "percentunit",
        share(increase(REQUESTS, ESCALATED), requests),
        "Answered by a later tier after a cheaper one was asked.",
    )
    board.stat(
        "Cost",
        "currencyUSD",
        increase(SPENT, OF_REQUESTS),
        "All calls whose models have prices, rejected drafts and judges included; audits left out.",
    )
    board.stat(
        "Saved",
        "percentunit",
        f"1 - {increase(COMPARED)} / ({increase(STRONG)} > 0)",
        "Of what asking the strongest tier alone would have cost. Below 0 the cascade costs more. "
        "Audits are not in it.",
    )
    board.stat(
        "Latency, 95 %",
        "s",
        quantile(0.95).replace("$__rate_interval", "$__range"),
        "Until the answer was known.",
    )
    board.stat(
        "Nobody answered",
        "percentunit",
        share(increase(REQUESTS, EXHAUSTED), requests),
        "Every tier failed.",
    )


def traffic(board: Board) -> None:
    """Where requests go."""
    board.row("Where requests go")
    board.lines(
        "Requests",
        "reqps",
        [(rate(REQUESTS, by=OUTCOME), f"{{{{{OUTCOME}}}}}")],
        "By what became of them.",
        stacked=True,
    )
    board.lines(
        "Share by tier",
        "percentunit",
        [
            (
                f"{rate(REQUESTS, by=TIER)} / ignoring({TIER}) group_left () {rate(REQUESTS)}",
                f"tier {{{{{TIER}}}}}",
            )
        ],
        "Who answered; a line without a number is of requests that nobody answered.",
        stacked=True,
    )
    board.lines(
        "Escalated and handed off",
        "percentunit",
        [
            (share(rate(REQUESTS, ESCALATED), rate(REQUESTS)), "escalated"),
            (share(rate(HANDOFFS), rate(REQUESTS)), "handed off by the last tier"),
        ],
        "A jump says that traffic, or a model, has changed: see cascade drift.",
    )


def money(board: Board) -> None:
    """What it costs."""
    board.row("Cost")
    by_hour = " * 3600"
    board.lines(
        "Cost an hour",
        "currencyUSD",
        [
            (rate(COMPARED) + by_hour, "the cascade"),
            (rate(STRONG) + by_hour, "the strongest tier alone"),
            (rate(SPENT, OF_AUDITS) + by_hour, "audits, besides"),
        ],
        "Of requests whose cost is known both ways.",
    )
    board.lines(
        "Cost an hour by model",
        "currencyUSD",
        [(rate(SPENT, OF_REQUESTS, by=MODEL) + by_hour, f"{{{{{MODEL}}}}}")],
        "Audits are left out.",
        stacked=True,
    )
    board.lines(
        "Tokens",
        "short",
        [
            (
                rate(
                    f"{TOKENS}_sum", by=f"{label(names.REQUEST_MODEL)}, {label(names.TOKEN_TYPE)}"
                ),
                f"{{{{{label(names.REQUEST_MODEL)}}}}} {{{{{label(names.TOKEN_TYPE)}}}}}",
            )
        ],
        "A second, audits' calls among them.",
    )


def speed(board: Board) -> None:
    """How long answers take, and what fails."""
    board.row("Latency and failures")
    board.lines(
        "Latency",
        "s",
        [
            (quantile(q, f'{OUTCOME}="{path}"'), f"{path}, {name}")
            for path in ("accepted", "escalated")
            for q, name in ((0.5, "median"), (0.95, "95 %"))
        ],
        "Until the answer was known; an escalated request waits for two models.",
    )
    calls = rate(CALLS, by=MODEL)
    bad = rate(CALLS, f'{label(names.CALL_OUTCOME)}="failed"', by=MODEL)
    board.lines(
        "Failed calls",
        "percentunit",
        [(f"({bad} or 0 * {calls}) / ({calls} > 0)", f"{{{{{MODEL}}}}}")],
        "Of the calls of each model. Failed calls of the cheap model cost nothing but time: the "
        "request escalates.",
    )
    board.lines(
        "Not answered",
        "reqps",
        [
            (rate(REQUESTS, EXHAUSTED), "every tier failed"),
            (rate(REQUESTS, f'{OUTCOME}=~"cancelled|failed"'), "cancelled, or failed otherwise"),
        ],
        "The first are in the log, the second are not.",
    )
    board.lines(
        "Left alone",
        "reqps",
        [(rate(LEFT_ALONE, by=TIER), f"tier {{{{{TIER}}}}}")],
        "Requests that passed by a tier that keeps failing, or does not answer any more.",
    )


def quality(board: Board) -> None:
    """What audits say, and what is lost."""
    board.row("Audits and losses")
    status = label(names.AUDIT_STATUS)
    board.lines(
        "Harm of audited requests",
        "percentunit",
        [(f"{rate(f'{HARM}_sum')} / ({rate(f'{HARM}_count')} > 0)", "mean")],
        "Quality lost by not asking the strongest tier, as a plain mean. Audit rates that differ "
        "by class are not weighed here: cascade report does that, with an interval.",
    )
    board.lines(
        "Audits",
        "short",
        [
            (rate(AUDITS, by=status), f"{{{{{status}}}}}"),
            (f"sum ({AUDIT_SPENT}{{{OURS}}})", "USD of the day"),
            (f"sum ({AUDIT_LIMIT}{{{OURS}}})", "USD allowed a day"),
        ],
        "A second, and what they cost. What was skipped or failed is not covered.",
    )
    change = label(names.POLICY_CHANGE)
    board.lines(
        "Policy",
        "short",
        [
            (f"max by ({label(names.CASCADE)}) ({POLICY_ACTIVE}{{{OURS}}})", "version in use"),
            (
                f"max by ({change}) (increase({POLICY_CHANGES}{{{OURS}}}[$__rate_interval]))",
                f"{{{{{change}}}}}",
            ),
        ],
        "The version that decides, of a database's policies, and when another was taken over or "
        "what decided was withdrawn. Each process counts for itself.",
    )
    board.lines(
        "Lost",
        "short",
        [
            (f"sum (increase({LOG_LOST}[$__rate_interval]))", "records of logs"),
            (f"sum (increase({TELEMETRY_LOST}[$__rate_interval]))", "spans and metrics"),
            (increase(UNPRICED, over="$__rate_interval"), "calls without a price"),
        ],
        "Records that the log could not keep, decisions that are in no metric, and calls that are "
        "in no cost.",
    )


def made() -> dict[str, Any]:
    """Return the dashboard."""
    board = Board()
    for part in (figures, traffic, money, speed, quality):
        part(board)
    variables = [
        {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus"},
        {
            "name": "cascade",
            "label": "Cascade",
            "type": "query",
            "datasource": DATASOURCE,
            "query": {
                "query": f"label_values({REQUESTS}, {label(names.CASCADE)})",
                "refId": "cascades",
            },
            "refresh": 2,
            "includeAll": True,
            "multi": True,
            "allValue": ".*",
            "current": {"text": "All", "value": "$__all"},
        },
    ]
    return {
        "title": "Model cascades",
        "uid": "model-cascade",
        "tags": ["model-cascade"],
        "schemaVersion": SCHEMA,
        "editable": True,
        "graphTooltip": 1,
        "time": {"from": "now-6h", "to": "now"},
        "refresh": "1m",
        "templating": {"list": variables},
        "panels": board.panels,
    }


if __name__ == "__main__":
    OUT.write_text(json.dumps(made(), indent=1) + "\n", encoding="utf-8")
