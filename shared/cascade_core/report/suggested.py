"""Reports which signals of a table are worth their price, with the arithmetic."""

from __future__ import annotations

from collections.abc import Iterator
from math import isinf, isnan

from rich.console import Console

from cascade_core.calibration.addable import WORTH_HAVING, Addable
from cascade_core.calibration.suggesting import TOLD_FROM, SignalWorth, Suggestion
from cascade_core.costs.shown import dollars
from cascade_core.report.rows import formatted
from cascade_core.report.terminal import print_cells
from cascade_core.visible import SafeText

_THOUSAND = 1000

_HEADERS = ("per 1,000", "price", "read", "costs", "gains", "± s.e.", "pays up to")

_LEGEND = (
    "price and pays up to: USD of 1,000 readings; read: the share of requests that read it",
    "costs and gains: of 1,000 requests; gains: its price counted, ± one standard error",
)


def print_suggestion(found: Suggestion, console: Console | None = None) -> None:
    """Print what each signal gains, costs and may cost.

    Args:
        found: As `suggest` returned it.
        console: Where to print; standard output by default.
    """
    out = console or Console()
    out.print(SafeText(f"{found.table}: {found.objective}", style="bold"))
    rows = f"{found.rows:,} rows, each scored by models that had not seen it"
    out.print(SafeText(f"{rows}; {_base(found)}", style="dim"))
    if found.signals:
        cells = [_cells(each, found) for each in found.signals]
        print_cells(out, "signals of the table", _HEADERS, cells, words=[0])
        for line in _LEGEND:
            out.print(SafeText(line, style="dim"))
        out.print()
    for line in suggestion_lines(found):
        out.print(SafeText(line))


def suggestion_lines(found: Suggestion) -> Iterator[str]:
    """Yield what follows for each signal, one sentence or two a line."""
    for each in found.signals:
        yield f"{each.name}: {_said(each, found)}"
    for other in found.addable:
        yield f"{other.name}, not in the table: {_needed(other, found)}"


def _said(each: SignalWorth, found: Suggestion) -> str:
    what = "saves" if found.unit == "usd" else "wins"
    net = _sure(each.gain, each.error, found)
    area = (
        "" if isnan(each.area) else f"; area {each.area:+.3f} ± {TOLD_FROM * each.area_error:.3f}"
    )
    if not each.paid:
        return f"{each.verdict}: it costs nothing and {what} {net}{area}"
    costs = (
        f"it costs {_dollars(each.cost_usd)} ({formatted(each.readings)} read it, at "
        f"{_dollars(each.price_usd)} per 1,000) and {what} {net}"
    )
    if each.dominated_by is not None:
        beside = _sure(each.gain_beside, each.error_beside, found)
        return (
            f"dominated by {each.dominated_by}, beside which it {what} {beside} more; without "
            f"that, {costs}{area}"
        )
    return f"{each.verdict}: {costs}{_limit(each)}{area}"


def _limit(each: SignalWorth) -> str:
    if isnan(each.break_even_usd):
        return "; it would gain nothing even for nothing"
    if isinf(each.break_even_usd):
        return "; it would pay at many times its price"
    return f"; it pays up to {_dollars(each.break_even_usd)} per 1,000 readings"


def _needed(other: Addable, found: Suggestion) -> str:
    price = (
        f"{other.made}, at about {_dollars(other.price_usd)} per 1,000 readings ({other.priced_as})"
    )
    if isnan(other.needs):
        return f"{price}, would not pay even if it were always right"
    what = "save" if found.unit == "usd" else "win"
    return (
        f"{price}: {_saves_some(found)} if it is right of {formatted(other.needs)} of the good and "
        "of the bad drafts alike, and errs elsewhere than the signals without a price; one that is "
        f"always right would {what} {_amount(other.at_most, found)} per 1,000 requests"
    )


def _saves_some(found: Suggestion) -> str:
    worth = formatted(WORTH_HAVING)
    return (
        f"it saves {worth} of the last tier's cost" if found.unit == "usd" else f"it wins {worth}"
    )


def _cells(each: SignalWorth, found: Suggestion) -> list[str]:
    limit = each.break_even_usd
    ends = "–" if isnan(limit) else "any price" if isinf(limit) else _dollars(limit)
    price = [_dollars(each.price_usd), formatted(each.readings), _dollars(each.cost_usd)]
    return [
        each.name,
        *(price if each.paid else ["free", "–", "–"]),
        _short(each.gain, found),
        "–" if isnan(each.error) else _short(each.error, found),
        ends if each.paid else "–",
    ]


def _sure(gain: float, error: float, found: Suggestion) -> str:
    if isnan(error):
        return f"{_amount(gain, found)} (rows are too few to say how sure that is)"
    return f"{_amount(gain, found)} ± {_amount(TOLD_FROM * error, found)} (95 %)"


def _amount(amount: float, found: Suggestion) -> str:
    """Return what 1,000 requests gain."""
    if found.unit == "usd":
        return _dollars(amount)
    return f"{_THOUSAND * amount:.1f} good answers"


def _short(amount: float, found: Suggestion) -> str:
    return _dollars(amount) if found.unit == "usd" else f"{_THOUSAND * amount:.1f}"


def _dollars(amount: float) -> str:
    return dollars(_THOUSAND * amount)


def _base(found: Suggestion) -> str:
    if found.unit == "usd":
        return f"without a signal that has a price, 1,000 requests cost {_dollars(found.without)}"
    return f"without a signal that has a price, quality is {found.without:.4f}"
