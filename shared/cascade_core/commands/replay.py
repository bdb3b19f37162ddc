"""`cascade replay`: what a policy would have done with a labelled table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from cascade_core.errors import ConfigurationError
from cascade_core.visible import visible


def replay(
    table: Annotated[
        str,
        typer.Argument(help="Labelled table: .csv, .jsonl, .parquet; or a log, by file or URL."),
    ],
    *,
    policy: Annotated[str, typer.Option(help="The policy, as JSON or TOML, or a database's URL.")],
    html: Annotated[
        Path | None, typer.Option(help="Also write a page with curves and reliability.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the bootstrap.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Show what a policy would have done: quality, every cost, who answered, and the curve.

    Example: cascade replay labels.csv --policy policy.json --html replay.html
    """
    from cascade_core.commands.checks import check_writable
    from cascade_core.commands.logs import read_labels
    from cascade_core.evaluation.replaying import oddities
    from cascade_core.evaluation.replaying import replay as run
    from cascade_core.evaluation.study import study
    from cascade_core.log.policies import load_policy
    from cascade_core.log.urls import shown_source
    from cascade_core.report.replayed import print_replay, write_page

    if html is not None:
        check_writable(html, table=table, policy=policy)
        if html.suffix.lower() not in {".html", ".htm"}:
            msg = f"{html}: the page is written as HTML; name a file that ends in .html"
            raise ConfigurationError(msg)
    document = load_policy(policy).policy
    if document.thresholds is None:
        msg = (
            f"policy {shown_source(policy)} has no thresholds, so it decides nothing: add one for "
            "every tier but the last, or let cascade tune write a policy"
        )
        raise ConfigurationError(msg)
    replayed = run(read_labels(table), document)
    for text in oddities(replayed, document):
        typer.echo(f"cascade: {visible(str(text))}", err=True)
    found = study(replayed, document, seed=seed)
    if html is not None:
        write_page(html, found)
    if as_json:
        typer.echo(json.dumps(found.as_dict(), indent=2))
    else:
        print_replay(found)
        if html is not None:
            typer.echo(f"\n{html} written")
