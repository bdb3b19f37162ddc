"""The page `Queue`: decisions that most need a label, labelled one after another by keyboard."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote
from uuid import uuid4
from weakref import WeakKeyDictionary

from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from cascade_core.errors import ConfigurationError
from cascade_core.review.decision import BY_COOKIE, remember_by
from cascade_core.review.decisions import decision_path
from cascade_core.review.fetching import SHORT, fetch_rows
from cascade_core.review.filters import choices
from cascade_core.review.forms import posted
from cascade_core.review.label_needs import NEED_WEIGHTS
from cascade_core.review.labelling import NO_FEEDBACK, SaidOf, feedback_in, hand_over, settle
from cascade_core.review.pages import bench_of, link, page
from cascade_core.review.periods import period_of
from cascade_core.review.queue_items import queue_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from cascade_core.review.workbench import Workbench

MOST_REMEMBERED = 1_000
"""Labels that can be undone, and that are known when they are sent again."""


@dataclass(slots=True, weakref_slot=True)
class QueueState:
    """What was labelled here, as long as the server runs.

    Attributes:
        writing: Held by whoever writes a label: one after another, so that the later word counts.
        lock: Held by whoever looks at what is below, or changes it; never while a log is written.
        sent: Labels by the key that a browser gave them: one that is sent again, for its answer
            was lost, is not kept twice.
        labelled: What was said of which decision here, in order.
        reopened: What was said of decisions that are to be labelled again.
    """

    writing: Lock = field(default_factory=Lock)
    lock: Lock = field(default_factory=Lock)
    sent: OrderedDict[str, None] = field(default_factory=OrderedDict)
    labelled: OrderedDict[str, SaidOf] = field(default_factory=OrderedDict)
    reopened: dict[str, SaidOf] = field(default_factory=dict)


_states: WeakKeyDictionary[Workbench, QueueState] = WeakKeyDictionary()
_making = Lock()


def queue_state(bench: Workbench) -> QueueState:
    """Return what was labelled in a review."""
    with _making:
        return _states.setdefault(bench, QueueState())


def queue_routes() -> list[BaseRoute]:
    """Return the routes of the page."""
    return [
        Route("/queue", _show, name="queue"),
        Route("/queue/label", posted(_label), methods=["POST"], name="queue-label"),
        Route("/queue/undo", posted(_undo), methods=["POST"], name="queue-undo"),
    ]


def _show(request: Request) -> Response:
    bench, period = bench_of(request), period_of(request.query_params)
    snapshot, state = bench.snapshot(), queue_state(bench)
    with state.lock:
        reopened = dict(state.reopened)
        last = next(reversed(state.labelled.items()), None)
    class_name = request.query_params.get("class") or None
    found = queue_of(snapshot, period, class_name=class_name, reopened=frozenset(reopened))
    rows = fetch_rows(bench.source.database, [last[0]]) if last else []
    return page(
        request,
        "queue.html.jinja",
        title="Queue",
        period=period,
        found=found,
        reopened=reopened,
        last=(rows[0], last[1]) if rows and last else None,
        classes=choices(snapshot, period)["class"],
        class_name=class_name,
        weights=NEED_WEIGHTS,
        here=link("/queue", period, **{"class": class_name}),
        by=unquote(request.cookies.get(BY_COOKIE, "")),
        decision_path=decision_path,
        short=SHORT,
        quoted=lambda key: quote(key, safe=""),
        no_feedback=NO_FEEDBACK if bench.source.kind == "table" else "",
    )


def _label(request: Request, form: Mapping[str, str]) -> Response:
    """Keep what is said of a decision of the queue."""
    bench = bench_of(request)
    if form.get("quality") != "between":  # the field for a correction holds the answer at first
        form = {**form, "corrected": ""}
    key, said, once = unquote(form.get("id", "")), feedback_in(form), form.get("key", "")
    state = queue_state(bench)
    with state.writing:
        if not once or once not in state.sent:
            if not fetch_rows(bench.source.database, [key]):
                raise ConfigurationError("the log has no decision of that id: nothing was kept")
            hand_over(bench, key, said)
            state.sent[once or str(uuid4())] = None
        # One that was handed over, and not written yet, is not handed over again.
        settle(bench)
        with state.lock:
            state.labelled.pop(key, None)
            state.labelled[key] = said
            state.reopened.pop(key, None)
            for remembered in (state.sent, state.labelled):
                while len(remembered) > MOST_REMEMBERED:
                    remembered.popitem(last=False)
    answer = _done(request, form, {"saved": said.quality})
    remember_by(answer, said.by)
    return answer


def _undo(request: Request, form: Mapping[str, str]) -> Response:
    """Put the decision that was labelled last back into the queue.

    A log is only added to: what was said stays in it until something else is said, which counts.
    """
    state = queue_state(bench_of(request))
    wanted = unquote(form.get("id", ""))
    with state.lock:
        key = wanted or next(reversed(state.labelled), "")
        if key not in state.labelled:
            raise ConfigurationError("there is nothing to undo")
        state.reopened[key] = state.labelled.pop(key)
        said = state.reopened[key]
    return _done(request, form, {"reopened": quote(key, safe=""), "said": said.quality})


def _done(request: Request, form: Mapping[str, str], told: Mapping[str, object]) -> Response:
    if "application/json" in request.headers.get("accept", ""):
        return JSONResponse(dict(told))
    asked = form.get("query", "").removeprefix("?")
    return RedirectResponse(f"/queue?{asked}" if asked else "/queue", 303)
