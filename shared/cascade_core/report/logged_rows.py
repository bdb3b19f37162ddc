"""The rows and cells of a log's report: figures as they are printed, in a terminal or on a page."""

from __future__ import annotations

from collections.abc import Sequence

from cascade_core.costs.shown import dollars
from cascade_core.evaluation.audited import Estimates, MeanFound
from cascade_core.report.reasons import IN_WORDS
from cascade_core.report.rows import Figure, formatted, shortened
from cascade_core.statistics.bootstrap import Interval
from cascade_core.traffic.log_report import LogReport
from cascade_core.traffic.summary import Group, TrafficFigures

FEW_REQUESTS = 20
"""Requests below which a share is shown as a count: 1 of 2 is not 50 %."""
MOST_SHOWN = 30
"""Groups that are shown; JSON has more."""
LONGEST_NAME = 60
"""Cells of a group's, a rule's or a policy's name that are shown."""

AUDIT_LEGEND = (
    "harm: quality lost by not asking the last tier",
    "intervals hold whatever the missing audits would have said",
)
ESTIMATED = "≈"
"""Stands before what a group saved by estimate, not corrected by audits."""
GROUP_HEADERS = ("requests", "beyond tier 0", "cost", "saved", "p50", "harm")
LATENCY_HEADERS = ("", "requests", "p50", "p95")


def who_rows(report: LogReport) -> list[Figure]:
    """Return who answered."""
    figures = report.figures
    n = figures.answered
    rows: list[Figure] = [Figure("requests", figures.requests, unit="count")]
    for tier, count in figures.by_tier.items():
        models = report.models.get(tier, {})
        named = ", ".join(list(models)[:3]) + (", …" if len(models) > 3 else "")  # noqa: PLR2004
        rows.append(_of(f"answered by tier {tier}", count, n, named))
    rows.append(_of("answered beyond tier 0", figures.beyond, n))
    rows.append(_of("… sent on after a draft", figures.escalated, n))
    if figures.straight:
        rows.append(_of("… straight past tier 0", figures.straight, n))
    if figures.voided:
        rows.append(_of("promise void", figures.voided, n, void_causes(figures)))
    if early := sum(figures.committed.values()):
        rows.append(_of("accepted by first tokens", early, n, committed_words(figures)))
    if figures.handoff:
        rows.append(_of("handed off", figures.handoff, n, "below the last tier's threshold"))
    if figures.exhausted:
        rows.append(_of("answered by nobody", figures.exhausted, figures.requests))
    if figures.cancelled:
        rows.append(_of("cancelled or left", figures.cancelled, figures.requests))
    if figures.failed_requests:
        rows.append(
            _of(
                "with a failed call",
                figures.failed_requests,
                figures.requests,
                f"{counted(figures.failed_calls, 'call')} failed",
            )
        )
    return rows


def why_cells(figures: TrafficFigures) -> list[list[str]]:
    """Return the reasons with how often each was given, in words."""
    return [
        [reason, share_of(n, figures.requests), IN_WORDS.get(reason, "")]  # type: ignore[call-overload]
        for reason, n in figures.reasons.items()
    ]


def cost_rows(figures: TrafficFigures) -> list[Figure]:
    """Return what requests cost: all of them, and each; which saving leads is said by `Saved`."""
    costs, saved = figures.costs, figures.saved
    estimated = f"{formatted(costs.estimated)} of it estimated" if costs.estimated else ""

    def both(label: str, usd: float | None, note: str = "", n: int = saved.requests) -> Figure:
        each = "" if usd is None or not n else f"{dollars(usd / n)} a request"
        return Figure(label, usd, unit="usd", note="; ".join(filter(None, (each, note))))

    rows = [both("answers", saved.answers_usd)]
    if saved.audits_usd or costs.unpriced_audits:
        rows.append(both("audits", saved.audits_usd, "unpriced" if costs.unpriced_audits else ""))
        rows.append(both("together", saved.cost_usd))
    corrected = saved.how if saved.corrected else estimated
    rows.append(both("always the last tier", saved.strong_usd, corrected))
    rows.append(both(saved.label, saved.saved_usd))
    if saved.corrected and costs.requests:
        rows.append(both("last tier, by estimate", costs.strong_usd, estimated, costs.requests))
        rows.append(both("saved, by estimate", costs.saved_usd, n=costs.requests))
    return rows


