"""What commands share that take a log, or a labelled table and so a log as well."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import typer

from cascade_core.errors import ConfigurationError
from cascade_core.log.urls import is_url, without_password
from cascade_core.moments import seconds_of
from cascade_core.visible import visible

if TYPE_CHECKING:
    from cascade_core.labels import Table
    from cascade_core.log.export import Exported

_AGO = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def since_when(
    text: str | None, now: datetime | None = None, *, option: str = "--since"
) -> float | None:
    """Read a time that something began at.

    Args:
        text: `7d`, `12h`, or a date or time as ISO 8601 writes it, in UTC where it names no zone.
        now: From when `7d` counts back; the present where it is not given.
        option: What errors call it.

    Returns:
        Seconds since 1970, UTC; None where nothing was given.

    Raises:
        ConfigurationError: It is none of these.
    """
    if text is None:
        return None
    if ago := _AGO.fullmatch(text.strip().lower()):
        try:
            back = timedelta(**{_UNITS[ago[2]]: float(ago[1])})
            return ((now or datetime.now(UTC)) - back).timestamp()
        except OverflowError:
            return 0.0
    when = seconds_of(text)
    if when is None:
        msg = f"{option} {text!r}: give 7d, 12h, or a date such as 2026-11-28"
        raise ConfigurationError(msg)
    return when


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

    table = _of_audits(source) if is_log(source) else read_table(source)
    check_learnable(table)
    return table


def read_audits(
    source: str,
    *,
    since: float | None = None,
    cascade: str | None = None,
    policy_version: str | None = None,
) -> Exported:
    """Read a log's audits as the rows of a labelled table.

    Raises:
        ConfigurationError: There is not one that was done, or they do not make one table.
    """
    from cascade_core.log.audited_records import audited_records
    from cascade_core.log.export import export
    from cascade_core.log.reading import read_events

    name, records = shown_source(source), audited_records(source, since)
    found = export(
        records,
        read_events(source),
        cascade=cascade,
        policy_version=policy_version,
        source=name,
    )
    found.unreadable = getattr(records, "unreadable", 0)
    if not found.rows:
        raise ConfigurationError(f"{name}: {_said_of_none(found)}")
    return found


def say(source: str, sentences: list[str]) -> None:
    """Say on standard error what is to be known of a log."""
    for sentence in sentences:
        typer.echo(visible(f"cascade: {shown_source(source)}: {sentence}"), err=True)


def shown_source(source: str) -> str:
    """Return a log's path or URL as it may be shown: a password never is."""
    return without_password(source) if is_url(source) else source


def _of_audits(source: str) -> Table:
    found = read_audits(source)
    between = [k for k in range(1, found.tiers - 1) if found.unasked[k]]
    if between:
        # A later tier is asked where an earlier one's answer was not good enough: those requests
        # are the hard ones, and thresholds picked on them alone would promise the wrong thing.
        raise ConfigurationError(
            f"{shown_source(source)}: tier {between[0]} was asked in "
            f"{len(found.rows) - found.unasked[between[0]]:,} of {len(found.rows):,} audited "
            "requests only, those that earlier tiers did not answer; thresholds need every tier's "
            "answer to a fair sample: have cascade collect ask all tiers"
        )
    say(source, found.said())
    return found.as_table(shown_source(source))


def _said_of_none(found: Exported) -> str:
    if not found.decisions:
        return (
            "holds no answered request that fits; leave out what narrows it (--cascade, --since, "
            "--policy-version), and see cascade report LOG; a cascade with log= writes them"
        )
    if not found.picked:
        return (
            f"none of its {found.decisions:,} decisions was audited; give the cascade "
            "audit=Audit(rate=0.05), or have cascade audit ask now"
        )
    listed = ", ".join(f"{why} {n:,}" for why, n in found.left_out.most_common())
    return f"none of its {found.picked:,} audits was done ({listed})"
