"""A user's own prices: reading them, checking them, and finding a model in them.

Two formats are read, also mixed in one table. The plain one is written by hand,
in USD per 1M tokens, and every key of it is checked; the other is litellm's
price list, in USD per token, of which only the token prices are read.
Prices that nobody handed in do not belong here; see `catalogue`.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, TypeAlias

from cascade_core.costs.names import spellings, without_date
from cascade_core.costs.rate import EXACT, Rate
from cascade_core.errors import ConfigurationError

PriceTable: TypeAlias = Mapping[str, Any] | str | os.PathLike[str]

_PLAIN = ("input", "output", "cached_input", "cache_write", "cache_write_1h", "reasoning")
_LITELLM = {
    "input_cost_per_token": "input",
    "output_cost_per_token": "output",
    "cache_read_input_token_cost": "cached_input",
    "cache_creation_input_token_cost": "cache_write",
    "cache_creation_input_token_cost_above_1hr": "cache_write_1h",
    "output_cost_per_reasoning_token": "reasoning",
}
_LITELLM_TIER = re.compile(rf"({'|'.join(_LITELLM)})_above_(\d+)k_tokens")
_LITELLM_MARKS = {*_LITELLM, "litellm_provider", "mode"}
MAKERS = (
    "openai",
    "anthropic",
    "google_genai",
    "google_vertexai",
    "mistralai",
    "cohere",
    "deepseek",
    "xai",
    "bedrock",
    "bedrock_converse",
)
"""What `provider:model` says of models that no other host serves."""

PREFIXES = {
    "azure": ("azure", "azure_openai", "azure_ai"),
    "huggingface": ("huggingface", "huggingface_api"),
}
"""What `provider:model` says of a host, where that is not the host's own name."""

_LITELLM_SAMPLE = "sample_spec"  # describes the format; its numbers are placeholders


def read_prices(table: PriceTable) -> dict[str, Rate]:
    """Read a user's price table.

    Args:
        table: A mapping of model name to prices, or the path of a JSON file
            holding one. Prices are `{"input", "output"}` and optionally
            `"cached_input"`, `"cache_write"`, `"cache_write_1h"`, `"reasoning"`, in
            USD per 1M tokens, as numbers or strings; or an entry of litellm's price list;
            or a `Rate`.

    Returns:
        A rate for each model. Entries of litellm's list without token prices
        (images, audio) are left out: those models stay unpriced.

    Raises:
        ConfigurationError: The file cannot be read, or a price is missing,
            negative, not a number or under an unknown key. Names model and key.
    """
    place = "price table"
    if isinstance(table, str | os.PathLike):
        place = f"price table {os.fspath(table)!r}"
        table = _load(Path(table), place)
    if not isinstance(table, Mapping):
        raise ConfigurationError(
            f"{place}: expected a mapping of model name to prices, got {type(table).__name__}"
        )
    entries: Mapping[Any, Any] = table
    rates: dict[str, Rate] = {}
    for model, entry in entries.items():
        if not isinstance(model, str) or not model:
            raise ConfigurationError(f"{place}: {model!r} is not a model name; use a string")
        where = f"{place}, model {model!r}"
        if isinstance(entry, Rate):
            rates[model] = entry
        elif not isinstance(entry, Mapping):
            raise ConfigurationError(
                f"{where}: expected prices such as {{'input': 0.15, 'output': 0.60}} "
                f"(USD per 1M tokens), got {type(entry).__name__}"
            )
        elif _LITELLM_MARKS.isdisjoint(entry):
            rates[model] = _plain(entry, where)
        elif model != _LITELLM_SAMPLE and (rate := _litellm(entry, where)):
            rates[model] = rate
    return rates


