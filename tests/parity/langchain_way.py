"""Runs a scenario through LangChain's adapter."""

from __future__ import annotations

import asyncio
from typing import Any

from langchain_core.messages import AIMessage

from cascade_core import collect_decisions, flush_log
from langchain_cascade import ChatCascade
from tests.langchain.fakes import FakeChat, ProviderError, Say, ToollessChat, joined
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

WAYS = ["invoke", "ainvoke", "stream", "astream"]


async def run(scenario: Scenario, way: str) -> Outcome:
    """Ask a cascade of the scenario's models in one of the ways."""
    models = [
        make_model(model, f"m{place}", scenario) for place, model in enumerate(scenario.models)
    ]
    settings = dict(scenario.settings)
    if scenario.signals is not None:
        settings["signals"] = scenario.signals(lambda model: make_model(model, "m3", scenario))
    chain = _chain(ChatCascade(tiers=models, prices=PRICES, **settings), scenario)
    shown: Any = None
    with collect_decisions() as seen:
        for _ in range(scenario.requests):
            try:
                shown = _shown(await _ask(chain, way, scenario))
            except Exception as error:  # noqa: BLE001 - what is raised is an outcome too
                shown = type(error).__name__
    await asyncio.to_thread(flush_log)  # shadow mode goes on behind the request
    assert len(seen) == scenario.requests
    return Outcome(seen[-1], shown)


def make_model(model: Model, name: str, scenario: Scenario) -> FakeChat:
    """Return a model that says what the scenario's does."""
    voice = Voice(model)
    # Objects in words are asked for in a manner that `ToollessChat` has not either.
    cls = FakeChat if model.tools or scenario.kind == "object_by_text" else ToollessChat
    limit = {} if model.max_tokens is None else {"max_tokens": model.max_tokens}

    def script(messages: Any, kwargs: Any) -> Say:
        if voice.refuses(logprobs=fake.calls[-1].logprobs):
            return Say(error=ProviderError(REFUSED, 400))
        return to_say(voice.answer(str(messages[-1].content), kwargs))

    fake = cls(script, model_name=name, **limit)
    return fake


def to_say(answer: Answer) -> Say:
    """Return an answer in the fake model's words."""
    errors = {
        None: None,
        "outage": ProviderError(status_code=503),
        "timeout": TimeoutError(),
        "bad_request": ProviderError("the prompt is too long", 400),
    }
    given, written = answer.usage
    calls = [
        {"name": name, "args": args, "id": f"call_{place}"}
        for place, (name, args) in enumerate(answer.calls)
    ]
    return Say(
        answer.text,
        p=answer.p,
        payload=call_logprobs(answer),
        finish="tool_calls" if calls else answer.finish,
        usage=answer.reported,
        details={
            "input_tokens": given,
            "output_tokens": written,
            "total_tokens": given + written,
        },
        tool_calls=calls,
        error=errors[answer.error],
        after=answer.after,
    )


def _chain(cascade: ChatCascade, scenario: Scenario) -> Any:
    if scenario.kind == "tools":
        choice = {"tool_choice": "any"} if scenario.required else {}
        return cascade.bind_tools([find_order, find_customer], **choice)
    if scenario.kind == "object_by_tool":
        return cascade.with_structured_output(Ticket, method="function_calling")
    if scenario.kind == "object_by_text":
        return cascade.with_structured_output(Ticket, method="json_mode")
    return cascade.bind(**scenario.asked) if scenario.asked else cascade


async def _ask(chain: Any, way: str, scenario: Scenario) -> Any:
    config = {"tags": list(scenario.tags), "metadata": dict(scenario.metadata)}
    if way == "invoke":
        return chain.invoke(PROMPT, config)
    if way == "ainvoke":
        return await chain.ainvoke(PROMPT, config)
    if way == "stream":
        chunks = list(chain.stream(PROMPT, config))
    else:
        chunks = [chunk async for chunk in chain.astream(PROMPT, config)]
    return joined(chunks) if isinstance(chunks[0], AIMessage) else chunks[-1]


def _shown(answer: Any) -> Any:
    if isinstance(answer, Ticket):
        return answer.model_dump()
    return str(answer.content), [(call["name"], call["args"]) for call in answer.tool_calls]
