"""Objects from a cascade: structured predictions, programs and structured LLMs."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from llama_index.core.llms import ChatMessage, ChatResponse
from llama_index.core.output_parsers import PydanticOutputParser
from llama_index.core.program import FunctionCallingProgram, LLMTextCompletionProgram
from llama_index.core.prompts import PromptTemplate
from llama_index.core.types import PydanticProgramMode
from pydantic import BaseModel, ValidationError, field_validator

from cascade_core import collect_decisions
from cascade_core.errors import CascadeExhausted
from llamaindex_cascade import CascadeLLM, parser_gate
from tests.llamaindex.fakes import ProviderError, Say, Seen, strong
from tests.llamaindex.watched import ACCEPTED, ESCALATED, Pair, outcomes, trail

pytestmark = [
    pytest.mark.filterwarnings("ignore::cascade_core.errors.CascadeWarning"),
    # LlamaIndex's structured LLMs dump their objects in pydantic's old way.
    pytest.mark.filterwarnings("ignore::pydantic.PydanticDeprecatedSince20"),
]


class Invoice(BaseModel):
    """An invoice."""

    customer: str
    total: int


class Checked(BaseModel):
    """An invoice that is never negative."""

    total: int

    @field_validator("total")
    @classmethod
    def _positive(cls, value: int) -> int:
        if value < 0:
            msg = "negative"
            raise ValueError(msg)
        return value


def prompt() -> PromptTemplate:
    """A new one each time: programs of a bare model leave their parser on it."""
    return PromptTemplate("Read the invoice: {text}")


TEXT = "Ada owes seven"
ADA = Invoice(customer="Ada", total=7)
CALLED = Say(tool_calls=[("Invoice", {"customer": "Ada", "total": 7})])
UNFIT = Say(tool_calls=[("Invoice", {"customer": "Ada"})])
WRITTEN = Say('Here you are: {"customer": "Ada", "total": 7}')
UNWRITTEN = Say('{"customer": "Ada"')
MISFIT = Say('{"customer": "Ada"}')
TEXT_ONLY = {"tools": False}
COMPLETION = {"tools": False, "chat_model": False}


def predict(llm: Any, cls: type[BaseModel] = Invoice, **more: Any) -> Any:
    return llm.structured_predict(cls, prompt(), text=TEXT, **more)


async def apredict(llm: Any, cls: type[BaseModel] = Invoice, **more: Any) -> Any:
    return await llm.astructured_predict(cls, prompt(), text=TEXT, **more)


async def stream(llm: Any, cls: type[BaseModel] = Invoice, **more: Any) -> Any:
    return list(llm.stream_structured_predict(cls, prompt(), text=TEXT, **more))


async def astream(llm: Any, cls: type[BaseModel] = Invoice, **more: Any) -> Any:
    parts = await llm.astream_structured_predict(cls, prompt(), text=TEXT, **more)
    return [part async for part in parts]


async def made(how: str, llm: Any, cls: type[BaseModel] = Invoice, **more: Any) -> Any:
    """The object, made in one of four ways; of a stream, its last part."""
    if how == "structured_predict":
        return predict(llm, cls, **more)
    if how == "astructured_predict":
        return await apredict(llm, cls, **more)
    return (await (stream if how == "stream" else astream)(llm, cls, **more))[-1]


FOUR = ["structured_predict", "astructured_predict", "stream", "astream"]
all_four = pytest.mark.parametrize("how", FOUR)
both_streams = pytest.mark.parametrize("parts", [stream, astream])


@all_four
class TestAStructuredPrediction:
    @pytest.mark.parametrize(
        ("said", "kind"),
        [(CALLED, {}), (WRITTEN, TEXT_ONLY), (WRITTEN, COMPLETION)],
        ids=["tools", "chat", "completion"],
    )
    async def test_of_the_cheap_tier_is_accepted(
        self, how: str, said: Say, kind: dict[str, Any]
    ) -> None:
        two = Pair(said, cheap_is=kind)
        with collect_decisions() as seen:
            assert await made(how, two.cascade) == ADA
        assert trail(seen) == [(0, "confident" if kind else "tool_call")]
        assert outcomes(seen[0]) == ACCEPTED
        assert two.asked == (1, 0)
        assert two.adds_up(seen)

    @pytest.mark.parametrize(
        ("said", "kind", "reason"),
        [
            (UNFIT, {}, "gate_parser"),
            (MISFIT, TEXT_ONLY, "gate_parser"),
            (UNWRITTEN, TEXT_ONLY, "gate_parser"),
            (UNWRITTEN, COMPLETION, "gate_parser"),
            (Say(WRITTEN.text, p=0.3), TEXT_ONLY, "low_confidence"),
            (Say(""), TEXT_ONLY, "gate_empty"),
        ],
        ids=["arguments", "schema", "JSON", "completion", "unsure", "empty"],
    )
    async def test_that_the_cheap_tier_cannot_make_escalates(
        self, how: str, said: Say, kind: dict[str, Any], reason: str
    ) -> None:
        two = Pair(said, CALLED, cheap_is=kind)
        with collect_decisions() as seen:
            assert await made(how, two.cascade) == ADA
        assert trail(seen) == [(1, reason)]
        assert outcomes(seen[0]) == ESCALATED
        assert two.asked == (1, 1)
        assert two.adds_up(seen)

    @pytest.mark.parametrize("kind", [TEXT_ONLY, COMPLETION], ids=["chat", "completion"])
    async def test_is_made_by_a_last_tier_that_writes_it(
        self, how: str, kind: dict[str, Any]
    ) -> None:
        two = Pair(UNFIT, Say(ADA.model_dump_json()), strong_is=kind)
        with collect_decisions() as seen:
            assert await made(how, two.cascade) == ADA
        assert trail(seen) == [(1, "gate_parser")]
        assert outcomes(seen[0]) == ESCALATED
        assert two.adds_up(seen)

    async def test_that_calls_no_tool_escalates(self, how: str) -> None:
        two = Pair(Say("sure of myself"), CALLED)
        with collect_decisions() as seen:
            assert await made(how, two.cascade) == ADA
        assert trail(seen) == [(1, "gate_parser")]
        assert two.adds_up(seen)

    async def test_that_the_classes_own_validators_refuse_escalates(self, how: str) -> None:
        two = Pair(
            Say(tool_calls=[("Checked", {"total": -1})]),
            Say(tool_calls=[("Checked", {"total": 1})]),
        )
        with collect_decisions() as seen:
            assert await made(how, two.cascade, Checked) == Checked(total=1)
        assert trail(seen) == [(1, "gate_parser")]
        assert two.adds_up(seen)

    async def test_goes_on_where_the_cheap_tier_is_down(self, how: str) -> None:
        two = Pair(Say(error=ProviderError()), CALLED)
        with collect_decisions() as seen:
            assert await made(how, two.cascade) == ADA
        assert trail(seen) == [(1, "failed")]
        assert outcomes(seen[0]) == [(0, "failed"), (1, "returned")]
        assert "sk-secret" not in json.dumps(seen)

    async def test_goes_on_where_a_cascade_that_is_a_tier_is_down(self, how: str) -> None:
        inner = Pair(Say(error=ProviderError()), Say(error=ProviderError()))
        outer = CascadeLLM(tiers=[inner.cascade, strong(CALLED)])
        with collect_decisions() as seen:
            assert await made(how, outer) == ADA
        assert trail(seen) == [(None, "exhausted"), (1, "failed")]

    async def test_fails_where_every_tier_is_down(self, how: str) -> None:
        two = Pair(Say(error=ProviderError()), Say(error=ProviderError()))
        with collect_decisions() as seen, pytest.raises(CascadeExhausted):
            await made(how, two.cascade)
        assert outcomes(seen[0]) == [(0, "failed"), (1, "failed")]

    async def test_passes_the_callers_arguments_to_every_tier(self, how: str) -> None:
        two = Pair(UNFIT, CALLED)
        await made(how, two.cascade, llm_kwargs={"temperature": 0.5})
        assert two.cheap.seen[0].kwargs["temperature"] == 0.5
        assert two.strong.seen[0].kwargs["temperature"] == 0.5
        assert "logprobs" not in two.strong.seen[0].kwargs

    async def test_is_told_of_once_each(self, how: str) -> None:
        two = Pair(UNFIT, CALLED)
        with collect_decisions() as seen:
            await made(how, two.cascade)
            await made(how, two.cascade)
        assert len({record["id"] for record in seen}) == 2
        assert two.adds_up(seen)


@pytest.mark.parametrize("how", FOUR[:2])
@pytest.mark.parametrize(
    ("said", "kind", "error"),
    [(UNFIT, {}, ValueError), (MISFIT, TEXT_ONLY, ValidationError), (Say("?"), {}, ValueError)],
    ids=["arguments", "schema", "text"],
)
async def test_an_object_that_no_tier_can_make_raises_what_the_last_one_raised(
    how: str, said: Say, kind: dict[str, Any], error: type[Exception]
) -> None:
    two = Pair(said, said, cheap_is=kind, strong_is=kind)
    with pytest.raises(error) as alone:
        await made(how, two.strong)
    two = Pair(said, said, cheap_is=kind, strong_is=kind)
    with collect_decisions() as seen, pytest.raises(error) as raised:
        await made(how, two.cascade)
    assert type(raised.value) is type(alone.value)
    assert str(raised.value) == str(alone.value)
    assert trail(seen) == [(1, "gate_parser")]
    assert outcomes(seen[0]) == ESCALATED
    assert two.adds_up(seen)


@both_streams
class TestAStreamOfObjects:
    async def test_of_the_last_tier_is_what_it_would_be_alone(
        self, parts: Callable[..., Any]
    ) -> None:
        two = Pair(UNFIT, CALLED)
        alone = await parts(two.strong)
        got = await parts(two.cascade)
        assert [part.model_dump() for part in got] == [part.model_dump() for part in alone]
        assert len(got) > 1, "it comes in parts"
        assert got[-1] == ADA

    async def test_of_an_accepted_tier_is_the_object(self, parts: Callable[..., Any]) -> None:
        two = Pair(CALLED)
        assert await parts(two.cascade) == [ADA]

    async def test_shows_nothing_of_a_draft(self, parts: Callable[..., Any]) -> None:
        two = Pair(Say(tool_calls=[("Invoice", {"customer": "Bob"})]), CALLED)
        assert all("Bob" not in str(part) for part in await parts(two.cascade))


@pytest.mark.usefixtures("only_new_garbage")
@both_streams
async def test_a_stream_that_is_left_is_closed(parts: Callable[..., Any]) -> None:
    two = Pair(UNFIT, CALLED)
    if parts is stream:
        running = two.cascade.stream_structured_predict(Invoice, prompt(), text=TEXT)
        next(running)
        running.close()
    else:
        arunning = await two.cascade.astream_structured_predict(Invoice, prompt(), text=TEXT)
        await anext(arunning)
        await arunning.aclose()
        del arunning
        for _ in range(20):  # LlamaIndex's own generators around it close no other
            gc.collect()
            await asyncio.sleep(0)
    assert two.strong.journal.closed == 1


# --- programs -----------------------------------------------------------------------------------


async def called(how: str, program: Any) -> Any:
    """What a program makes; of a stream, its last part."""
    if how == "call":
        return program(text=TEXT)
    if how == "acall":
        return await program.acall(text=TEXT)
    if how == "stream":
        return list(program.stream_call(text=TEXT))[-1]
    return [part async for part in await program.astream_call(text=TEXT)][-1]


every_call = pytest.mark.parametrize("how", ["call", "acall", "stream", "astream"])
whole_call = pytest.mark.parametrize("how", ["call", "acall"])


def function_program(llm: Any, cls: type[BaseModel] = Invoice, **more: Any) -> Any:
    return FunctionCallingProgram.from_defaults(cls, prompt=prompt(), llm=llm, **more)


@every_call
class TestAFunctionCallingProgram:
    async def test_takes_the_cheap_tiers_object(self, how: str) -> None:
        two = Pair(CALLED)
        with collect_decisions() as seen:
            assert await called(how, function_program(two.cascade)) == ADA
        assert trail(seen) == [(0, "tool_call")]
        assert outcomes(seen[0]) == ACCEPTED
        assert two.adds_up(seen)

    @pytest.mark.parametrize(
        "said",
        [UNFIT, Say("sure of myself"), Say(tool_calls=[("Bill", {})])],
        ids=["arguments", "text", "unknown tool"],
    )
    async def test_takes_the_strong_tiers_where_that_one_does_not_fit(
        self, how: str, said: Say
    ) -> None:
        two = Pair(said, CALLED)
        with collect_decisions() as seen:
            assert await called(how, function_program(two.cascade)) == ADA
        assert trail(seen) == [(1, "gate_tool_call")]
        assert outcomes(seen[0]) == ESCALATED
        assert two.adds_up(seen)

    async def test_escalates_what_the_classes_own_validators_refuse(self, how: str) -> None:
        two = Pair(
            Say(tool_calls=[("Checked", {"total": -1})]),
            Say(tool_calls=[("Checked", {"total": 1})]),
        )
        with collect_decisions() as seen:
            assert await called(how, function_program(two.cascade, Checked)) == Checked(total=1)
        assert trail(seen) == [(1, "gate_parser")]
        assert two.adds_up(seen)

    async def test_makes_several_objects(self, how: str) -> None:
        bob = {"customer": "Bob", "total": 8}
        several = Say(tool_calls=[*CALLED.tool_calls, ("Invoice", bob)])
        half = Say(tool_calls=[*CALLED.tool_calls, ("Invoice", {"total": 8})])
        two = Pair(half, several)
        program = function_program(two.cascade, allow_parallel_tool_calls=True)
        with collect_decisions() as seen:
            assert await called(how, program) == [ADA, Invoice(**bob)]
        assert trail(seen) == [(1, "gate_tool_call")]
        assert two.adds_up(seen)

    async def test_passes_over_a_tier_without_tools(self, how: str) -> None:
        two = Pair(WRITTEN, CALLED, cheap_is=COMPLETION)
        with collect_decisions() as seen:
            assert await called(how, function_program(two.cascade)) == ADA
        assert trail(seen) == [(1, "unable")]
        assert two.adds_up(seen)


def test_a_function_program_of_models_without_tools_is_refused_as_for_one_model() -> None:
    two = Pair(WRITTEN, cheap_is=TEXT_ONLY, strong_is=TEXT_ONLY)
    with pytest.raises(ValueError, match="does not support function calling"):
        function_program(two.cascade)


@both_streams
async def test_a_function_programs_parts_are_those_of_the_tier_alone(
    parts: Callable[..., Any],
) -> None:
    async def stream_of(llm: Any) -> list[dict[str, Any]]:
        program = function_program(llm)
        if parts is stream:
            got = list(program.stream_call(text=TEXT))
        else:
            got = [part async for part in await program.astream_call(text=TEXT)]
        return [part.model_dump() for part in got]

    two = Pair(UNFIT, CALLED)
    alone, got = await stream_of(two.strong), await stream_of(two.cascade)
    assert len(alone) == 2
    assert got[: len(alone)] == alone
    assert got[-1] == ADA.model_dump()


def text_program(llm: Any) -> Any:
    return LLMTextCompletionProgram.from_defaults(
        output_parser=PydanticOutputParser(output_cls=Invoice),
        prompt=prompt(),
        llm=llm,
    )


KINDS = pytest.mark.parametrize("kind", [TEXT_ONLY, {}], ids=["chat", "chat with tools"])


@whole_call
class TestATextProgram:
    @KINDS
    async def test_takes_the_cheap_tiers_object(self, how: str, kind: dict[str, Any]) -> None:
        two = Pair(WRITTEN, cheap_is=kind)
        with collect_decisions() as seen:
            assert await called(how, text_program(two.cascade)) == ADA
        assert trail(seen) == [(0, "confident")]
        assert outcomes(seen[0]) == ACCEPTED
        assert two.adds_up(seen)

    @KINDS
    @pytest.mark.parametrize(
        "said", [UNWRITTEN, MISFIT, Say("sure of myself")], ids=["JSON", "schema", "text"]
    )
    async def test_takes_the_strong_tiers_where_that_one_cannot_be_read(
        self, how: str, said: Say, kind: dict[str, Any]
    ) -> None:
        two = Pair(said, WRITTEN, cheap_is=kind)
        with collect_decisions() as seen:
            assert await called(how, text_program(two.cascade)) == ADA
        assert trail(seen) == [(1, "gate_parser")]
        assert outcomes(seen[0]) == ESCALATED
        assert two.adds_up(seen)

    @pytest.mark.parametrize("gated", [False, True])
    async def test_of_completion_models_escalates(self, how: str, gated: bool) -> None:
        gates = [parser_gate(PydanticOutputParser(Invoice))] if gated else []
        two = Pair(MISFIT, WRITTEN, cheap_is=COMPLETION, strong_is=COMPLETION, gates=gates)
        with collect_decisions() as seen:
            assert await called(how, text_program(two.cascade)) == ADA
        assert trail(seen) == [(1, "gate_parser")]
        assert two.adds_up(seen)

    async def test_escalates_what_only_a_parser_gate_can_tell(self, how: str) -> None:
        class Positive(PydanticOutputParser[Checked]):
            def format(self, query: str) -> str:
                return query  # asks for JSON in no words that are known

        parser = Positive(Checked)
        two = Pair(Say('{"total": -1}'), Say('{"total": 1}'), gates=[parser_gate(parser)])
        program = LLMTextCompletionProgram.from_defaults(
            output_parser=parser, prompt=prompt(), llm=two.cascade
        )
        with collect_decisions() as seen:
            assert await called(how, program) == Checked(total=1)
        assert trail(seen) == [(1, "gate_parser")]
        assert two.adds_up(seen)

    async def test_escalates_what_its_own_parser_cannot_read_in_whatever_words_it_asks(
        self, how: str
    ) -> None:
        class Quiet(PydanticOutputParser[Checked]):
            def format(self, query: str) -> str:
                return query  # asks for JSON in no words that are known

        two = Pair(Say('{"total": -1}'), Say('{"total": 1}'))
        program = LLMTextCompletionProgram.from_defaults(
            output_parser=Quiet(Checked), prompt=prompt(), llm=two.cascade
        )
        with collect_decisions() as seen:
            assert await called(how, program) == Checked(total=1)
        assert trail(seen) == [(1, "gate_parser")]

    async def test_raises_where_the_last_tier_cannot_be_read_either(self, how: str) -> None:
        two = Pair(MISFIT, UNWRITTEN)
        with collect_decisions() as seen, pytest.raises(ValueError, match="extract json"):
            await called(how, text_program(two.cascade))
        assert trail(seen) == [(1, "gate_parser")]
        assert two.adds_up(seen)


def test_the_mode_of_a_tiers_programs_is_its_own() -> None:
    text_mode = {"pydantic_program_mode": PydanticProgramMode.LLM}
    two = Pair(MISFIT, CALLED, cheap_is=text_mode)
    assert predict(two.cascade) == ADA
    assert "tools" not in two.cheap.seen[0].kwargs
    assert two.strong.seen[0].kwargs["tools"] == ["Invoice"]


def test_the_callers_template_is_left_alone() -> None:
    two = Pair(MISFIT, WRITTEN, cheap_is=TEXT_ONLY, strong_is=TEXT_ONLY)
    asked = prompt()
    assert two.cascade.structured_predict(Invoice, asked, text=TEXT) == ADA
    assert asked.output_parser is None
    assert two.strong.seen[0].prompt.count("JSON schema to follow") == 1


# --- structured LLMs ----------------------------------------------------------------------------


async def answered(how: str, llm: Any) -> ChatResponse:
    """What a structured LLM answers; of a stream, its last part."""
    structured, asked = llm.as_structured_llm(Invoice), [ChatMessage(content=TEXT)]
    if how == "chat":
        return structured.chat(asked)
    if how == "achat":
        return await structured.achat(asked)
    if how == "stream":
        return list(structured.stream_chat(asked))[-1]
    return [part async for part in await structured.astream_chat(asked)][-1]


every_answer = pytest.mark.parametrize("how", ["chat", "achat", "stream", "astream"])


@every_answer
class TestAStructuredLLM:
    async def test_answers_with_the_cheap_tiers_object(self, how: str) -> None:
        two = Pair(CALLED)
        with collect_decisions() as seen:
            response = await answered(how, two.cascade)
        assert response.raw == ADA
        assert response.message.content == ADA.model_dump_json()
        assert trail(seen) == [(0, "tool_call")]
        assert outcomes(seen[0]) == ACCEPTED
        assert two.adds_up(seen)

    async def test_answers_with_the_strong_tiers_where_that_one_does_not_fit(
        self, how: str
    ) -> None:
        two = Pair(UNFIT, CALLED)
        with collect_decisions() as seen:
            response = await answered(how, two.cascade)
        assert response.raw == ADA
        assert trail(seen) == [(1, "gate_parser")]
        assert outcomes(seen[0]) == ESCALATED
        assert two.adds_up(seen)


@pytest.mark.parametrize("how", ["complete", "acomplete"])
async def test_a_structured_llm_completes(how: str) -> None:
    two = Pair(UNFIT, CALLED)
    structured = two.cascade.as_structured_llm(Invoice)
    with collect_decisions() as seen:
        got = structured.complete(TEXT) if how == "complete" else await structured.acomplete(TEXT)
    assert got.text == ADA.model_dump_json()
    assert trail(seen) == [(1, "gate_parser")]


def test_an_object_of_a_cascade_inside_a_cascade_counts_every_call_once() -> None:
    two = Pair(UNFIT, CALLED)
    three = Pair(UNFIT)
    outer = CascadeLLM(tiers=[three.cheap, two.cascade])
    with collect_decisions() as seen:
        assert predict(outer) == ADA
    record = seen[-1]
    assert [(c["tier"], c["model"], c["outcome"]) for c in record["calls"]] == [
        (0, "m0", "rejected"),
        (1, "m0", "rejected"),
        (1, "m1", "returned"),
    ]


def test_many_objects_made_at_once_are_not_mixed_up() -> None:
    def said(seen: Seen) -> Say:
        number = int(seen.prompt.split()[-1])
        arguments = {"customer": "Ada", "total": number} if number % 2 else {"customer": "Ada"}
        return Say(tool_calls=[("Invoice", arguments)])

    def certain(seen: Seen) -> Say:
        number = int(seen.prompt.split()[-1])
        return Say(tool_calls=[("Invoice", {"customer": "Bob", "total": number})])

    two = Pair(said, certain)

    def one(number: int) -> tuple[Invoice, list[Any]]:
        with collect_decisions() as seen:
            return two.cascade.structured_predict(Invoice, prompt(), text=str(number)), list(seen)

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(one, range(40)))
    for number, (invoice, seen) in enumerate(results):
        assert invoice == Invoice(customer="Ada" if number % 2 else "Bob", total=number)
        assert trail(seen) == [(0, "tool_call") if number % 2 else (1, "gate_parser")]
        assert outcomes(seen[0]) == (ACCEPTED if number % 2 else ESCALATED)
