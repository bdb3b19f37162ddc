"""Structured output: every tier makes objects in its own way; what does not parse escalates."""

from __future__ import annotations

import json
from typing import Annotated, Any

import pytest
from langchain_core.callbacks import UsageMetadataCallbackHandler
from langchain_core.output_parsers import JsonOutputParser, PydanticOutputParser
from pydantic import BaseModel, Field, ValidationError
from typing_extensions import TypedDict

from cascade_core import collect_decisions
from cascade_core.signals import Agreement
from langchain_cascade import ChatCascade
from tests.langchain.fakes import (
    FakeChat,
    Runs,
    Say,
    ToollessChat,
    answer_prompt,
    pair,
    record_of,
    tokens_by_model,
    tokens_seen,
)

pytestmark = pytest.mark.filterwarnings("ignore::cascade_core.errors.CascadeWarning")


class Ticket(BaseModel):
    """A support ticket."""

    title: str
    urgency: int = Field(ge=0, le=10)


class TicketDict(TypedDict):
    """A support ticket."""

    title: Annotated[str, ..., "title"]
    urgency: Annotated[int, ..., "urgency"]


SCHEMAS: dict[str, Any] = {
    "pydantic": Ticket,
    "typeddict": TicketDict,
    "json schema": Ticket.model_json_schema(),
}
METHODS = ["function_calling", "json_schema", "json_mode"]
PROMPT = "Make a ticket with 'title' and 'urgency' 7 as JSON"

GOOD = {"title": "late", "urgency": 7}
BROKEN = {"title": "late"}


def says(method: str, value: Any, p: float | None = 0.99) -> Any:
    """Return a script that answers a value in a method's way."""
    if method == "function_calling":

        def call(messages: Any, kwargs: Any) -> Say:
            name = kwargs["tools"][0]["function"]["name"]
            return Say("", p=None, tool_calls=[{"name": name, "args": value}])

        return call
    return Say(json.dumps(value), p=p)


async def ask(how: str, chain: Any, config: Any = None) -> Any:
    if how == "invoke":
        return chain.invoke(PROMPT, config)
    if how == "ainvoke":
        return await chain.ainvoke(PROMPT, config)
    if how == "stream":
        return list(chain.stream(PROMPT, config))[-1]
    if how == "astream":
        return [item async for item in chain.astream(PROMPT, config)][-1]
    if how == "batch":
        return chain.batch([PROMPT], config)[0]
    return (await chain.abatch([PROMPT], config))[0]


WAYS = ["invoke", "ainvoke", "stream", "astream", "batch", "abatch"]
ways = pytest.mark.parametrize("how", WAYS)


@ways
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("schema", list(SCHEMAS))
async def test_a_good_object_of_the_cheap_tier_is_returned(
    how: str, method: str, schema: str
) -> None:
    two = pair(says(method, GOOD))
    chain = two.cascade.with_structured_output(SCHEMAS[schema], method=method)
    handler = UsageMetadataCallbackHandler()
    with collect_decisions() as seen:
        made = await ask(how, chain, {"callbacks": [handler]})
    assert made == (Ticket(**GOOD) if schema == "pydantic" else GOOD)
    assert not two.strong.calls
    assert seen[0]["reason"] == ("tool_call" if method == "function_calling" else "confident")
    assert tokens_seen(handler) == tokens_by_model(seen[0])


@ways
@pytest.mark.parametrize("method", METHODS)
async def test_an_object_that_does_not_fit_escalates(how: str, method: str) -> None:
    two = pair(says(method, BROKEN), says(method, GOOD))
    with collect_decisions() as seen:
        made = await ask(how, two.cascade.with_structured_output(Ticket, method=method))
    assert made == Ticket(**GOOD)
    assert seen[0]["tier"] == 1
    assert seen[0]["reason"] == "gate_parser"


@ways
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("schema", ["typeddict", "json schema"])
async def test_a_dict_that_langchain_does_not_check_is_measured_by_the_schema(
    how: str, method: str, schema: str
) -> None:
    two = pair(says(method, {"title": 5}), says(method, GOOD))
    with collect_decisions() as seen:
        chain = two.cascade.with_structured_output(SCHEMAS[schema], method=method)
        assert await ask(how, chain) == GOOD
    assert (seen[0]["tier"], seen[0]["reason"]) == (1, "gate_schema")


