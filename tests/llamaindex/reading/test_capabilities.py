"""How a model is asked for samples, by what is known of its class."""

from __future__ import annotations

from typing import Any

import pytest
from llama_index.core import PromptTemplate
from llama_index.core.llms import ChatMessage
from pydantic import Field

from cascade_core import collect_decisions
from cascade_core.signals import SelfConsistency
from llamaindex_cascade import CascadeLLM, CascadeSynthesizer
from tests.llamaindex.fakes import FakeLLM, Say, strong
from tests.llamaindex.retrieval import QUESTION, nodes

ASKED = [ChatMessage("When?")]


class Drawn(FakeLLM):
    """Notes what it is set to, and what it is asked for."""

    temperature: float = 0
    generate_kwargs: dict[str, Any] = Field(default_factory=dict)
    drawn: list[Any] = Field(default_factory=list)

    def _say(self, method: str, messages: Any, kwargs: Any) -> Say:
        asked = {k: v for k, v in kwargs.items() if k in ("temperature", "generation_config")}
        self.drawn.append((self.temperature, self.generate_kwargs, asked))
        return super()._say(method, messages, {})


ROWS = {
    "OpenAI": (0, {}, {"temperature": 0.5}),
    "Ollama": (0.5, {"temperature": 0.5}, {}),
    "GoogleGenAI": (0, {}, {"generation_config": {"temperature": 0.5}}),
}


@pytest.mark.parametrize(("name", "sampled"), ROWS.items())
async def test_samples_have_their_temperature(name: str, sampled: Any) -> None:
    made = type(name, (Drawn,), {})(Say("Rome"))
    llm = CascadeLLM([made, strong()], signals=[SelfConsistency(n=2, temperature=0.5)])
    with collect_decisions() as seen:
        await llm.achat(ASKED)
    assert seen[0]["signals"] == {"self_consistency": 1.0}
    assert made.drawn == [(0, {}, {}), sampled, sampled]
    assert made.temperature == 0


def test_what_a_call_brings_is_kept_beside_it() -> None:
    made = type("GoogleGenAI", (Drawn,), {})(Say("Rome"))
    llm = CascadeLLM([made, strong()], signals=[SelfConsistency(n=1, temperature=0.5)])
    llm.chat(ASKED, generation_config={"top_p": 0.25, "temperature": 0.75})
    given, sampled = (kwargs["generation_config"] for _, _, kwargs in made.drawn)
    assert given == {"top_p": 0.25, "temperature": 0.75}
    assert sampled == {"top_p": 0.25, "temperature": 0.5}


@pytest.mark.parametrize("name", ROWS)
def test_a_synthesizers_samples_have_it_too_with_the_prompts_of_all(name: str) -> None:
    made = type(name, (Drawn,), {})(Say("Rome"))
    signals = [SelfConsistency(n=2, temperature=0.5)]
    cascade = CascadeSynthesizer([made, strong()], signals=signals)
    for template in ("First: {context_str} {query_str}", "Then: {context_str} {query_str}"):
        cascade.update_prompts({"text_qa_template": PromptTemplate(template)})
        cascade.synthesize(QUESTION, nodes())
        for seen in made.seen[-3:]:
            assert template.split(":")[0] in str(seen.messages[-1].content)
    temperatures = [temperature for temperature, _, _ in made.drawn]
    if name != "GoogleGenAI":  # which has it in a place of its own
        assert temperatures == [0, 0.5, 0.5] * 2
    assert made.temperature == 0
