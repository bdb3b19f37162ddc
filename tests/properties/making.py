"""Random cascades and the models behind them."""

import math
from dataclasses import dataclass

from hypothesis import strategies as st

from cascade_core.abilities import Abilities
from cascade_core.request import Request, ToolCall, ToolSpec
from cascade_core.setup.plan import Plan
from cascade_core.signals import SelfConsistency, SequenceLogprob, TokenMargin
from cascade_core.signals.logprob import Reduction
from cascade_core.tier import LogprobMemory
from tests.core.making import Answer, ProviderError, make_tiers, plan_for

REDUCTIONS = Reduction.__args__

unit = st.floats(0, 1)
logprob = st.one_of(
    st.floats(-3, 0),
    st.floats(max_value=0.001, allow_nan=False),
    st.sampled_from([0.0, -0.0, 1e-4, 1e-3, -1e-12, -9999.0, -math.inf, -1e308]),
)
broken_logprob = st.one_of(logprob, st.sampled_from([math.nan, math.inf, 0.5]))


@st.composite
def sequences(draw, of=logprob, most=12):
    return draw(st.lists(of, min_size=1, max_size=most))


@st.composite
def reductions(draw):
    return SequenceLogprob(
        draw(st.sampled_from(REDUCTIONS)), quantile=draw(unit), alpha=draw(st.floats(0, 10))
    )


@st.composite
def functions(draw, name):
    value = draw(st.one_of(st.none(), unit, st.sampled_from([math.nan, 1.5, "high", KeyError()])))

    def read(_request, _draft):
        if isinstance(value, Exception):
            raise value
        return value

    async def read_later(_request, _draft):
        return read(_request, _draft)

    chosen = draw(st.sampled_from([read, read_later]))
    chosen.__name__ = name
    return chosen


ERRORS = st.sampled_from(
    [ProviderError(), ProviderError("logprobs are not supported", 400), TimeoutError("late")]
)


@st.composite
def answers(draw):
    values = draw(st.none() | sequences(broken_logprob))
    if draw(st.integers(0, 4)) == 0:
        return Answer(values=values, error=draw(ERRORS), arrived=draw(st.integers(0, 3)))
    text = draw(st.sampled_from(["It ships Monday.", "It ships Monday.", "", "I can't help."]))
    fields = {}
    if draw(st.integers(0, 4)) == 0:
        fields["tool_calls"] = (ToolCall("look_up", draw(st.sampled_from([None, {}]))),)
    if draw(st.integers(0, 5)) == 0:
        fields["cached"] = True
    return Answer(text, values=values, fields=fields)


@dataclass
class Case:
    plan: Plan
    request: Request
    streamed: bool
    answers: list

    def __repr__(self):
        return f"Case({self.plan}, {self.request}, streamed={self.streamed}, {self.answers})"


@st.composite
def cases(draw, streamed=None):
    """A function that makes the same case anew each time: tiers remember what they saw."""
    count = draw(st.integers(1, 4))
    signals = draw(
        st.lists(
            st.one_of(
                reductions(),
                st.builds(TokenMargin),
                functions("first"),
                functions("second"),
                st.just(SelfConsistency(n=2, agreement="exact")),
            ),
            min_size=1,
            max_size=4,
            unique_by=lambda s: getattr(s, "name", None) or s.__name__,
        )
    )
    names = [getattr(s, "name", None) or s.__name__ for s in signals]
    weights = st.fixed_dictionaries({name: st.floats(0, 1e308) for name in names})
    settings = {
        "signals": signals,
        "combine": draw(
            st.sampled_from(["min", "mean"]) | weights.filter(lambda w: any(w.values()))
        ),
        "thresholds": draw(st.lists(unit, min_size=count - 1, max_size=count - 1)),
        "gates": draw(st.sampled_from([None, [lambda r, d: len(d.text) > 3], [lambda r, d: d.no]])),
        "on_no_score": draw(st.sampled_from(["escalate", "accept"])),
        "on_tool_call": draw(st.sampled_from(["gates", "escalate"])),
        "on_exhausted": draw(st.sampled_from(["raise", "best_draft"])),
        "streaming_policy": draw(st.sampled_from(["abort", "buffer"])),
        "mode": draw(st.sampled_from(["serve", "serve", "shadow"])),
    }
    shape = {
        name: dict(enumerate(draw(st.lists(of, min_size=count, max_size=count))))
        for name, of in {
            "streams": st.booleans(),
            "tool_only": st.booleans(),
            "max_tokens": st.none() | st.integers(12, 20),
        }.items()
    }
    known = draw(
        st.lists(st.sampled_from([None, None, True, False]), min_size=count, max_size=count)
    )
    tools = draw(st.sampled_from([(), (ToolSpec("look_up"),)]))
    unable = draw(st.sets(st.integers(0, max(0, count - 2)))) if tools and count > 1 else ()
    choice = draw(st.sampled_from([None, "required", "look_up"]))
    streams = draw(st.booleans()) if streamed is None else streamed
    said = draw(
        st.lists(
            answers() | st.lists(answers(), min_size=2, max_size=2), min_size=count, max_size=count
        )
    )

    def make():
        memory = {index: LogprobMemory(value) for index, value in enumerate(known)}
        lacks = {index: Abilities(lacks=frozenset({"tools"})) for index in unable}
        tiers = make_tiers(count, logprobs=memory, abilities=lacks, **shape)
        return Case(
            plan_for(tiers=tiers, **settings),
            Request.of("Where is it?")
            if not tools
            else Request(tools=tools, tool_choice=choice, needs=["tools"]),
            streams,
            said,
        )

    return make
