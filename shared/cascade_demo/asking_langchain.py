"""The demo in LangChain: the chain `prompt | model | parser` over real `ChatOpenAI` clients."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from langchain_core.language_models import BaseChatModel
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompt_values import PromptValue
from langchain_core.prompts import ChatPromptTemplate
from pydantic import SecretStr

from cascade_core import CascadeError
from cascade_core.blame import refuses_logprobs
from cascade_core.draft import Draft
from cascade_core.policy.document import Policy
from cascade_demo.asking import SendTicket, TicketAnswer
from cascade_demo.handbook import HANDBOOK
from cascade_demo.pair import Pair, no_answer, open_pair
from langchain_cascade import ChatCascade
from langchain_cascade.convert import to_draft
from langchain_cascade.tiers import load_model
from langchain_cascade.wrapping import Variant, vary

PROMPT = ChatPromptTemplate.from_messages(
    [("system", "{handbook}"), ("human", "{ticket}")]
).partial(handbook=HANDBOOK)


class LangChain:
    """Asks chat models behind a prompt and a parser."""

    how = ""

    def __init__(self, pair: Pair[BaseChatModel]) -> None:
        """Ask the two models of `pair`."""
        self.models = pair.names
        self.prices = pair.prices
        self.price_table = pair.price_table
        self._pair = pair
        # As the cascade asks for a draft.
        self._cheap = vary(pair.cheap, Variant(draft=True, logprobs=True))

    def prompt(self, ticket: str) -> list[str]:
        """Return the texts that a model is sent for a ticket."""
        return [message.text for message in PROMPT.invoke({"ticket": ticket}).to_messages()]

    def drafts(self, ticket: str) -> tuple[Draft, Draft]:
        """Ask both models."""
        prompt = PROMPT.invoke({"ticket": ticket})
        try:
            draft = _ask(self._cheap, prompt)
        except CascadeError as error:
            refused = refuses_logprobs(cast("Exception", error.__cause__))
            if self._cheap is self._pair.cheap or not refused:
                raise
            self._cheap = self._pair.cheap  # as the cascade does, too
            draft = _ask(self._cheap, prompt)
        return draft, _ask(self._pair.strong, prompt)

    def alone(self, tier: int) -> SendTicket:
        """Return the way to one model."""
        return self._chain([self._tiers[tier]])

    def cascade(self, policy: Policy) -> SendTicket:
        """Return the way to the cascade of both."""
        return self._chain(self._tiers, policy=policy)

    @property
    def _tiers(self) -> list[BaseChatModel]:
        return [self._pair.cheap, self._pair.strong]

    def _chain(self, tiers: list[BaseChatModel], **options: Any) -> SendTicket:
        cascade = ChatCascade(tiers=tiers, prices=self.price_table, **options)
        chain = PROMPT | cascade | StrOutputParser()

        def ask(ticket: str, class_name: str | None = None) -> TicketAnswer:
            named = {"cascade_class": class_name}
            return TicketAnswer(chain.invoke({"ticket": ticket}, {"metadata": named}))

        return ask


@contextmanager
def opened(cheap: str | None, strong: str | None) -> Iterator[LangChain]:
    """Make the two models ready; see `asking.open_asking`."""
    with open_pair(cheap, strong, _Clients()) as pair:
        yield LangChain(pair)


def embedded(name: str, base_url: str) -> BaseChatModel:
    """Return the client of an embedded model."""
    from langchain_openai import ChatOpenAI
    from openai import DefaultAsyncHttpxClient, DefaultHttpxClient

    # Where it exists, it would warn of proxies that are not used here.
    unset = "http_socket_options" in ChatOpenAI.model_fields
    options: dict[str, Any] = {"http_socket_options": ()} if unset else {}
    return ChatOpenAI(
        model=name,
        base_url=base_url,
        api_key=SecretStr("unused"),
        temperature=0,
        stream_usage=True,
        # No proxy stands between us and this machine.
        openai_proxy=None,
        http_client=DefaultHttpxClient(trust_env=False),
        http_async_client=DefaultAsyncHttpxClient(trust_env=False),
        **options,
    )


class _Clients:
    """Makes chat models."""

    def hosted(self, name: str, option: str) -> BaseChatModel:
        return load_model(name, option)

    def embedded(self, name: str, base_url: str) -> BaseChatModel:
        return embedded(name, base_url)

    def name_of(self, model: BaseChatModel) -> str:
        return _name(model)


def _name(model: BaseChatModel) -> str:
    return str(getattr(model, "model_name", None) or getattr(model, "model", type(model).__name__))


def _ask(model: BaseChatModel, prompt: PromptValue) -> Draft:
    try:
        return to_draft(model.invoke(prompt))
    except Exception as error:
        raise no_answer(_name(model), error) from error
