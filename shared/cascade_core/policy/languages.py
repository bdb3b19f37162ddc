"""Tells the language of a text with py3langid, which the extra `language` brings.

Its confidence is spread over some 140 languages and falls with shorter texts. A text counts as
written in a language where that alone is likelier than all others together; two or three words
often are not, and then no language is known.
"""

from __future__ import annotations

from difflib import get_close_matches
from functools import cache
from importlib.util import find_spec
from typing import Any

from cascade_core.errors import ConfigurationError

_CODES = (
    "af am ar as az be bg bn br bs ca cs cy da de el en eo es et eu fa fi fr fy ga gd gl gu ha he "
    "hi hr ht hu hy id ig is it ja jv ka kk km kn ko ku ky la lg ln lo lt lv mg mk ml mn mr ms my "
    "ne nl no om or pa pl ps pt qu ro ru sa si sk sl so sq sr sv sw ta te th tl tr ug uk ur uz vi "
    "xh yo zh zu rw se sn st an fo lb wa ba mt nn oc tg tk tt vo dz"
)
CODES = frozenset(_CODES.split())
"""The two-letter codes of ISO 639-1 that it tells."""

SURE_OF_IT = 0.5
"""How confident it has to be."""
READ_FIRST = 2_000
"""How many characters are read: on long texts its confidences lose their meaning."""

_BY_NAME = {
    "arabic": "ar",
    "chinese": "zh",
    "dutch": "nl",
    "english": "en",
    "french": "fr",
    "german": "de",
    "hindi": "hi",
    "italian": "it",
    "japanese": "ja",
    "korean": "ko",
    "polish": "pl",
    "portuguese": "pt",
    "russian": "ru",
    "spanish": "es",
    "turkish": "tr",
    "ukrainian": "uk",
}


def check_language(code: str) -> str:
    """Return a language's code, checked.

    Raises:
        ValueError: It is no code of a language that can be told.
    """
    lowered = code.lower()
    if lowered in CODES:
        return lowered
    meant = _BY_NAME.get(lowered)
    if meant is None and lowered[:2] in CODES and not lowered[2:3].isalpha():
        meant = lowered[:2]  # en-US
    if meant is None:
        close = get_close_matches(lowered, _BY_NAME, 1)
        meant = _BY_NAME[close[0]] if close else None
    hint = f"; did you mean {meant}?" if meant else ""
    msg = f"{code!r} is no two-letter code (ISO 639-1) of a language that can be told{hint}"
    raise ValueError(msg)


def check_installed() -> None:
    """Raise `ConfigurationError` where what tells languages is not installed."""
    if find_spec("py3langid") is None:
        msg = (
            "a rule asks for a request's language, which needs py3langid, which is not installed: "
            "pip install 'model-cascade[language]'"
        )
        raise ConfigurationError(msg)


def language_of(text: str) -> str | None:
    """Return the code of the language that a text is written in; None where it is not known."""
    code, confidence = identifier().classify(text[:READ_FIRST])
    return code if confidence >= SURE_OF_IT else None


@cache
def identifier() -> Any:
    """Return what tells languages; reading it takes about a second, once."""
    from py3langid import langid  # type: ignore[import-untyped]  # noqa: PLC0415 - on use

    return langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE, norm_probs=True)
