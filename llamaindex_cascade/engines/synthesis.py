"""One synthesis, as it is asked of each tier of a `CascadeSynthesizer`; and tiers given as LLMs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.base.response.schema import RESPONSE_TYPE, Response
from llama_index.core.callbacks import EventPayload
from llama_index.core.llms import LLM
from llama_index.core.response_synthesizers import (
    BaseSynthesizer,
    Generation,
    get_response_synthesizer,
)
from llama_index.core.schema import MetadataMode, NodeWithScore, QueryBundle, QueryType, TextNode
from llama_index.core.types import RESPONSE_TEXT_TYPE

from llamaindex_cascade.engines.tiers import Pipeline
from llamaindex_cascade.reading.capabilities import gives_logprobs


class Synthesis:
    """`synthesize(query, nodes, additional_source_nodes, **kwargs)`, askable of any synthesizer.

    Observers shall see one synthesis, so a synthesizer does only the part in
    which it differs from others, where it is not a whole of its own.
    """

    def __init__(
        self,
        query: QueryType,
        nodes: Sequence[NodeWithScore],
        additional: Sequence[NodeWithScore] | None,
        kwargs: Mapping[str, Any],
    ) -> None:
        self.query = QueryBundle(query) if isinstance(query, str) else query
        self.texts = [node.node.get_content(MetadataMode.LLM) for node in nodes]
        self._nodes = nodes
        self._additional = additional or ()
        self._kwargs = kwargs

    @property
    def payload(self) -> dict[str, Any]:
        """What a callback is told of it."""
        return {EventPayload.QUERY_STR: self.query.query_str}

    def run(self, native: BaseSynthesizer) -> Any:
        """Have a synthesizer answer, and wait."""
        if type(native).synthesize not in _ALIKE:
            return native.synthesize(
                self.query, list(self._nodes), self._additional, **self._kwargs
            )
        if not self._nodes and not isinstance(native, Generation):
            return Response(native._empty_response)  # noqa: SLF001
        if native._multimodal:  # noqa: SLF001
            answer = native.get_response_from_messages(
                self.query.query_str, self._messages(), **self._kwargs
            )
        else:
            answer = native.get_response(self.query.query_str, list(self.texts), **self._kwargs)
        return self._response(native, answer)

    async def arun(self, native: BaseSynthesizer) -> Any:
        """Have a synthesizer answer, and wait."""
        if type(native).asynthesize not in _ALIKE:
            return await native.asynthesize(
                self.query, list(self._nodes), self._additional, **self._kwargs
            )
        if not self._nodes and not isinstance(native, Generation):
            return Response(native._empty_response)  # noqa: SLF001
        if native._multimodal:  # noqa: SLF001
            answer = await native.aget_response_from_messages(
                self.query.query_str, self._messages(), **self._kwargs
            )
        else:
            answer = await native.aget_response(
                self.query.query_str, list(self.texts), **self._kwargs
            )
        return self._response(native, answer)

    def _messages(self) -> list[ChatMessage]:
        return [
            ChatMessage(blocks=node.node.get_content_blocks(metadata_mode=MetadataMode.LLM))
            for node in self._nodes
        ]

    def _response(self, native: BaseSynthesizer, answer: RESPONSE_TEXT_TYPE) -> RESPONSE_TYPE:
        sources = [*self._nodes, *self._additional]
        return native._prepare_response_output(answer, sources)  # noqa: SLF001


class LLMPipeline(Pipeline):
    """A tier given as an LLM, in a synthesizer made for it.

    Args:
        llm: The LLM.
        making: The arguments of `get_response_synthesizer`.
    """

    def __init__(self, llm: LLM, making: Mapping[str, Any]) -> None:
        native = get_response_synthesizer(llm=llm, **making)
        super().__init__(native, native)
        self._given = llm
        self._making = making
        self._with_logprobs: BaseSynthesizer | None = None

    def ask_logprobs(self, top: int) -> None:
        """Prepare to ask the LLM for log-probabilities, where it gives any and its owner is silent.

        A synthesizer hands no arguments on to its model, so a copy of the model has them.
        """
        llm, fields = self._given, type(self._given).model_fields
        if gives_logprobs(llm) and "logprobs" in fields and "logprobs" not in llm.model_fields_set:
            top = top if llm.metadata.is_chat_model else max(top, 1)
            asking = llm.model_copy(update={"logprobs": True, "top_logprobs": top})
            self._with_logprobs = get_response_synthesizer(llm=asking, **self._making)

    def asked_for(self, *, logprobs: bool) -> BaseSynthesizer:
        """Return the synthesizer, or the one whose model gives log-probabilities."""
        synthesizer: BaseSynthesizer = self.native
        return (self._with_logprobs if logprobs else None) or synthesizer

    @property
    def forms(self) -> list[Any]:
        """Both synthesizers."""
        return [form for form in (self.native, self._with_logprobs) if form is not None]


_ALIKE = {
    BaseSynthesizer.synthesize,
    Generation.synthesize,
    BaseSynthesizer.asynthesize,
    Generation.asynthesize,
}


def of_texts(query: str, texts: Sequence[str], kwargs: Mapping[str, Any]) -> Synthesis:
    """Return the synthesis of texts that came without nodes."""
    return Synthesis(query, [NodeWithScore(node=TextNode(text=t)) for t in texts], None, kwargs)
