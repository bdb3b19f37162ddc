"""What a cascade tells LlamaIndex about itself, and how it is made again from that.

Never a key, never a tier's repr. What cannot be written down – a function, a
judge's model – is left to the caller when the cascade is made again, rather
than silently replaced by a default.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit, urlunsplit

from llama_index.core.llms import LLM
from pydantic import SerializerFunctionWrapHandler, model_serializer

from cascade_core.errors import ConfigurationError
from cascade_core.signals.make import BY_NAME

if TYPE_CHECKING:
    from cascade_core.engine import Engine

_SECRET = re.compile(
    r"(^|_)(key|keys|secret|password|passwd|token|auth|authorization|headers?|credentials?|cookies?)$",
    re.IGNORECASE,
)
_PLAIN = ("combine", "thresholds", "policy", "prices", "log", "log_content")
_CHOICES = ("mode", "on_no_score", "on_tool_call", "on_exhausted", "streaming_policy")
_JSON = str | int | float | bool | None


class Described:
    """The parts of an LLM that describe it, for `CascadeLLM`."""

    if TYPE_CHECKING:

        @property
        def _engine(self) -> Engine: ...
        @classmethod
        def class_name(cls) -> str: ...

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
            "tiers": [describe_llm(tier.native.llm) for tier in plan.tiers],
            "signals": [_describe_signal(signal) for signal in plan.signals],
            "gates": [gate.reason for gate in plan.gates if not gate.own],
            **{name: _as_json(getattr(self, name)) for name in _PLAIN},
            **{name: getattr(self, name) for name in _CHOICES},
            "system_prompt": getattr(self, "system_prompt", None),
            "identity": self._engine.identity(),
        }

    def to_payload(self) -> dict[str, Any]:
        """Return what observers are told of the cascade."""
        return {"class_name": self.class_name(), **_payload(self)}

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
        settings = {name: data.get(name) for name in (*_PLAIN, *_CHOICES, "system_prompt")}
        made = {name: value for name, value in settings.items() if value is not None}
        if "tiers" not in kwargs:
            made["tiers"] = [
                _make_llm(tier, f"tiers[{place}]") for place, tier in enumerate(data["tiers"])
            ]
        if "signals" not in kwargs:
            made["signals"] = [_make_signal(signal) for signal in data["signals"]]
        if data.get("gates") and "gates" not in kwargs:
            msg = "from_dict: this cascade had gates= of its own, which are functions; give them"
            raise ConfigurationError(msg)
        for name in ("combine", "policy", "log", "prices"):
            if name not in kwargs and isinstance(data.get(name), dict) and "not_json" in data[name]:
                msg = f"from_dict: {name}= was an object and is not in the description; give it"
                raise ConfigurationError(msg)
        return cls(**{**made, **kwargs})

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the settings, all of them or none: a signal that cannot be pickled raises."""
        fields = type(self).model_fields  # type: ignore[attr-defined]
        given = {name: getattr(self, name) for name in fields if name in _set_of(self)}
        given.pop("callback_manager", None)  # belongs to this process
        return _made_again, (type(self), given)


def describe_llm(llm: LLM) -> dict[str, Any]:
    """Return a model's plain settings, without anything that may be secret."""
    if isinstance(llm, Described):
        return llm.to_dict()
    described: dict[str, Any] = {"class_name": llm.class_name(), "class": _path(type(llm))}
    for name in type(llm).model_fields:
        value = getattr(llm, name, None)
        if not _SECRET.search(name) and isinstance(value, _JSON) and value is not None:
            described[name] = _without_credentials(value)
    return described


def _payload(cascade: Any) -> dict[str, Any]:
    payload: dict[str, Any] = cascade.metadata.model_dump()
    return payload


def _describe_signal(signal: Any) -> dict[str, Any]:
    settings = {k: v for k, v in vars(signal).items() if k[0] != "_" and k != "name"}
    known = type(signal).__module__.startswith("cascade_core.signals")
    plain = known and all(isinstance(value, _JSON) for value in settings.values())
    kind = type(signal).__name__
    described: dict[str, Any] = {"name": signal.name, "identity": signal.identity}
    if plain and kind in (*BY_NAME.values(), "Grounding"):
        described.update({"kind": kind, "settings": settings})
    return described


def _make_signal(described: Mapping[str, Any]) -> Any:
    import cascade_core.signals as known  # noqa: PLC0415 - only here

    if "kind" not in described:
        msg = (
            f"from_dict: the signal {described['name']!r} cannot be made from a description; "
            "give signals=[…]"
        )
        raise ConfigurationError(msg)
    try:
        return getattr(known, described["kind"])(**described["settings"])
    except TypeError as error:
        msg = f"from_dict: the signal {described['name']!r} takes other settings: {error}"
        raise ConfigurationError(msg) from None


def _make_llm(described: Mapping[str, Any], where: str) -> LLM:
    wanted = described.get("class") or described["class_name"]
    for cls in _subclasses(LLM):
        if wanted in (_path(cls), cls.class_name() if not _abstract(cls) else None):
            if issubclass(cls, Described):
                return cls.from_dict(described)
            settings = {
                k: v for k, v in described.items() if k in cls.model_fields and k != "class_name"
            }
            try:
                return cls(**settings)
            except Exception as error:
                msg = (
                    f"from_dict: {where} ({wanted}) cannot be made from its description "
                    f"({type(error).__name__}); give tiers=[…]"
                )
                raise ConfigurationError(msg) from None
    msg = f"from_dict: {where}: no LLM class {wanted!r} is imported; import it, or give tiers=[…]"
    raise ConfigurationError(msg)


def _subclasses(cls: type[Any]) -> list[type[Any]]:
    return [each for direct in cls.__subclasses__() for each in (direct, *_subclasses(direct))]


def _abstract(cls: type[Any]) -> bool:
    return bool(getattr(cls, "__abstractmethods__", None))


def _path(cls: type[Any]) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def _as_json(value: Any) -> Any:
    if isinstance(value, _JSON):
        return value
    if isinstance(value, list | tuple):
        return [_as_json(each) for each in value]
    if isinstance(value, Mapping):
        return {str(key): _as_json(each) for key, each in value.items()}
    if isinstance(value, Mapping.__class__):
        return None
    dump = getattr(value, "model_dump", None)
    if dump is not None:
        return dump(mode="json")
    return {"not_json": type(value).__name__} if not hasattr(value, "__fspath__") else str(value)


def _without_credentials(value: Any) -> Any:
    """Cut user, password and query out of a URL."""
    if not isinstance(value, str) or "://" not in value:
        return value
    parts = urlsplit(value)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _set_of(cascade: Any) -> set[str]:
    fields: set[str] = cascade.model_fields_set
    return fields


def _made_again(cls: type[Any], given: dict[str, Any]) -> Any:
    return cls(**given)
