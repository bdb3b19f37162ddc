"""Reads the beginning of an answer clause by clause, to tell whether it refuses.

What is quoted, a fenced block, a line of dialogue is somebody else's words. What stands before a
refusal must lead up to it; what follows "but" must not be the help that was asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from cascade_core.refusals.language import Language
from cascade_core.refusals.languages import in_question
from cascade_core.refusals.plain import simplified

READ = 800
"""How many characters of an answer are read, from its first visible one."""

_SENTENCES = 6
_SHORT = 3
"""Words of an interjection: "Hello Anna!"."""

_QUOTED = re.compile(
    r'"[^"\n]{1,400}"|\u201c[^\u201d\n]{1,400}\u201d|\u201e[^\u201c\u201d\n]{1,400}[\u201c\u201d]'
    r"|\u00ab[^\u00bb\n]{1,400}\u00bb|\u300c[^\u300d\n]{1,400}\u300d|\u300e[^\u300f\n]{1,400}\u300f"
    r"|`[^`\n]{1,400}`"
)
_PLACEHOLDER = "\u00a4"
_OWN = frozenset('"\u201c\u201d\u201e\u00ab\u00bb\u300c\u300d')
_MARKDOWN = str.maketrans(dict.fromkeys("*_#>~", None))
_DIALOGUE = re.compile(r"[\u2013\u2014]\s?\w")
_OTHER_VOICE = re.compile(r"```|~~~|[{\[<|]")
_SPEAKER = re.compile(
    r"[^\w\s]{0,4}[^\W\d_][^\s:\uff1a,]{0,20}(?: (\w)[^\s:\uff1a,]{0,20})? ?[:\uff1a]\s*"
)
_OWN_NAME = re.compile(r"(?i)\W*(?:ai|assistant|bot|chatbot|model)\b")
_NEXT_SPEAKER = re.compile(r"\n\s*[^\W\d]\w{0,20}:\s")
_SENTENCE = re.compile(r"[!?\u3002\u061f\u0964\u06d4\uff61]+|\.+(?=\s|$|[^\x00-\u04ff])|\n+")
_BETWEEN = re.compile(r"[^\w\u00a4]*")
_BREAK = re.compile(r"[,;:\u060c\u3001\u061b]|\s-+\s")
_SAYS = re.compile(r"[\w\u00a4]")
_WORD = re.compile(r"\w+")


def refuses(text: str) -> bool:
    """Tell whether an answer refuses: in its first sentences, in its own voice.

    Args:
        text: What the answer says.
    """
    head = text[:READ]
    if head[:1].isspace():
        head = text.lstrip()[:READ]
    languages = in_question(head)
    if not languages:
        return False
    readings = [_Sentences(reading) for reading in _own_words(head)]
    return any(_refuses(language, sentences) for language in languages for sentences in readings)


def _own_words(head: str) -> list[str]:
    """Return what an answer says in its own voice: as it is, and without a name before it."""
    head = head.translate(_MARKDOWN).strip()
    if _DIALOGUE.match(head) or _OTHER_VOICE.match(head):
        return []
    if head[:1] in _OWN and head[-1:] in _OWN and not any(sign in _OWN for sign in head[1:-1]):
        head = head[1:-1]
    speaker = _SPEAKER.match(head)
    if speaker is None:
        return [head]
    if _NEXT_SPEAKER.search(head, speaker.end()) and not _OWN_NAME.match(head):
        return []
    return [head[speaker.end() :], head]


class _Sentences:
    """The first sentences of a text in plain spelling, with a sign for what is quoted.

    Most answers show by their first one that they refuse nothing, so that none is looked for
    before it is asked for.
    """

    def __init__(self, head: str) -> None:
        self._rest: str | None = simplified(_QUOTED.sub(_PLACEHOLDER, head))
        self._found: list[str] = []

    def at(self, place: int) -> str:
        """Return one sentence, empty where there is none."""
        while place >= len(self._found):
            if self._rest is None or place >= _SENTENCES:
                return ""
            end = _SENTENCE.search(self._rest)
            sentence = self._rest[: end.start()] if end else self._rest
            self._rest = self._rest[end.end() :] if end else None
            if _SAYS.search(sentence):
                self._found.append(" ".join(sentence.split()))
        return self._found[place]


def _refuses(language: Language, sentences: _Sentences) -> bool:
    sorry = False
    index = 0
    while sentence := sentences.at(index):
        index += 1
        place, loose = 0, False
        while (place := _BETWEEN.match(sentence, place).end()) < len(sentence):  # type: ignore[union-attr]
            refusal = language.refusal.match(sentence, place)
            if refusal is None and (sorry or loose):
                refusal = language.weak_refusal.match(sentence, place)
            if refusal is not None:
                return not (
                    language.no_refusal.search(sentence, place)
                    or _helps(language, sentence[refusal.end() :], sentences.at(index))
                )
            if apology := language.apology.match(sentence, place):
                sorry, place = True, apology.end()
                continue
            if lead := language.lead.match(sentence, place):
                place = lead.end()
                continue
            loose = loose or language.preface.match(sentence, place) is not None
            if not loose:
                break
            place = min(_breaks(language, sentence, place), default=len(sentence))
        rest = sentence[place:]
        if rest and not _is_short(rest if sorry else sentence):
            return False
    return False


def _breaks(language: Language, sentence: str, place: int) -> Iterator[int]:
    """Yield where the next clause may begin."""
    for found in (_BREAK.search(sentence, place), language.contrast.search(sentence, place + 1)):
        if found is not None:
            yield found.end()


def _helps(language: Language, rest: str, following: str) -> bool:
    """Tell whether what follows a refusal is what was asked for, as far as that can be had."""
    contrast = language.contrast.search(rest)
    if contrast is not None:
        start = _BETWEEN.match(rest, contrast.end()).end()  # type: ignore[union-attr]
        return start < len(rest) and not language.offer.match(rest, start)
    return language.help.match(following) is not None


def _is_short(sentence: str) -> bool:
    words = _WORD.findall(sentence)
    return len(words) <= _SHORT and sentence.isascii() and not any(map(str.isdecimal, words))
