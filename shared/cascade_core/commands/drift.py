"""`cascade drift`: has the traffic moved from what the policy was tuned on?"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from cascade_core.errors import ConfigurationError


def drift(
    log: Annotated[Path, typer.Argument(help="Decision log, one JSON record a line.")],
    *,
    policy: Annotated[Path, typer.Option(help="The tuned policy that decided.")],
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

    Example: cascade drift decisions.jsonl --policy policy.json
    """
    from cascade_core.drift.log import watch
    from cascade_core.policy.document import Policy

    document = Policy.load(policy)
    if document.tuned is None:
        msg = f"{policy} was not tuned, so there is nothing to compare with; cascade tune writes it"
        raise ConfigurationError(msg)
    found = watch(
        _records(log),
        document.tuned.reference,
        policy=document.name,
        alpha=alpha,
        tolerance=tolerance,
    )
    if not found.rows:
        left = sum(found.skipped.values())
        others = found.skipped.get("policy", 0)
        msg = f"{log}: none of its {left:,} decisions was made by the policy {document.name!r}"
        if left > others:
            why = {name: n for name, n in found.skipped.items() if name != "policy"}
            listed = ", ".join(f"{name} {n:,}" for name, n in why.items())
            msg = (
                f"{log}: none of its {left:,} decisions was made by a threshold of the policy "
                f"{document.name!r} ({listed}; of other policies {others:,})"
            )
        raise ConfigurationError(msg)
    if as_json:
        typer.echo(json.dumps(asdict(found), indent=2))
    else:
        skipped = sum(found.skipped.values())
        typer.echo(f"{found.rows:,} decisions of this policy read, {skipped:,} others left out.")
        if found.escalated is not None:
            was = document.tuned.reference.escalated
            typer.echo(f"escalated: {100 * found.escalated:.1f} %, when tuned {100 * was:.1f} %")
        for alarm in found.alarms:
            typer.echo(f"moved: {alarm.text}")
        if not found.alarms:
            typer.echo("Nothing has moved, as far as these can tell.")
    if found.alarms:
        raise typer.Exit(1)


def _records(path: Path) -> Iterator[Mapping[str, Any]]:
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield _record(line, f"{path}, line {number}")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8"
        msg = f"{path} cannot be read: {why}"
        raise ConfigurationError(msg) from None


def _record(line: str, where: str) -> Mapping[str, Any]:
    try:
        record = json.loads(line)
    except ValueError:
        record = None
    if not _is_decision(record):
        msg = f"{where}: not a record of a decision"
        raise ConfigurationError(msg)
    found: Mapping[str, Any] = record
    return found


def _is_decision(record: Any) -> bool:
    """Tell whether a record has what is read of it; other programs may write to the same file."""
    if not (isinstance(record, dict) and isinstance(record.get("calls"), list)):
        return False
    shadow = record.get("shadow")
    decided = record if shadow is None else shadow
    return (
        isinstance(record.get("reason"), str)
        and isinstance(decided, dict)
        and {"reason", "accepted", "tier"} <= decided.keys()
        and (not decided["accepted"] or type(decided["tier"]) is int)
        and all(isinstance(call, dict) and call.keys() >= _CALL for call in record["calls"])
        and all(isinstance(record.get(name, 0.5), _NUMBER[name]) for name in _NUMBER)
    )


_CALL = {"tier", "purpose", "outcome"}
_NUMBER: Mapping[str, Any] = {
    "confidence": int | float | None,
    "harm": int | float | None,
    "probability": int | float,
}
