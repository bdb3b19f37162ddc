"""Compares a log with what its policy was tuned on, behind the page: it takes every record."""

from __future__ import annotations

from concurrent.futures import Future
from concurrent.futures import TimeoutError as Unfinished
from dataclasses import dataclass
from threading import Thread
from typing import TYPE_CHECKING, Literal

from cascade_core.errors import ConfigurationError
from cascade_core.policy.document import Policy
from cascade_core.traffic.watching import watch_log

if TYPE_CHECKING:
    from cascade_core.drift.log import DriftReport
    from cascade_core.review.snapshot import Snapshot

COMPARED_AT_ONCE = 5_000
"""Decisions up to which a log is compared without being asked to."""
LONGEST_WAIT = 1.0
"""Seconds that a page waits for it."""


@dataclass(frozen=True, slots=True)
class DriftFound:
    """What there is to say of drift from the policy's reference.

    Attributes:
        state: `none` where the policy was not tuned, `asked` where somebody has to ask for it,
            `waiting` while it is read, `done`, or `failed`.
        found: What was found.
        said: Why nothing was.
    """

    state: Literal["none", "asked", "waiting", "done", "failed"]
    found: DriftReport | None = None
    said: str = ""


def compared(
    snapshot: Snapshot, policy: Policy, *, asked: bool, patience: float | None = LONGEST_WAIT
) -> DriftFound:
    """Compare a whole log with what a policy was tuned on.

    Args:
        snapshot: Of the log.
        policy: The policy.
        asked: Whether somebody asked for it; small logs are compared anyway.
        patience: Seconds to wait for it; None waits until it is done.
    """
    if policy.tuned is None or snapshot.source.kind == "table":
        return DriftFound("none")
    if not asked and len(snapshot) > COMPARED_AT_ONCE:
        return DriftFound("asked")
    try:
        key = "drift", policy.model_dump_json()
        begun = snapshot.made_once(key, lambda: _begun(snapshot.source.database, policy))
        found = begun.result(patience)
    except Unfinished:
        return DriftFound("waiting")
    except ConfigurationError as error:
        return DriftFound("failed", said=str(error))
    return DriftFound("done", found)


def _begun(database: str, policy: Policy) -> Future[DriftReport]:
    """Begin to compare."""
    future: Future[DriftReport] = Future()

    def run() -> None:
        try:
            found, _ = watch_log(database, policy, shown="the policy")
            future.set_result(found)
        except ConfigurationError as error:
            future.set_exception(error)
        except Exception as error:  # noqa: BLE001 - the rest of the page is true without it
            msg = f"the log could not be read through ({type(error).__name__})"
            future.set_exception(ConfigurationError(msg))

    Thread(target=run, name="cascade-review-drift", daemon=True).start()
    return future