def test_a_fenced_object_that_langchain_reads_fits() -> None:
    two = pair(Say(f"```json\n{json.dumps(GOOD)}\n```"))
    chain = two.cascade.with_structured_output(SCHEMAS["json schema"], method="json_mode")
    assert chain.invoke(PROMPT) == GOOD
    assert not two.strong.calls


@pytest.mark.parametrize("text", ["no JSON at all", '{"title": "cut o', ""])
def test_text_that_is_no_json_escalates(text: str) -> None:
    two = pair(Say(text), says("json_mode", GOOD))
    assert two.cascade.with_structured_output(Ticket, method="json_mode").invoke(PROMPT)
    assert two.strong.calls


def test_an_answer_without_any_tool_call_escalates() -> None:
    two = pair(Say("Here is your ticket"), says("function_calling", GOOD))
    with collect_decisions() as seen:
        assert two.cascade.with_structured_output(Ticket).invoke(PROMPT) == Ticket(**GOOD)
    assert seen[0]["reason"] == "gate_parser"


@ways
async def test_an_unsure_object_escalates(how: str) -> None:
    two = pair(says("json_schema", GOOD, p=0.2), says("json_schema", {**GOOD, "title": "sure"}))
    made = await ask(how, two.cascade.with_structured_output(Ticket, method="json_schema"))
    assert made.title == "sure"


@ways
async def test_the_last_tiers_parse_error_is_raised_as_without_a_cascade(how: str) -> None:
    two = pair(says("json_mode", BROKEN), says("json_mode", BROKEN))
    chain = two.cascade.with_structured_output(Ticket, method="json_mode")
    runs = Runs()
    with pytest.raises(Exception, match="Ticket") as raised:
        await ask(how, chain, {"callbacks": [runs]})
    bare = FakeChat(says("json_mode", BROKEN)).with_structured_output(Ticket, method="json_mode")
    with pytest.raises(type(raised.value)):
        bare.invoke(PROMPT)
    assert not runs.open


def test_the_last_tiers_answer_without_an_object_is_none_as_without_a_cascade() -> None:
    two = pair(Say("no ticket"), Say("no ticket"))
    assert two.cascade.with_structured_output(Ticket).invoke(PROMPT) is None
    assert FakeChat(Say("no ticket")).with_structured_output(Ticket).invoke(PROMPT) is None


@ways
@pytest.mark.parametrize("method", METHODS)
async def test_include_raw_returns_the_message_with_its_record(how: str, method: str) -> None:
    for cheap, tier in ((GOOD, 0), (BROKEN, 1)):
        two = pair(says(method, cheap), says(method, GOOD))
        chain = two.cascade.with_structured_output(Ticket, method=method, include_raw=True)
        made = await ask(how, chain)
        assert made["parsed"] == Ticket(**GOOD)
        assert made["parsing_error"] is None
        assert record_of(made["raw"])["tier"] == tier
        assert made["raw"].usage_metadata["output_tokens"] > 0


def test_include_raw_returns_the_last_tiers_parse_error() -> None:
    two = pair(says("json_mode", BROKEN), says("json_mode", BROKEN))
    chain = two.cascade.with_structured_output(Ticket, method="json_mode", include_raw=True)
    made = chain.invoke(PROMPT)
    assert made["parsed"] is None
    assert isinstance(made["parsing_error"], Exception)
    assert record_of(made["raw"])["reason"] == "gate_parser"


def test_method_and_strict_reach_every_tier() -> None:
    two = pair(says("json_schema", BROKEN), says("json_schema", GOOD))
    two.cascade.with_structured_output(Ticket, method="json_schema", strict=True).invoke(PROMPT)
    for model in (two.cheap, two.strong):
        seen = model.calls[0].kwargs
        assert seen["response_format"]["type"] == "json_schema"
        assert seen["strict"] is True


def test_drafts_of_objects_are_asked_for_logprobs_and_kept_out_of_streams() -> None:
    two = pair(says("json_schema", GOOD, p=0.2), says("json_schema", GOOD))
    two.cascade.with_structured_output(Ticket, method="json_schema").invoke(PROMPT)
    assert two.cheap.calls[0].logprobs is True
    assert two.cheap.calls[0].fields["disable_streaming"] is True
    assert two.strong.calls[0].logprobs is False


