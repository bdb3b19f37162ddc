"""Runs a scenario through LlamaIndex's adapter."""

from __future__ import annotations

import asyncio
from typing import Any

from llama_index.core.instrumentation.dispatcher import instrument_tags
from llama_index.core.llms import ChatMessage
from llama_index.core.prompts import PromptTemplate
from llama_index.core.tools import FunctionTool
from pydantic import BaseModel

from cascade_core import collect_decisions, flush_log
from llamaindex_cascade import CascadeLLM
from tests.llamaindex.fakes import FakeLLM, ProviderError, Say, Seen
from tests.parity.scenarios import (
    PRICES,
    PROMPT,
    Answer,
    Model,
    Scenario,
    Ticket,
    find_customer,
    find_order,
)
from tests.parity.voices import REFUSED, Outcome, Voice, call_logprobs

WAYS = ["chat", "achat", "stream_chat", "astream_chat"]
TOOLS = [FunctionTool.from_defaults(find_order), FunctionTool.from_defaults(find_customer)]


class OpenAI(FakeLLM):
    """An integration known by its name to return logprobs where it is asked for them."""


async def run(scenario: Scenario, way: str) -> Outcome:
    """Ask a cascade of the scenario's models in one of the ways."""
    models = [make_model(model, f"m{place}") for place, model in enumerate(scenario.models)]
    settings = dict(scenario.settings)
    if scenario.signals is not None:
        settings["signals"] = scenario.signals(lambda model: make_model(model, "m3"))
    cascade = CascadeLLM(tiers=models, prices=PRICES, **settings)
    shown: Any = None
    with collect_decisions() as seen:
        for _ in range(scenario.requests):
            try:
                with instrument_tags({**scenario.metadata, "tags": list(scenario.tags)}):
                    shown = await _ask(cascade, scenario, way)
            except Exception as error:  # noqa: BLE001 - what is raised is an outcome too
                shown = type(error).__name__
    await asyncio.to_thread(flush_log)  # shadow mode goes on behind the request
    assert len(seen) == scenario.requests
    return Outcome(seen[-1], shown)


def make_model(model: Model, name: str) -> OpenAI:
    """Return a model that says what the scenario's does."""
    voice = Voice(model)

    def script(seen: Seen) -> Say:
        asked = bool(seen.kwargs.get("logprobs"))
        if voice.refuses(logprobs=asked):
            return Say(error=ProviderError(REFUSED, 400))
        prompt = seen.messages[-1].content or ""
        return to_say(voice.answer(prompt, seen.kwargs), logprobs=asked)

    return OpenAI(script, name, tools=model.tools, max_tokens=model.max_tokens)


def to_say(answer: Answer, *, logprobs: bool) -> Say:
    """Return an answer in the fake model's words."""
    errors = {
        None: None,
        "outage": ProviderError(status_code=503),
        "timeout": TimeoutError(),
        "bad_request": ProviderError("the prompt is too long", 400),
    }
    return Say(
        "" if answer.calls else answer.text,
        p=answer.p if logprobs else None,
        finish=answer.finish,
        usage=answer.usage if answer.reported else False,
        tool_calls=answer.calls,
        error=errors[answer.error],
        after=answer.after,
        said=answer.text if answer.calls else "",
        payload=call_logprobs(answer) if logprobs else None,
    )


async def _ask(cascade: CascadeLLM, scenario: Scenario, way: str) -> Any:
    if scenario.kind.startswith("object"):
        return await _object(cascade, way)
    if scenario.kind == "tools":
        method = getattr(cascade, f"{way}_with_tools")
        required = {"tool_required": True} if scenario.required else {}
        answer = method(TOOLS, user_msg=PROMPT, **required)
    else:
        answer = getattr(cascade, way)([ChatMessage(content=PROMPT)], **scenario.asked)
    if way.startswith("a"):
        answer = await answer
    if way.endswith("stream_chat"):
        parts = [part async for part in answer] if way.startswith("a") else list(answer)
        text = "".join(part.delta or "" for part in parts)
        answer = parts[-1]
        assert text == (answer.message.content or "")
    calls = cascade.get_tool_calls_from_response(answer, error_on_no_tool_call=False)
    return answer.message.content or "", [(call.tool_name, call.tool_kwargs) for call in calls]


async def _object(cascade: CascadeLLM, way: str) -> Any:
    prompt = PromptTemplate(PROMPT)
    made: Any
    if way == "chat":
        made = cascade.structured_predict(Ticket, prompt)
    elif way == "achat":
        made = await cascade.astructured_predict(Ticket, prompt)
    elif way == "stream_chat":
        made = list(cascade.stream_structured_predict(Ticket, prompt))[-1]
    else:
        parts = await cascade.astream_structured_predict(Ticket, prompt)
        made = [part async for part in parts][-1]
    return made.model_dump() if isinstance(made, BaseModel) else made
