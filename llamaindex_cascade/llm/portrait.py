"""Models as plain JSON without anything secret, and models made again from it.

A value that may be secret, or is no plain data, is replaced by a fingerprint:
two models that differ in it are still told apart, and one that would come back
without it is refused. Cascades themselves are written down in `describe`.
"""

from __future__ import annotations

import inspect
import os
import re
import sys
from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal
from enum import Enum
from hashlib import sha256
from types import FunctionType
from typing import Any

from llama_index.core.llms import LLM
from pydantic import BaseModel, SecretBytes, SecretStr

from cascade_core.errors import CascadeError, ConfigurationError
from cascade_core.likeness import names_secret

OF_THIS_PROCESS = frozenset({"callback_manager", "rate_limiter"})
"""Fields that say nothing about a model's answers."""

_IN_URL = re.compile(r"://[^/\s]*@")
_PARAMETER = re.compile(r"[?&]([\w.-]+)=")
_LONG_ENOUGH = 6  # characters; shorter ones are found by chance


class UnwritableError(CascadeError, TypeError):
    """A value is no plain data, or may be secret."""


def describe(llm: LLM) -> dict[str, Any]:
    """Return a model's class and settings.

    Keys of the model's own (`api_key`) are left out without a trace: another
    key makes no other model.
    """
    return {
        "class_name": llm.class_name(),
        "class": path_of(type(llm)),
        **describe_fields(llm, type(llm).model_fields),
    }


def describe_fields(llm: LLM, names: Collection[str]) -> dict[str, Any]:
    """Return fields as plain JSON; `unwritten` holds the fingerprints of those that are none."""
    secrets = tuple(_secrets_of(llm))
    plain: dict[str, Any] = {}
    unwritten = {name: fingerprint(value, name) for name, value in unkept(llm).items()}
    for name in names:
        value = getattr(llm, name, None)
        if name in OF_THIS_PROCESS or (value is None and _is_none(llm, name)):
            continue
        if type(llm).model_fields[name].exclude and name not in LLM.model_fields:
            continue  # no part of what it is, as its author says
        if names_secret(name):
            if not isinstance(value, str | SecretStr | SecretBytes):
                unwritten[name] = fingerprint(value, name)
            continue
        try:
            plain[name] = as_json(value, secrets)
        except UnwritableError:
            unwritten[name] = fingerprint(value, name)
    return {**plain, "unwritten": unwritten} if unwritten else plain


def make(cls: type[LLM], described: Mapping[str, Any], where: str) -> LLM:
    """Make a model again.

    Args:
        cls: Its class.
        described: What `describe` returned.
        where: How an error names it.

    Raises:
        ConfigurationError: It cannot be made, or would come back another.
    """
    settings = {
        name: value
        for name, value in described.items()
        if name in cls.model_fields and name not in ("class_name", "class", "unwritten")
    }
    try:
        made = cls(**settings)
    except Exception as error:  # noqa: BLE001 - an integration may raise anything
        msg = (
            f"from_dict: {where} ({cls.__name__}) cannot be made from its description "
            f"({type(error).__name__}); give tiers=[…]"
        )
        raise ConfigurationError(msg) from None
    if lost := differences(described, describe(made)):
        msg = (
            f"from_dict: {where} ({cls.__name__}) cannot be made from its description, which "
            f"does not hold its {', '.join(lost)}; give tiers=[…]"
        )
        raise ConfigurationError(msg)
    return made


def differences(described: Mapping[str, Any], made: Mapping[str, Any]) -> list[str]:
    """Return the settings in which what was made is not what was described."""
    names = [
        name
        for name, value in described.items()
        if name != "unwritten" and (name not in made or made[name] != value)
    ]
    now = made.get("unwritten", {})
    unwritten = described.get("unwritten", {})
    return names + [name for name, value in unwritten.items() if now.get(name) != value]


def unkept(llm: LLM) -> dict[str, Any]:
    """Return the arguments a model was made with that are none of its fields.

    Integrations keep them in private attributes (`http_client` in
    `_http_client`), which neither a description nor a pickle brings back.
    """
    found = {}
    for name, parameter in inspect.signature(type(llm).__init__).parameters.items():
        if name in type(llm).model_fields:
            continue
        value = getattr(llm, f"_{name}", None)
        if value is not None and not _same(value, parameter.default):
            found[name] = value
    return found


