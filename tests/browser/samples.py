"""Serves one page with every macro and every kind of chart, for looking at and for tests.

python -m tests.browser.samples DATABASE
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import uvicorn
from jinja2 import ChoiceLoader, FileSystemLoader
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from cascade_core.policy.document import Policy
from cascade_core.review.app import make_review
from cascade_core.review.forms import Form, posted
from cascade_core.review.pages import Chart, Series, page
from cascade_core.review.serving import address_of, open_socket
from cascade_core.review.source import open_source
from cascade_core.review.texts import environment
from cascade_core.review.workbench import Workbench

HOSTILE = "<script>alert(1)</script>\x1b[2J\u202eevil\x00\ud800 \"' onload=alert(1)"
LONG = "a" * 1_000_000
DAY = 86_400.0


def charts() -> list[Chart]:
    """Return a chart of every kind."""
    chance = np.random.default_rng(7)
    days = [1_790_000_000 + DAY * day for day in range(30)]
    quality = [None if day == 12 else 0.9 + 0.002 * day for day in range(30)]
    n = 100_000
    readings = np.sort(chance.random(n))
    bins = [0.05 + 0.1 * each for each in range(10)]
    return [
        Chart(
            "over-time",
            "Quality over time",
            days,
            "day",
            [
                Series(
                    "cascade",
                    quality,
                    low=[None if q is None else q - 0.03 for q in quality],
                    high=[None if q is None else min(1, q + 0.03) for q in quality],
                    colour="cascade",
                ),
                Series("always strong", [0.97] * 30, colour="strong", dashed=True),
            ],
            "quality",
            "time",
            "percent",
        ),
        Chart(
            "curve",
            "Cost and quality at each threshold",
            [0.0000945 * (1 + each) for each in range(40)],
            "cost a request",
            [
                Series(
                    "cheap and strong",
                    [0.7 + 0.3 * (1 - 0.9**e) for e in range(40)],
                    colour="cheap",
                )
            ],
            "quality",
            "usd",
            "percent",
            marks=[(0.0000945 * 12, "now 0.90"), (0.0000945 * 30, "draft 0.97")],
        ),
        Chart(
            "many",
            "100,000 decisions",
            readings,
            "confidence",
            [Series("latency", chance.lognormal(6, 0.6, n), draw="points", colour="strong")],
            "latency",
            "number",
            "milliseconds",
            marks=[(0.9, "threshold")],
        ),
        Chart(
            "readings",
            "Readings of good and bad drafts",
            bins,
            "reading",
            [
                Series("good", [1, 2, 4, 8, 12, 20, 33, 51, 80, 120], draw="bars", colour="cheap"),
                Series("bad", [20, 22, 18, 14, 12, 9, 6, 4, 2, 1], draw="bars", colour="strong"),
            ],
            "drafts",
            marks=[(0.9, "threshold")],
        ),
        Chart(
            "classes",
            "Cost by class",
            [0, 1, 2],
            "class",
            [
                Series(
                    "now",
                    [0.001, 0.0005, 0.0021],
                    draw="bars",
                    colour="cheap",
                    low=[0.0008, 0.0004, None],
                    high=[0.0012, 0.0006, None],
                ),
                Series("bypassed", [0.003, 0.003, 0.003], draw="bars", colour="strong"),
            ],
            "USD a request",
            "number",
            "usd",
            categories=["returns", HOSTILE, "account"],
        ),
        Chart(
            "steps",
            "Threshold in use",
            days[:5],
            "day",
            [
                Series("tier 0", [0.9, 0.8, 0.8, 0.95, 0.9], draw="step"),
                Series(
                    "reliability",
                    [0.5, 0.6, 0.7, 0.8, 0.9],
                    draw="points",
                    low=[0.4, 0.5, 0.6, 0.7, 0.8],
                    high=[0.6, 0.7, 0.8, 0.9, 1],
                    colour="cascade",
                ),
            ],
            "threshold",
            "time",
            y_range=(0, 1),
        ),
        Chart("one", "One value", [0.5], "x", [Series("y", [0.2], draw="points")], "y"),
        Chart("none", "No values", [], "x", [Series("y", [])], "y"),
    ]


def _samples(request: Request) -> Response:
    word = request.query_params.get("word", "")
    if word == "refused":
        raise HTTPException(400, "this word is refused")
    time.sleep(min(2.0, 0.4 if word.startswith("slow") else 0))
    context = {"charts": charts(), "hostile": HOSTILE, "long": LONG, "word": word}
    return page(request, "samples.html.jinja", title="Samples", **context)


def _kept(_: Request, form: Form) -> Response:
    return RedirectResponse(f"/samples?{urlencode({'word': form['note']})}", 303)


def _broken(_: Request) -> Response:
    raise RuntimeError("the secret text of a request")


def main() -> None:
    """Serve until ended."""
    templates = environment()
    assert templates.loader is not None
    templates.loader = ChoiceLoader([templates.loader, FileSystemLoader(Path(__file__).parent)])
    bench = Workbench(open_source(sys.argv[1]), Policy.load(None))
    taken = open_socket(0)
    port = taken.getsockname()[1]
    app = make_review(bench, [f"127.0.0.1:{port}"])
    app.router.routes += [
        Route("/samples", _samples),
        Route("/samples", posted(_kept), methods=["POST"]),
        Route("/broken", _broken),
    ]
    sys.stdout.write(f"{address_of(bench, taken)}\n")
    sys.stdout.flush()
    config = uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off")
    uvicorn.Server(config).run(sockets=[taken])


if __name__ == "__main__":
    main()
