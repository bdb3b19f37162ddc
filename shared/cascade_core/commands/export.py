"""`cascade export`: a log's audits become a labelled table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def export(  # noqa: PLR0913 - the command's options
    log: Annotated[str, typer.Argument(help="The log: a database's URL, or a .jsonl file.")],
    *,
    out: Annotated[Path, typer.Option(help="Where the table goes: .csv, .jsonl or .parquet.")],
    since: Annotated[
        str | None, typer.Option(help="Only decisions since: 7d, 12h, 2026-11-28.")
    ] = None,
    cascade: Annotated[
        str | None, typer.Option(help="Only decisions of the cascade of this name.")
    ] = None,
    policy_version: Annotated[
        str | None, typer.Option(help="Only decisions by this version of the policy.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Write a log's audits as a labelled table: one row for every audit that was done.

    A row weighs as many requests as it stands for. Requests whose audit was not done, and feedback,
    are no rows: what is left out is said.

    Example: cascade export sqlite:///decisions.db --since 30d --out labels.csv
    """
    from cascade_core.commands.checks import check_writable
    from cascade_core.commands.logs import say
    from cascade_core.labels import write_table
    from cascade_core.labels.read import suffix_of
    from cascade_core.traffic.labels import read_audits
    from cascade_core.traffic.periods import since_when

    check_writable(out, table=log)
    suffix_of(out)
    found = read_audits(
        log, since=since_when(since), cascade=cascade, policy_version=policy_version
    )
    write_table(out, found.rows)
    if as_json:
        typer.echo(json.dumps({**found.as_dict(), "out": str(out)}, indent=2))
        return
    say(log, found.said())
    stands = sum(row["weight"] for row in found.rows)
    typer.echo(
        f"{out} written: {len(found.rows):,} audited requests, which stand for about {stands:,.0f} "
        f"of {found.decisions:,}"
    )
