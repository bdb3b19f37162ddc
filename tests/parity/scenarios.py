"""The table: what the tiers say, how the cascade is set up, and what must come of it.

Plain data in neither framework's words. `langchain_way` and `llamaindex_way`
turn a row into models of theirs; `voices` chooses what a model says when.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, Field

from cascade_core import Budget
from cascade_core.draft import Draft
from cascade_core.request import Request
from cascade_core.signals import Judge, SelfConsistency, SequenceLogprob, Verbalized
from tests.policies import DEAR, DEAR_MIDDLE, LONG_IS_HARD, by, fitted

PROMPT = "When does my order ship?"
PRICES = {f"m{k}": {"input": 10**k, "output": 2 * 10**k} for k in range(4)}

Error = Literal["outage", "timeout", "bad_request"]


@dataclass(frozen=True)
class Answer:
    """What a model says once; a word is a token.

    Attributes:
        text: The text; in front of tool calls, if there are any.
        p: Probability of every token of the text; None sends no logprobs.
        finish: Why it stopped.
        calls: Tools called, `(name, arguments)`; a str is sent as it is.
        calls_p: Probability of the one token that stands for the tool calls.
        reported: Whether tokens are reported.
        error: Raised instead.
        after: In a stream, raised after so many chunks.
    """

    text: str = "It ships on Monday."
    p: float | None = 0.99
    finish: str = "stop"
    calls: Sequence[tuple[str, Any]] = ()
    calls_p: float | None = None
    reported: bool = True
    error: Error | None = None
    after: int = 0

    @property
    def usage(self) -> tuple[int, int]:
        """Return the tokens reported: of the prompt, and of the answer."""
        return 7, max(1, len(self.text.split()))


@dataclass(frozen=True)
class Model:
    """A tier or a judge.

    Attributes:
        draft: What it says to the caller's prompt.
        samples: What it says when it is sampled, in turn; the last one stays.
        stated: What it says when asked how sure it is.
        tools: Whether it can call tools.
        refuses_logprobs: Whether being asked for logprobs is an error.
        max_tokens: The limit its owner set.
    """

    draft: Answer = field(default_factory=Answer)
    samples: Sequence[Answer] = ()
    stated: Answer | None = None
    tools: bool = True
    refuses_logprobs: bool = False
    max_tokens: int | None = None


Kind = Literal["chat", "tools", "object_by_tool", "object_by_text"]
Make = Callable[[Model], Any]


@dataclass(frozen=True)
class Scenario:
    """One row.

    Attributes:
        name: What happens, as a test's id.
        models: The tiers; their names are m0, m1, m2.
        trail: Every call, `"tier purpose outcome:note"`, in order.
        reason: The verdict's.
        tier: Who answered; None where nobody did.
        accepted: The verdict's.
        kind: How the cascade is asked.
        required: Whether a tool has to be called.
        asked: Keyword arguments of the request itself.
        settings: Keyword arguments of the cascade.
        signals: Makes `signals=`, given what makes a framework's model (named m3).
        requests: How often the same cascade is asked; the last record counts.
        streamed_trail: The trail of streams, where one is cut off or breaks off.
        raises: What the caller gets instead of an answer.
        tags: The caller's.
        metadata: The caller's.
        rule: The rule that the record names.
        class_name: The class that it names.
        shown_alike: Whether the caller gets the same from both frameworks; what
            an object that no tier could make leads to is each framework's own way.
    """

    name: str
    models: Sequence[Model]
    trail: Sequence[str]
    reason: str
    tier: int | None = 0
    accepted: bool = False
    kind: Kind = "chat"
    required: bool = False
    asked: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    signals: Callable[[Make], list[Any]] | None = None
    requests: int = 1
    streamed_trail: Sequence[str] | None = None
    raises: str | None = None
    tags: Sequence[str] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    rule: str | None = None
    class_name: str | None = None
    shown_alike: bool = True


# --- what the caller brings along -----------------------------------------------------------------


class Ticket(BaseModel):
    """A support ticket."""

    title: str
    urgency: int = Field(ge=0, le=10)


def find_order(number: int) -> str:
    """Find an order by its number."""
    return f"order {number} ships on Monday"


def find_customer(name: str, city: str = "") -> str:
    """Find a customer by name."""
    return f"{name} {city}"


def names_a_day(request: Request, draft: Draft) -> bool:
    del request
    return "Monday" in draft.text


def gate_that_raises(request: Request, draft: Draft) -> bool:
    del request, draft
    raise RuntimeError


def sounds_right(request: Request, draft: Draft) -> float:
    return 0.95 if "order" in request.question and "Monday" in draft.text else 0.05


async def sounds_right_later(request: Request, draft: Draft) -> float:
    return sounds_right(request, draft)


def half_sure(request: Request, draft: Draft) -> float:
    del request, draft
    return 0.5


def broken_signal(request: Request, draft: Draft) -> float:
    del request, draft
    raise RuntimeError


def out_of_range(request: Request, draft: Draft) -> float:
    del request, draft
    return 85.0


def no_opinion(request: Request, draft: Draft) -> None:
    del request, draft


# --- answers --------------------------------------------------------------------------------------

SURE = Answer()
UNSURE = Answer("It may ship some day, I think.", p=0.3)
MUTE = Answer("It ships on Monday morning.", p=None)
STRONG = Model(Answer("Your order ships on Monday, the third.", p=0.98))
DOWN = Answer(error="outage")

ORDER = Answer("", p=None, calls=[("find_order", {"number": 7})])
STRONG_ORDER = Model(Answer("", p=None, calls=[("find_order", {"number": 77})]))

GOOD = {"title": "late order", "urgency": 7}
TICKET = Answer("", p=None, calls=[("Ticket", GOOD)])
BAD_TICKET = Answer("", p=None, calls=[("Ticket", {"title": "late order", "urgency": 99})])
STRONG_TICKET = Model(Answer("", p=None, calls=[("Ticket", {**GOOD, "urgency": 8})]))
WRITTEN = Answer('{"title": "late order", "urgency": 7}')
STRONG_WRITTEN = Model(Answer('{"title": "late order", "urgency": 8}'), tools=False)
LONG = Answer("It may ship on some day of some week, or so I think, perhaps not.", p=0.3)
AS_TICKET = {
    "response_format": {
        "type": "json_schema",
        "json_schema": {"name": "ticket", "schema": Ticket.model_json_schema()},
    }
}


def by_text(answer: Answer) -> Model:
    return Model(answer, tools=False)


def two(first: Answer | Model, second: Model = STRONG) -> list[Model]:
    return [first if isinstance(first, Model) else Model(first), second]


def three(first: Answer, second: Answer) -> list[Model]:
    return [Model(first), Model(second), Model(Answer("The strongest says Monday.", p=0.97))]


def rejected(note: str, last: str = "1 draft returned") -> list[str]:
    return [f"0 draft rejected:{note}", last]


ACCEPTED = ["0 draft accepted"]
FAILED = ["0 draft failed", "1 draft returned"]
LAST_ONLY = ["1 draft returned"]
JUDGE_SAYS_YES, JUDGE_SAYS_NO = Answer("A"), Answer("B")


def judged_by(answer: Answer) -> Callable[[Make], list[Any]]:
    return lambda make: [Judge(make(Model(answer)))]


def of(*signals: Callable[[], Any]) -> Callable[[Make], list[Any]]:
    """Make signals anew for every run: they may remember."""
    return lambda make: [signal() for signal in signals]


def functions(*given: Any) -> Callable[[Make], list[Any]]:
    return lambda make: list(given)


# --- the table ------------------------------------------------------------------------------------

PLAIN = [
    Scenario("accepted", two(SURE), ACCEPTED, "confident", accepted=True),
    Scenario("too unsure", two(UNSURE), rejected("low_confidence"), "low_confidence", tier=1),
    Scenario(
        "just at the threshold",
        two(Answer(p=1.0)),
        ACCEPTED,
        "confident",
        accepted=True,
        settings={"thresholds": 1.0},
    ),
    Scenario(
        "a lower threshold accepts",
        two(UNSURE),
        ACCEPTED,
        "confident",
        accepted=True,
        settings={"thresholds": [0.2]},
    ),
    Scenario("only one tier", [STRONG], ["0 draft returned"], "only_tier"),
    Scenario(
        "only one tier, and it fails",
        [Model(DOWN)],
        ["0 draft failed"],
        "exhausted",
        tier=None,
        raises="CascadeExhausted",
    ),
    Scenario(
        "nobody reports tokens",
        two(Answer(UNSURE.text, p=0.3, reported=False), Model(Answer(reported=False))),
        rejected("low_confidence"),
        "low_confidence",
        tier=1,
    ),
    Scenario(
        "nobody reports tokens or logprobs",
        two(Answer(p=None, reported=False)),
        ACCEPTED,
        "confident",
        accepted=True,
        signals=functions(sounds_right),
    ),
    Scenario(
        "shadow of an accepted draft",
        two(SURE),
        ["1 draft returned", "0 draft rejected:shadow"],
        "shadow",
        tier=1,
        settings={"mode": "shadow"},
    ),
    Scenario(
        "shadow of a rejected draft",
        two(UNSURE),
        ["1 draft returned", "0 draft rejected:low_confidence"],
        "shadow",
        tier=1,
        settings={"mode": "shadow"},
    ),
    Scenario(
        "a policy lowers the threshold",
        two(UNSURE),
        ACCEPTED,
        "confident",
        accepted=True,
        settings={"policy": {"version": 1, "name": "easy", "thresholds": [0.25]}},
    ),
    Scenario(
        "a policy accepts what nothing can read",
        two(MUTE),
        ACCEPTED,
        "no_reading",
        accepted=True,
        settings={"policy": {"version": 1, "defaults": {"on_no_score": "accept"}}},
    ),
]

GATES = [
    Scenario("empty", two(Answer("")), rejected("gate_empty"), "gate_empty", tier=1),
    Scenario("blank", two(Answer(" ")), rejected("gate_empty"), "gate_empty", tier=1),
    Scenario(
        "nothing that can be seen",
        two(Answer("\u200b\ufeff\u00ad")),
        rejected("gate_empty"),
        "gate_empty",
        tier=1,
    ),
    Scenario(
        "a thought and no answer",
        two(Answer("<think>Let me see.</think>\n")),
        rejected("gate_empty"),
        "gate_empty",
        tier=1,
    ),
    Scenario(
        "a thought that never ends",
        two(Answer("[THINK]Let me see.")),
        rejected("gate_empty"),
        "gate_empty",
        tier=1,
    ),
    Scenario(
        "a refusal behind a thought",
        two(Answer("<think>Not allowed.</think>\n\nI'm sorry, but I cannot help with that.")),
        rejected("gate_refusal"),
        "gate_refusal",
        tier=1,
    ),
    Scenario(
        "a refusal behind a thought that the template opens",
        two(Answer("Not allowed.\n</think>\n\nI'm sorry, but I cannot help with that.")),
        rejected("gate_refusal"),
        "gate_refusal",
        tier=1,
    ),
    Scenario(
        "an answer behind a thought",
        two(Answer("<think>I cannot help? I can.</think>\nIt ships on Monday.")),
        ACCEPTED,
        "confident",
        accepted=True,
    ),
    Scenario(
        "certain of every word",
        two(Answer("It ships on Monday, in the morning.", p=1.0)),
        rejected("no_reading"),
        "no_reading",
        tier=1,
    ),
    Scenario(
        "certain of a few words",
        two(Answer("On Monday.", p=1.0)),
        ACCEPTED,
        "confident",
        accepted=True,
    ),
    Scenario(
        "a refusal in words",
        two(Answer("I'm sorry, but I cannot help with that.")),
        rejected("gate_refusal"),
        "gate_refusal",
        tier=1,
    ),
    Scenario(
        "a refusal by the provider",
        two(Answer("It", finish="content_filter")),
        rejected("gate_refusal"),
        "gate_refusal",
        tier=1,
    ),
    Scenario(
        "cut off",
        two(Answer("It ships on", finish="length")),
        rejected("gate_truncated"),
        "gate_truncated",
        tier=1,
    ),
    Scenario(
        "the last tier's answer is returned though cut off",
        two(UNSURE, Model(Answer("Your order", finish="length"))),
        rejected("low_confidence", "1 draft returned:gate_truncated"),
        "low_confidence",
        tier=1,
    ),
    Scenario(
        "JSON that fits the schema asked for",
        two(WRITTEN),
        ACCEPTED,
        "confident",
        accepted=True,
        asked=AS_TICKET,
    ),
    Scenario(
        "JSON that does not fit the schema asked for",
        two(Answer('{"title": 7}'), Model(WRITTEN)),
        rejected("gate_schema"),
        "gate_schema",
        tier=1,
        asked=AS_TICKET,
    ),
    Scenario(
        "words where JSON was asked for",
        two(SURE),
        rejected("gate_schema", "1 draft returned:gate_schema"),
        "gate_schema",
        tier=1,
        asked={"response_format": {"type": "json_object"}},
    ),
    Scenario(
        "a limit of the request's own",
        two(LONG),
        rejected("low_confidence"),
        "low_confidence",
        tier=1,
        asked={"max_tokens": 30},
        streamed_trail=["0 draft aborted:low_confidence", "1 draft returned"],
    ),
    Scenario(
        "the caller's own gate",
        two(Answer("It ships soon.")),
        rejected("gate_custom"),
        "gate_custom",
        tier=1,
        settings={"gates": [names_a_day]},
    ),
    Scenario(
        "the caller's own gate is passed",
        two(SURE),
        ACCEPTED,
        "confident",
        accepted=True,
        settings={"gates": [names_a_day]},
    ),
    Scenario(
        "the caller's own gate raises",
        two(SURE),
        rejected("gate_custom", "1 draft returned:gate_custom"),
        "gate_custom",
        tier=1,
        settings={"gates": [gate_that_raises]},
    ),
]

UNREAD = [
    Scenario("no reading", two(MUTE), rejected("no_reading"), "no_reading", tier=1),
    Scenario(
        "known to give none after three answers",
        two(MUTE),
        LAST_ONLY,
        "no_reading",
        tier=1,
        requests=4,
    ),
    Scenario(
        "no reading is accepted on request",
        two(MUTE),
        ACCEPTED,
        "no_reading",
        accepted=True,
        settings={"on_no_score": "accept"},
    ),
    Scenario(
        "refuses logprobs, and nothing else is read",
        two(Model(MUTE, refuses_logprobs=True)),
        ["0 draft failed", "0 draft rejected:no_reading", "1 draft returned"],
        "no_reading",
        tier=1,
    ),
    Scenario(
        "refuses logprobs, and that is remembered",
        two(Model(MUTE, refuses_logprobs=True)),
        LAST_ONLY,
        "no_reading",
        tier=1,
        requests=2,
    ),
    Scenario(
        "refuses logprobs, and something else is read",
        two(Model(MUTE, refuses_logprobs=True)),
        ["0 draft failed", "0 draft accepted"],
        "confident",
        accepted=True,
        signals=lambda make: [SequenceLogprob(), sounds_right],
    ),
]

FAILURES = [
    Scenario("the cheap tier is down", two(DOWN), FAILED, "failed", tier=1),
    Scenario("the cheap tier is too slow", two(Answer(error="timeout")), FAILED, "failed", tier=1),
    Scenario(
        "a bad request that is not about logprobs",
        two(Answer(error="bad_request")),
        FAILED,
        "failed",
        tier=1,
    ),
    Scenario(
        "everybody is down",
        two(DOWN, Model(DOWN)),
        ["0 draft failed", "1 draft failed"],
        "exhausted",
        tier=None,
        raises="CascadeExhausted",
    ),
    Scenario(
        "the last tier is down after a draft",
        two(UNSURE, Model(DOWN)),
        rejected("low_confidence", "1 draft failed"),
        "exhausted",
        tier=None,
        raises="CascadeExhausted",
    ),
    Scenario(
        "the best draft is returned when the last tier is down",
        two(UNSURE, Model(DOWN)),
        ["0 draft returned:low_confidence", "1 draft failed"],
        "best_draft",
        settings={"on_exhausted": "best_draft"},
    ),
    Scenario(
        "the best of two drafts",
        [Model(Answer("First.", p=0.7)), Model(Answer("Second.", p=0.4)), Model(DOWN)],
        ["0 draft returned:low_confidence", "1 draft rejected:low_confidence", "2 draft failed"],
        "best_draft",
        settings={"on_exhausted": "best_draft"},
    ),
]

THREE = [
    Scenario(
        "accepted in the middle",
        three(UNSURE, SURE),
        ["0 draft rejected:low_confidence", "1 draft accepted"],
        "confident",
        tier=1,
        accepted=True,
    ),
    Scenario(
        "sent on twice",
        three(UNSURE, Answer("Perhaps.", p=0.5)),
        [
            "0 draft rejected:low_confidence",
            "1 draft rejected:low_confidence",
            "2 draft returned",
        ],
        "low_confidence",
        tier=2,
    ),
    Scenario(
        "the middle is down",
        three(UNSURE, DOWN),
        ["0 draft rejected:low_confidence", "1 draft failed", "2 draft returned"],
        "failed",
        tier=2,
    ),
    Scenario(
        "thresholds of their own",
        three(Answer(p=0.8), Answer(p=0.8)),
        ["0 draft rejected:low_confidence", "1 draft accepted"],
        "confident",
        tier=1,
        accepted=True,
        settings={"thresholds": [0.9, 0.7]},
    ),
    Scenario(
        "down, refused, answered",
        three(DOWN, Answer("I don't know.")),
        ["0 draft failed", "1 draft rejected:gate_refusal", "2 draft returned"],
        "gate_refusal",
        tier=2,
    ),
]

SIGNALS = [
    Scenario(
        "a function reads",
        two(MUTE),
        ACCEPTED,
        "confident",
        accepted=True,
        signals=functions(sounds_right),
    ),
    Scenario(
        "an async function reads",
        two(Answer("Who knows.")),
        rejected("low_confidence"),
        "low_confidence",
        tier=1,
        signals=functions(sounds_right_later),
    ),
    Scenario(
        "a function raises",
        two(SURE),
        rejected("no_reading"),
        "no_reading",
        tier=1,
        signals=functions(broken_signal),
    ),
    Scenario(
        "a function raises beside another signal",
        two(SURE),
        ACCEPTED,
        "confident",
        accepted=True,
        signals=lambda make: [SequenceLogprob(), broken_signal],
    ),
    Scenario(
        "a function reads more than one",
        two(SURE),
        rejected("no_reading"),
        "no_reading",
        tier=1,
        signals=functions(out_of_range),
    ),
    Scenario(
        "a function has no opinion",
        two(SURE),
        rejected("no_reading"),
        "no_reading",
        tier=1,
        signals=functions(no_opinion),
    ),
    Scenario(
        "the least of two readings",
        two(SURE),
        rejected("low_confidence"),
        "low_confidence",
        tier=1,
        signals=lambda make: [SequenceLogprob(), half_sure],
    ),
    Scenario(
        "the mean of two readings",
        two(SURE),
        ACCEPTED,
        "confident",
        accepted=True,
        signals=lambda make: [SequenceLogprob(), half_sure],
        settings={"combine": "mean", "thresholds": 0.7},
    ),
    Scenario(
        "weighed readings",
        two(SURE),
        ACCEPTED,
        "confident",
        accepted=True,
        signals=lambda make: [SequenceLogprob(), half_sure],
        settings={"combine": {"sequence_logprob": 9, "half_sure": 1}},
    ),
    Scenario(
        "samples agree",
        two(Model(MUTE, samples=[MUTE])),
        ["0 draft accepted", "0 sample used", "0 sample used"],
        "confident",
        accepted=True,
        signals=of(lambda: SelfConsistency(n=2)),
    ),
    Scenario(
        "samples disagree",
        two(Model(MUTE, samples=[Answer("Never, nobody sends you anything."), MUTE])),
        ["0 draft rejected:low_confidence", "0 sample used", "0 sample used", "1 draft returned"],
        "low_confidence",
        tier=1,
        signals=of(lambda: SelfConsistency(n=2)),
    ),
    Scenario(
        "samples fail",
        two(Model(MUTE, samples=[DOWN])),
        ["0 draft rejected:no_reading", "0 sample failed", "0 sample failed", "1 draft returned"],
        "no_reading",
        tier=1,
        signals=of(lambda: SelfConsistency(n=2)),
    ),
    Scenario(
        "no samples of what is too unsure already",
        two(Model(UNSURE, samples=[UNSURE])),
        rejected("low_confidence"),
        "low_confidence",
        tier=1,
        signals=of(SequenceLogprob, lambda: SelfConsistency(n=2)),
    ),
    Scenario(
        "the judge says yes",
        two(MUTE),
        ["0 draft accepted", "0 judge used"],
        "confident",
        accepted=True,
        signals=judged_by(JUDGE_SAYS_YES),
    ),
    Scenario(
        "the judge says no",
        two(MUTE),
        ["0 draft rejected:low_confidence", "0 judge used", "1 draft returned"],
        "low_confidence",
        tier=1,
        signals=judged_by(JUDGE_SAYS_NO),
    ),
    Scenario(
        "the judge talks around it",
        two(MUTE),
        ["0 draft rejected:no_reading", "0 judge used", "1 draft returned"],
        "no_reading",
        tier=1,
        signals=judged_by(Answer("Hard to say.")),
    ),
    Scenario(
        "the judge is down",
        two(MUTE),
        ["0 draft rejected:no_reading", "0 judge failed", "1 draft returned"],
        "no_reading",
        tier=1,
        signals=judged_by(DOWN),
    ),
    Scenario(
        "the judge refuses logprobs",
        two(MUTE),
        ["0 draft accepted", "0 judge failed", "0 judge used"],
        "confident",
        accepted=True,
        signals=lambda make: [Judge(make(Model(JUDGE_SAYS_YES, refuses_logprobs=True)))],
    ),
    Scenario(
        "it says that it is sure",
        two(Model(MUTE, stated=Answer("95%"))),
        ["0 draft accepted", "0 verbalize used"],
        "confident",
        accepted=True,
        signals=of(Verbalized),
    ),
    Scenario(
        "it says that it is unsure",
        two(Model(MUTE, stated=Answer("about 40%"))),
        ["0 draft rejected:low_confidence", "0 verbalize used", "1 draft returned"],
        "low_confidence",
        tier=1,
        signals=of(Verbalized),
    ),
]

TOOLS = [
    Scenario(
        "a tool call that fits", two(ORDER), ACCEPTED, "tool_call", accepted=True, kind="tools"
    ),
    Scenario(
        "an answer in words where tools were offered",
        two(SURE),
        ACCEPTED,
        "confident",
        accepted=True,
        kind="tools",
    ),
    Scenario(
        "unsure words where tools were offered",
        two(UNSURE, STRONG_ORDER),
        rejected("low_confidence"),
        "low_confidence",
        tier=1,
        kind="tools",
    ),
    Scenario(
        "a tool call without a reading is sent on on request",
        two(ORDER, STRONG_ORDER),
        rejected("no_reading"),
        "no_reading",
        tier=1,
        kind="tools",
        settings={"on_tool_call": "escalate"},
    ),
    Scenario(
        "a call that is written out",
        two(
            Answer('<tool_call>{"name": "find_order", "arguments": {"number": 7}}</tool_call>'),
            STRONG_ORDER,
        ),
        rejected("gate_tool_call"),
        "gate_tool_call",
        tier=1,
        kind="tools",
    ),
    Scenario(
        "a tool that nobody offered",
        two(Answer("", p=None, calls=[("find_moon", {})]), STRONG_ORDER),
        rejected("gate_tool_call"),
        "gate_tool_call",
        tier=1,
        kind="tools",
    ),
    Scenario(
        "arguments of the wrong type",
        two(Answer("", p=None, calls=[("find_order", {"number": "seven"})]), STRONG_ORDER),
        rejected("gate_tool_call"),
        "gate_tool_call",
        tier=1,
        kind="tools",
    ),
    Scenario(
        "an argument is missing",
        two(Answer("", p=None, calls=[("find_order", {})]), STRONG_ORDER),
        rejected("gate_tool_call"),
        "gate_tool_call",
        tier=1,
        kind="tools",
    ),
    Scenario(
        "arguments that are not JSON",
        two(Answer("", p=None, calls=[("find_order", "number seven")]), STRONG_ORDER),
        rejected("gate_tool_call"),
        "gate_tool_call",
        tier=1,
        kind="tools",
    ),
    Scenario(
        "arguments that break off where a repair would fit the tool",
        two(Answer("", p=None, calls=[("find_customer", '{"name": "Pau')]), STRONG_ORDER),
        rejected("gate_tool_call"),
        "gate_tool_call",
        tier=1,
        kind="tools",
    ),
    Scenario(
        "arguments with a line break as it is",
        two(Answer("", p=None, calls=[("find_customer", '{"name": "Pau\nla"}')]), STRONG_ORDER),
        ACCEPTED,
        "tool_call",
        accepted=True,
        kind="tools",
    ),
    Scenario(
        "one of two tool calls is wrong",
        two(
            Answer(
                "", p=None, calls=[("find_order", {"number": 7}), ("find_order", {"number": "x"})]
            ),
            STRONG_ORDER,
        ),
        rejected("gate_tool_call"),
        "gate_tool_call",
        tier=1,
        kind="tools",
    ),
    Scenario(
        "two tool calls",
        two(
            Answer(
                "",
                p=None,
                calls=[("find_order", {"number": 7}), ("find_customer", {"name": "Paula"})],
            )
        ),
        ACCEPTED,
        "tool_call",
        accepted=True,
        kind="tools",
    ),
    Scenario(
        "a required tool is not called",
        two(SURE, STRONG_ORDER),
        rejected("gate_tool_call"),
        "gate_tool_call",
        tier=1,
        kind="tools",
        required=True,
    ),
    Scenario(
        "a required tool is called",
        two(ORDER, STRONG_ORDER),
        ACCEPTED,
        "tool_call",
        accepted=True,
        kind="tools",
        required=True,
    ),
    Scenario(
        "the last tier does not call the required tool either",
        two(SURE),
        rejected("gate_tool_call", "1 draft returned:gate_tool_call"),
        "gate_tool_call",
        tier=1,
        kind="tools",
        required=True,
    ),
    Scenario(
        "the cheap tier cannot call tools",
        two(Model(SURE, tools=False), STRONG_ORDER),
        LAST_ONLY,
        "unable",
        tier=1,
        kind="tools",
    ),
    Scenario(
        "a tool call whose tokens are sure",
        two(Answer("", p=None, calls=[("find_order", {"number": 7})], calls_p=0.99)),
        ACCEPTED,
        "confident",
        accepted=True,
        kind="tools",
    ),
    Scenario(
        "a tool call whose tokens are unsure",
        two(Answer("", p=None, calls=[("find_order", {"number": 7})], calls_p=0.2), STRONG_ORDER),
        rejected("low_confidence"),
        "low_confidence",
        tier=1,
        kind="tools",
    ),
    Scenario(
        "sure words in front of a tool call",
        two(Answer("Let me see.", calls=[("find_order", {"number": 7})])),
        ACCEPTED,
        "confident",
        accepted=True,
        kind="tools",
    ),
    Scenario(
        "unsure words in front of a tool call",
        two(Answer("Hm, let me see.", p=0.4, calls=[("find_order", {"number": 7})]), STRONG_ORDER),
        rejected("low_confidence"),
        "low_confidence",
        tier=1,
        kind="tools",
    ),
    Scenario(
        "nobody reports the tokens of a tool call",
        two(Answer("", p=None, calls=[("find_order", {"number": 7})], reported=False)),
        ACCEPTED,
        "tool_call",
        accepted=True,
        kind="tools",
    ),
    Scenario(
        "a tool call that a judge likes",
        two(ORDER, STRONG_ORDER),
        ["0 draft accepted", "0 judge used"],
        "confident",
        accepted=True,
        kind="tools",
        signals=judged_by(JUDGE_SAYS_YES),
    ),
    Scenario(
        "a tool call that the tier itself doubts",
        two(Model(ORDER, stated=Answer("20%")), STRONG_ORDER),
        ["0 draft rejected:low_confidence", "0 verbalize used", "1 draft returned"],
        "low_confidence",
        tier=1,
        kind="tools",
        signals=of(Verbalized),
    ),
    Scenario(
        "samples call the same tool",
        two(Model(ORDER, samples=[ORDER]), STRONG_ORDER),
        ["0 draft accepted", "0 sample used", "0 sample used"],
        "confident",
        accepted=True,
        kind="tools",
        signals=of(lambda: SelfConsistency(n=2)),
    ),
    Scenario(
        "the cheap tier is down where tools were offered",
        two(DOWN, STRONG_ORDER),
        FAILED,
        "failed",
        tier=1,
        kind="tools",
    ),
]

OBJECTS = [
    Scenario(
        "an object",
        two(TICKET, STRONG_TICKET),
        ACCEPTED,
        "tool_call",
        accepted=True,
        kind="object_by_tool",
    ),
    Scenario(
        "an object that does not fit",
        two(BAD_TICKET, STRONG_TICKET),
        rejected("gate_parser"),
        "gate_parser",
        tier=1,
        kind="object_by_tool",
    ),
    Scenario(
        "words instead of an object",
        two(SURE, STRONG_TICKET),
        rejected("gate_parser"),
        "gate_parser",
        tier=1,
        kind="object_by_tool",
    ),
    Scenario(
        "no tier's object fits",
        two(BAD_TICKET, Model(BAD_TICKET)),
        rejected("gate_parser", "1 draft returned:gate_parser"),
        "gate_parser",
        tier=1,
        kind="object_by_tool",
        shown_alike=False,
    ),
    Scenario(
        "words instead of an object from every tier",
        two(SURE, Model(SURE)),
        rejected("gate_parser", "1 draft returned:gate_parser"),
        "gate_parser",
        tier=1,
        kind="object_by_tool",
        shown_alike=False,
    ),
    Scenario(
        "no tier's object in words fits",
        two(by_text(SURE), by_text(SURE)),
        rejected("gate_parser", "1 draft returned:gate_parser"),
        "gate_parser",
        tier=1,
        kind="object_by_text",
        shown_alike=False,
    ),
    Scenario(
        "an object is sent on on request",
        two(TICKET, STRONG_TICKET),
        rejected("no_reading"),
        "no_reading",
        tier=1,
        kind="object_by_tool",
        settings={"on_tool_call": "escalate"},
    ),
    Scenario(
        "the maker of objects is down",
        two(DOWN, STRONG_TICKET),
        FAILED,
        "failed",
        tier=1,
        kind="object_by_tool",
    ),
    Scenario(
        "nobody makes an object",
        two(DOWN, Model(DOWN)),
        ["0 draft failed", "1 draft failed"],
        "exhausted",
        tier=None,
        kind="object_by_tool",
        raises="CascadeExhausted",
    ),
    Scenario(
        "an object that a judge dislikes",
        two(TICKET, STRONG_TICKET),
        ["0 draft rejected:low_confidence", "0 judge used", "1 draft returned"],
        "low_confidence",
        tier=1,
        kind="object_by_tool",
        signals=judged_by(JUDGE_SAYS_NO),
    ),
    Scenario(
        "an object whose tokens are sure",
        two(Answer("", p=None, calls=[("Ticket", GOOD)], calls_p=0.99), STRONG_TICKET),
        ACCEPTED,
        "confident",
        accepted=True,
        kind="object_by_tool",
    ),
    Scenario(
        "an object whose tokens are unsure",
        two(Answer("", p=None, calls=[("Ticket", GOOD)], calls_p=0.1), STRONG_TICKET),
        rejected("low_confidence"),
        "low_confidence",
        tier=1,
        kind="object_by_tool",
    ),
    Scenario(
        "samples make the same object",
        two(Model(TICKET, samples=[TICKET]), STRONG_TICKET),
        ["0 draft accepted", "0 sample used", "0 sample used"],
        "confident",
        accepted=True,
        kind="object_by_tool",
        signals=of(lambda: SelfConsistency(n=2)),
    ),
    Scenario(
        "an object in words, sure",
        two(by_text(WRITTEN), STRONG_WRITTEN),
        ACCEPTED,
        "confident",
        accepted=True,
        kind="object_by_text",
    ),
    Scenario(
        "an object in words, unsure",
        two(by_text(Answer(WRITTEN.text, p=0.3)), STRONG_WRITTEN),
        rejected("low_confidence"),
        "low_confidence",
        tier=1,
        kind="object_by_text",
    ),
    Scenario(
        "words that are no object",
        two(by_text(SURE), STRONG_WRITTEN),
        rejected("gate_parser"),
        "gate_parser",
        tier=1,
        kind="object_by_text",
    ),
    Scenario(
        "an object in words that does not fit",
        two(by_text(Answer('{"title": "late order"}')), STRONG_WRITTEN),
        rejected("gate_parser"),
        "gate_parser",
        tier=1,
        kind="object_by_text",
    ),
    Scenario(
        "an object in words that was cut off",
        two(by_text(Answer('{"title": "late', finish="length")), STRONG_WRITTEN),
        rejected("gate_truncated"),
        "gate_truncated",
        tier=1,
        kind="object_by_text",
    ),
    Scenario(
        "an object in words, without logprobs",
        two(by_text(Answer(WRITTEN.text, p=None)), STRONG_WRITTEN),
        rejected("no_reading"),
        "no_reading",
        tier=1,
        kind="object_by_text",
    ),
    Scenario(
        "a refusal instead of an object in words",
        two(by_text(Answer("I cannot help with that.")), STRONG_WRITTEN),
        rejected("gate_refusal"),
        "gate_refusal",
        tier=1,
        kind="object_by_text",
    ),
]

STREAMS = [
    Scenario(
        "a hopeless stream is cut off",
        two(Model(LONG, max_tokens=20)),
        rejected("low_confidence"),
        "low_confidence",
        tier=1,
        streamed_trail=["0 draft aborted:low_confidence", "1 draft returned"],
    ),
    Scenario(
        "a hopeless stream is cut off, and nobody reports tokens",
        two(Model(Answer(LONG.text, p=0.3, reported=False), max_tokens=20)),
        rejected("low_confidence"),
        "low_confidence",
        tier=1,
        streamed_trail=["0 draft aborted:low_confidence", "1 draft returned"],
    ),
    Scenario(
        "a hopeless stream without a limit is cut off by its least token",
        two(LONG),
        rejected("low_confidence"),
        "low_confidence",
        tier=1,
        signals=of(lambda: SequenceLogprob(reduce="min")),
        streamed_trail=["0 draft aborted:low_confidence", "1 draft returned"],
    ),
    Scenario(
        "hopeless streams of two tiers are cut off",
        [Model(LONG, max_tokens=20), Model(LONG, max_tokens=30), STRONG],
        ["0 draft rejected:low_confidence", "1 draft rejected:low_confidence", "2 draft returned"],
        "low_confidence",
        tier=2,
        streamed_trail=[
            "0 draft aborted:low_confidence",
            "1 draft aborted:low_confidence",
            "2 draft returned",
        ],
    ),
    Scenario(
        "a hopeless stream is read to its end on request",
        two(Model(LONG, max_tokens=20)),
        rejected("low_confidence"),
        "low_confidence",
        tier=1,
        settings={"streaming_policy": "buffer"},
    ),
    Scenario(
        "a hopeless stream may become the best draft",
        two(Model(LONG, max_tokens=20), Model(DOWN)),
        ["0 draft returned:low_confidence", "1 draft failed"],
        "best_draft",
        settings={"on_exhausted": "best_draft"},
    ),
    Scenario(
        "a stream with a limit that is sure",
        two(Model(SURE, max_tokens=20)),
        ACCEPTED,
        "confident",
        accepted=True,
    ),
    Scenario(
        "a cut off stream saves the judge too",
        two(Model(LONG, max_tokens=20)),
        rejected("low_confidence"),
        "low_confidence",
        tier=1,
        signals=lambda make: [SequenceLogprob(), Judge(make(Model(JUDGE_SAYS_YES)))],
        streamed_trail=["0 draft aborted:low_confidence", "1 draft returned"],
    ),
    Scenario(
        "a hopeless stream breaks off before it is cut off",
        two(Model(Answer(LONG.text, p=0.9, error="outage", after=3), max_tokens=20)),
        FAILED,
        "failed",
        tier=1,
        streamed_trail=FAILED,
    ),
    Scenario(
        "the last stream breaks off",
        two(UNSURE, Model(Answer(error="outage", after=2))),
        rejected("low_confidence", "1 draft failed"),
        "exhausted",
        tier=None,
        raises="CascadeExhausted",
        streamed_trail=rejected("low_confidence", "1 draft failed"),
    ),
    Scenario(
        "the last stream breaks off, and a draft is at hand",
        two(UNSURE, Model(Answer(error="outage", after=0))),
        ["0 draft returned:low_confidence", "1 draft failed"],
        "best_draft",
        settings={"on_exhausted": "best_draft"},
    ),
    Scenario(
        "a stream breaks off",
        two(Answer(error="outage", after=2)),
        FAILED,
        "failed",
        tier=1,
        streamed_trail=FAILED,
    ),
]

FITTED = [
    Scenario(
        "a calibrator lets a low reading pass",
        two(UNSURE),
        ACCEPTED,
        "confident",
        accepted=True,
        settings={"policy": fitted(0.14)},
    ),
    Scenario(
        "a calibrator sends a high reading on",
        two(SURE),
        rejected("low_confidence"),
        "low_confidence",
        tier=1,
        settings={"policy": fitted(0.497)},
    ),
    Scenario(
        "a calibrator without a reading",
        two(MUTE),
        rejected("no_reading"),
        "no_reading",
        tier=1,
        settings={"policy": fitted(0.0)},
    ),
    Scenario(
        "a calibrator that goes by the texts alone",
        two(MUTE),
        ACCEPTED,
        "confident",
        accepted=True,
        settings={"policy": fitted(0.5, calibrators=[LONG_IS_HARD])},
    ),
    Scenario(
        "a judge that the policy does not read is not asked",
        two(SURE),
        ACCEPTED,
        "confident",
        accepted=True,
        settings={"policy": fitted(0.4)},
        signals=lambda make: [SequenceLogprob(), Judge(make(Model(JUDGE_SAYS_NO)))],
    ),
    Scenario(
        "the route skips the cheap tier",
        two(SURE),
        LAST_ONLY,
        "difficult",
        tier=1,
        settings={"policy": fitted(route=DEAR)},
    ),
    Scenario(
        "the route skips the middle tier",
        three(UNSURE, SURE),
        ["0 draft rejected:low_confidence", "2 draft returned"],
        "difficult",
        tier=2,
        settings={
            "policy": fitted(calibrators=[by()] * 2, thresholds=[0.4, 0.4], route=DEAR_MIDDLE)
        },
    ),
    Scenario(
        "a hopeless stream is cut off by its calibrated bound",
        two(Model(LONG, max_tokens=20)),
        rejected("low_confidence"),
        "low_confidence",
        tier=1,
        settings={"policy": fitted(0.4)},
        streamed_trail=["0 draft aborted:low_confidence", "1 draft returned"],
    ),
]


def ruled(*rules: Any, **others: Any) -> dict[str, Any]:
    """Return the settings of a cascade whose policy has rules; each is a match and what then."""
    listed = [{"name": f"r{k}", "match": m, "then": t} for k, (m, t) in enumerate(rules)]
    return {"policy": {"rules": listed, **others}}


def matched(name: str, match: Any, *, hit: bool = True, **settings: Any) -> Scenario:
    """Return what becomes of a request that a rule sends past the cheap tier, or would have."""
    return Scenario(
        f"{'a' if hit else 'no'} match by {name}",
        two(SURE, STRONG_ORDER if settings.get("kind") == "tools" else STRONG),
        LAST_ONLY if hit else ACCEPTED,
        "bypassed" if hit else "confident",
        tier=1 if hit else 0,
        accepted=not hit,
        rule="r0" if hit else None,
        settings=ruled((match, {"bypass": True})),
        **settings,
    )


def fails(request: Request) -> bool:
    raise RuntimeError


EVERY_DAY = {"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]}
LEGAL = {"tags": ["legal"]}

MATCHES = [
    matched("tag", {"tag": "legal"}, tags=["other", "legal"]),
    matched("another tag", {"tag": "legal"}, hit=False, tags=["other"]),
    matched("class", {"class": "x"}, metadata={"cascade_class": "x"}, class_name="x"),
    matched("metadata", {"metadata": {"tenant": ["acme", "b"]}}, metadata={"tenant": "acme"}),
    matched("other metadata", {"metadata": {"tenant": "acme"}}, hit=False),
    matched("tool", {"tool": "find_customer"}, kind="tools"),
    matched("another tool", {"tool": "refund"}, hit=False, kind="tools"),
    matched("the tool that makes an object", {"tool": "Ticket"}, hit=False),
    matched("many input tokens", {"input_tokens": {"over": 3}}),
    matched("few input tokens", {"input_tokens": {"under": 3}}, hit=False),
    matched("language", {"language": "en"}),
    matched("another language", {"language": ["de", "fr"]}, hit=False),
    matched("regex", {"regex": r"(?i)\border\b.*\?$"}),
    matched("a regex that finds nothing", {"regex": "refund"}, hit=False),
    matched("time", {"time": EVERY_DAY}),
    matched("no time", {"not": {"time": EVERY_DAY}}, hit=False),
    matched("all", {"all": [{"tag": "legal"}, {"regex": "order"}]}, **LEGAL),
    matched("any", {"any": [{"tag": "legal"}, {"regex": "order"}]}),
    matched("not", {"not": {"tag": "legal"}}),
    matched("several keys", {"tag": "legal", "regex": "refund"}, hit=False, **LEGAL),
    matched("a function", lambda request: "order" in request.question),
    matched("a function that raises", fails, hit=False),
]

ACTIONS = [
    Scenario(
        "a rule names a class",
        two(UNSURE),
        ACCEPTED,
        "confident",
        accepted=True,
        rule="r0",
        class_name="easy",
        settings=ruled(
            ({"regex": "order"}, {"class": "easy"}),
            thresholds=[0.9],
            classes={"easy": {"thresholds": [0.2]}},
        ),
    ),
    Scenario(
        "a later rule sees the class that one named",
        two(SURE),
        LAST_ONLY,
        "bypassed",
        tier=1,
        rule="r1",
        class_name="orders",
        settings=ruled(
            ({"regex": "order"}, {"class": "orders"}), ({"class": "orders"}, {"bypass": True})
        ),
    ),
    Scenario(
        "a rule bypasses one tier of three",
        three(SURE, SURE),
        ["1 draft accepted"],
        "confident",
        tier=1,
        accepted=True,
        rule="r0",
        settings=ruled(({"regex": "order"}, {"bypass": [0]})),
    ),
    Scenario(
        "a rule bypasses the middle tier",
        three(UNSURE, SURE),
        ["0 draft rejected:low_confidence", "2 draft returned"],
        "bypassed",
        tier=2,
        rule="r0",
        settings=ruled(({"regex": "order"}, {"bypass": [1]})),
    ),
    Scenario(
        "a rule bypasses all tiers, and the last is down",
        two(SURE, Model(DOWN)),
        ["1 draft failed"],
        "exhausted",
        tier=None,
        rule="r0",
        raises="CascadeExhausted",
        settings=ruled(({"regex": "order"}, {"bypass": True})),
    ),
    Scenario(
        "a rule pins to the cheap tier, however unsure it is",
        two(UNSURE),
        ["0 draft returned"],
        "pinned",
        rule="r0",
        settings=ruled(({"regex": "order"}, {"pin": 0})),
    ),
    Scenario(
        "a rule pins to the middle tier",
        three(SURE, UNSURE),
        ["1 draft returned"],
        "pinned",
        tier=1,
        rule="r0",
        settings=ruled(({"regex": "order"}, {"pin": 1})),
    ),
    Scenario(
        "a pinned tier refuses",
        two(Answer("I'm sorry, but I cannot help with that.")),
        ["0 draft returned:gate_refusal"],
        "pinned",
        rule="r0",
        settings=ruled(({"regex": "order"}, {"pin": 0})),
    ),
    Scenario(
        "a pinned tier fails, and nobody else is asked",
        two(DOWN),
        ["0 draft failed"],
        "exhausted",
        tier=None,
        rule="r0",
        raises="CascadeExhausted",
        settings={**ruled(({"regex": "order"}, {"pin": 0})), "on_exhausted": "best_draft"},
    ),
    Scenario(
        "a pinned request is shown to no judge",
        two(UNSURE),
        ["0 draft returned"],
        "pinned",
        rule="r0",
        settings=ruled(({"regex": "order"}, {"pin": 0})),
        signals=judged_by(DOWN),
    ),
    Scenario(
        "a pinned request in shadow mode",
        two(UNSURE),
        ["0 draft returned"],
        "pinned",
        rule="r0",
        settings={**ruled(({"regex": "order"}, {"pin": 0})), "mode": "shadow"},
    ),
    Scenario(
        "a pinned tier calls a tool",
        two(ORDER, STRONG_ORDER),
        ["0 draft returned"],
        "pinned",
        kind="tools",
        rule="r0",
        settings=ruled(({"tool": "find_order"}, {"pin": 0})),
    ),
    Scenario(
        "a pinned tier makes an object",
        two(TICKET, STRONG_TICKET),
        ["0 draft returned"],
        "pinned",
        kind="object_by_tool",
        rule="r0",
        settings=ruled(({"regex": "order"}, {"pin": 0})),
    ),
    Scenario(
        "a bypassed request in shadow mode",
        two(SURE),
        LAST_ONLY,
        "shadow",
        tier=1,
        rule="r0",
        settings={**ruled(({"regex": "order"}, {"bypass": True})), "mode": "shadow"},
    ),
    Scenario(
        "a rule has thresholds of its own",
        two(SURE),
        rejected("low_confidence"),
        "low_confidence",
        tier=1,
        rule="r0",
        settings=ruled(({"regex": "order"}, {"thresholds": [0.999]}), thresholds=[0.5]),
    ),
    Scenario(
        "a rule's thresholds go before the caller's",
        two(UNSURE),
        ACCEPTED,
        "confident",
        accepted=True,
        rule="r0",
        settings={**ruled(({"regex": "order"}, {"thresholds": [0.1]})), "thresholds": [0.9]},
    ),
    Scenario(
        "a rule keeps an unsure draft",
        two(Model(LONG, max_tokens=20)),
        ["0 draft returned:low_confidence"],
        "kept",
        rule="r0",
        settings=ruled(({"regex": "order"}, {"escalate": False})),
    ),
    Scenario(
        "a rule keeps a draft that no paid signal is asked about",
        two(UNSURE),
        ["0 draft returned:low_confidence"],
        "kept",
        rule="r0",
        settings=ruled(({"regex": "order"}, {"escalate": False})),
        signals=lambda make: [SequenceLogprob(), Judge(make(Model(JUDGE_SAYS_YES)))],
    ),
    Scenario(
        "a rule keeps a draft without a reading",
        two(MUTE),
        ["0 draft returned:no_reading"],
        "kept",
        rule="r0",
        settings=ruled(({"regex": "order"}, {"escalate": False})),
    ),
    Scenario(
        "a rule keeps requests from the last tier, and the cheap one is down",
        two(DOWN),
        FAILED,
        "failed",
        tier=1,
        rule="r0",
        settings=ruled(({"regex": "order"}, {"escalate": False})),
    ),
    Scenario(
        "a rule keeps requests, and the cheap tier's object does not fit",
        two(BAD_TICKET, STRONG_TICKET),
        rejected("gate_parser"),
        "gate_parser",
        tier=1,
        kind="object_by_tool",
        rule="r0",
        settings=ruled(({"regex": "order"}, {"escalate": False})),
    ),
    Scenario(
        "a kept draft in shadow mode",
        two(UNSURE),
        ["1 draft returned", "0 draft rejected:shadow"],
        "shadow",
        tier=1,
        rule="r0",
        settings={**ruled(({"regex": "order"}, {"escalate": False})), "mode": "shadow"},
    ),
    Scenario(
        "a bypass and no escalation leave the middle tier's draft",
        three(SURE, UNSURE),
        ["1 draft returned:low_confidence"],
        "kept",
        tier=1,
        rule="r0",
        settings=ruled(({"regex": "order"}, {"bypass": [0], "escalate": False})),
    ),
    Scenario(
        "the first rule that matches decides",
        two(SURE),
        ["0 draft returned"],
        "pinned",
        rule="r1",
        settings=ruled(
            ({"tag": "legal"}, {"bypass": True}),
            ({"regex": "order"}, {"pin": 0}),
            ({"regex": "order"}, {"bypass": True}),
        ),
    ),
]


def limited(first: Answer, second: Answer = STRONG.draft) -> list[Model]:
    """Two tiers that may write 50 tokens: the strong one can cost more than a tenth of a cent."""
    return [Model(first, max_tokens=50), Model(second, max_tokens=50)]


def short(when_short: Literal["cheapest", "refuse", "wait"]) -> dict[str, Any]:
    """A budget with room for the cheap tier alone; nothing of it ever frees."""
    return {"budget": Budget(usd=0.001, per="run", when_short=when_short, name="cheap only")}


BUDGETS = [
    Scenario(
        "a budget that suffices changes nothing",
        limited(UNSURE),
        rejected("low_confidence"),
        "low_confidence",
        tier=1,
        settings={"budget": Budget(usd=1), "streaming_policy": "buffer"},
    ),
    Scenario(
        "a short budget keeps the draft",
        limited(UNSURE),
        ["0 draft returned:low_confidence"],
        "budget",
        settings={**short("cheapest"), "streaming_policy": "buffer"},
    ),
    Scenario(
        "a short budget has the cheap tier answer that the route skips",
        limited(SURE),
        ["0 draft returned"],
        "budget",
        settings={**short("cheapest"), "policy": fitted(route=DEAR)},
    ),
    Scenario(
        "a short budget sends nothing to a tier that a rule bypasses",
        limited(SURE),
        [],
        "exhausted",
        tier=None,
        raises="CascadeExhausted",
        rule="r0",
        settings={**short("cheapest"), **ruled(({"regex": "order"}, {"bypass": [0]}))},
    ),
    Scenario(
        "a short budget moves no pinned request",
        limited(SURE),
        [],
        "exhausted",
        tier=None,
        raises="CascadeExhausted",
        rule="r0",
        settings={**short("cheapest"), **ruled(({"regex": "order"}, {"pin": 1}))},
    ),
    Scenario(
        "a short budget refuses",
        limited(UNSURE),
        ["0 draft rejected:low_confidence"],
        "exhausted",
        tier=None,
        raises="CascadeExhausted",
        settings={**short("refuse"), "on_exhausted": "best_draft", "streaming_policy": "buffer"},
    ),
    Scenario(
        "waiting for what never frees is refusing",
        limited(UNSURE),
        ["0 draft rejected:low_confidence"],
        "exhausted",
        tier=None,
        raises="CascadeExhausted",
        settings={**short("wait"), "streaming_policy": "buffer"},
    ),
    Scenario(
        "the last tier has no bound",
        [Model(UNSURE, max_tokens=50), STRONG],
        ["0 draft rejected:low_confidence"],
        "exhausted",
        tier=None,
        raises="CascadeExhausted",
        settings={**short("cheapest"), "streaming_policy": "buffer"},
    ),
    Scenario(
        "the cheap tier has no bound",
        [Model(SURE), Model(STRONG.draft, max_tokens=50)],
        LAST_ONLY,
        "budget",
        tier=1,
        settings={"budget": Budget(usd=1)},
    ),
    Scenario(
        "a judge that no budget can hold reads nothing",
        limited(SURE),
        ["0 draft rejected:no_reading", "1 draft returned"],
        "no_reading",
        tier=1,
        signals=judged_by(JUDGE_SAYS_YES),
        settings={"budget": Budget(usd=1)},
    ),
    Scenario(
        "a judge that the budget holds reads",
        limited(SURE),
        ["0 draft accepted", "0 judge used"],
        "confident",
        accepted=True,
        signals=lambda make: [Judge(make(Model(JUDGE_SAYS_YES, max_tokens=5)))],
        settings={"budget": Budget(tokens=100_000)},
    ),
]

SCENARIOS = [
    *PLAIN,
    *GATES,
    *UNREAD,
    *FAILURES,
    *THREE,
    *SIGNALS,
    *TOOLS,
    *OBJECTS,
    *STREAMS,
    *FITTED,
    *MATCHES,
    *ACTIONS,
    *BUDGETS,
]
