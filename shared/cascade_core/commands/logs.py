"""What commands share that take a log, or a labelled table and so a log as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from cascade_core.log.urls import shown_source
from cascade_core.visible import visible

if TYPE_CHECKING:
    from cascade_core.labels import Table


def read_labels(source: str) -> Table:
    """Read a labelled table, or a log's audits as one, that can tell a good policy from a bad one.

    Args:
        source: A table's file, a log's file or its URL.

    Raises:
        ConfigurationError: The table is bad, or all its answers are alike; the message names line
            and column. Or the log has no audits to learn from.
    """
    from cascade_core.labels import check_learnable, read_table
    from cascade_core.log.reading import is_log

    if is_log(source):
        from cascade_core.traffic.labels import labels_of_log

        table, said = labels_of_log(source)
        say(source, said)
    else:
        table = read_table(source)
    check_learnable(table)
    return table


def say(source: str, sentences: list[str]) -> None:
    """Say on standard error what is to be known of a log."""
    for sentence in sentences:
        typer.echo(visible(f"cascade: {shown_source(source)}: {sentence}"), err=True)
