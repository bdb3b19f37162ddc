"""The other names one model goes by, so that prices and tokenizers recognise it.

Only spelling is handled here: what a name costs or how it splits text is
decided in `price_table`, `catalogue` and `encodings`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_PREFIX = re.compile(r"[:/]")
_BEDROCK = re.compile(
    r"(?:arn:[^/]*/)?"  # of a model or a profile; what follows the slash is its name
    r"(?:(?:us|eu|apac|au|ca|jp|us-gov|global)\.)?"
    r"(?P<model>(?:ai21|amazon|anthropic|cohere|deepseek|google|meta|minimax|mistral|moonshotai?"
    r"|nvidia|openai|qwen|writer|zai)\.(?P<bare>[a-z][^/]*?)(?:-v\d+)?(?::\d+)?(?::\w+)?)"
)
_FINE_TUNE = re.compile(r"ft:(?P<base>[^:]+)")
_DATE = re.compile(r"[-@](?:\d{4}-\d{2}-\d{2}|\d{8}|latest)$")


def without_provider(model: str) -> Iterator[str]:
    """Yield the name, then the name without each leading provider prefix.

    `openrouter/openai/gpt-4o` gives itself, `openai/gpt-4o` and `gpt-4o`;
    `openai:gpt-4o` gives itself and `gpt-4o`.
    """
    yield model
    while len(parts := _PREFIX.split(model, maxsplit=1)) > 1:
        model = parts[1]
        if not model:
            return
        yield model


def without_date(model: str) -> str | None:
    """Return the name without the date of its snapshot, or None where it has none.

    `gpt-4o-mini-2024-07-18`, `claude-sonnet-4-5-20250929` and
    `claude-sonnet-4-5@20250929` have one, and `mistral-large-latest` the newest.
    Four digits (`gpt-4-0613`) are not taken for a date: such snapshots were
    priced apart, and the digits may be a size.
    """
    shorter = _DATE.sub("", model)
    return shorter if shorter and shorter != model else None


def is_bedrock(model: str) -> bool:
    """Tell whether a name is Amazon Bedrock's, of a model, a region's profile or an ARN."""
    return _BEDROCK.fullmatch(model) is not None


def fine_tuned(model: str) -> str | None:
    """Return what a fine-tune of OpenAI's was made from (`ft:base:org:name:id`), else None."""
    found = _FINE_TUNE.match(model)
    return found["base"] if found else None


def spellings(model: str) -> tuple[list[str], list[str], list[str]]:
    """Return what a model may be listed under, the surest first.

    Returns:
        The name with and without its providers; the same without the date of
        its snapshot; and the names of what it was made from or is hosted as: of
        a fine-tune `ft:base` and its base, on Bedrock the name without its
        region, its vendor and its version.
    """
    # What follows Bedrock's last colon is the release of a version, no model.
    names = [name for name in without_provider(model) if name is model or not name.isdigit()]
    origins = []
    for name in names:
        if base := fine_tuned(name):
            origins += [f"ft:{base}", *_dateless(f"ft:{base}"), base, *_dateless(base)]
        elif found := _BEDROCK.fullmatch(name):
            bare = found["bare"]
            origins += [found["model"], bare, *_dateless(bare)]
    return names, [short for name in names for short in _dateless(name)], origins


def same_model(names: Iterable[str], others: Iterable[str]) -> bool:
    """Tell whether any of a model's names and any of another's may mean one model.

    Snapshots of one model count as one, and so does a model whoever provides it. A fine-tune is
    not its base.
    """

    def spelled(models: Iterable[str]) -> set[str]:
        found = set()
        for model in models:
            exact, dateless, origins = spellings(model)
            tuned = any(map(fine_tuned, exact))
            found |= {*exact, *dateless, *(n for n in origins if not tuned or n.startswith("ft:"))}
        return {name.lower() for name in found}

    return not spelled(names).isdisjoint(spelled(others))


def _dateless(name: str) -> list[str]:
    short = without_date(name)
    return [short] if short else []
