"""`cascade prune`: what a log forgets."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from cascade_core.errors import ConfigurationError


def prune(
    log: Annotated[str, typer.Argument(help="The log: a database's URL.")],
    *,
    older_than: Annotated[
        str, typer.Option(help="How old what goes is at least: 90d, 12h, 2w, or a date.")
    ],
    content_only: Annotated[
        bool,
        typer.Option(
            "--content-only", help="Prompts, answers, corrections and notes go, figures stay."
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Count what would go, and change nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Delete old decisions from a log, with their audits and feedback, or only what people wrote.

    Example: cascade prune sqlite:///decisions.db --older-than 90d --content-only
    """
    from dataclasses import asdict

    from cascade_core.log.urls import is_url
    from cascade_core.traffic.periods import since_when

    before = since_when(older_than, option="--older-than")
    assert before is not None  # noqa: S101 - it is required
    if not is_url(log):
        msg = (
            f"{log}: prune works on a database; cascades may be appending to a file of lines while "
            "it is rewritten: log to a new file and delete the old one"
        )
        raise ConfigurationError(msg)
    from cascade_core.log.database import Database
    from cascade_core.log.prune import prune_log

    database = Database(log, named="", create=False)
    database.reach()
    pruned = prune_log(database, before, content_only=content_only, dry_run=dry_run)
    if as_json:
        typer.echo(json.dumps({"dry_run": dry_run, **asdict(pruned)}))
        return
    would = "would be " if dry_run else ""
    if content_only:
        typer.echo(
            f"Content of {pruned.decisions:,} decisions, {pruned.audits:,} audits and "
            f"{pruned.feedback:,} entries of feedback {would}deleted."
        )
    else:
        typer.echo(
            f"{pruned.decisions:,} decisions, {pruned.audits:,} audits and {pruned.feedback:,} "
            f"entries of feedback {would}deleted."
        )
