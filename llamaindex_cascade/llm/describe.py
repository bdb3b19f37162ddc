"""What a cascade tells LlamaIndex about itself, and how it is made again from that.

Never a key, never a tier's repr. What cannot be written down – a function, a
judge's model – has to be given when the cascade is made again: it is never
silently replaced by a default. Copies and pickles are in `copies`.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Self, cast

from llama_index.core.llms import LLM
from pydantic import SerializerFunctionWrapHandler, model_serializer

from cascade_core.errors import ConfigurationError
from cascade_core.given import Tier
from cascade_core.likeness import likeness
from cascade_core.policy import Policy
from cascade_core.setup.gates import NoneOfThese
from cascade_core.setup.settings import DECIDING, CascadeSettings
from cascade_core.signals.asking import partners_of
from cascade_core.signals.make import BY_NAME
from llamaindex_cascade.llm.portrait import (
    UnwritableError,
    as_json,
    describe,
    describe_fields,
    differences,
    fingerprint,
    has_credentials,
    make,
    path_of,
)

if TYPE_CHECKING:
    from cascade_core.setup.engine import Engine
    from llamaindex_cascade.asking.tiers import LLMTier

_SETTINGS = tuple(
    name for name in CascadeSettings.model_fields if name not in ("tiers", "signals", "gates")
)


class Described:
    """The parts of an LLM that describe it, for `CascadeLLM`."""

    if TYPE_CHECKING:

        @property
        def _engine(self) -> Engine: ...

        class_name: Callable[[], str]

    def __repr__(self) -> str:
        """Name the tiers and their thresholds."""
        thresholds = list(self._engine.plan.thresholds)
        return f"{type(self).__name__}({self.tier_names}, thresholds={thresholds})"

    __str__ = __repr__

    @property
    def tier_names(self) -> str:
        """The tiers' model names, cheapest first."""
        return "->".join(
            tier.model or type(tier.native.llm).__name__ for tier in self._engine.plan.tiers
        )

    def to_dict(self, **_: Any) -> dict[str, Any]:
        """Return what this cascade is, as plain JSON without secrets.

        `identity` says what it decides by: LlamaIndex's ingestion cache takes
        two components for the same when these dicts are equal.
        """
        plan = self._engine.plan
        return {
            "class_name": self.class_name(),
            "class": path_of(type(self)),
            "tiers": [_describe_tier(tier.native) for tier in plan.tiers],
            "signals": [_describe_signal(signal) for signal in plan.signals],
            "gates": [
                [gate.reason, likeness(gate.passes)]
                for gate in plan.gates
                if not (gate.own or isinstance(gate.passes, NoneOfThese))
            ],
            **{name: _describe_setting(getattr(self, name)) for name in _SETTINGS},
            **describe_fields(cast("LLM", self), _fields_of_llms(type(self))),
            "identity": self._identity(),
        }

    def _identity(self) -> str:
        # Hashed, since a signal or a combiner of the caller's may say anything in its own.
        return fingerprint(json.dumps(self._engine.identity(), sort_keys=True, default=repr))

    def to_payload(self) -> dict[str, Any]:
        """Return what observers are told of the cascade."""
        known: dict[str, Any] = cast("LLM", self).metadata.model_dump(mode="json")
        return {"class_name": self.class_name(), **known}

    @model_serializer(mode="wrap")
    def custom_model_dump(
        self, handler: SerializerFunctionWrapHandler, info: Any
    ) -> dict[str, Any]:
        """Dump what `to_dict` says: a cascade is dumped inside whatever holds it."""
        del handler, info
        return self.to_dict()

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], **kwargs: Any) -> Self:
        """Make a cascade again from its description.

        Args:
            data: What `to_dict` returned.
            kwargs: Settings that go before those of `data`. Tiers are made
                without keys: theirs come from the environment, or give tiers.

        Raises:
            ConfigurationError: `data` names something that cannot be made from
                a description, and `kwargs` does not bring it.
        """
        if not isinstance(data.get("tiers"), list) or "signals" not in data:
            msg = f"from_dict: this describes no {cls.__name__}: give what to_dict() returned"
            raise ConfigurationError(msg)
        known = (*_SETTINGS, *_fields_of_llms(cls))
        settings = {name: data[name] for name in known if name in data}
        given = {**settings, **kwargs}
        for name in _SETTINGS:
            if isinstance(given.get(name), Mapping) and "unwritten" in given[name]:
                msg = (
                    f"from_dict: {name}= was a {given[name]['unwritten']} and is not in the "
                    f"description; give {name}="
                )
                raise ConfigurationError(msg)
        if data.get("gates") and "gates" not in kwargs:
            msg = "from_dict: this cascade had gates= of its own, which are functions; give gates="
            raise ConfigurationError(msg)
        if "signals" not in kwargs:
            given["signals"] = [_make_signal(signal) for signal in data["signals"]]
        if "tiers" not in kwargs:
            given["tiers"] = [
                _make_tier(tier, f"tiers[{place}]") for place, tier in enumerate(data["tiers"])
            ]
        made = cls(**given)
        _check_same({k: v for k, v in data.items() if k not in kwargs}, made, kwargs)
        return made


