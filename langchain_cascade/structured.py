"""Structured output: every tier makes objects in its own way, the cascade judges them."""

from __future__ import annotations

import inspect
import json
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar, cast

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable, RunnableBinding, RunnableConfig, RunnableLambda
from langchain_core.runnables.base import RunnableParallel, RunnableSequence
from langchain_core.utils.function_calling import convert_to_json_schema
from pydantic import BaseModel, Field, PrivateAttr

from cascade_core.abilities import Abilities, Missing
from cascade_core.draft import Draft
from cascade_core.errors import CascadeError
from cascade_core.loop.session import Decided
from cascade_core.setup.handler import OnHandoff
from cascade_core.tier import LogprobMemory, Tier
from langchain_cascade.answer import stamp
from langchain_cascade.convert import to_draft
from langchain_cascade.engine import ChatEngine
from langchain_cascade.handing import as_object
from langchain_cascade.quiet import without_streaming
from langchain_cascade.runnable import RunnableCascade
from langchain_cascade.tiers import ChatTier
from langchain_cascade.wrapping import Model, Variant, bound_kwargs, rebuild, vary


class NothingParsedError(CascadeError):
    """A model's answer held no object of the schema."""


class StructuredTier(RunnableBinding[Any, Any]):
    """A tier's own structured runnable, and the same called in other ways.

    Attributes:
        chat: The chat tier it is made of.
        make: Makes it in a variant, with sampling options.
        made: Those made so far.
    """

    chat: Any
    make: Any
    made: dict[Any, Any] = Field(default_factory=dict)

    @property
    def inner(self) -> BaseChatModel:
        """The chat model inside all wrapping."""
        return cast("ChatTier", self.chat).inner

    def model(self, variant: Variant, tools: None = None) -> Model:
        """Return the chat model itself, for questions of the core's own."""
        return cast("ChatTier", self.chat).model(variant, tools)

    def called(self, variant: Variant, options: Mapping[str, Any]) -> Model:
        """Return the runnable in a variant, with sampling options."""
        key = (variant, repr(sorted(options.items())))
        if key not in self.made:
            self.made[key] = self.make(variant=variant, options=options)
        return cast("Model", self.made[key])


class StructuredCascade(RunnableCascade):
    """A cascade whose tiers return `{"raw", "parsed", "parsing_error"}`.

    Attributes:
        include_raw: Whether callers get that dict, or the parsed object.
    """

    include_raw: bool = False

    _needs: ClassVar[Collection[Missing]] = frozenset[Missing]({"structured_output"})

    _made_of: tuple[Any, ...] = PrivateAttr(default=())

    def __reduce__(self) -> tuple[Any, ...]:
        """Be made again, of the cascade and the schema that it was made of."""
        return _made_again, self._made_of

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Any:
        """Be made again, of a copy of the cascade."""
        cascade, schema, options = self._made_of
        return _made_again(deepcopy(cascade, memo), schema, options)

    def _finish(self, decided: Decided) -> Any:
        output = dict(_whole(decided.verdict.draft.native))
        if isinstance(output.get("raw"), AIMessage):
            output["raw"] = stamp(output["raw"], decided.record, drop_logprobs=False)
        if self.include_raw:
            return output
        if output.get("parsing_error") is not None:
            raise output["parsing_error"]
        return output.get("parsed")

    def stream(
        self, input: Any, config: RunnableConfig | None = None, **kwargs: Any
    ) -> Iterator[Any]:
        """Yield the object when it is whole: half an object can be neither judged nor shown."""
        yield self.invoke(input, config, **kwargs)

    async def astream(
        self, input: Any, config: RunnableConfig | None = None, **kwargs: Any
    ) -> AsyncIterator[Any]:
        """Yield the object when it is whole: half an object can be neither judged nor shown."""
        yield await self.ainvoke(input, config, **kwargs)


def _made_again(cascade: Any, schema: Any, options: dict[str, Any]) -> Runnable[Any, Any]:
    made: Runnable[Any, Any] = cascade.with_structured_output(schema, **options)
    return made


