"""`RunnableCascade`: a cascade of any runnables, such as whole chains and RAG pipelines.

Its tiers run before anybody knows whether their answer will be used, so they
must be free of side effects: a rejected tier has still run.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import aclosing, closing
from copy import deepcopy
from typing import Any, ClassVar, Self, Unpack

from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableConfig, RunnableSerializable
from langchain_core.runnables.base import RunnableLike
from langchain_core.runnables.config import ensure_config
from pydantic import PrivateAttr

from cascade_core.abilities import NOTHING_KNOWN, Missing
from cascade_core.given import Tier as DeclaredTier
from cascade_core.given import bare_model, described
from cascade_core.loop.session import Decided, Session
from cascade_core.setup.constructor import configured
from cascade_core.setup.settings import CascadeKeywords, CascadeSettings
from cascade_core.tier import Tier
from langchain_cascade.answer import ShownOutput, stamp
from langchain_cascade.engine import REBUILD, ChatEngine
from langchain_cascade.handing import runnable_handler
from langchain_cascade.outputs import OutputCalls, read_output, request_of
from langchain_cascade.runs import chain_run_of
from langchain_cascade.scope import AsyncScope, Scope
from langchain_cascade.tiers import make_runnable, make_runnables
from langchain_cascade.watching import session_kind


class RunnableKeywords(CascadeKeywords, total=False):
    """What a cascade of runnables takes besides."""

    to_draft: Callable[[Any], Any] | None
    """Makes a draft of a tier's output: a `Draft`, a message, or the text to judge. Not needed for
    messages, texts, pydantic objects, and dicts with one of the keys answer, output, result, text,
    messages."""


@configured(CascadeKeywords, RunnableKeywords)
class RunnableCascade(CascadeSettings, RunnableSerializable[Any, Any]):
    """A runnable that asks a cheap chain first and a stronger one when it must.

    **Tiers must be free of side effects.** A rejected tier has already run:
    whatever it wrote, sent or bought has happened.

    Log-probabilities are read where the tier's last model call had them: bind
    them in the chain (`ChatOpenAI(logprobs=True)`), or give other signals.

    `SelfConsistency` runs a tier again as it is: the model inside has to have a
    temperature, or every sample is the draft once more. `Verbalized` asks chat
    models only.

    `Grounding` reads the contexts that a tier returns beside its answer, else
    those in the input: texts or documents under `context`, `contexts`,
    `documents`, `docs` or `source_documents`. A tier that returns such a key
    and nothing in it has retrieved nothing, and escalates (`gate_no_context`).

    Args:
        tiers: Runnables, or what becomes one in a chain, cheapest first.
        settings: See `CascadeKeywords` and `RunnableKeywords`; `help()` lists them.

    Raises:
        ConfigurationError: A setting cannot work; the message says which and why.
    """

    to_draft: Callable[[Any], Any] | None = None

    _engine: ChatEngine = PrivateAttr()
    _needs: ClassVar[Collection[Missing]] = ()
    _schema: Any = PrivateAttr(default=None)
    _shape: Any = PrivateAttr(default=None)

    def __init__(
        self,
        tiers: Sequence[RunnableLike[Any, Any] | DeclaredTier],
        **settings: Unpack[RunnableKeywords],
    ) -> None:
        fields: dict[str, Any] = {"tiers": tiers, **settings}
        super().__init__(**fields)
        self._build()

    def _build(self) -> None:
        runnables = make_runnables(self.tiers)
        tiers = [
            _runnable_tier(runnable, given, index)
            for index, (runnable, given) in enumerate(zip(runnables, self.tiers, strict=True))
        ]
        handler = runnable_handler(self.on_handoff, len(tiers))
        self._engine = ChatEngine(self, tiers, handler, _make_partner)

    def __setattr__(self, name: str, value: Any) -> None:
        """Set a field; one that decides anything takes effect at once."""
        super().__setattr__(name, value)
        if name in REBUILD:
            self._build()

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Copy the cascade; changed settings are checked like new ones."""
        copy = super().model_copy(update=update, deep=deep)
        if update and REBUILD & set(update):
            copy._build()  # noqa: SLF001
        return copy

    def __getstate__(self) -> dict[Any, Any]:
        """Let the settings and tiers cross to another process, and nothing made of them."""
        state = super().__getstate__()
        own = state["__pydantic_private__"] or {}
        kept = {name: value for name, value in own.items() if name != "_engine"}
        return {**state, "__pydantic_private__": kept}

    def __setstate__(self, state: dict[Any, Any]) -> None:
        """Make the rest anew."""
        super().__setstate__(state)
        self._build()

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """Copy the settings and tiers; the copy starts with nothing learned."""
        copied = type(self).__new__(type(self))
        copied.__setstate__(deepcopy(self.__getstate__(), memo))
        return copied

    def __repr__(self) -> str:
        """Say how many tiers there are and their thresholds."""
        plan = self._engine.plan
        return f"{type(self).__name__}({len(plan.tiers)} tiers, thresholds={list(plan.thresholds)})"

    __str__ = __repr__  # pydantic's own would show the tiers, and what is in them

    @property
    def InputType(self) -> Any:  # noqa: N802 - LangChain's name
        """The first tier's input type."""
        return self._engine.plan.tiers[0].native.InputType

    @property
    def OutputType(self) -> Any:  # noqa: N802 - LangChain's name
        """The last tier's output type."""
        return self._engine.plan.tiers[-1].native.OutputType

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Answer one request."""
        config = ensure_config(config)
        with Scope(self, input, config) as scope:
            session = scope.session = self._session(scope.run, input, config, kwargs)
            scope.output = self._finish(session.run())
        return scope.output

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Answer one request."""
        config = ensure_config(config)
        async with AsyncScope(self, input, config) as scope:
            session = scope.session = self._session(scope.run, input, config, kwargs)
            scope.output = self._finish(await session.arun())
        return scope.output

    def stream(
        self, input: Any, config: RunnableConfig | None = None, **kwargs: Any
    ) -> Iterator[Any]:
        """Answer one request in chunks: an accepted draft whole, the last tier live."""
        config = ensure_config(config)
        shown = ShownOutput()
        with Scope(self, input, config) as scope:
            session = scope.session = self._session(scope.run, input, config, kwargs)
            with closing(session.stream()) as items:
                for item in items:
                    yield from shown.next(item)
            scope.output = shown.output

    async def astream(
        self, input: Any, config: RunnableConfig | None = None, **kwargs: Any
    ) -> AsyncIterator[Any]:
        """Answer one request in chunks: an accepted draft whole, the last tier live."""
        config = ensure_config(config)
        shown = ShownOutput()
        async with AsyncScope(self, input, config) as scope:
            session = scope.session = self._session(scope.run, input, config, kwargs)
            async with aclosing(session.astream()) as items:
                async for item in items:
                    for chunk in shown.next(item):
                        yield chunk
            scope.output = shown.output

    def _session(
        self, run: Any, value: Any, config: RunnableConfig, kwargs: dict[str, Any]
    ) -> Session:
        """Return one request under a chain run, ready to be decided."""
        engine = self._engine
        calls = OutputCalls(
            run,
            config,
            engine,
            kwargs=kwargs,
            to_draft=self.to_draft or read_output,
            shape=self._shape,
        )
        kind = session_kind(calls.watch)
        request = request_of(value, config, self._needs, self._schema)
        request.run = chain_run_of(request.metadata, run.run_id)
        return kind(engine, request, calls, decision_id=str(run.run_id))

    def _finish(self, decided: Decided) -> Any:
        """Return a tier's output, with the record on it where it is a message."""
        native = decided.verdict.draft.native
        if isinstance(native, AIMessage):
            return stamp(native, decided.record, drop_logprobs=False)
        return native


def _runnable_tier(runnable: Any, given: object, index: int) -> Tier:
    """Return a runnable as the core sees it, with what its caller says of it."""
    abilities = described(NOTHING_KNOWN, bare_model(given)[1])
    return Tier(index, native=runnable, abilities=abilities, composite=True)


def _make_partner(given: Any, index: int) -> Tier:
    """Return a runnable that a signal gives the tiers' input as a tier.

    Raises:
        ConfigurationError: It cannot be run.
    """
    return _runnable_tier(make_runnable(given, "a model of Agreement"), given, index)