def test_what_a_caller_bound_to_a_tier_stays_bound() -> None:
    cheap = FakeChat(says("json_mode", BROKEN), model_name="cheap")
    strong = FakeChat(says("json_mode", GOOD), model_name="strong")
    cascade = ChatCascade(tiers=[cheap.bind(top_k=3), strong.bind(stop=["###"])], stop=["END"])
    cascade.with_structured_output(Ticket, method="json_mode").invoke(PROMPT)
    assert cheap.calls[0].kwargs["top_k"] == 3
    assert cheap.calls[0].stop == ["END"]
    assert strong.calls[0].stop == ["END"]


def test_retried_tiers_make_objects() -> None:
    cheap = FakeChat(says("json_mode", GOOD), model_name="cheap")
    cascade = ChatCascade(tiers=[cheap.with_retry(stop_after_attempt=2), FakeChat()])
    chain = cascade.with_structured_output(Ticket, method="json_mode")
    assert chain.invoke(PROMPT) == Ticket(**GOOD)


def test_a_tier_that_fails_goes_on_to_the_next() -> None:
    two = pair(Say(error=ValueError("boom")), says("json_mode", GOOD))
    with collect_decisions() as seen:
        two.cascade.with_structured_output(Ticket, method="json_mode").invoke(PROMPT)
    assert seen[0]["reason"] == "failed"


def test_a_tier_that_makes_no_objects_is_named_at_once() -> None:
    with pytest.raises(NotImplementedError):
        pair(ToollessChat()).cascade.with_structured_output(Ticket)


def test_objects_go_on_through_a_chain() -> None:
    two = pair(answer_prompt)
    chain = two.cascade.with_structured_output(Ticket, method="json_schema") | (lambda t: t.urgency)
    assert chain.invoke(PROMPT) == 7


@ways
async def test_the_tree_of_runs_is_a_chain_with_the_tiers_below(how: str) -> None:
    two = pair(says("json_mode", BROKEN), says("json_mode", GOOD))
    runs = Runs()
    chain = two.cascade.with_structured_output(Ticket, method="json_mode")
    await ask(how, chain, {"callbacks": [runs]})
    roots = [run for run in runs.by_id.values() if run.parent is None]
    assert len(roots) == 1
    assert roots[0].kind == "chain"
    assert len(runs.of("llm")) == 2
    assert not runs.open
    assert "nostream" in runs.of("llm")[0].tags
    assert "nostream" not in runs.of("llm")[1].tags


def test_a_validation_error_of_pydantic_is_the_cause_of_a_parse_error() -> None:
    two = pair(says("function_calling", BROKEN), says("function_calling", BROKEN))
    chain = two.cascade.with_structured_output(Ticket)
    with pytest.raises(ValidationError):
        chain.invoke(PROMPT)


# --- handing off ----------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["invoke", "ainvoke"])
@pytest.mark.parametrize("method", METHODS)
async def test_an_object_that_does_not_fit_is_handed_off_by_the_last_tier(
    how: str, method: str
) -> None:
    human = FakeChat(says(method, GOOD), model_name="human")
    two = pair(says(method, BROKEN), says(method, BROKEN), thresholds=[0.9, 0.5], on_handoff=human)
    with collect_decisions() as seen:
        made = await ask(how, two.cascade.with_structured_output(Ticket, method=method))
    assert made == Ticket(**GOOD)
    assert (seen[0]["handoff"], seen[0]["handed_to"], seen[0]["tier"]) == (True, "human", 1)
    assert seen[0]["calls"][-1]["purpose"] == "handoff"


@pytest.mark.parametrize("how", ["invoke", "ainvoke"])
async def test_a_function_gives_an_object_in_the_place_of_a_doubtful_one(how: str) -> None:
    def queue(request: Any, draft: Any) -> Any:
        return Ticket(title="of a person", urgency=1)

    doubtful = says("json_mode", GOOD, p=0.2)
    two = pair(doubtful, doubtful, thresholds=[0.9, 0.5], on_handoff=queue)
    with collect_decisions() as seen:
        made = await ask(how, two.cascade.with_structured_output(Ticket, method="json_mode"))
    assert made == Ticket(title="of a person", urgency=1)
    assert seen[0]["handed_to"] == "queue"


# --- providers' own ways --------------------------------------------------------------------------


class JsonChat(FakeChat):
    """A model whose objects are written, whichever method the others use."""

    def with_structured_output(self, schema: Any, **kwargs: Any) -> Any:
        return super().with_structured_output(schema, **{**kwargs, "method": "json_mode"})


