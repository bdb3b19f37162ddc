"""The demo in LlamaIndex: a query engine over the knowledge base, with real `OpenAI` clients.

Retrieval is real for every ticket. Its passages stand in the system message and the ticket in
the user's: the embedded models were trained on tickets alone and their server reads, and
counts, only those, so they answer from training. A hosted model answers from the passages.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from llama_index.core.llms import LLM, ChatMessage, MessageRole
from llama_index.core.prompts import ChatPromptTemplate
from llama_index.core.schema import MetadataMode, NodeWithScore
from llama_index.llms.openai import OpenAI
from llama_index.llms.openai_like import OpenAILike  # type: ignore[import-untyped]
from llama_index_instrumentation.dispatcher import instrument_tags
from openai import DefaultAsyncHttpxClient, DefaultHttpxClient

from cascade_core import CascadeError
from cascade_core.blame import refuses_logprobs
from cascade_core.draft import Draft
from cascade_core.errors import ConfigurationError
from cascade_core.policy.document import Policy
from cascade_demo.asking import SendTicket, TicketAnswer
from cascade_demo.handbook import INSTRUCTIONS
from cascade_demo.knowledge import PASSAGES
from cascade_demo.pair import Pair, no_answer, open_pair
from cascade_demo.retrieval import knowledge_index
from llamaindex_cascade import CascadeLLM
from llamaindex_cascade.reading.answers import to_draft
from llamaindex_cascade.reading.capabilities import logprob_options

RETRIEVED = 3
"""Passages a ticket: two questions need two, and a lexical search is not always right first."""

PROMPT = ChatPromptTemplate(
    message_templates=[
        ChatMessage(role=MessageRole.SYSTEM, content=INSTRUCTIONS + "\n\n{context_str}"),
        ChatMessage(role=MessageRole.USER, content="{query_str}"),
    ]
)


class LlamaIndex:
    """Asks query engines that differ in nothing but their LLM."""

    def __init__(self, pair: Pair[LLM]) -> None:
        """Ask the two models of `pair`."""
        self.models = pair.names
        self.prices = pair.prices
        self.price_table = pair.price_table
        self.how = (
            f"A LlamaIndex query engine retrieves {RETRIEVED} of {len(PASSAGES)} passages for "
            "every ticket. The embedded models know the rules by training: they read, and are "
            "charged for, the ticket only. Hosted ones read the passages too."
        )
        self._pair = pair
        self._index = knowledge_index()
        self._retriever = self._index.as_retriever(similarity_top_k=RETRIEVED)
        self._logprobs = logprob_options(pair.cheap, 0)  # as the cascade asks for a draft

    def prompt(self, ticket: str) -> list[str]:
        """Return the texts that a model is sent for a ticket."""
        return [message.content or "" for message in self._messages(ticket)]

    def drafts(self, ticket: str) -> tuple[Draft, Draft]:
        """Ask both models what the engine would ask them."""
        messages = self._messages(ticket)
        try:
            draft = _ask(self._pair.cheap, messages, self._logprobs)
        except CascadeError as error:
            cause = error.__cause__
            if not (self._logprobs and isinstance(cause, Exception) and refuses_logprobs(cause)):
                raise
            self._logprobs = {}  # as the cascade does, too
            draft = _ask(self._pair.cheap, messages, {})
        return draft, _ask(self._pair.strong, messages, {})

    def _messages(self, ticket: str) -> list[ChatMessage]:
        nodes = self._retriever.retrieve(ticket)
        context = "\n\n".join(node.get_content(MetadataMode.LLM) for node in nodes)
        return PROMPT.format_messages(context_str=context, query_str=ticket)

    def alone(self, tier: int) -> SendTicket:
        """Return the way to one model."""
        return self._engine([self._tiers[tier]])

    def cascade(self, policy: Policy) -> SendTicket:
        """Return the way to the cascade of both."""
        return self._engine(self._tiers, policy=policy)

    @property
    def _tiers(self) -> list[LLM]:
        return [self._pair.cheap, self._pair.strong]

    def _engine(self, tiers: list[LLM], **options: Any) -> SendTicket:
        engine = self._index.as_query_engine(
            llm=CascadeLLM(tiers=tiers, prices=self.price_table, **options),
            similarity_top_k=RETRIEVED,
            text_qa_template=PROMPT,
        )

        def ask(ticket: str, class_name: str | None = None) -> TicketAnswer:
            with instrument_tags({"cascade_class": class_name}):
                response = engine.query(ticket)
            return TicketAnswer(str(response), tuple(map(_title, response.source_nodes)))

        return ask


@contextmanager
def opened(cheap: str | None, strong: str | None) -> Iterator[LlamaIndex]:
    """Make the two models ready; see `asking.open_asking`."""
    with open_pair(cheap, strong, _Clients()) as pair:
        yield LlamaIndex(pair)


def embedded(name: str, base_url: str) -> LLM:
    """Return the client of an embedded model."""
    llm: LLM = OpenAILike(
        model=name,
        api_base=base_url,
        api_key="unused",
        temperature=0,
        is_chat_model=True,
        # No proxy stands between us and this machine.
        http_client=DefaultHttpxClient(trust_env=False),
        async_http_client=DefaultAsyncHttpxClient(trust_env=False),
    )
    return llm


class _Clients:
    """Makes LLMs."""

    def hosted(self, name: str, option: str) -> LLM:
        host, _, model = name.partition(":")
        if host != "openai" or not model:
            msg = f"{option}={name!r}: with --framework llamaindex use openai:NAME"
            raise ConfigurationError(msg)
        llm: LLM = OpenAI(model=model, temperature=0)
        try:
            _ = llm.metadata
        except ValueError:  # not one of OpenAI's own, but served where OPENAI_API_BASE points
            llm = OpenAILike(model=model, temperature=0, is_chat_model=True)
        return llm

    def embedded(self, name: str, base_url: str) -> LLM:
        return embedded(name, base_url)

    def name_of(self, model: LLM) -> str:
        return str(model.metadata.model_name)


def _title(node: NodeWithScore) -> str:
    return str(node.metadata["title"])


def _ask(llm: LLM, messages: list[ChatMessage], options: dict[str, Any]) -> Draft:
    try:
        return to_draft(llm.chat(messages, **options))
    except Exception as error:
        raise no_answer(str(llm.metadata.model_name), error) from error
