"""A cascade of two fake tiers whose every token is known, and what must add up.

Each call of the cheap tier is reported as `CHEAP` tokens and each of the strong
one as `STRONG`, so that a call lost or counted twice shows in every sum.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from llama_index.core.callbacks import CallbackManager, TokenCountingHandler

from cascade_core.log import Record
from llamaindex_cascade import CascadeLLM
from tests.llamaindex.fakes import PRICES, FakeLLM, Say, Script, Seen, cheap, strong

CHEAP = (10, 1)
STRONG = (1000, 100)
STRONG_SAYS = Say("strong answer")


def reported(script: Script, usage: tuple[int, int]) -> Script:
    """The same script, every answer of which used as many tokens."""
    if isinstance(script, Say):
        return replace(script, usage=usage)
    if isinstance(script, Sequence):
        return [replace(say, usage=usage) for say in script]
    asked: Callable[[Seen], Say] = script
    return lambda seen: replace(asked(seen), usage=usage)


class Pair:
    """A cascade of a cheap and a strong tier, and everything that counts tokens.

    Args:
        first: What the cheap tier says.
        second: What the strong tier says.
        cheap_is: Fields of the cheap tier.
        strong_is: Fields of the strong tier.
        settings: Settings of the cascade.
    """

    def __init__(
        self,
        first: Script,
        second: Script = STRONG_SAYS,
        *,
        cheap_is: dict[str, Any] | None = None,
        strong_is: dict[str, Any] | None = None,
        **settings: Any,
    ) -> None:
        self.cheap: FakeLLM = cheap(reported(first, CHEAP), **cheap_is or {})
        self.strong: FakeLLM = strong(reported(second, STRONG), **strong_is or {})
        self.counter = TokenCountingHandler(tokenizer=str.split)
        self.manager = CallbackManager([self.counter])
        self.cascade = CascadeLLM(
            tiers=[self.cheap, self.strong],
            prices=PRICES,
            callback_manager=self.manager,
            **settings,
        )

    @property
    def asked(self) -> tuple[int, int]:
        """How often each tier was asked."""
        return self.cheap.journal.count, self.strong.journal.count

    def adds_up(self, records: Sequence[Record]) -> bool:
        """Assert that trails, tiers and LlamaIndex's own counter tell of the same tokens.

        Args:
            records: Every decision made; none of their calls was cut off or failed.
        """
        calls = [call for record in records for call in record["calls"]]
        weak, able = self.asked
        made = [call["tier"] for call in calls]
        assert (made.count(0), made.count(1)) == (weak, able)
        used = (
            sum(call["usage"]["input_tokens"] for call in calls),
            sum(call["usage"]["output_tokens"] for call in calls),
        )
        assert used == (
            weak * CHEAP[0] + able * STRONG[0],
            weak * CHEAP[1] + able * STRONG[1],
        )
        counted = self.counter
        assert used == (counted.prompt_llm_token_count, counted.completion_llm_token_count)
        assert {call["tokens_source"] for call in calls} <= {"provider"}
        return True


def outcomes(record: Record) -> list[tuple[int, str]]:
    """The trail of a decision: tiers and what became of their calls."""
    return [(call["tier"], call["outcome"]) for call in record["calls"]]


def trail(records: Sequence[Record]) -> list[tuple[int, str]]:
    """The decisions: tiers and reasons."""
    return [(record["tier"], record["reason"]) for record in records]


ACCEPTED = [(0, "accepted")]
ESCALATED = [(0, "rejected"), (1, "returned")]
