"""`cascade report`: what a log of decisions says of live traffic."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cascade_core.errors import ConfigurationError
from cascade_core.visible import visible

if TYPE_CHECKING:
    from cascade_core.drift.log import DriftReport


def report(  # noqa: PLR0913 - the command's options
    log: Annotated[
        str, typer.Argument(help="Log of decisions: a database's address, or a .jsonl file.")
    ],
    *,
    since: Annotated[
        str | None,
        typer.Option(help="Decisions from then on: an age as 30m, 12h, 7d, 2w; or a date, UTC."),
    ] = None,
    until: Annotated[str | None, typer.Option(help="Decisions before then, given alike.")] = None,
    by: Annotated[
        str | None,
        typer.Option(
            help="The figures of each class, tag, reason, model, day, rule, policy or cascade."
        ),
    ] = None,
    policy: Annotated[
        str | None,
        typer.Option(
            help="The tuned policy that decided, a file or a database's URL: has traffic moved?"
        ),
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Also write a page with pictures.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Say who answered and why, what it cost beside the strong model alone, and how good it was.

    Example: cascade report sqlite:///decisions.db --since 7d --by class
    """
    from cascade_core.commands.checks import check_writable
    from cascade_core.log.urls import is_url, shown_source
    from cascade_core.traffic.groups import check_by
    from cascade_core.traffic.log_report import report_of
    from cascade_core.traffic.periods import since_when
    from cascade_core.traffic.reading import read_log
    from cascade_core.traffic.stewardship import stewardship_of

    check_by(by)
    begin, end = since_when(since), since_when(until, option="--until")
    if begin is not None and end is not None and begin >= end:
        msg = f"--since {since} is not before --until {until}; the first is the earlier one"
        raise ConfigurationError(msg)
    if html is not None:
        check_writable(html, policy=policy)
        if not is_url(log) and html.resolve() == Path(log).resolve():
            msg = f"{html} is the log itself; name another file"
            raise ConfigurationError(msg)
        if html.suffix.lower() not in {".html", ".htm"}:
            msg = f"{html}: the page is written as HTML; name a file that ends in .html"
            raise ConfigurationError(msg)
    read, name = read_log(log, begin, end, tags=by == "tag"), shown_source(log)
    if not len(read.traffic):
        raise ConfigurationError(_said_of_none(name, read.unreadable, since, until))
    moved = None if policy is None else _moved(log, policy)
    found = report_of(name, read, by=by, drift=moved)
    if html is not None:
        from cascade_core.report.logged_page import write_log_page

        write_log_page(html, found)
    if as_json:
        stands = stewardship_of(log)
        more = None if stands is None else stands.as_dict()
        typer.echo(json.dumps(found.as_dict() | {"stewardship": more}, indent=2))
        return
    from cascade_core.report.logged import print_log

    print_log(found)
    for line in said_of_learning(log, learns="learning" in found.figures.reasons):
        typer.echo(line)
    if html is not None:
        typer.echo(f"\n{html} written")


def _moved(log: str, policy: str) -> DriftReport:
    from cascade_core.log.policies import load_policy
    from cascade_core.log.urls import shown_source
    from cascade_core.traffic.watching import watch_log

    return watch_log(log, load_policy(policy).policy, shown=shown_source(policy))[0]


def _said_of_none(log: str, unreadable: int, since: str | None, until: str | None) -> str:
    """Say why there is nothing to report."""
    if since is not None or until is not None:
        part = " and ".join(
            f"{word} {given}" for word, given in (("since", since), ("before", until)) if given
        )
        return f"{log} holds no decision {part}; leave the option out to see all"
    if unreadable:
        return f"{log}: none of its lines is a record of a decision; give what log= names"
    return f"{log} holds no decision yet; a cascade with log= writes them"


def said_of_learning(log: str, *, learns: bool = False) -> Iterator[str]:
    """Say how learning stands, or a watch, where the log's database is looked after.

    Args:
        log: The log.
        learns: Whether a cascade that learns has written to it.
    """
    from cascade_core.traffic.stewardship import stewardship_of

    found = stewardship_of(log)
    if found is not None:
        yield ""
        yield from map(visible, found.lines())
    elif learns:
        yield ""
        yield (
            "learning: nothing yet: no program that learns here has run for long enough to look at "
            "its audits; keep one running"
        )
