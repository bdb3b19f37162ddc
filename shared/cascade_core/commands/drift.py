"""`cascade drift`: has the traffic moved from what the policy was tuned on?"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated

import typer

from cascade_core.visible import visible

if TYPE_CHECKING:
    from cascade_core.drift.log import DriftReport
    from cascade_core.policy.reference import Reference


def drift(
    log: Annotated[str, typer.Argument(help="The log: a database's URL, or a .jsonl file.")],
    *,
    policy: Annotated[
        str, typer.Option(help="The tuned policy that decided: a file, or a database's URL.")
    ],
    alpha: Annotated[
        float, typer.Option(help="Chance of an alarm, ever, where nothing has moved.")
    ] = 0.01,
    tolerance: Annotated[
        float, typer.Option(help="Change of a share that is not worth tuning again for.")
    ] = 0.02,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Say whether escalations, confidences or audited harm have moved since the policy was tuned.

    Reads the log of decisions from its first line. Exit status 1 where something has moved.

    Harm is watched where answers were audited. In a file of your own, give records that you
    audited "harm", the quality lost by not asking the last tier, in [0, 1], and "probability", the
    chance with which you picked them.

    Example: cascade drift decisions.jsonl --policy policy.json
    """
    from cascade_core.log.policies import load_policy
    from cascade_core.log.urls import shown_source
    from cascade_core.traffic.watching import watch_log

    document = load_policy(policy).policy
    found, decisions = watch_log(
        log, document, shown=shown_source(policy), alpha=alpha, tolerance=tolerance
    )
    name = shown_source(log)
    for text in (*decisions.other_models(document), *decisions.failing()):
        typer.echo(f"cascade: {visible(str(text))}", err=True)
    for said in decisions.left_out():
        typer.echo(visible(f"cascade: {name}: {said}"), err=True)
    if decisions.unreadable:
        found = replace(found, skipped={**found.skipped, "unreadable": decisions.unreadable})
    if as_json:
        typer.echo(json.dumps(asdict(found), indent=2))
    else:
        assert document.tuned is not None  # noqa: S101 - `watch_log` has seen to it
        _print(found, document.tuned.reference)
    if found.alarms:
        raise typer.Exit(1)


def _print(found: DriftReport, reference: Reference) -> None:
    skipped = sum(found.skipped.values())
    read = "decision" if found.rows == 1 else "decisions"
    others = "other" if skipped == 1 else "others"
    typer.echo(f"{found.rows:,} {read} of this policy read, {skipped:,} {others} left out.")
    if found.escalated is not None:
        was = "with other thresholds, so this is not compared"
        if reference.escalated is not None:
            was = f"{100 * reference.escalated:.1f} %"
        typer.echo(f"escalated: {100 * found.escalated:.1f} %, when tuned {was}")
    for alarm in found.alarms:
        typer.echo(f"moved: {visible(alarm.text)}")
    if not found.alarms:
        typer.echo("Nothing has moved, as far as these can tell.")