def structured_cascade(  # noqa: PLR0913 - all that it is made of
    cascade: object,
    tiers: Sequence[ChatTier],
    engine: ChatEngine,
    schema: Any,
    *,
    include_raw: bool,
    stop: list[str] | None = None,
    **kwargs: Any,
) -> Runnable[Any, Any]:
    """Return a cascade of the tiers' own structured runnables.

    Args:
        cascade: The cascade that is asked for it.
        tiers: The chat tiers.
        engine: The chat cascade's engine; memory and warnings stay shared.
        schema: The schema, in any form LangChain takes.
        include_raw: See `StructuredCascade`.
        stop: Stop sequences of every tier.
        kwargs: Arguments of the tiers' `with_structured_output`.
    """
    made = [
        _structured_tier(tier, core, schema, stop, kwargs)
        for tier, core in zip(tiers, engine.plan.tiers, strict=True)
    ]
    structured = StructuredCascade(
        tiers=[core.native for core in made], to_draft=read_structured, include_raw=include_raw
    )
    structured._engine = engine.with_tiers(  # noqa: SLF001 - it is ours
        made,
        _structured_handler(engine.plan.handler, schema, stop, kwargs),
        partial(_structured_partner, engine, schema, stop, kwargs),
    )
    structured._made_of = (cascade, schema, {**kwargs, "include_raw": include_raw})  # noqa: SLF001
    structured._schema = _plain_schema(schema)  # noqa: SLF001
    structured._shape = as_object(schema)  # noqa: SLF001
    return structured


def _structured_tier(
    tier: ChatTier, core: Tier, schema: Any, stop: list[str] | None, kwargs: dict[str, Any]
) -> Tier:
    """Return a tier that makes objects of the schema in its own way."""
    make = partial(_structured, tier, schema, stop, kwargs)
    # Made at once, so that what a tier cannot do is said here and not on a request.
    runnable = StructuredTier(bound=make(variant=Variant(), options={}), chat=tier, make=make)
    method = _method(tier, kwargs)
    memory = LogprobMemory(known=False) if tier.mute(kwargs) else core.logprobs
    return replace(
        core,
        native=runnable,
        abilities=_abilities(core, method),
        streams=False,
        output_schema=None,
        # Calling a tool comes without logprobs.
        tool_only=method == "function_calling",
        logprobs=memory,
    )


def _structured_partner(  # noqa: PLR0913, PLR0917 - as for a tier
    engine: ChatEngine,
    schema: Any,
    stop: list[str] | None,
    kwargs: dict[str, Any],
    model: Any,
    index: int,
) -> Tier:
    """Return a model that a signal asks what the tiers are asked, made as they are."""
    core = engine.partners.get(model) or engine.make_partner(model, index)
    try:
        return _structured_tier(core.native, core, schema, stop, kwargs)
    except Exception as error:  # noqa: BLE001 - it makes no objects: it never answers
        make = partial(_raising, error)
        native = StructuredTier(bound=make(), chat=core.native, make=make)
        return replace(core, native=native, streams=False, output_schema=None)


def _structured_handler(
    handler: OnHandoff | None, schema: Any, stop: list[str] | None, kwargs: dict[str, Any]
) -> OnHandoff | None:
    """Return what answers in the place of a draft that is handed off, for objects."""
    if handler is None or handler.tier is None:
        return handler
    core = handler.tier
    if isinstance(core.native, ChatTier):
        return replace(handler, tier=_structured_tier(core.native, core, schema, stop, kwargs))
    return replace(handler, tier=replace(core, native=core.native | as_object(schema)))


def read_structured(output: Any) -> Draft:
    """Read `{"raw", "parsed", "parsing_error"}` as a draft."""
    output = _whole(output)
    draft = to_draft(output["raw"])
    error = output.get("parsing_error")
    if error is None and output.get("parsed") is None:
        error = NothingParsedError("the answer holds no object of the schema")
    made = output.get("parsed")
    parsed = made if isinstance(made, Mapping) else None
    return replace(draft, parse_error=error, parsed=parsed, made=made)


