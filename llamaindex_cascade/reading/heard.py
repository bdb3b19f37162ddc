"""What the responses of one stream say of its answer, one after the other.

Any of the last ones may say why the model stopped, or how many tokens it used: not
always the very last one does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from llama_index.core.base.llms.types import ChatMessage, ChatResponse, TextBlock

from cascade_core.draft import Draft, Finish
from cascade_core.integrations.contents import parts_in
from cascade_core.integrations.fields import field
from cascade_core.integrations.finish import worst
from cascade_core.logprobs import Logprobs, read_logprobs
from cascade_core.spelling import Following
from cascade_core.usage import Usage
from llamaindex_cascade.reading.answers import Response, said_in, text_of


class Heard:
    """Listens to a stream.

    Attributes:
        last: The latest response; of nearly all integrations it holds all the text so far.
        usage: The tokens, as last reported: where several report them, they are totals so far.
        failed: Whether an error of the provider's came in place of a part of the answer.
    """

    __slots__ = (
        "_deltas",
        "_finish",
        "_following",
        "_model",
        "_parts",
        "_refused",
        "_tokens",
        "failed",
        "last",
        "usage",
    )

    def __init__(self) -> None:
        self.last: Response | None = None
        self.usage: Usage | None = None
        self.failed = False
        self._deltas: list[str] = []
        self._tokens: list[Logprobs] = []
        self._following = Following()
        self._finish: Finish | None = None
        self._model: str | None = None
        self._parts: Sequence[str] = ()
        self._refused = False

    def take(self, response: Response) -> Sequence[float]:
        """Take the next response, and return the log-probabilities in it that are sure to count."""
        self.last = response
        if response.delta:
            self._deltas.append(response.delta)
        elif found := parts_in(response.raw):
            self._parts = found
        said = said_in(response)
        self.failed = self.failed or said.failed
        self._refused = self._refused or said.refused
        self.usage = said.usage or self.usage
        self._model = said.model or self._model
        if said.finish is not None:
            self._finish = worst((self._finish, said.finish))
        again = bool(said.logprobs) and _tells_again(response.raw)
        tokens = None if again else read_logprobs(said.logprobs, response.delta or "")
        if tokens is not None:
            self._tokens.append(tokens)
        return self._following.take(response.delta or "", tokens)

    @property
    def response(self) -> Response | None:
        """The latest response, with all the text that has come.

        Responses of OpenAI's Responses API hold no more than what is new, but for the very
        last: where that is missing, the text is put together here. Those of Mistral's
        integration hold one block for every chunk, each with all the text so far.
        """
        last = self.last
        if not isinstance(last, ChatResponse):
            return last
        if not _is_event(last.raw):
            return _latest(last)
        text = "".join(self._deltas)
        if len(text_of(last)) >= len(text):
            return last
        blocks = [block for block in last.message.blocks if not isinstance(block, TextBlock)]
        message = ChatMessage(role=last.message.role, blocks=[TextBlock(text=text), *blocks])
        return last.model_copy(update={"message": message})

    @property
    def logprobs(self) -> Logprobs | None:
        """The log-probabilities that came."""
        return Logprobs.joined(tuple(self._tokens)) if self._tokens else None

    def told(self, draft: Draft, *, over: bool = False) -> Draft:
        """Return a draft with what was said of it on the way.

        Args:
            draft: The draft, made of the last response.
            over: Whether the stream has ended, and would have said why it did.
        """
        finish = self._finish or draft.finish
        if finish is None and over:
            finish = "broken"
        parts = draft.other_parts if self._deltas or draft.other_parts else self._parts
        return replace(
            draft,
            finish=finish,
            model=self._model or draft.model,
            other_parts=parts,
            refusal=draft.refusal or self._refused,
        )


def _latest(response: ChatResponse) -> ChatResponse:
    """Return a response without blocks of text that later ones begin with."""
    texts = [block for block in response.message.blocks if isinstance(block, TextBlock)]
    pairs = pairwise([block.text for block in texts])
    if len(texts) < 2 or not all(later.startswith(text) for text, later in pairs):  # noqa: PLR2004
        return response
    last = texts[-1]
    kept = [b for b in response.message.blocks if b is last or not isinstance(b, TextBlock)]
    message = response.message.model_copy(update={"blocks": kept})
    return response.model_copy(update={"message": message})


def _tells_again(raw: Any) -> bool:
    """Tell whether an event of the Responses API has the log-probabilities of all the text."""
    return _is_event(raw) and field(raw, "type") != "response.output_text.delta"


def _is_event(raw: Any) -> bool:
    return str(field(raw, "type") or "").startswith("response.")
