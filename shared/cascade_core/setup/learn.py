"""The setting `mode="learn"`: what is promised, and how much may be spent on finding out.

Until a first promise holds the strongest tier answers, and audits ask the cheaper ones behind the
requests. Then the policy that was activated decides, and audits go on. What reads the audits and
makes policies of them is in `learning`, in the background.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from weakref import WeakValueDictionary

from cascade_core.errors import ConfigurationError
from cascade_core.log.policies import PolicyVersion
from cascade_core.log.store import JsonlLog
from cascade_core.log.urls import database_url, is_url, shown_source
from cascade_core.named_arguments import names_checked
from cascade_core.policy.withdrawal import is_withdrawal
from cascade_core.ruling import UNRULED, Ruling
from cascade_core.setup.audit import Audit, pick, read_audit
from cascade_core.setup.learn_spending import DaySpent, LearnSpending
from cascade_core.setup.notices import Notices
from cascade_core.setup.plan import Plan
from cascade_core.setup.spent_lines import SpentLines


@names_checked
@dataclass(frozen=True, slots=True)
class Learn:
    """What a cascade that learns in service promises, and what learning may cost.

    Args:
        harm: Most quality that may be lost by not asking the strongest tier, per request.
        confidence: Chance, at the least, that no policy which it ever activates passes that.
        max_usd_per_day: The most that learning may cost in a day (UTC), all processes together:
            cheaper tiers' drafts and judges while the strongest serves, audits afterwards.
        max_requests_per_day: The same in requests, where a model has no price.
        share: Probability that a request is learned from while the strongest tier serves.

    Raises:
        ConfigurationError: An argument is out of range.
    """

    harm: float = 0.02
    confidence: float = 0.95
    max_usd_per_day: float = 1.0
    max_requests_per_day: int = 200
    share: float = 1.0

    def __post_init__(self) -> None:
        """Check the arguments."""
        for name, most in (("harm", "below 1"), ("confidence", "below 1"), ("share", "at most 1")):
            value = getattr(self, name)
            if not _is_number(value) or not (0 < value < 1 or value == 1 == (name == "share")):
                raise ConfigurationError(
                    f"Learn({name}={value!r}): give a number above 0 and {most}"
                )
        for name, what in (("max_usd_per_day", "USD"), ("max_requests_per_day", "requests")):
            value = getattr(self, name)
            whole = name == "max_usd_per_day" or isinstance(value, int)
            if not _is_number(value) or not whole or not 0 < value < float("inf"):
                raise ConfigurationError(
                    f"Learn({name}={value!r}): give a number of {what} above 0"
                )


@dataclass(frozen=True, slots=True, eq=False)
class Learning:
    """How one cascade learns.

    Attributes:
        setting: What is promised, and what it may cost.
        log: Where audits are read from: a database's URL, or a file.
        home: The URL of the database that policies are activated in.
        audit: How answers are compared, and how many of them once a policy serves.
        spending: What the day's learning has cost.
        read_spent: Reads the same from the log; None where the log cannot tell.
    """

    setting: Learn
    log: str
    home: str
    audit: Audit
    spending: LearnSpending
    read_spent: Callable[[datetime], DaySpent] | None

    def pick(self, plan: Plan, ruling: Ruling, chance: Callable[[], float]) -> dict[str, Any]:
        """Choose whether a request is audited; see `audit.pick`.

        Returns:
            Where its probability is another than the cascade's, for what a rule says or what is
            left to spend, also the cascade's `rate`: by that the audit is weighed.
        """
        rate = self.setting.share if plan.mode == "learn" else self.audit.rate
        wanted = rate if ruling.audit is None else ruling.audit
        found = pick(self.spending.pace(rate) * wanted, UNRULED, chance)
        return found if found["probability"] == rate else {**found, "rate": rate}


_FLUSH = 2.0
"""Seconds to wait, at the most, for what is to be counted."""

_spending: WeakValueDictionary[tuple[object, ...], LearnSpending] = WeakValueDictionary()
"""Of this process: copies of a cascade, and other cascades with the same log, share a limit."""


def wants_to_learn(settings: Any) -> bool:
    """Tell whether a cascade is to learn.

    Raises:
        ConfigurationError: It is told how to, and not that it shall.
    """
    if settings.mode == "learn":
        return True
    if settings.learn is not None:
        msg = (
            "learn= is for mode='learn', which this cascade is not in: add it, or leave learn= out"
        )
        raise ConfigurationError(msg)
    return False


def home_of(settings: Any, tiers: int) -> str:
    """Return the URL of the database that a cascade's policies are activated in.

    Raises:
        ConfigurationError: There is none, or a setting leaves nothing to be learned.
    """
    log, policy = settings.log, settings.policy
    if log is None:
        raise ConfigurationError(
            "mode='learn' needs a log to learn from: log='sqlite:///decisions.db'"
        )
    if tiers < 2:  # noqa: PLR2004 - a cheap and a strong one
        raise ConfigurationError(
            "mode='learn' learns which requests a cheaper tier may answer, and there is one tier: "
            "give tiers=[cheap, strong]"
        )
    if settings.thresholds is not None:
        raise ConfigurationError(
            "mode='learn' finds the thresholds itself: leave thresholds= out, or leave out the mode"
        )
    if policy is not None:
        if not is_url(policy):
            raise ConfigurationError(
                "mode='learn' activates its policies in a database: give policy= the URL of one "
                "(the log's, where it is left out); a policy that was tuned before begins there "
                "with `cascade policy URL save FILE` and `activate`"
            )
        database_url(policy, named="policy=")
        return str(policy)
    if is_url(log):
        return str(log)
    url = getattr(log, "url", None)
    if is_url(url):
        return str(url)
    raise ConfigurationError(
        "mode='learn' keeps its policies in a database, and the log is none: give "
        "log='sqlite:///decisions.db', or policy= the URL of one"
    )


def read_learning(settings: Any, log: Any, home: str, notices: Notices) -> Learning:
    """Read the `learn=` and `audit=` of a cascade that learns, and say what was assumed.

    Args:
        settings: The cascade's.
        log: What its log was made into.
        home: Where its policies are activated.
        notices: What was warned of so far.

    Raises:
        ConfigurationError: They cannot be, or the log holds nothing that can be read.
    """
    setting = Learn() if settings.learn is None else settings.learn
    if not isinstance(setting, Learn):
        raise ConfigurationError(f"learn= takes a Learn(harm=…), not {type(setting).__name__}")
    source = _source(settings.log, log)
    audit = read_audit(Audit() if settings.audit is None else settings.audit, log)
    assert audit is not None  # noqa: S101 - one was given
    if not audit.rate:
        raise ConfigurationError(
            "mode='learn' learns from audits, and audit= has a rate of 0: give one above, or leave "
            "audit= out"
        )
    if audit.max_usd_per_day is not None:
        raise ConfigurationError(
            "Audit(max_usd_per_day=) and Learn(max_usd_per_day=) limit the same: leave out the "
            "audit's"
        )
    key = (source, setting.max_usd_per_day, setting.max_requests_per_day)
    spending = _spending.get(key)
    read = _reader(log)
    if spending is None:
        spending = LearnSpending(setting.max_usd_per_day, setting.max_requests_per_day)
        if read is None:
            spending.go_by_own()
        _spending[key] = spending
    audit = replace(audit)
    object.__setattr__(audit, "spending", spending)
    if settings.learn is None:
        notices.give_of_setup(_assumed(setting, audit, home), running=True)
    # The program may go to another folder.
    return Learning(setting, source, database_url(home), audit, spending, read)


def decides(version: PolicyVersion | None) -> bool:
    """Tell whether a policy decides; else the strongest tier answers until one does."""
    return version is not None and not is_withdrawal(version.policy)


def _assumed(setting: Learn, audit: Audit, home: str) -> str:
    return (
        f"mode='learn': the last tier answers until a policy has shown that it loses at most "
        f"{setting.harm:g} of its quality ({setting.confidence:.4g} confidence), learning costs at "
        f"most {setting.max_usd_per_day:g} USD a day, answers are compared by "
        f"{audit.comparator!r}, and policies are kept in {shown_source(home)}; "
        "learn=Learn(…) and audit=Audit(…) say otherwise, and so that nothing is assumed"
    )


def _source(given: Any, log: Any) -> str:
    if is_url(given):
        return database_url(given)
    if isinstance(log, JsonlLog):
        return str(log.path.absolute())
    url = getattr(log, "url", None)
    if is_url(url):
        return str(url)
    raise ConfigurationError(
        f"mode='learn' reads its log, and {type(log).__name__} cannot be read: give "
        "log='sqlite:///decisions.db', or the path of a .jsonl file"
    )


def _reader(log: Any) -> Callable[[datetime], DaySpent] | None:
    """Return what reads from a log what its audits have cost; None where it cannot tell."""
    if isinstance(log, JsonlLog):
        return SpentLines(log.path)
    return partial(_spent_in, log) if callable(getattr(log, "audits_made", None)) else None


def _spent_in(log: Any, since: datetime) -> DaySpent:
    log.flush(_FLUSH)  # what this process has spent counts
    wanted = getattr(log, "audits_wanted", None)
    asked = wanted(_a_day_ago()) if callable(wanted) else (0.0, 0.0, 0.0)
    return DaySpent(log.audit_cost(since), log.audits_made(since), *asked)


def _a_day_ago() -> datetime:
    return datetime.now(UTC) - timedelta(days=1)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
