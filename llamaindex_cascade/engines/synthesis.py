"""One synthesis, as it is asked of each tier of a `CascadeSynthesizer`; and tiers given as LLMs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.base.response.schema import Response
from llama_index.core.callbacks import EventPayload
from llama_index.core.llms import LLM
from llama_index.core.response_synthesizers import (
    BaseSynthesizer,
    Generation,
    get_response_synthesizer,
)
from llama_index.core.schema import MetadataMode, NodeWithScore, QueryBundle, QueryType, TextNode

from llamaindex_cascade.asking.calls import Invocation
from llamaindex_cascade.engines.tiers import Pipeline, Question
from llamaindex_cascade.reading.capabilities import logprob_fields, sampling_copy, setup_of


class Synthesis(Question):
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

    def invocation(self, native: BaseSynthesizer) -> Invocation:
        """Return what a synthesizer is asked."""
        if _synthesizes_itself(native):
            args = self.query, list(self._nodes), self._additional
            return Invocation(native, "synthesize", args, self._kwargs)
        if not self._nodes and not isinstance(native, Generation):
            return Invocation(_Unasked(native), "get_response")
        text = self.query.query_str
        if native._multimodal:  # noqa: SLF001
            messages = self._messages()
            return Invocation(native, "get_response_from_messages", (text, messages), self._kwargs)
        return Invocation(native, "get_response", (text, list(self.texts)), self._kwargs)

    def response(self, native: BaseSynthesizer, answer: Any) -> Any:
        """Return what a synthesizer answered as a response, with the nodes it answered from."""
        if _synthesizes_itself(native) or isinstance(answer, Response):
            return answer
        sources = [*self._nodes, *self._additional]
        return native._prepare_response_output(answer, sources)  # noqa: SLF001

    def _messages(self) -> list[ChatMessage]:
        return [
            ChatMessage(blocks=node.node.get_content_blocks(metadata_mode=MetadataMode.LLM))
            for node in self._nodes
        ]


class _Unasked:
    """Answers for a synthesizer that has nothing to answer from: its model is not asked."""

    def __init__(self, synthesizer: BaseSynthesizer) -> None:
        self._text = synthesizer._empty_response  # noqa: SLF001

    def get_response(self) -> Response:
        return Response(self._text)

    async def aget_response(self) -> Response:
        return Response(self._text)


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
        self._sampled: dict[str, BaseSynthesizer] = {}

    def ask_logprobs(self, top: int) -> None:
        """Prepare to ask the LLM for log-probabilities, where it gives any and its owner is silent.

        A synthesizer hands no arguments on to its model, so a copy of the model has them.
        """
        if fields := logprob_fields(self._given, top):
            asking = self._given.model_copy(update=fields)
            self._with_logprobs = get_response_synthesizer(llm=asking, **self._making)

    def setup(self) -> object:
        """Return what makes it answer as it does: all such tiers are made alike but for the LLM."""
        return setup_of(self._given)

    def asked_for(self, *, logprobs: bool) -> BaseSynthesizer:
        """Return the synthesizer, or the one whose model gives log-probabilities."""
        synthesizer: BaseSynthesizer = self.native
        return (self._with_logprobs if logprobs else None) or synthesizer

    def sampled(self, options: Mapping[str, Any]) -> BaseSynthesizer:
        """Return the synthesizer whose model is set to sampling options, with all its prompts."""
        key = repr(sorted(options.items()))
        if key not in self._sampled:
            llm = sampling_copy(self._given, options)
            made = get_response_synthesizer(llm=llm, **self._making)
            made.callback_manager = self.native.callback_manager
            made.update_prompts(self.native.get_prompts())
            self._sampled[key] = made
        return self._sampled[key]

    @property
    def forms(self) -> list[Any]:
        """All its synthesizers."""
        made = (self.native, self._with_logprobs, *self._sampled.values())
        return [form for form in made if form is not None]


_ALIKE = {
    BaseSynthesizer.synthesize,
    Generation.synthesize,
    BaseSynthesizer.asynthesize,
    Generation.asynthesize,
}


def _synthesizes_itself(native: BaseSynthesizer) -> bool:
    return not {type(native).synthesize, type(native).asynthesize} <= _ALIKE


def of_texts(query: str, texts: Sequence[str], kwargs: Mapping[str, Any]) -> Synthesis:
    """Return the synthesis of texts that came without nodes."""
    return Synthesis(query, [NodeWithScore(node=TextNode(text=t)) for t in texts], None, kwargs)