def latency_cells(figures: TrafficFigures) -> list[list[str]]:
    """Return how long accepted and escalated requests took."""
    names = {
        "all": "all that were answered",
        "accepted": "answered without being sent on",
        "escalated": "sent on after a draft",
        "straight": "straight past tier 0",
    }
    return [
        [
            names[name],
            f"{each.n:,}",
            shown_ms(each.p50_ms),
            "–" if each.n < FEW_REQUESTS else shown_ms(each.p95_ms),
        ]
        for name, each in figures.latency.items()
        if each.n
    ]


def audit_rows(found: Estimates) -> list[Figure]:
    """Return what audits say of quality and harm."""

    def mean(label: str, one: MeanFound) -> Figure:
        note = "" if not one.few else f"rests on {counted(one.n, 'audit')}"
        return Figure(label, one.value, Interval(one.low, one.high), note=note)

    rows = [
        _of("audits done", found.covered, found.picked, "of those picked"),
        mean("quality", found.quality),
        mean("quality, strong alone", found.strong_quality),
        mean("harm", found.harm),
    ]
    if found.harm_bound is not None:
        rows.append(Figure("harm at most", found.harm_bound, note="95 %, at any time"))
    return rows


def group_cells(report: LogReport) -> list[list[str]]:
    """Return the figures of each group, as printed."""
    return [_group(each) for each in shown_groups(report)]


def shown_groups(report: LogReport) -> Sequence[Group]:
    """Return the groups that are shown."""
    return report.groups[-MOST_SHOWN:] if report.by == "day" else report.groups[:MOST_SHOWN]


def _group(group: Group) -> list[str]:
    figures, saved = group.figures, group.figures.saved

    def each(usd: float | None) -> str:
        return "–" if usd is None else dollars(usd / saved.requests)

    few = figures.requests < FEW_REQUESTS
    shown = each(saved.saved_usd) if few and saved.share is not None else formatted(saved.share)
    if saved.by == "estimate" and saved.share is not None:
        shown = f"{ESTIMATED} {shown}"
    audits = figures.audits
    harm = "–" if audits is None or audits.harm.few else formatted(audits.harm.value)
    return [
        shortened(group.name, LONGEST_NAME),
        f"{figures.requests:,}",
        share_of(figures.beyond, figures.answered, spelled=True),
        each(saved.cost_usd),
        shown,
        shown_ms(figures.latency["all"].p50_ms),
        harm,
    ]


def share_of(count: int, n: int, *, spelled: bool = False) -> str:
    """Return how many of some requests, with the share where they are enough to speak of one."""
    if not n:
        return "–"
    if n < FEW_REQUESTS:
        return f"{count:,} of {n:,}"
    return formatted(count / n) if spelled else f"{count:,} ({formatted(count / n)})"


def _of(label: str, count: int, n: int, note: str = "") -> Figure:
    """Return a row of how many of some requests."""
    return Figure(label, count / n if n else None, note=note, said=share_of(count, n))


def committed_words(figures: TrafficFigures) -> str:
    """Say of how many early accepted answers the beginning was shown, and how many failed then."""
    live, broken = (figures.committed[name] for name in ("live", "broken"))
    after = f"; {broken:,} failed a gate or broke off then" if broken else ""
    return f"{live + broken:,} shown while written{after}"


def void_causes(figures: TrafficFigures) -> str:
    """Say why answers that met no threshold were not sent on to a later tier."""
    words = {"budget": "a budget had no room", "deadline": "there was no time"}
    causes = [(words[cause], n) for cause, n in figures.void.items() if n]
    if len(causes) == 1:
        return f"because {causes[0][0]}"
    return " and ".join(f"{n:,} because {why}" for why, n in causes)


def counted(n: int, what: str) -> str:
    """Return how many of something there are, in words."""
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def shown_ms(milliseconds: float | None) -> str:
    """Return how long something took."""
    if milliseconds is None:
        return "–"
    if milliseconds < 1000:  # noqa: PLR2004
        return f"{milliseconds:.3g} ms"
    return f"{milliseconds / 1000:.1f} s"
