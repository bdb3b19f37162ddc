"""The page `Thresholds`: what other thresholds would have given, cost, and sent where."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from cascade_core.errors import ConfigurationError
from cascade_core.files import finite
from cascade_core.report.rows import claimed
from cascade_core.review.draft_policy import DraftPolicy
from cascade_core.review.filters import LONGEST_OFFERED, MOST_OFFERED, written_out
from cascade_core.review.forms import Form, posted
from cascade_core.review.missing_policy import other_policy, unknown_policy
from cascade_core.review.pages import bench_of, link, page
from cascade_core.review.periods import Period, period_of
from cascade_core.review.positions import Positions, nearest_stop, positions_in
from cascade_core.review.promise_support import harm_wanted
from cascade_core.review.thresholds_answer import answer_of
from cascade_core.review.thresholds_charts import curve_chart, reliability_chart
from cascade_core.review.thresholds_disk import answers_on_disk
from cascade_core.review.thresholds_view import ThresholdsView, ThresholdsViews


@dataclass(frozen=True, slots=True)
class Slider:
    """One threshold that can be moved.

    Attributes:
        key: Of its element.
        name: Of its field.
        label: What its field is called.
        handle: What is dragged is called.
        value: Where it stands.
        now: Where it stands in the policy that decides now.
        stops: Where it can be.
        place: Which of them is the nearest to where it stands.
    """

    key: str
    name: str
    label: str
    handle: str
    value: float
    now: float
    stops: list[float]
    place: int

    @property
    def stops_json(self) -> str:
        """The stops as the page's script reads them."""
        return json.dumps(self.stops)


def thresholds_routes() -> list[BaseRoute]:
    """Return the routes of the page."""
    views = ThresholdsViews()

    def show(request: Request) -> Response:
        period = period_of(request.query_params)
        return _page(request, views.of(bench_of(request), period), period)

    def answer(request: Request) -> Response:
        asked = request.query_params
        period = period_of(asked)
        view = views.of(bench_of(request), period)
        try:
            moved, target = positions_in(asked, view.start), _target(asked, view)
        except ConfigurationError as error:
            return JSONResponse({"error": str(error)}, 400)
        return JSONResponse(finite(answer_of(view, moved, period, target).as_dict()))

    def use(request: Request, form: Form) -> Response:
        period, bench = period_of(form), bench_of(request)
        if (unknown := unknown_policy(bench)) is not None:  # a draft would take its place
            raise ConfigurationError(unknown.said)
        view = views.of(bench, period)
        _use(bench.draft, view, positions_in(form, view.start))
        return RedirectResponse(link("/thresholds", period, used="1"), 303)

    return [
        Route("/thresholds", show, methods=["GET"], name="thresholds"),
        Route("/thresholds/answer", answer, methods=["GET"], name="thresholds_answer"),
        Route("/thresholds", posted(use), methods=["POST"], name="use_thresholds"),
    ]


def _page(request: Request, view: ThresholdsView, period: Period) -> Response:
    asked, bench = request.query_params, bench_of(request)
    other = other_policy(bench)
    moved, target = positions_in(asked, view.start), _target(asked, view)
    answer = answer_of(view, moved, period, target)
    sliders = {name: _sliders(view, moved, name) for name in (None, *moved.own)}
    weighed = view.weighed
    stops = {each.name: each.stops for own in sliders.values() for each in own}
    return page(
        request,
        "thresholds.html.jinja",
        title="Thresholds",
        other="" if other is None else other.said,
        known=other is None or other.given is not None,
        period=period,
        view=view,
        met="merit" if any(map(view.base.weighs, range(view.tiers))) else "confidence",
        answer=answer,
        sliders=sliders,
        fields=_texts(moved),
        back=link("/thresholds", period, **_texts(view.now)),
        moved=moved,
        drop={
            name: link("/thresholds", period, **_texts(_without(moved, name))) for name in moved.own
        },
        addable=[
            name for name in view.classes if name not in moved.own and len(name) <= LONGEST_OFFERED
        ][:MOST_OFFERED],
        drafted=view.start != view.now,
        used="used" in asked,
        target=target,
        promises=[claimed(promise) for promise in view.base.promises],
        curve=curve_chart(view, answer.point),
        seen=[(tier, reliability_chart(tier)) for tier in weighed.tiers] if weighed else [],
        tune=f"cascade tune {shlex.quote(bench.source.shown)} --harm {target:g} --out policy.json",
        on_disk=answers_on_disk(view, stops, period, target) if bench.static else None,
    )


def _sliders(view: ThresholdsView, moved: Positions, class_name: str | None) -> list[Slider]:
    found = []
    for k, value in enumerate(moved.of(class_name)):
        model = f" ({view.models[k]})" if view.models[k] else ""
        of = "" if class_name is None else f" for class {class_name}"
        stops = view.stops(k, class_name)
        found.append(
            Slider(
                key=f"t{k}" if class_name is None else f"t{k}-{list(moved.own).index(class_name)}",
                name=f"t{k}" if class_name is None else f"t{k}.{class_name}",
                label=f"Threshold of tier {k}{model}{of}",
                handle=f"Slider of tier {k}{model}{of}",
                value=value,
                now=view.now.of(class_name)[k],
                stops=stops,
                place=nearest_stop(stops, value),
            )
        )
    return found


def _target(form: Mapping[str, str], view: ThresholdsView) -> float:
    said = form.get("target", "").strip()
    if not said:
        return harm_wanted(view.base)
    try:
        value = float(said.replace(",", "."))
    except ValueError:
        value = 0.0
    if not 0 < value < 1:
        msg = f"the harm to be promised is a number between 0 and 1, such as 0.05; given: {said!r}"
        raise ConfigurationError(msg)
    return value


def _use(draft: DraftPolicy, view: ThresholdsView, moved: Positions) -> None:
    """Put thresholds into the draft, those that are not what it has."""
    for k, threshold in enumerate(moved.others):
        if view.start.others[k] != threshold or draft.policy.thresholds is None:
            draft.set_threshold(k, threshold)
    for name in view.start.own:
        if name not in moved.own:
            draft.drop_class(name)
    for name, thresholds in moved.own.items():
        had = view.start.own.get(name)
        for k, threshold in enumerate(thresholds):
            if had is None or had[k] != threshold:
                draft.set_threshold(k, threshold, name)


def _without(moved: Positions, name: str) -> Positions:
    return replace(moved, own={key: own for key, own in moved.own.items() if key != name})


def _texts(positions: Positions) -> dict[str, str]:
    """Return the fields of a form; every digit counts, or decisions at a threshold would change."""
    return {name: written_out(value) for name, value in positions.fields().items()}
