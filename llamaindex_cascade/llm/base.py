"""What every way to ask a `CascadeLLM` shares: its settings, its engine, one request's session."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Generator, Sequence
from dataclasses import replace
from functools import cached_property
from threading import RLock
from typing import Any

from llama_index.core.base.llms.types import LLMMetadata
from llama_index.core.callbacks import CallbackManager
from llama_index.core.llms.function_calling import FunctionCallingLLM
from pydantic import ConfigDict, Field

from cascade_core.forks import free_in_child
from cascade_core.request import Request
from cascade_core.setup.notices import Notices
from cascade_core.setup.settings import DECIDING, GUARDING, RECORDING, CascadeSettings
from llamaindex_cascade.asking.arguments import check_conversation
from llamaindex_cascade.asking.engine import LLMEngine
from llamaindex_cascade.asking.handing import llm_handler
from llamaindex_cascade.asking.instrumentation import request_facts
from llamaindex_cascade.asking.models import with_models
from llamaindex_cascade.asking.session import Session
from llamaindex_cascade.asking.streams import ashown, shown
from llamaindex_cascade.asking.tiers import LLMTier, make_tiers
from llamaindex_cascade.llm.calls import ResponseCalls
from llamaindex_cascade.llm.copies import MADE, Copied
from llamaindex_cascade.llm.describe import Described
from llamaindex_cascade.llm.refining import RefineMemory
from llamaindex_cascade.llm.shown import responses, stamped
from llamaindex_cascade.llm.templates import Filled
from llamaindex_cascade.llm.ways import Way

_REBUILD = frozenset({"tiers", *DECIDING, *RECORDING, *GUARDING})
_assigning = RLock()
free_in_child(sys.modules[__name__], "_assigning")


class CascadeBase(CascadeSettings, Described, Copied, FunctionCallingLLM):
    """Settings, engine and sessions of a `CascadeLLM`.

    Attributes:
        tiers: LLMs, cheapest first.
        callback_manager: What the tiers report to, once somebody has set it.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    tiers: Any = Field(exclude=True)
    callback_manager: CallbackManager = Field(
        default_factory=lambda: CallbackManager([]), exclude=True
    )

    @cached_property
    def _engine(self) -> LLMEngine:
        return self._new_engine()

    def _new_engine(self, notices: Notices | None = None) -> LLMEngine:
        self.__dict__["tiers"] = with_models(self.tiers)  # a name is made into a model once
        tiers = make_tiers(self.tiers)
        return LLMEngine(self, tiers, notices, llm_handler(self.on_handoff, len(tiers)))

    @cached_property
    def _object_engine(self) -> LLMEngine:
        """How objects are decided: drafts whole, and mostly made by calling a tool."""
        return self._engine.with_tiers(
            [
                replace(tier, streams=False, tool_only=tier.native.makes_objects)
                for tier in self._engine.plan.tiers
            ]
        )

    @property
    def _calls_tools(self) -> bool:
        """Whether any tier can call tools."""
        return any(tier.calls_tools for tier in self._llm_tiers)

    @cached_property
    def _refining(self) -> RefineMemory:
        return RefineMemory()

    @property
    def _llm_tiers(self) -> list[LLMTier]:
        return [tier.native for tier in self._engine.plan.tiers]

    def _new_metadata(self, known: Sequence[LLMMetadata]) -> LLMMetadata:
        return LLMMetadata(
            context_window=min(each.context_window for each in known),
            num_output=max(each.num_output for each in known),
            is_chat_model=any(each.is_chat_model for each in known),
            is_function_calling_model=self._calls_tools,
            model_name=f"cascade({self.tier_names})",
            system_role=known[-1].system_role,
        )

    @property
    def metadata(self) -> LLMMetadata:
        """What every tier can take, and what at least one can do.

        Of a tier whose server is down nothing is known, and the others count.

        Raises:
            Exception: What the last tier's model raises, where nothing is known of any.
        """
        made: LLMMetadata | None = self.__dict__.get("_metadata")
        if made is None:
            tiers = self._llm_tiers
            known = [each for tier in tiers if (each := tier.metadata) is not None]
            made = self._new_metadata(known or [tiers[-1].llm.metadata])
            if len(known) == len(tiers):
                self.__dict__["_metadata"] = made
        return made

    def __setattr__(self, name: str, value: Any) -> None:
        """Set a field; one that decides anything is checked and takes effect at once."""
        if name in _REBUILD:
            with _assigning:  # the engine of the last one assigned has to be the last one made
                self._assign(name, value)
            return
        super().__setattr__(name, value)
        if name == "callback_manager":
            self.__dict__["_reports"] = True

    def _assign(self, name: str, value: Any) -> None:
        before = getattr(self, name, None)
        super().__setattr__(name, value)
        try:
            engine = self._new_engine(self._engine.plan.notices)
        except Exception:
            super().__setattr__(name, before)
            raise
        self.__dict__["_engine"] = engine
        for made in MADE:
            if made != "_engine" and (made != "_refining" or name == "tiers"):
                self.__dict__.pop(made, None)

    @property
    def _manager(self) -> CallbackManager | None:
        """What the tiers report to: where nobody set any, they keep their own."""
        return self.callback_manager if self.__dict__["_reports"] else None

    def _session(self, way: Way) -> Session:
        return Session(
            self._engine,
            self._request(way),
            ResponseCalls(way, self._manager, self._engine),
            limiter=self.rate_limiter,
        )

    def _request(self, way: Way | Filled) -> Request:
        if way.arguments:
            reads = [tier.reader.reads for tier in self._llm_tiers]
            check_conversation(way.arguments, reads)
        known = way.request
        if isinstance(way, Filled):
            known["first"] = self._refining.first(way.variables)
        if "tools" in known.get("needs", ()) and not self._calls_tools:
            msg = f"no tier of {self!r} can call tools"
            raise NotImplementedError(msg)
        return Request(way.turns, native=way, **request_facts(), **known)

    def _respond(self, way: Way) -> Any:
        return stamped(self._session(way).run(), self._llm_tiers)

    async def _arespond(self, way: Way) -> Any:
        return stamped(await self._session(way).arun(), self._llm_tiers)

    def _stream(self, way: Way) -> Generator[Any, None, None]:
        return shown(self._session(way).stream(), responses(self._llm_tiers))

    async def _astream(self, way: Way) -> AsyncGenerator[Any, None]:
        return await ashown(self._session(way).astream(), responses(self._llm_tiers))
