"""The languages that refusals are read in: a file of sentences each.

A further one is a file and its line in `LANGUAGES`.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module
from typing import NamedTuple

from cascade_core.refusals.language import Language, Script
from cascade_core.refusals.plain import simplified

LANGUAGES = (
    "en",
    "es",
    "fr",
    "de",
    "it",
    "pt",
    "nl",
    "pl",
    "tr",
    "ru",
    "zh",
    "ja",
    "ko",
    "ar",
    "hi",
)
"""The modules beside this one; each defines `LANGUAGE`."""

_BETWEEN_WORDS = str.maketrans(
    dict.fromkeys(
        "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~\u2018\u2019\u201c\u201d\u2026\u00ab\u00bb\u00bf\u00a1\u2013\u2014\u201e\uff0c\u3002\u060c\u061b\u061f",
        " ",
    )
)
_OTHER_SCRIPTS = re.compile(
    "(?P<cyrillic>[\u0400-\u052f])|(?P<arabic>[\u0600-\u06ff])|(?P<devanagari>[\u0900-\u097f])"
    "|(?P<kana>[\u3040-\u30ff])|(?P<han>[\u4e00-\u9fff])|(?P<hangul>[\uac00-\ud7af])"
)
_KANA = re.compile("[\u3040-\u30ff]")


class _Index(NamedTuple):
    """Where a language's hints lead."""

    words: dict[str, tuple[Language, ...]]
    stems: tuple[tuple[str, Language], ...]


def in_question(head: str) -> tuple[Language, ...]:
    """Return the languages in which a text may refuse, by its script and a few words.

    Args:
        head: The beginning of an answer.
    """
    lower = head.lower()
    indices = _indices()
    found = _hinted(indices["latin"], lower)
    if not head.isascii() and (other := _OTHER_SCRIPTS.search(head)):
        script = other.lastgroup
        if script == "han" and _KANA.search(head):
            script = "kana"
        if script in indices:
            found |= _hinted(indices[script], simplified(lower))
    return tuple(found)


def _hinted(index: _Index, lower: str) -> dict[Language, None]:
    found = {}
    words = index.words
    for word in words.keys() & lower.translate(_BETWEEN_WORDS).split():
        found.update(dict.fromkeys(words[word]))
    for stem, language in index.stems:
        if stem in lower:
            found[language] = None
    return found


@cache
def _indices() -> dict[Script, _Index]:
    words: dict[Script, dict[str, tuple[Language, ...]]] = {}
    stems: dict[Script, list[tuple[str, Language]]] = {}
    for code in LANGUAGES:
        language = import_module(f"{__name__}.{code}").LANGUAGE
        own = words.setdefault(language.script, {})
        for hint in simplified(language.hints).split():
            own[hint] = (*own.get(hint, ()), language)
        stems.setdefault(language.script, []).extend(
            (stem, language) for stem in simplified(language.stems).split()
        )
    return {script: _Index(own, tuple(stems[script])) for script, own in words.items()}
