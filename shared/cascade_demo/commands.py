"""`cascade demo` and `cascade serve-demo`. Options only; the work is in `measure` and `show`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from cascade_demo.estimate import HostedCalls


def demo(  # noqa: PLR0913 - the command's options
    *,
    tickets: Annotated[int, typer.Option(min=1, help="Held-out tickets to send.")] = 300,
    tune: Annotated[
        int, typer.Option(min=20, help="Other tickets to pick the threshold on.")
    ] = 600,
    framework: Annotated[
        str, typer.Option(help="Whose way to ask: langchain, or llamaindex for a query engine.")
    ] = "langchain",
    seed: Annotated[int, typer.Option(help="Another seed draws other tickets.")] = 0,
    cheap: Annotated[
        str | None, typer.Option(help="Your cheap model, e.g. openai:gpt-4o-mini.")
    ] = None,
    strong: Annotated[
        str | None, typer.Option(help="Your strong model, e.g. openai:gpt-4o.")
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(help="Write the --tune tickets to this new file, for cascade tune."),
    ] = None,
    policy: Annotated[
        Path | None, typer.Option(help="Decide by this policy; no threshold is picked.")
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do not ask before hosted models are paid for.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Answer a support desk's tickets with a cheap model, a strong one, and their cascade.

    Runs on this machine with two small language models that come with the
    package: no key, no network. The threshold is picked on one set of tickets
    and everything printed is measured on another.

    Hosted models (--cheap, --strong) are paid for: how often they will be asked, and about what
    that costs, is said first, and in a terminal you are asked whether to go on.

    With --json, cost_usd is the mean per ticket and latency_ms the median.

    With --framework llamaindex a query engine answers over the desk's knowledge
    base, and the decisions shown name the passages it retrieved.

    With --labels the tickets that the threshold is picked on are also written as a
    labelled table (.csv, .jsonl, .parquet), which cascade tune and cascade replay read.
    What they make of it, --policy shows on the held-out tickets.

    Example: cascade demo --tickets 3000 --framework llamaindex
    """
    from cascade_core.errors import ConfigurationError
    from cascade_demo.labels import check_path
    from cascade_demo.measure import run_demo
    from cascade_demo.show import as_plain, print_labels, print_report, show_progress

    if labels is not None:
        if policy is not None:
            msg = "--labels writes the tickets that a threshold is picked on; --policy picks none"
            raise ConfigurationError(msg)
        check_path(labels)
    with show_progress(quiet=as_json) as advance:
        report = run_demo(
            n_tickets=tickets,
            n_tune=tune,
            seed=seed,
            cheap=cheap,
            strong=strong,
            advance=advance,
            framework=framework,
            labels=labels,
            policy=policy,
            announce=_silent if as_json else partial(_announce, ask=not yes),
        )
    if as_json:
        typer.echo(as_plain(report))
    else:
        print_report(report)
        if labels is not None:
            print_labels(report, labels)


def _silent(_: object) -> None:
    """Say nothing: a script reads what is printed."""


def _announce(shares: Sequence[HostedCalls], *, ask: bool) -> None:
    """Say what hosted models will be asked, and in a terminal ask whether to go on."""
    import sys

    from cascade_demo.estimate import in_words

    typer.echo(in_words(shares), err=True)
    if ask and sys.stdin.isatty() and sys.stderr.isatty():
        typer.confirm("Go on?", abort=True, err=True)


def serve_demo(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 for a free one.")] = 8399,
    token_delay_ms: Annotated[
        float, typer.Option(min=0, help="Pause after every token, to watch answers grow.")
    ] = 0,
) -> None:
    """Serve the demo's two models with an OpenAI-compatible API (models desk-small, desk-large).

    They answer support tickets, read the last user message only, and know no other subject.
    Tools and JSON schemas are filled with the words of their answer, or refused.

    Example: cascade serve-demo --port 8399
    """
    import socket

    from cascade_core.errors import ConfigurationError
    from cascade_demo.server import serve_models

    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            reason = error.strerror or type(error).__name__
            msg = f"cannot listen on {host}:{port} ({reason}); choose another with --port or --host"
            raise ConfigurationError(msg) from None
        port = int(probe.getsockname()[1])  # the one that 0 stood for
    typer.echo(f"desk-small and desk-large: http://{host}:{port}/v1 (Ctrl-C to stop)")
    serve_models(host, port, token_delay_ms)
