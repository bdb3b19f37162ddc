"""Puts the requests of a log into groups: by class, tag, reason, model, day, rule, policy, cascade.

A request with several tags is in several groups of tags.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from typing import Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from cascade_core.arrays import Ints
from cascade_core.errors import ConfigurationError
from cascade_core.traffic.columns import Named, Traffic, tags_in

By: TypeAlias = Literal["class", "tag", "reason", "model", "day", "rule", "policy", "cascade"]
BY: tuple[str, ...] = get_args(By)

_DAY = 86_400.0
_NONE = {
    "class": "no class",
    "tag": "no tag",
    "model": "nobody",
    "day": "time not known",
    "rule": "no rule",
    "policy": "no policy",
    "cascade": "no name",
}
"""What a group is called of requests that have none."""
UNNAMED = "not named"
"""What a model is called that answered and has no name."""

_FEW = np.iinfo(np.int16).max

Groups: TypeAlias = list[tuple[str, Ints]]


def check_by(by: str | None) -> str | None:
    """Return by what to group.

    Raises:
        ConfigurationError: It is nothing to group by.
    """
    if by is None or by in BY:
        return by
    msg = f"--by {by!r} is not known; give one of {', '.join(BY)}"
    raise ConfigurationError(msg)


def groups_of(traffic: Traffic, by: str) -> Groups:
    """Return each group's name and rows, in no order but that of days."""
    if by == "day":
        return _by_day(traffic)
    if by == "tag":
        return _by_tag(traffic)
    if by == "policy":
        return _named(policy_names(traffic), _NONE[by])
    if by == "model":
        return _by_model(traffic)
    return _named(traffic.named[by], _NONE.get(by, "none"))


def ordered_groups(traffic: Traffic, by: str) -> Groups:
    """Return each group's name and rows: days in order, else the largest first."""
    found = groups_of(traffic, by)
    if by != "day":
        found.sort(key=lambda each: (-len(each[1]), each[0]))
    return found


def policy_names(traffic: Traffic) -> Named:
    """Return the policy of each row with its version, as one name."""
    policy, version = traffic.named["policy"], traffic.named["policy_version"]
    pairs = policy.of.astype(np.int64) * max(1, len(version.names)) + version.of
    found, of = np.unique(pairs, return_inverse=True)
    names: list[str | None] = []
    for pair in found.tolist():
        which, at = divmod(pair, max(1, len(version.names)))
        name, number = policy.names[which], version.names[at]
        if number is None:
            names.append(name)
        else:
            names.append(f"{name or 'policy'}, version {number}")
    return Named(names, of.astype(np.int32))


def _named(column: Named, none: str) -> Groups:
    # Codes of 16 bits are sorted by their digits, in a tenth of the time.
    of = column.of.astype(np.int16) if len(column.names) <= _FEW else column.of
    order = np.argsort(of, kind="stable")
    starts = np.searchsorted(of[order], np.arange(len(column.names) + 1))
    return [
        (none if name is None else name, order[starts[code] : starts[code + 1]])
        for code, name in enumerate(column.names)
        if starts[code] < starts[code + 1]
    ]


def _by_model(traffic: Traffic) -> Groups:
    """Return the rows of each model; one without a name has answered all the same."""
    found = _named(traffic.named["model"], "")
    known = [(name, rows) for name, rows in found if name]
    for name, rows in found:
        answered = traffic.tier[rows] >= 0
        parts = (UNNAMED, rows[answered]), (_NONE["model"], rows[~answered])
        known += [] if name else [part for part in parts if len(part[1])]
    return known


def _by_tag(traffic: Traffic) -> Groups:
    """Return the rows of each tag; lists of tags repeat, so each is read once."""
    if traffic.tags is None:
        return []
    found: dict[str | None, list[npt.NDArray[np.int64]]] = defaultdict(list)
    for text, rows in _named(traffic.tags, ""):
        tags: set[str | None] = set(tags_in(text))
        for tag in tags or {None}:
            found[tag].append(rows)
    return [
        (_NONE["tag"] if tag is None else tag, np.sort(np.concatenate(rows)))
        for tag, rows in found.items()
    ]


def _by_day(traffic: Traffic) -> Groups:
    known = np.flatnonzero(~np.isnan(traffic.at))
    found: Groups = []
    if len(known) < len(traffic):
        found.append((_NONE["day"], np.flatnonzero(np.isnan(traffic.at))))
    days = np.floor(traffic.at[known] / _DAY).astype(np.int64)
    starts = np.flatnonzero(np.diff(days, prepend=days[0] - 1 if len(days) else 0))
    for rows in np.split(known, starts[1:]) if len(known) else ():
        moment = datetime.fromtimestamp(float(traffic.at[rows[0]]), UTC)
        found.append((moment.date().isoformat(), rows))
    return found