def find_rate(rates: Mapping[str, Rate], models: Sequence[str] | str) -> Rate | None:
    """Find a model in a table by the names it goes by.

    In this order: each name as it is, or without its provider prefixes
    (`openai:gpt-4o` finds `gpt-4o`); without the date of its snapshot
    (`gpt-4o-mini-2024-07-18` finds `gpt-4o-mini`); by what it was made from or
    is hosted as (see `names.spellings`); and with the provider that
    LangChain's and LlamaIndex's names have before them (`openai:gpt-4o`). The
    table's own names are never shortened.

    Args:
        rates: The table.
        models: The model's name, or its names, the best first.
    """
    models = [models] if isinstance(models, str) else models
    levels = zip(*(spellings(model) for model in models), strict=True)
    for level in levels:
        for spelled in level:
            for name in spelled:
                if name in rates:
                    return rates[name]
    prefixed = (f"{head}:{name}" for model in models for head, name in _prefixed(model))
    return next((rates[name] for name in prefixed if name in rates), None)


def _prefixed(model: str) -> Iterator[tuple[str, str]]:
    """Yield the providers that may stand before a name, each with the name."""
    host, _, rest = model.partition("/")
    hosts = PREFIXES.get(host, (host,)) if rest else MAKERS
    for name in (rest or model, without_date(rest or model)):
        if name:
            yield from ((head, name) for head in hosts)


def _load(path: Path, place: str) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"), parse_float=Decimal)
    except json.JSONDecodeError as error:
        raise ConfigurationError(
            f"{place}: line {error.lineno}, column {error.colno} is not JSON: {error.msg}"
        ) from error
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ConfigurationError(
            f"{place}: cannot be read: {reason}; give the path of a JSON file"
        ) from error
    except UnicodeDecodeError:
        # Its error holds the text.
        raise ConfigurationError(f"{place}: is not UTF-8 text; save the file as UTF-8") from None
    except (ValueError, RecursionError, ArithmeticError) as error:
        raise ConfigurationError(
            f"{place}: cannot be read ({type(error).__name__}); give the path of a JSON file"
        ) from error


def _plain(entry: Mapping[Any, Any], where: str) -> Rate:
    for key in entry:
        if key not in _PLAIN:
            raise ConfigurationError(
                f"{where}: unknown key {key!r}; use {', '.join(_PLAIN)} (USD per 1M tokens)"
            )
    prices = {
        key: _usd(entry[key], f"{where}, key {key!r}").scaleb(-6, EXACT)
        for key in _PLAIN
        if entry.get(key) is not None
    }
    for key in ("input", "output"):
        if key not in prices:
            raise ConfigurationError(f"{where}: {key!r} is missing; give it in USD per 1M tokens")
    return Rate.of(prices)


def _litellm(entry: Mapping[Any, Any], where: str) -> Rate | None:
    prices: dict[str, Decimal] = {}
    steps: dict[int, dict[str, Decimal]] = {}
    for key, value in entry.items():
        if value is None or not isinstance(key, str):
            continue
        if key in _LITELLM:
            prices[_LITELLM[key]] = _usd(value, f"{where}, key {key!r}")
        elif match := _LITELLM_TIER.fullmatch(key):
            step = steps.setdefault(int(match[2]) * 1000, {})
            step[_LITELLM[match[1]]] = _usd(value, f"{where}, key {key!r}")
    missing = [key for key in list(_LITELLM)[:2] if _LITELLM[key] not in prices]
    if missing:
        # litellm's own list has models priced by image or second; one written by hand has a typo.
        if "litellm_provider" in entry or "mode" in entry:
            return None
        raise ConfigurationError(f"{where}: {missing[0]!r} is missing; give it in USD per token")
    tiers: list[tuple[int, Rate]] = []
    longer = prices
    for start in sorted(steps):
        longer = {**longer, **steps[start]}
        tiers.append((start, Rate.of(longer)))
    return Rate.of(prices, tiers=tuple(tiers))


def _usd(value: object, where: str) -> Decimal:
    if not isinstance(value, bool) and isinstance(value, int | float | str | Decimal):
        try:
            # Through str: a float of 0.15 means 0.15, not 0.1499999999999999944.
            price = Decimal(str(value))
        except InvalidOperation:
            price = Decimal("NaN")
        if price.is_finite() and price >= 0:
            return price
    raise ConfigurationError(f"{where}: {value!r} is not a price; give a number of USD, 0 or more")
