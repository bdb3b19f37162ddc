"""A log's audits as the labelled table that tuning and replay take."""

from __future__ import annotations

from collections.abc import Sequence

from cascade_core.errors import ConfigurationError
from cascade_core.labels import Table
from cascade_core.log.audited_records import audited_records
from cascade_core.log.export import Exported, export
from cascade_core.log.reading import read_events
from cascade_core.log.urls import shown_source


class NoAuditsError(ConfigurationError):
    """A log has no audit, yet, that was done."""


def read_audits(  # noqa: PLR0913 - which audits, and how they weigh
    source: str,
    *,
    since: float | None = None,
    cascade: str | None = None,
    policy_version: str | None = None,
    named: str | None = None,
    only: Sequence[str] | None = None,
    by_time: bool = False,
) -> Exported:
    """Read a log's audits as the rows of a labelled table.

    Args:
        source: The log's file or URL.
        since: As for `labels_of_log`, like what follows.
        cascade: The same.
        policy_version: Only decisions that this version of the policy made.
        named: As for `labels_of_log`, like what follows.
        only: The same.
        by_time: The same.

    Raises:
        NoAuditsError: There is not one that was done.
        ConfigurationError: They do not make one table.
    """
    name, records = named or shown_source(source), audited_records(source, since, only)
    found = export(
        records,
        read_events(source, None if only is None else "audit", only=only),
        cascade=cascade,
        policy_version=policy_version,
        source=name,
        by_time=by_time,
    )
    found.unreadable = getattr(records, "unreadable", 0)
    if not found.rows:
        raise NoAuditsError(f"{name}: {_said_of_none(found)}")
    return found


def labels_of_log(  # noqa: PLR0913 - which audits, and how they weigh
    source: str,
    *,
    since: float | None = None,
    cascade: str | None = None,
    named: str | None = None,
    only: Sequence[str] | None = None,
    by_time: bool = False,
) -> tuple[Table, list[str]]:
    """Read a log's audits as a labelled table.

    Args:
        source: The log's file or URL.
        since: Decisions from then on, in seconds since 1970; None for all.
        cascade: Only those of the cascade of this name.
        named: What to call it; its file or URL without a password where nothing is given.
        only: Of a database, only these decisions, given oldest first; others are not counted.
        by_time: See `log.known_audits`.

    Returns:
        The table, and what is to be known of it.

    Raises:
        NoAuditsError: It has no audits to learn from.
        ConfigurationError: Those that it has do not make one table.
    """
    name = named or shown_source(source)
    found = read_audits(
        source, since=since, cascade=cascade, named=name, only=only, by_time=by_time
    )
    between = [k for k in range(1, found.tiers - 1) if found.unasked[k]]
    if between:
        # A later tier is asked where an earlier one's answer was not good enough: those requests
        # are the hard ones, and thresholds picked on them alone would promise the wrong thing.
        raise ConfigurationError(
            f"{name}: tier {between[0]} was asked in "
            f"{len(found.rows) - found.unasked[between[0]]:,} of {len(found.rows):,} audited "
            "requests only, those that earlier tiers did not answer; thresholds need every tier's "
            "answer to a fair sample: have cascade collect ask all tiers"
        )
    return found.as_table(name), found.said()


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