def describe_llm(llm: LLM) -> dict[str, Any]:
    """Return a model's settings, without anything that may be secret."""
    return llm.to_dict() if isinstance(llm, Described) else describe(llm)


def _describe_tier(tier: LLMTier) -> dict[str, Any]:
    described = describe_llm(tier.llm)
    return described if tier.said is None else {**described, "tier": tier.said.said}


def _fields_of_llms(cls: type[Any]) -> list[str]:
    return [name for name in cls.model_fields if name not in CascadeSettings.model_fields]


def _describe_setting(value: Any) -> Any:
    if isinstance(value, Policy):
        return value.model_dump(mode="json")
    if isinstance(value, str) and has_credentials(value):  # a database's address
        return {"unwritten": type(value).__name__}
    try:
        return as_json(value)
    except UnwritableError:
        return {"unwritten": type(value).__name__}


def _describe_signal(signal: Any) -> dict[str, Any]:
    kind = type(signal)
    ours = kind.__module__.startswith("cascade_core.")
    described: dict[str, Any] = {
        "name": signal.name,
        # A signal of the caller's may show anything there, the models it asks among them.
        "identity": signal.identity if ours else fingerprint(signal.identity),
    }
    if isinstance(model := getattr(signal, "model", None), LLM):
        described["model"] = describe_llm(model)
    partners = [describe_llm(each) for each in partners_of(signal) if isinstance(each, LLM)]
    if partners:
        described["partners"] = partners
    if ours and kind.__name__ in BY_NAME.values():
        names = list(inspect.signature(kind).parameters)
        try:
            settings = as_json({name: _argument(signal, name) for name in names})
        except (AttributeError, UnwritableError):
            return described
        described.update({"kind": kind.__name__, "settings": settings})
    return described


def _argument(signal: Any, name: str) -> Any:
    return getattr(signal, name) if hasattr(signal, name) else getattr(signal, f"_{name}")


def _make_signal(described: Mapping[str, Any]) -> Any:
    import cascade_core.signals as known  # noqa: PLC0415 - only here

    name, kind = described.get("name"), str(described.get("kind"))
    if kind not in BY_NAME.values():
        msg = f"from_dict: the signal {name!r} cannot be made from a description; give signals=[…]"
        raise ConfigurationError(msg)
    try:
        made = getattr(known, kind)(**described["settings"])
    except (TypeError, ConfigurationError) as error:
        msg = f"from_dict: the signal {name!r} takes other settings: {error}; give signals=[…]"
        raise ConfigurationError(msg) from None
    if made.identity != described["identity"]:
        msg = f"from_dict: the signal {name!r} reads otherwise than it did; give signals=[…]"
        raise ConfigurationError(msg)
    return made


def _make_tier(described: Mapping[str, Any], where: str) -> LLM | Tier:
    said = described.get("tier")
    if said is None:
        return _make_llm(described, where)
    model = {name: value for name, value in described.items() if name != "tier"}
    return Tier(_make_llm(model, where), **said)


def _make_llm(described: Mapping[str, Any], where: str) -> LLM:
    wanted = described.get("class") or described.get("class_name")
    for cls in _subclasses(LLM):
        if not inspect.isabstract(cls) and wanted in (path_of(cls), cls.class_name()):
            if issubclass(cls, Described):
                return cast("LLM", cls.from_dict(described))
            return make(cls, described, where)
    msg = f"from_dict: {where}: no LLM class {wanted!r} is imported; import it, or give tiers=[…]"
    raise ConfigurationError(msg)


def _check_same(data: Mapping[str, Any], made: Described, given: Mapping[str, Any]) -> None:
    """Refuse a cascade that is not the described one, but for what was given anew."""
    skipped = {"class", "class_name", "tiers", "signals", "gates"}
    if not given.keys().isdisjoint(DECIDING):
        skipped.add("identity")
    unwritten = {k: v for k, v in data.get("unwritten", {}).items() if k not in given}
    left = {k: v for k, v in data.items() if k not in skipped}
    lost = differences({**left, "unwritten": unwritten}, made.to_dict())
    if lost == ["identity"]:
        msg = "from_dict: it would decide otherwise than it did: has its policy changed since?"
        raise ConfigurationError(msg)
    if lost := [name for name in lost if name != "identity"]:
        names = ", ".join(f"{name}=" for name in lost)
        msg = f"from_dict: {names} cannot be made from the description; give {names}"
        raise ConfigurationError(msg)


def _subclasses(cls: type[Any]) -> list[type[Any]]:
    return [each for direct in cls.__subclasses__() for each in (direct, *_subclasses(direct))]
