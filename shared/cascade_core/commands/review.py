"""`cascade review`: a page on which a team looks at a log, and changes its policy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cascade_core.errors import ConfigurationError


def review(
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
        typer.Option(help="Write the pages into this folder, to be opened from disk, and end."),
    ] = None,
) -> None:
    """Look at where requests went, what it cost and how good it was; change the policy; label.

    Example: cascade review sqlite:///decisions.db
    """
    if export is not None:
        raise ConfigurationError("--export is not there yet")
    from cascade_core.review.policy_homes import find_home
    from cascade_core.review.serving import address_of, open_socket, serve_review
    from cascade_core.review.source import open_source
    from cascade_core.review.workbench import Workbench

    home = find_home(source, policy)
    bench = Workbench(open_source(source), home=home, read_only=read_only)
    taken = open_socket(port)
    typer.echo(f"{address_of(bench, taken)}\nCtrl-C ends it.")
    serve_review(bench, taken)
