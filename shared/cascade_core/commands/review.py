"""`cascade review`: a page on which a team looks at a log, and changes its policy."""

from __future__ import annotations

import sys
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cascade_core.errors import ConfigurationError

if TYPE_CHECKING:
    from cascade_core.review.workbench import Workbench

AFTER_FIRST = 1.0
"""Seconds until labels are read ahead: the first page, which does without, is written meanwhile."""

_LEAVING = 5.0
"""Seconds that a page which ends waits for what it reads ahead."""


def review(  # noqa: PLR0913 - the command's options
    source: Annotated[
        str,
        typer.Argument(
            metavar="LOG_OR_TABLE",
            help="A log: a database's address, or a .jsonl file; or a labelled table.",
        ),
    ],
    *,
    policy: Annotated[
        str | None,
        typer.Option(
            help="The policy: a file, or a database's address; else the active one of LOG_OR_TABLE."
        ),
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 0,
    read_only: Annotated[bool, typer.Option("--read-only", help="Write nothing.")] = False,
    export: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Write the pages into this folder, to be opened from disk, and end."
        ),
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="With --export: what was decided from then on, such as 7d.")
    ] = None,
    until: Annotated[
        str | None, typer.Option(help="With --export: what was decided before then.")
    ] = None,
    decisions: Annotated[
        int, typer.Option(min=0, help="With --export: how many of the latest have a page.")
    ] = 1000,
) -> None:
    """Look at where requests went, what it cost and how good it was; change the policy; label.

    Example: cascade review sqlite:///decisions.db
    """
    try:
        from cascade_core.review.serving import address_of, open_socket, serve_review
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"cascade review needs {error.name}, which is not installed: "
            "pip install 'model-cascade[review]'"
        ) from error
    if export is None and (since or until):
        raise ConfigurationError("--since and --until are for --export: a page has its own choice")
    bench = _bench(source, policy, read_only=read_only or export is not None)
    if export is not None:
        _export(bench, export, since, until, decisions)
        return
    taken = open_socket(port)

    def begun() -> None:
        typer.echo(address_of(bench, taken))
        typer.echo("Whoever has this address sees the log. Ctrl-C ends it.")
        sys.stdout.flush()
        ahead.start()

    ahead = threading.Thread(target=_read_ahead, args=(bench,), daemon=True)
    serve_review(bench, taken, begun)
    if ahead.is_alive():  # ended inside a library of C++, it has the whole process aborted
        ahead.join(_LEAVING)


def _export(
    bench: Workbench, folder: Path, since: str | None, until: str | None, decisions: int
) -> None:
    from cascade_core.review.exporting import export_review
    from cascade_core.review.periods import period_of

    period = period_of({"since": since or "", "until": until or ""})
    written = export_review(bench, folder, period, decisions)
    typer.echo(f"{written:,} pages; open {folder / 'index.html'}")


def _bench(source: str, policy: str | None, *, read_only: bool) -> Workbench:
    from cascade_core.log.urls import is_url, only_read, shown_source
    from cascade_core.review.policy_homes import find_home
    from cascade_core.review.source import open_source
    from cascade_core.review.workbench import Workbench

    where, place = source, policy
    if read_only:  # the database itself refuses what would be written
        where = only_read(source) if is_url(source) else source
        place = only_read(policy) if policy is not None and is_url(policy) else policy
    opened = replace(open_source(where), shown=shown_source(source))
    home = find_home(where, place)
    if is_url(policy or source):  # as it was given, so that it can be copied
        home.shown = shown_source(policy or source)
    bench = Workbench(opened, home=home, read_only=read_only)
    _check_fits(bench)
    return bench


def _check_fits(bench: Workbench) -> None:
    """Refuse a policy of fewer tiers than have answered; of a table the bench has seen to it."""
    import sqlalchemy as sa

    from cascade_core.log.reading import database_to_read
    from cascade_core.log.schema import decisions

    tiers = bench.draft.base.tiers
    if tiers is None:
        return
    with database_to_read(bench.source.database).reading() as connection:
        highest = connection.scalar(sa.select(sa.func.max(decisions.c.tier)))
    if highest is not None and highest >= tiers:
        raise ConfigurationError(
            f"the policy ({bench.home.shown}) is of {tiers} tiers, and in {bench.source.shown} "
            f"tier {highest} has answered: give the policy that decided there"
        )


def _read_ahead(bench: Workbench) -> None:
    """Read the log while the browser opens; the first page says what goes wrong."""
    from cascade_core.review.periods import Period

    with suppress(Exception):
        bench.snapshot()
        bench.report(Period())
        threading.Event().wait(AFTER_FIRST)
        bench.labels()
