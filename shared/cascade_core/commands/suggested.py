"""`cascade tune --suggest`: which signals of a table are worth their price."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import typer

from cascade_core.calibration.suggesting import suggest
from cascade_core.commands.logs import read_labels
from cascade_core.errors import ConfigurationError
from cascade_core.report.suggested import print_suggestion
from cascade_core.report.tuned import tuning_bar


def print_suggested(
    table: str, asked: dict[str, Any], needless: dict[str, Any], *, as_json: bool
) -> None:
    """Read a table and print which of its signals are worth their price.

    Args:
        table: Where the table is.
        asked: Arguments of `suggest`.
        needless: Options that have no use here, by name; those that were given.
        as_json: Whether to print JSON and nothing else.

    Raises:
        ConfigurationError: An option has no use here, or see `suggest`.
    """
    for name in needless:
        msg = f"{name} has no use beside --suggest, which writes no policy"
        raise ConfigurationError(msg)
    with tuning_bar(quiet=as_json) as advance:
        found = suggest(read_labels(table), **asked, advance=advance)
    if as_json:
        typer.echo(json.dumps(found.as_json(), indent=2))
    else:
        print_suggestion(found)


def written_to(out: Path | None) -> Path:
    """Return where a policy goes.

    Raises:
        ConfigurationError: Nobody said where.
    """
    if out is None:
        msg = "missing option '--out': say where the policy goes, e.g. --out policy.json"
        raise ConfigurationError(msg)
    return out