def as_json(value: Any, secrets: Collection[str] | None = None) -> Any:
    """Return a value as plain JSON.

    Args:
        value: The value.
        secrets: Texts that must not be in it; None where it cannot hold any
            secret, whatever its names look like (`token_margin`).

    Raises:
        UnwritableError: It is no plain data, or may hold a secret.
    """
    if isinstance(value, Enum):
        return as_json(value.value, secrets)
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str | Decimal | os.PathLike):
        return _text(os.fspath(value) if isinstance(value, os.PathLike) else str(value), secrets)
    if isinstance(value, list | tuple):
        return [as_json(each, secrets) for each in value]
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        if secrets is not None and any(map(names_secret, value)):
            raise UnwritableError
        return {key: as_json(each, secrets) for key, each in value.items()}
    raise UnwritableError


def _text(value: str | bytes, secrets: Collection[str] | None) -> str:
    if not isinstance(value, str):
        raise UnwritableError
    if secrets is not None and (has_credentials(value) or any(s in value for s in secrets)):
        raise UnwritableError
    return value


def has_credentials(text: str) -> bool:
    """Tell whether a text holds a URL with a user, a password or a key in it."""
    if "://" not in text:
        return False
    return bool(_IN_URL.search(text)) or any(map(names_secret, _PARAMETER.findall(text)))


def fingerprint(value: Any, name: str = "") -> str:
    """Return a text that is equal for equal values and tells nothing of them.

    Args:
        value: Any value; objects that cannot be read are told apart by identity.
        name: What it is called. A client is only told from none: it is made
            anew in every process and says nothing about the answers.
    """
    spelled = path_of(type(value)) if "client" in name.lower() else _spelled(value)
    return sha256(spelled.encode(errors="backslashreplace")).hexdigest()[:16]


def path_of(cls: type[Any]) -> str:
    """Return a class's module and name."""
    return f"{cls.__module__}.{cls.__qualname__}"


def _spelled(value: Any) -> str:
    if isinstance(value, SecretStr | SecretBytes):
        return repr(value.get_secret_value())
    if isinstance(value, Mapping):
        return repr(sorted((str(key), _spelled(each)) for key, each in value.items()))
    if isinstance(value, list | tuple):
        return repr([_spelled(each) for each in value])
    if isinstance(value, FunctionType):
        place = f"{value.__module__}.{value.__qualname__}"
        return place if _is_at(value) else f"{place} {value.__code__.co_code!r} {id(value)}"
    if isinstance(value, BaseModel):
        fields = {name: getattr(value, name, None) for name in type(value).model_fields}
        return f"{path_of(type(value))} {_spelled(fields)}"
    try:
        spelled = repr(value)
    except Exception:  # noqa: BLE001 - a caller's object may raise anything
        spelled = " at 0x"
    if " at 0x" in spelled:
        return f"{path_of(type(value))} {id(value)}"
    return f"{path_of(type(value))} {spelled}"


def _is_at(function: FunctionType) -> bool:
    """Tell whether a function is found again under its name."""
    found: Any = sys.modules.get(function.__module__)
    for name in function.__qualname__.split("."):
        found = getattr(found, name, None)
    return found is function


def _is_none(llm: LLM, name: str) -> bool:
    """Tell whether a field is None by default."""
    field = type(llm).model_fields.get(name)
    return field is None or (field.default_factory is None and field.default is None)


def _same(value: Any, default: Any) -> bool:
    try:
        return bool(value == default)
    except Exception:  # noqa: BLE001 - a caller's object may raise anything
        return False


def _secrets_of(llm: LLM) -> Iterator[str]:
    """Yield the secrets a model knows, which may stand in other fields too."""
    for name in type(llm).model_fields:
        if name not in OF_THIS_PROCESS:
            yield from _texts(getattr(llm, name, None), found=names_secret(name))


def _texts(value: Any, *, found: bool) -> Iterator[str]:
    if isinstance(value, SecretStr):
        yield from _texts(value.get_secret_value(), found=True)
    elif isinstance(value, str):
        if found and len(value) >= _LONG_ENOUGH:
            yield value
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from _texts(each, found=found or names_secret(str(key)))
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each, found=found)
