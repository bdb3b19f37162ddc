"""`cascade audit`: the options; the work is in `auditing`."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from langchain_cascade.commands.options import Factory, TierNames

if TYPE_CHECKING:
    from cascade_core.collect.later import LaterAudits
    from langchain_cascade.auditing import AuditEstimate


def audit(  # noqa: PLR0913 - the command's options
    log: Annotated[
        str, typer.Argument(help="A log with content (log_content=True); audits are written to it.")
    ],
    *,
    tier: TierNames = None,
    factory: Factory = None,
    rate: Annotated[
        float, typer.Option(help="Probability that a request is audited, in (0, 1].")
    ] = 0.05,
    compare: Annotated[
        str,
        typer.Option(
            help="What compares the answers: auto (do they say the same), judge:MODEL, or "
            "module:function of request, draft and strong answer."
        ),
    ] = "auto",
    signals: Annotated[
        str | None,
        typer.Option(
            help="What drafts that are drawn are read by, with commas: names or module:name. "
            "Default: sequence_logprob."
        ),
    ] = None,
    cascade: Annotated[
        str | None, typer.Option(help="Only requests of the cascade of this name.")
    ] = None,
    prices: Annotated[
        str | None, typer.Option(help="Your price table, a JSON file (also litellm's).")
    ] = None,
    max_usd: Annotated[
        float | None,
        typer.Option(help="Stop before this many USD; audits under way may pass it."),
    ] = None,
    concurrency: Annotated[int, typer.Option(min=1, help="Audits that run at a time.")] = 8,
    seed: Annotated[int, typer.Option(help="Chooses which requests; the same one goes on.")] = 0,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Do not ask whether to begin, at a terminal.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Audit a random share of a log's requests: compare their answers with the strongest tier's.

    For programs that end before audits behind their answers can be made, and for logs of cascades
    without audit=. A cheaper tier whose answer the log does not hold is asked as well. Audits are
    written to the log as they end, each with the probability that its request was picked with.

    A run that was stopped goes on where it was when the same command is given again; audits that
    failed are made again. What it will cost at about is said first; at a terminal it is asked
    whether to begin.

    Example: cascade audit decisions.jsonl --tier openai:gpt-4o-mini --tier openai:gpt-4o
    --rate 0.05 --compare judge:openai:gpt-4.1 --max-usd 5
    """
    from langchain_cascade.auditing import run_audit  # noqa: PLC0415 - `cascade --help` stays quick
    from langchain_cascade.commands.collect import tiers_of  # noqa: PLC0415

    def begin(estimate: AuditEstimate) -> None:
        if as_json:
            return
        typer.echo(f"{estimate}.", err=True)
        asks = not yes and estimate.todo and sys.stdin.isatty() and sys.stderr.isatty()
        if asks and not typer.confirm("Begin?", default=True, err=True):
            typer.echo("cascade: nothing was asked", err=True)
            raise typer.Exit(1)

    from cascade_core.collect.show import progress  # noqa: PLC0415

    try:
        with progress("auditing", quiet=as_json) as advance:
            found = run_audit(
                log,
                tiers_of(tier or [], factory),
                rate=rate,
                compare=_compare(compare),
                signals=_signals(signals),
                seed=seed,
                cascade=cascade,
                prices=prices,
                concurrency=concurrency,
                max_usd=max_usd,
                begin=begin,
                advance=advance,
            )
    except KeyboardInterrupt:
        how = "the log keeps what is done; give the same command to go on"
        typer.echo(f"cascade: stopped; {how}", err=True)
        raise typer.Exit(1) from None
    if as_json:
        typer.echo(json.dumps(found.as_plain(), indent=2))
    else:
        for line in _said(found):
            typer.echo(line)


def _compare(given: str) -> Any:
    from cascade_core.collect.load import load  # noqa: PLC0415 - `cascade --help` stays quick
    from cascade_core.errors import ConfigurationError  # noqa: PLC0415
    from cascade_core.signals import Judge  # noqa: PLC0415
    from langchain_cascade.tiers import load_model  # noqa: PLC0415

    if given == "auto":
        return given
    kind, _, named = given.partition(":")
    if kind == "judge" and named:
        return Judge(load_model(named, "--compare judge"))
    if named:
        return load(given, "--compare")
    msg = f"--compare {given!r}: give auto, judge:MODEL, or module:function"
    raise ConfigurationError(msg)


def _signals(given: str | None) -> Any:
    from cascade_core.collect.load import load  # noqa: PLC0415 - `cascade --help` stays quick

    names = [name.strip() for name in (given or "").split(",") if name.strip()]
    return [load(name, "--signals") if ":" in name else name for name in names] or None


def _said(found: LaterAudits) -> list[str]:
    from cascade_core.collect.show import usd  # noqa: PLC0415 - `cascade --help` stays quick

    made = f"{found.done} audits made of {found.picked} picked among {found.requests} requests"
    if found.before:
        made += f", {found.before} made before"
    lines = [f"{made}; spent {usd(found.cost_usd)}{' or more' if found.unpriced else ''}."]
    if found.failed:
        lines.append(f"{found.failed} failed; the same command makes them again.")
    if found.skipped:
        lines.append(
            f"{found.skipped} skipped: the log does not hold all of what was asked and answered, "
            "or they are pinned to a tier."
        )
    if found.stopped == "cap":
        lines.append(f"The cap leaves no room for {found.left} more; raise --max-usd to go on.")
    elif found.stopped == "unpriced":
        lines.append(
            f"A call has no price, so no cap can be kept; {found.left} left. Give --prices, or no "
            "--max-usd."
        )
    return lines
