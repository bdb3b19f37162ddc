"""One tier of a cascade of LLMs: the caller's model, and what was learned about it once."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

from llama_index.core.base.llms.types import LLMMetadata
from llama_index.core.callbacks import CallbackManager
from llama_index.core.llms import LLM

from cascade_core.errors import ConfigurationError
from cascade_core.given import Tier as DeclaredTier
from cascade_core.given import bare_model, described, listed_tiers
from cascade_core.integrations.classes import LLAMAINDEX, integration, other_names
from cascade_core.integrations.limits import max_tokens, tokens_beside
from cascade_core.integrations.schemas import schema_set
from cascade_core.setup.engine import Engine
from cascade_core.tier import LogprobMemory, Tier
from llamaindex_cascade.asking.arguments import check_keeps_nothing
from llamaindex_cascade.asking.history import UNKNOWN, Reader, reads
from llamaindex_cascade.asking.misgiven import no_llm
from llamaindex_cascade.reading.capabilities import (
    abilities,
    calls_tools,
    ends_hidden,
    gives_logprobs,
    host,
    logprob_options,
    makes_objects,
    metadata_of,
    name_of,
    sampling_fields,
    setup_of,
    usage_options,
)

_LONGEST_REASON = 120
"""Characters of an integration's own words that an error repeats: some list all their models."""


@dataclass(eq=False)
class LLMTier:
    """A tier, or a judge, as the caller gave it.

    Attributes:
        llm: The caller's model; it is called, never copied or changed, but for
            its callback manager.
        said: What the caller says that it can take.
    """

    llm: LLM
    said: DeclaredTier | None = None

    _metadata: LLMMetadata | None = field(default=None, init=False, repr=False)

    @property
    def metadata(self) -> LLMMetadata | None:
        """What it says of itself, once it does; None while its server is down."""
        if self._metadata is None:
            self._metadata = metadata_of(self.llm)
        return self._metadata

    @property
    def is_chat(self) -> bool:
        """Whether it takes messages rather than one text, as far as it is known."""
        known = self.metadata
        return known is None or known.is_chat_model

    @cached_property
    def reader(self) -> Reader:
        """How it reads a conversation; one that completes a text is shown no calls."""
        is_cascade = isinstance(getattr(self.llm, "_engine", None), Engine)
        author = None if is_cascade else f"{type(self.llm).__name__}:{name_of(self.llm) or ''}"
        return Reader(author, reads(self.llm) if self.is_chat else UNKNOWN)

    @property
    def calls_tools(self) -> bool:
        """Whether it can be offered tools, as far as it is known."""
        return calls_tools(self.llm, self.metadata)

    @cached_property
    def makes_objects(self) -> bool:
        """Whether it is made to make objects, and does not write them as text."""
        return makes_objects(self.llm)

    @cached_property
    def _options(self) -> dict[tuple[bool, int, bool], Mapping[str, Any]]:
        return {}

    def options(self, *, logprobs: bool, top: int, streamed: bool = False) -> Mapping[str, Any]:
        """Return the arguments that a call is made with on the cascade's own account."""
        key = logprobs, top, streamed
        if key not in self._options:
            asked = logprob_options(self.llm, top) if logprobs else {}
            self._options[key] = {**asked, **(usage_options(self.llm) if streamed else {})}
        return self._options[key]

    def sampling(self, options: Mapping[str, Any]) -> LLMTier:
        """Return the tier as it is asked for a sample: itself, where arguments say all of it."""
        fields = sampling_fields(self.llm, options)
        if not fields:
            return self
        made = copy(self)
        made.llm = self.llm.model_copy(update=fields)
        return made

    def report_to(self, manager: CallbackManager) -> None:
        """Have the model report its calls to the cascade's callback manager.

        LlamaIndex sets the manager of the outermost model only, and does so at
        any time, so this is done before every call.
        """
        if self.llm.callback_manager is not manager:
            self.llm.callback_manager = manager


def make_tiers(tiers: object) -> tuple[Tier, ...]:
    """Read the `tiers=` argument of a cascade of LLMs.

    Args:
        tiers: LLMs, cheapest first.

    Raises:
        ConfigurationError: It is no list, is empty, or holds something that is
            not an LLM.
    """
    listed = listed_tiers(tiers, "LLMs")
    made = tuple(make_tier(llm, index) for index, llm in enumerate(listed))
    if len(made) > 1:
        for tier in made:
            check_keeps_nothing(tier.native.llm, f"tiers[{tier.index}]")
    return made


def make_tier(given: object, index: int, where: str | None = None) -> Tier:
    """Read one tier of a cascade of LLMs.

    Args:
        given: What the caller gave.
        index: Its index.
        where: How an error names it; by default by its index.

    Raises:
        ConfigurationError: It is not an LLM, or cannot describe itself.
    """
    model, said = bare_model(given)
    llm = check_llm(model, where or f"tiers[{index}]", by_name=True)
    known = integration(llm, LLAMAINDEX)
    return Tier(
        index=index,
        model=name_of(llm),
        native=LLMTier(llm, said),
        names=other_names(llm),
        provider=host(llm),
        logprobs=LogprobMemory(gives_logprobs(llm)),
        abilities=described(abilities(llm), said),
        max_tokens=max_tokens(llm),
        streams=not ends_hidden(llm),
        streams_logprobs=known.logprobs_streamed is not False,
        streams_calls=known.calls_streamed is not False,
        output_schema=schema_set(llm),
        setup=partial(setup_of, llm),
        composite=hasattr(llm, "tier_names"),
        beside=tokens_beside(getattr(llm, "additional_kwargs", None)),
    )


def check_llm(given: object, where: str, *, by_name: bool = False) -> LLM:
    """Return an LLM, making sure that it is one.

    Args:
        given: What the caller gave.
        where: How an error names it.
        by_name: Whether a name would have been taken there, too.

    Raises:
        ConfigurationError: It is not an LLM, or cannot describe itself.
    """
    if not isinstance(given, LLM):
        raise no_llm(given, where, by_name=by_name)
    try:
        _ = metadata_of(given)
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        reason = textwrap.shorten(reason, _LONGEST_REASON, placeholder=" …")
        msg = (
            f"{where}: {type(given).__name__}.metadata cannot be read: {reason} "
            "(for a model that OpenAI does not know, use OpenAILike)"
        )
        raise ConfigurationError(msg) from error
    return given
