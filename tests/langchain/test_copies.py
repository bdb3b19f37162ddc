"""Every cascade can be copied, deeply too, and crosses to another process as far as its models."""

from __future__ import annotations

import copy
import pickle
import warnings
from collections.abc import Callable
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableLambda
from langchain_core.utils.function_calling import convert_to_openai_tool

from cascade_core.setup.notices import Notices
from cascade_core.signals import Judge, SelfConsistency
from cascade_core.tier import LogprobMemory
from langchain_cascade import CascadeMiddleware, ChatCascade, RunnableCascade

pytestmark = pytest.mark.filterwarnings("ignore::cascade_core.errors.CascadeWarning")


class Plain(FakeListChatModel):
    """A model of plain data."""

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], **kwargs)

    def with_structured_output(self, schema: Any, **kwargs: Any) -> Any:
        return self | RunnableLambda(_parsed)


def _parsed(message: AIMessage) -> dict[str, Any]:
    return {"raw": message, "parsed": {"said": message.text}, "parsing_error": None}


def surely(request: object, draft: object) -> float:
    return 1.0


CHEAP, STRONG = Plain(responses=["cheap"]), Plain(responses=["strong"])
TIERS = [CHEAP, STRONG]
TOOL: Any = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
SCHEMA = {"title": "Said", "type": "object", "properties": {"said": {"type": "string"}}}


def answer(cascade: Any) -> Any:
    if isinstance(cascade, CascadeMiddleware):
        agent: Any = create_agent(STRONG, [], middleware=[cascade])
        return agent.invoke({"messages": [("user", "hi")]})["messages"][-1].text
    said = cascade.invoke("hi")
    return said.text if isinstance(said, AIMessage) else said


MADE: dict[str, Callable[[], Any]] = {
    "ChatCascade": lambda: ChatCascade(TIERS, signals=[surely]),
    "judged": lambda: ChatCascade(TIERS, signals=[Judge(STRONG), SelfConsistency(), surely]),
    "with tools": lambda: ChatCascade(TIERS, signals=[surely]).bind_tools([TOOL]),
    "objects": lambda: ChatCascade(TIERS, signals=[surely]).with_structured_output(SCHEMA),
    "RunnableCascade": lambda: RunnableCascade(TIERS, signals=[surely]),
    "CascadeMiddleware": lambda: CascadeMiddleware(TIERS, signals=[surely]),
}
COPIES: dict[str, Callable[[Any], Any]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda made: pickle.loads(pickle.dumps(made)),
}


@pytest.mark.parametrize("used", [False, True])
@pytest.mark.parametrize("again", COPIES.values(), ids=COPIES)
@pytest.mark.parametrize("make", MADE.values(), ids=MADE)
def test_a_copy_answers_as_the_original_does(make: Any, again: Any, used: bool) -> None:
    original = make()
    if used:
        answer(original)
    copied = again(original)
    assert copied is not original
    assert type(copied) is type(original)
    assert answer(copied) == answer(original)


def test_what_holds_a_lock_leaves_it_behind() -> None:
    memory = LogprobMemory(known=True)
    memory.refuse()
    for again in COPIES.values():
        copied = again(memory)
        assert (copied.asked, copied.refused) == (True, False)


@pytest.mark.parametrize("again", COPIES.values(), ids=COPIES)
def test_a_copy_does_not_repeat_what_was_said_of_its_settings(again: Any) -> None:
    notices = Notices()
    notices.give_of_setup("of the settings")
    copied = again(notices)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        copied.give_of_setup("of the settings")
