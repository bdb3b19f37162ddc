"""Puts together what the calls of one effect have brought, for blocking and awaited ports alike."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from typing import TypeVar

from cascade_core.draft import Draft
from cascade_core.effects import Chunk, Done, Drafts, Failed


def outcome_of_call(future: Future[Draft | Failed]) -> Draft | Failed | BaseException:
    """Return what a call in a thread gave, or what it raised."""
    error = future.exception()
    return future.result() if error is None else error


def gathered(
    outcomes: Sequence[Draft | Failed | BaseException], fatal: tuple[type[Exception], ...]
) -> Drafts | Failed:
    """Sort the outcomes of one `Ask`."""
    drafts = [outcome for outcome in outcomes if isinstance(outcome, Draft)]
    failures = [outcome for outcome in outcomes if isinstance(outcome, Failed)]
    for outcome in outcomes:
        if isinstance(outcome, Exception) and not isinstance(outcome, fatal):
            failures.append(Failed(outcome))
        elif isinstance(outcome, BaseException):
            raise outcome
    return Drafts(drafts, failures) if drafts else failures[0]


R = TypeVar("R", Drafts | Failed, Chunk | Done | Failed, Done | None)


def begun(reply: R, began: float) -> R:
    """Note when the calls of a reply began."""
    drafts: Sequence[Draft | None] = ()
    if isinstance(reply, Drafts):
        drafts = reply.drafts
        for failed in reply.failures:
            failed.began = began  # type: ignore[misc] # nobody else has it yet
            drafts = (*drafts, failed.draft)
    elif isinstance(reply, Failed):
        reply.began = began  # type: ignore[misc]
        drafts = (reply.draft,)
    elif isinstance(reply, Done):
        drafts = (reply.draft,)
    for draft in drafts:
        if draft is not None:
            draft.began = began  # type: ignore[misc]
    return reply
