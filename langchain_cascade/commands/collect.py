"""`cascade collect`: the options; the work is in `collecting`."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from langchain_cascade.commands.options import Factory, TierNames

if TYPE_CHECKING:
    from cascade_core.signals.make import SignalLike


def collect(  # noqa: PLR0913 - the command's options
    requests: Annotated[
        Path,
        typer.Argument(
            help="CSV or JSONL: request, and optionally id, reference, class, group, weight; "
            "JSONL may have messages."
        ),
    ],
    *,
    out: Annotated[Path, typer.Option(help="The table: .csv, .jsonl or .parquet.")],
    tier: TierNames = None,
    factory: Factory = None,
    signals: Annotated[
        list[str] | None,
        typer.Option(
            help="What drafts are read by, with commas: names, judge (asks --judge), agreement "
            "(asks --agree-with), module:name. Default: sequence_logprob."
        ),
    ] = None,
    quality: Annotated[
        str | None,
        typer.Option(
            help="How answers are graded: exact, numeric, normalised, json, contains (against "
            "reference), agreement (with the last tier), judge, or module:function of request, "
            "answer and reference. Default: normalised with references, else agreement."
        ),
    ] = None,
    judge: Annotated[str | None, typer.Option(help="The model that judges.")] = None,
    agree_with: Annotated[
        list[str] | None,
        typer.Option(help="A model whose answers drafts are compared with; once for each."),
    ] = None,
    prices: Annotated[
        str | None, typer.Option(help="Your price table, a JSON file (also litellm's).")
    ] = None,
    concurrency: Annotated[int, typer.Option(min=1, help="Requests that run at a time.")] = 8,
    max_cost: Annotated[
        float | None,
        typer.Option(help="Stop before this many USD in all; a request under way may pass it."),
    ] = None,
    no_text: Annotated[
        bool,
        typer.Option(
            "--no-text",
            help="Leave requests and answers out of the table. An answer that cannot be graded "
            "is kept in OUT.partial.db until it can.",
        ),
    ] = False,
    last_signals: Annotated[
        bool,
        typer.Option(
            "--last-signals",
            help="Read the last tier by the free signals too, for tune --answered; it is then "
            "asked for logprobs.",
        ),
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Do not ask whether to begin, at a terminal.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Ask every tier about a sample of your requests and write the table that tuning reads.

    A run that was stopped goes on where it was when the same command is given again; requests
    that a model failed on are then asked again, and answers that could not be graded are graded
    again, also by another --quality. Where a tier is changed, the answers of the others are kept.
    The first request goes alone: a misspelt tier costs no more than that. What the run will cost at
    about is said first; at a terminal it is asked whether to begin. Exit status 1 where no row can
    be tuned on, or no tier but the last is ever right.

    Example: cascade collect requests.csv --tier openai:gpt-4o-mini --tier openai:gpt-4o
    --quality numeric --max-cost 5 --out labels.csv
    """
    from cascade_core.collect.job import as_out  # noqa: PLC0415 - `cascade --help` stays quick
    from cascade_core.collect.journal import journal_path  # noqa: PLC0415
    from cascade_core.collect.load import load  # noqa: PLC0415
    from cascade_core.collect.show import begin, print_summary, progress  # noqa: PLC0415
    from langchain_cascade import collecting  # noqa: PLC0415

    as_out(out)
    try:
        with progress(quiet=as_json) as advance:
            found = collecting.collect(
                requests,
                tiers_of(tier or [], factory),
                out,
                signals=_signals(signals, judge, agree_with or []),
                quality=load(quality, "--quality") if quality and ":" in quality else quality,
                judge=judge,
                prices=prices,
                concurrency=concurrency,
                max_cost=max_cost,
                texts=not no_text,
                last_signals=last_signals,
                begin=partial(begin, ask=not yes, quiet=as_json),
                advance=advance,
            )
    except KeyboardInterrupt:
        kept = journal_path(out)
        how = f"{kept} keeps what is paid for; give the same command to go on"
        how = how if kept.exists() else "nothing was finished"
        typer.echo(f"cascade: stopped; {how}", err=True)
        raise typer.Exit(1) from None
    if as_json:
        typer.echo(json.dumps(found.as_plain(), indent=2))
    else:
        print_summary(found)
    if found.worthless:
        typer.echo(
            f"cascade: every answer but the last tier's has quality 0 by {found.quality!r}: "
            "a table like that can only tell a cascade to ask the last tier always",
            err=True,
        )
        raise typer.Exit(1)
    if found.n and not found.usable:
        typer.echo(
            "cascade: no row can be tuned on: no request has a graded answer of every tier; "
            f"{found.journal} keeps the answers, for the same command to go on from",
            err=True,
        )
        raise typer.Exit(1)


def tiers_of(names: list[str], factory: str | None) -> list[Any]:
    """Return the tiers that `--tier` or `--factory` give."""
    from cascade_core.collect.load import load  # noqa: PLC0415 - `cascade --help` stays quick
    from cascade_core.errors import ConfigurationError  # noqa: PLC0415

    if bool(names) == (factory is not None):
        msg = "give the tiers either as --tier (once each, cheapest first) or by --factory"
        raise ConfigurationError(msg)
    if factory is None:
        return names
    make = load(factory, "--factory")
    try:
        tiers = make()
    except Exception as error:
        msg = f"--factory {factory!r} raised {type(error).__name__}"
        raise ConfigurationError(msg) from error
    if not isinstance(tiers, list | tuple):
        msg = f"--factory {factory!r} returned {type(tiers).__name__}; return a list of models"
        raise ConfigurationError(msg)
    return list(tiers)


def _signals(
    given: list[str] | None, judge: str | None, agree_with: list[str]
) -> list[SignalLike] | None:
    from cascade_core.collect.load import load  # noqa: PLC0415 - `cascade --help` stays quick
    from cascade_core.errors import ConfigurationError  # noqa: PLC0415
    from cascade_core.signals import Agreement, Judge  # noqa: PLC0415
    from cascade_core.signals.make import BY_NAME  # noqa: PLC0415
    from langchain_cascade.tiers import load_model  # noqa: PLC0415

    names = [name.strip() for several in given or () for name in several.split(",")]
    made: list[SignalLike] = []
    for name in filter(None, names):
        if name == "judge":
            if judge is None:
                msg = "--signals judge needs --judge MODEL, such as openai:gpt-4o"
                raise ConfigurationError(msg)
            made.append(Judge(load_model(judge, "--judge")))
        elif name == "agreement":
            if not agree_with:
                msg = "--signals agreement needs --agree-with MODEL, such as openai:gpt-4.1-mini"
                raise ConfigurationError(msg)
            others = [load_model(other, "--agree-with") for other in agree_with]
            made.append(Agreement(*others))
        elif ":" in name:
            made.append(load(name, "--signals"))
        elif name in BY_NAME:
            made.append(name)
        else:
            msg = (
                f"unknown signal {name!r} in --signals: give {', '.join(BY_NAME)}, judge (with "
                "--judge), agreement (with --agree-with), or module:name for one made in Python, "
                "such as Claims(model)"
            )
            raise ConfigurationError(msg)
    if agree_with and not any(isinstance(signal, Agreement) for signal in made):
        msg = "--agree-with is for --signals agreement; name that too"
        raise ConfigurationError(msg)
    return made or None
