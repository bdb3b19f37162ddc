"""The page `Policy`: what was changed, what it would do, and the versions that are kept."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from cascade_core.errors import CascadeError, ConfigurationError
from cascade_core.files import unique
from cascade_core.log.policies import MeanwhileError
from cascade_core.policy.changes import changes
from cascade_core.policy.lost import lost_names, said_of_lost
from cascade_core.review.forms import Form, posted
from cascade_core.review.missing_policy import said_of_other
from cascade_core.review.pages import bench_of, link, page
from cascade_core.review.periods import period_of
from cascade_core.review.policy_homes import mark_of, plain_of
from cascade_core.review.policy_view import (
    followed_policy,
    json_diff,
    policy_context,
    shown_document,
)
from cascade_core.review.workbench import Workbench

LONGEST_NOTE = 500
"""Characters of what is said of a version."""

DONE = {
    "changed": "The draft was changed. Nothing is saved yet.",
    "undone": "That change was taken back.",
    "gone": "That change had been taken back already.",
    "forgotten": "All changes were forgotten: the draft is the policy that decides.",
    "moved": "Your changes are made to the policy that decides now. Nothing is saved yet.",
    "saved": "Saved as version {version}. It is not in use yet.",
    "same": "This is version {version}, which was saved before: nothing new is kept.",
    "active": "Version {version} is in use. Running cascades take it within two seconds.",
    "already": "Version {version} was in use already.",
    "back": "Taken back: version {version} is in use again.",
}
"""What a form has done, by what the address says of it."""


def saving_routes() -> list[BaseRoute]:
    """Return the routes of the page."""
    writing = {
        "threshold": _set_threshold,
        "bypass": _bypass,
        "rules": _set_rules,
        "remove": _remove_rule,
        "undo": _undo,
        "forget": _forget,
        "move": _move,
        "save": _save,
        "activate": _activate,
    }
    return [
        Route("/policy", _show, name="saving"),
        Route("/policy/draft.json", _download),
        Route("/policy/version/{number}", _version),
        Route("/policy/diff", _diff),
        *(
            Route(f"/policy/{name}", posted(_told(handler)), methods=["POST"])
            for name, handler in writing.items()
        ),
        # Links of a page that a refused form came back to, such as those of the period.
        *(Route(f"/policy/{name}", _led_back, methods=["GET"]) for name in writing),
    ]


# --- what is shown -------------------------------------------------------------------------------


def _show(request: Request) -> Response:
    return _page(request)


def _led_back(request: Request) -> Response:
    return RedirectResponse(link("/policy", period_of(request.query_params)), 303)


def _page(request: Request, *, problem: str = "", typed: Form | None = None) -> Response:
    """Show the page; after a form that was refused, with what is wrong and what was typed."""
    bench, period = bench_of(request), period_of(request.query_params)
    return page(
        request,
        "saving.html.jinja",
        title="Policy",
        status=400 if problem else 200,
        period=period,
        problem=problem,
        typed=typed or {},
        done=_done(request),
        other=said_of_other(bench),
        writable=not bench.read_only,
        **policy_context(bench, period),
    )


def _version(request: Request) -> Response:
    bench, number = bench_of(request), _number(request.path_params["number"], "version")
    current, _ = followed_policy(bench)
    policy = bench.home.version(number)
    listed = next((each for each in bench.home.listed() if each.number == number), None)
    lost = [] if current is None else lost_names(current.policy.rules, policy.rules)
    return page(
        request,
        "policy_version.html.jinja",
        title=f"Policy, version {number}",
        number=number,
        listed=listed,
        document=shown_document(policy),
        home=bench.home,
        writable=not bench.read_only,
        mark="" if current is None else mark_of(current),
        lines=[] if current is None else changes(plain_of(current.policy), plain_of(policy)),
        diff=[] if current is None else json_diff(current.policy, policy),
        warning=said_of_lost(lost, f"version {number}", "the policy in use") if lost else "",
    )


def _diff(request: Request) -> Response:
    home = bench_of(request).home
    a, b = (_number(request.query_params.get(name, ""), name) for name in ("a", "b"))
    one, other = home.version(a), home.version(b)
    return page(
        request,
        "policy_diff.html.jinja",
        title=f"Policy, from version {a} to version {b}",
        a=a,
        b=b,
        lines=changes(plain_of(one), plain_of(other)),
        diff=json_diff(one, other),
    )


def _download(request: Request) -> Response:
    return JSONResponse(
        plain_of(bench_of(request).draft.policy),
        headers={"Content-Disposition": 'attachment; filename="policy.json"'},
    )


# --- what is done --------------------------------------------------------------------------------


def _told(handler: Any) -> Any:
    """Show the page again where a form is refused: what is wrong, and what was typed."""

    def handled(request: Request, form: Form) -> Response:
        try:
            done, number = handler(bench_of(request), form)
        except ConfigurationError as error:
            return _page(request, problem=str(error), typed=form)
        query = {"done": done} | ({} if number is None else {"version": number})
        return RedirectResponse(link("/policy", period_of(request.query_params), **query), 303)

    return handled


_Done = tuple[str, int | None]


def _set_threshold(bench: Workbench, form: Form) -> _Done:
    try:
        value = float(form.get("value", "").replace(",", "."))
    except ValueError:
        raise ConfigurationError("threshold: must be a number from 0 to 1") from None
    tier = _number(form.get("tier", ""), "tier")
    bench.draft.set_threshold(tier, value, form.get("class", "").strip() or None)
    return "changed", None


def _bypass(bench: Workbench, form: Form) -> _Done:
    kind, value = form.get("kind", ""), form.get("value", "").strip()
    if kind not in {"class", "tag"} or not value:
        raise ConfigurationError("bypass: name the class or the tag that it is about")
    name = form.get("name", "").strip() or f"{kind} {value} goes straight to the last tier"
    bench.draft.add_rule({"name": name, "match": {kind: value}, "then": {"bypass": True}})
    return "changed", None


def _set_rules(bench: Workbench, form: Form) -> _Done:
    text = form.get("rules", "")
    problem = ""
    try:
        rules = json.loads(text, object_pairs_hook=unique)
    except json.JSONDecodeError as error:
        problem = f"line {error.lineno}, column {error.colno}: {error.msg}"
    except CascadeError as error:
        problem = str(error)
    except RecursionError:
        problem = "nested too deeply"
    except ValueError:
        problem = "a number is too long"
    if problem:
        raise ConfigurationError(f"rules: this is not valid JSON: {problem}")
    bench.draft.set_rules(rules)
    return "changed", None


def _remove_rule(bench: Workbench, form: Form) -> _Done:
    bench.draft.remove_rule(form.get("name", ""))
    return "changed", None


def _undo(bench: Workbench, form: Form) -> _Done:
    number = _number(form.get("number", ""), "number")
    return ("undone" if bench.draft.undo(number) else "gone"), None


def _forget(bench: Workbench, form: Form) -> _Done:  # noqa: ARG001
    bench.draft.reset(bench.home.current())
    return "forgotten", None


def _move(bench: Workbench, form: Form) -> _Done:  # noqa: ARG001
    bench.draft.move_to(bench.home.current())
    return "moved", None


def _save(bench: Workbench, form: Form) -> _Done:
    note = form.get("note", "").strip()
    if len(note) > LONGEST_NOTE:
        msg = f"note: {len(note):,} characters; {LONGEST_NOTE:,} at the most"
        raise ConfigurationError(msg)
    if bench.home.why_not_saved is not None:
        raise ConfigurationError(bench.home.why_not_saved)
    policy = bench.draft.policy
    number, is_new = bench.home.keep(policy, note or None)
    bench.draft.kept_as(number, policy)
    return ("saved" if is_new else "same"), number


def _activate(bench: Workbench, form: Form) -> _Done:
    number = _number(form.get("number", ""), "number")
    try:
        before = bench.home.put_in_use(number, form.get("instead_of", ""))
    except MeanwhileError:
        followed_policy(bench)
        raise
    if before == number:
        return "already", number
    if bench.draft.now.kept == number:  # what was changed here is what decides now
        bench.draft.reset(bench.home.current())
    return ("back" if form.get("back") else "active"), number


def _done(request: Request) -> str:
    said = DONE.get(request.query_params.get("done", ""), "")
    version = request.query_params.get("version", "")
    return said.format(version=version if version.isascii() and version.isdigit() else "?")


def _number(text: str, name: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 9:  # noqa: PLR2004
        raise ConfigurationError(f"{name}: must be a whole number")
    return int(text)