@ways
@pytest.mark.parametrize("schema", list(SCHEMAS))
@pytest.mark.parametrize("agrees", [True, False])
async def test_another_models_object_agrees_though_it_is_written_and_not_called(
    how: str, schema: str, agrees: bool
) -> None:
    other = JsonChat(says("json_mode", {**GOOD, "urgency": 7.0 if agrees else 8}))
    two = pair(says("function_calling", GOOD), says("function_calling", GOOD))
    signal = Agreement(other, eager=True)
    cascade = ChatCascade(tiers=[two.cheap, two.strong], signals=[signal])
    with collect_decisions() as seen:
        await ask(how, cascade.with_structured_output(SCHEMAS[schema], method="function_calling"))
    assert seen[0]["judged"][0]["signals"] == {"agreement": float(agrees)}
    assert seen[0]["tier"] == (0 if agrees else 1)


@ways
async def test_another_model_that_makes_no_objects_does_not_answer(how: str) -> None:
    two = pair(says("function_calling", GOOD), says("function_calling", GOOD))
    signal = Agreement(ToollessChat(), eager=True)
    cascade = ChatCascade(tiers=[two.cheap, two.strong], signals=[signal])
    with collect_decisions() as seen:
        made = await ask(how, cascade.with_structured_output(Ticket, method="function_calling"))
    assert made == Ticket(**GOOD)
    assert seen[0]["judged"][0]["signals"] == {"agreement": None}
    assert [call["error"] for call in seen[0]["calls"] if call["purpose"] == "agree"] == [
        "NotImplementedError"
    ]


class BareChat(FakeChat):
    """A model whose integration gives the object alone, as ChatCohere's does.

    Attributes:
        refuses: Whether it refuses to be asked for more, as ChatNVIDIA does.
    """

    refuses: bool = False

    def with_structured_output(
        self, schema: Any, *, include_raw: bool = False, **kwargs: Any
    ) -> Any:
        if include_raw and self.refuses:
            raise NotImplementedError("include_raw=True is not implemented")
        parser = JsonOutputParser() if isinstance(schema, dict) else PydanticOutputParser
        return self | (parser if isinstance(schema, dict) else parser(pydantic_object=schema))


@ways
@pytest.mark.parametrize("refuses", [True, False])
@pytest.mark.parametrize("place", [0, 1])
async def test_an_object_that_an_integration_gives_alone_is_one(
    how: str, place: int, refuses: bool
) -> None:
    models: list[Any] = [FakeChat(says("json_mode", BROKEN)), FakeChat()]
    models[place] = BareChat(says("json_mode", GOOD), model_name="bare", refuses=refuses)
    cascade = ChatCascade(tiers=models)
    for schema, good in ((Ticket, Ticket(**GOOD)), (SCHEMAS["json schema"], GOOD)):
        with collect_decisions() as seen:
            assert await ask(how, cascade.with_structured_output(schema, method="json_mode")) == (
                good
            )
        assert (seen[0]["tier"], seen[0]["model"]) == (place, "bare")
        assert seen[0]["calls"][place]["usage"]["output_tokens"] > 0
    chain = cascade.with_structured_output(Ticket, method="json_mode", include_raw=True)
    out = await ask(how, chain)
    assert out["parsed"] == Ticket(**GOOD)
    assert record_of(out["raw"])["tier"] == place
    assert out["parsing_error"] is None


def test_what_a_caller_bound_stays_bound_where_an_integration_gives_the_object_alone() -> None:
    bare = BareChat(says("json_mode", GOOD), model_name="bare")
    cascade = ChatCascade(tiers=[bare.bind(user="me"), FakeChat()])
    cascade.with_structured_output(Ticket).invoke(PROMPT)
    assert bare.calls[0].kwargs["user"] == "me"


class TakesAll(FakeChat):
    """Hands on whatever it is not asked by name, as Cohere's integration does."""

    def with_structured_output(self, schema: Any, **kwargs: Any) -> Any:
        assert isinstance(schema, type)
        return self.bind(**kwargs) | PydanticOutputParser(pydantic_object=schema)


def test_the_wish_for_the_message_is_kept_from_a_provider_that_would_be_sent_it() -> None:
    asked = TakesAll(Say('{"title": "lost", "urgency": 3}'))
    llm = ChatCascade([asked, FakeChat("strong")], signals=[lambda request, draft: 0.99])
    assert llm.with_structured_output(Ticket).invoke("hi") == Ticket(title="lost", urgency=3)
    assert [call.kwargs for call in asked.calls] == [{}]
