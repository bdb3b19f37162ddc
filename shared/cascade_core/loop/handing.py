"""Hands off an answer of the last tier that stayed below its threshold.

The answer is marked. Where the caller gave `on_handoff=`, that is asked, and what it gives is
returned in the answer's place; where it gives nothing, or fails, the answer itself is.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cascade_core.draft import Draft
from cascade_core.effects import (
    Adopt,
    Ask,
    Chunk,
    Compute,
    Computed,
    Drafts,
    Emit,
    Failed,
    Note,
    Steps,
)
from cascade_core.errors import error_name
from cascade_core.loop.climb import Answered, Climb
from cascade_core.loop.trail import TrailEntry
from cascade_core.loop.verdicts import verdict_of
from cascade_core.verdict import Judgement, Verdict

if TYPE_CHECKING:
    from cascade_core.setup.handler import OnHandoff
    from cascade_core.tier import Tier


def hand_off(
    run: Climb, tier: Tier, judgement: Judgement, entry: TrailEntry, answer: Answered
) -> Steps[Verdict]:
    """Return the verdict on a request whose answer is handed off.

    Args:
        run: What the request has come to.
        tier: The last tier.
        judgement: How its answer was judged.
        entry: The answer in the trail.
        answer: The answer.
    """
    handler = run.plan.handler
    given = None if handler is None else (yield from _given(run, handler, tier, answer.draft))
    entry.settle("returned" if given is None else "rejected", judgement.reason)
    if run.streamed:
        yield from show(answer if given is None else Answered(given), tier)
    if given is None or handler is None:
        verdict = verdict_of(run, tier, answer.draft, judgement.reason)
        return replace(verdict, handoff=True)
    # Whose answer was handed off stays on the record, as the tier does; the trail has the rest.
    draft = replace(given, model=answer.draft.model or tier.model)
    verdict = verdict_of(run, tier, draft, judgement.reason)
    return replace(verdict, handoff=True, handed_to=handler.name)


def show(answer: Answered, tier: Tier) -> Steps[None]:
    """Show an answer that was held back, as it came."""
    for chunk in answer.chunks:
        yield Emit(chunk)
    if not answer.chunks:
        yield Emit(answer.draft.native, tier)


def _given(run: Climb, handler: OnHandoff, tier: Tier, draft: Draft) -> Steps[Draft | None]:
    """Ask what answers in a draft's place; None where the draft is to be returned."""
    reply: Drafts | Chunk | Computed | Failed
    gave = "gave no answer"
    if handler.tier is not None:
        begun = len(run.trail.calls)
        reply = yield Ask(handler.tier, run.request, "handoff")
        if isinstance(reply, Drafts):
            run.trail.add(reply.drafts[0], handler.tier, "handoff")
        elif isinstance(reply, Failed):
            run.trail.fail(reply, handler.tier, "handoff")
        for call in run.trail.calls[begun:]:
            call.tier = None  # it is none of the cascade's
    else:
        assert handler.function is not None  # noqa: S101 - it has one of the two
        reply = yield Compute(handler.function, (run.request, draft), blocks=True)
        if isinstance(reply, Computed):
            if reply.value is None:
                return None
            gave = f"gave {type(reply.value).__name__}, which is no answer here"
            reply = yield Adopt(reply.value, run.request, tier, draft)
    if isinstance(reply, Drafts):
        return reply.drafts[0]
    assert isinstance(reply, Failed)  # noqa: S101 - nothing else comes back
    yield Note(
        f"on_handoff:{type(reply.error).__name__}",
        f"on_handoff={handler.name} {gave} ({error_name(reply.error)}): the last tier's own is "
        "returned, and marked as handed off",
    )
    return None