def _whole(output: Any) -> Mapping[str, Any]:
    """Return an object with its message: some integrations give the object alone."""
    if isinstance(output, Mapping) and output.keys() >= _PARTS:
        return output
    text = output.model_dump_json() if isinstance(output, BaseModel) else json.dumps(output)
    message = AIMessage("" if output is None else text)
    return {"raw": message, "parsed": output, "parsing_error": None}


_PARTS = {"raw", "parsed", "parsing_error"}


def _raising(error: Exception, **_: Any) -> Model:
    """Return a runnable that does nothing but raise."""

    def answer(_: Any) -> Any:
        raise error

    return cast("Model", RunnableLambda(answer))


def _plain_schema(schema: Any) -> Mapping[str, Any] | None:
    """Return the JSON schema of what LangChain hands on as a dict, without checking it itself."""
    if schema is None or (isinstance(schema, type) and issubclass(schema, BaseModel)):
        return None
    try:
        return convert_to_json_schema(schema)
    except Exception:  # noqa: BLE001 - a tier has read it, and that may be enough
        return None


def _structured(  # noqa: PLR0913 - what is fixed for a tier, then what differs by call
    tier: ChatTier,
    schema: Any,
    stop: list[str] | None,
    kwargs: dict[str, Any],
    *,
    variant: Variant,
    options: Mapping[str, Any],
) -> Model:
    bound = {**bound_kwargs(tier.given), **({} if stop is None else {"stop": stop}), **options}
    if variant.whole:
        bound = without_streaming(bound)
    if variant.logprobs and tier.mute(kwargs):
        variant = variant._replace(logprobs=False, top_logprobs=0)

    def change(model: Any) -> Model:
        varied = vary(model, variant)
        try:
            sequence = varied.with_structured_output(schema, include_raw=True, **kwargs)
            alone = _passes_on(sequence)
        except NotImplementedError:  # without the message, perhaps
            alone = True
        if alone:
            sequence = varied.with_structured_output(schema, **kwargs)
        return _bind_raw(sequence, bound) if bound else sequence

    return rebuild(tier.given, change, whole=variant.whole)


def _passes_on(sequence: Any) -> bool:
    """Tell whether the wish for the message went to the provider, as with Cohere's tools."""
    return "include_raw" in (getattr(getattr(sequence, "first", None), "kwargs", None) or ())


def _bind_raw(sequence: Any, kwargs: dict[str, Any]) -> Model:
    """Give the model inside `RunnableMap(raw=model) | parser` what the caller had bound.

    A sequence hands keyword arguments to its first step only, and a map drops
    them, so the caller's `model.bind(…)` would be lost.
    """
    first = getattr(sequence, "first", None)
    if not isinstance(sequence, RunnableSequence) or first is None:
        return cast("Model", sequence)
    if not isinstance(first, RunnableParallel):  # `model | parser`
        return RunnableSequence(first.bind(**kwargs), *sequence.steps[1:])
    steps = {
        name: step.bind(**kwargs) if name == "raw" else step for name, step in first.steps__.items()
    }
    return RunnableSequence(RunnableParallel(cast("Any", steps)), *sequence.steps[1:])


def _method(tier: ChatTier, kwargs: dict[str, Any]) -> str:
    """Return how a tier makes objects."""
    method = kwargs.get("method")
    if method is None:
        signature = inspect.signature(type(tier.inner).with_structured_output)
        parameter = signature.parameters.get("method")
        method = "function_calling" if parameter is None else parameter.default
    return str(method)


_METHODS: Mapping[str, Missing] = {
    "function_calling": "tools",
    "json_schema": "structured_output",
}
"""What a model must be able to do to make objects by each method; any does for the others."""


def _abilities(core: Tier, method: str) -> Abilities:
    """Return what a tier can take where it makes objects: whether it can is known by its method."""
    lacks = core.abilities.lacks - {"structured_output"}
    if _METHODS.get(method) in core.abilities.lacks:
        lacks |= {"structured_output"}
    return replace(core.abilities, lacks=lacks)
