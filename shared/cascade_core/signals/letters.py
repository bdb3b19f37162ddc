"""Reads which of two letters a judge has decided for, A for right or B for wrong.

A judge that was asked for one letter still writes sentences: it announces the letter, gives
reasons, weighs one against the other, takes it back. A letter counts where it is decided for
beyond doubt; one that is denied, questioned, hedged, or beside a contrary reason is no verdict.
"""

from __future__ import annotations

import math
import re
from functools import cache

from cascade_core.draft import Draft
from cascade_core.logprobs import Logprobs
from cascade_core.spelling import own_logprobs
from cascade_core.spoken import spoken

LABELS = ("A", "B")
"""Right, wrong: one token each in the common vocabularies."""

_PADDING = " \t\r\n()[]{}<>*_`'\".,:;=#-\u2581\u0120\u010a"  # with the space marks of tokenizers
_LABEL = re.compile(r"(?<![\w'’-])(?:A(?! +(?!because|since|as\b|is\b)[a-z])|B)(?![\w'’]|-\w)")
_LEADING = re.compile(r"[\s(\[*_`'\"]*([AB])(?![\w'’]|-\w)")
_ANNOUNCED = re.compile(
    r"(?i:\b(?:answer|verdict|choice|reply|option)\b)(?i:\s+is\b)?[\s:=(\[*_`'\"]*([AB])(?![\w'’]|-\w)"
    r"(?![)\]*_`'\"]*\s*(?:/|&|,\s*[AB]\b|(?i:or|and)\b))"
)
_BEFORE, _BEHIND = 60, 120
"""How many characters before and behind a letter are about it."""

# --- what takes a letter back ---------------------------------------------------------------------

_CLOSE = r"[)\]*_`'\"]*"


def _one_of(words: str) -> str:
    return f"(?:{'|'.join(words.split())})".replace("_", r"\s+")  # an underscore is a blank


_NO = (
    _one_of(
        r"""not? nope never neither hardly barely far_from anything_but wrong false(?:ly)?
        mistaken erroneous poor doubtful questionable debatable ruled_out rejected excluded
        impossible misleading fabricated made_up too_\w+ cannot [a-z]+n['’]t
        in(?:correct|valid|accurate|complete|appropriate)
        un(?:true|justified|supported|founded|warranted|likely|satisfactory|acceptable)
        nicht keine?\w* falsch unrichtig inkorrekt unzutreffend unvollständig
        n['’]est pas non faux fausse inexacte? erronée?
        fals[oa] incorrect[oa] erróne[oa] equivocad[oa] não errad[oa] incorret[oa]
        sbagliat[oa] errat[oa] scorrett[oa] niet onjuist fout nie błędn\w+ fałsz\w*
        yanl\w+ş değil hatal\w+ не нет неверн\w+ неправильн\w+ ошиб\w+ ложь
        خطأ خاطئ\w* غير ليس\w* لا गलत नहीं"""
    )
    + r"(?!\w)|不|错|錯|非|否|误|誤|間違|違|正しくな|ない|아니|틀[린렸]|않|잘못"
)
"""Words that deny, in languages that judges answer in."""

_NO_FAULT = (
    r"(?!(?:not?|keine?\w*|aucune?)\s+(?:\w+\s+){0,2}"
    + _one_of(
        "errors? mistakes? issues? problems? faults? flaws? omissions? doubts? fehler erreurs?"
    )
    + ")"
)
_IS = _one_of(
    """is was seems? looks? appears? sounds? would could should can might may does did will must has
    had be ist wäre scheint est serait es sería è sarebbe é seria lijkt jest to 是 は が 는 은 이 가
    هو है"""
)
_BUT = _one_of(
    r"""but however although though except unless only_if if provided assuming yet or aber mais
    pero ma mas maar ale ama но しかし 하지만 لكن लेकिन"""
)
_ANSWER = _one_of(
    "answer reply response claim statement result sum solution value total conclusion"
)


@cache
def _taken_back() -> re.Pattern[str]:
    """What stands behind a letter and denies, questions or hedges it."""
    return re.compile(
        rf"{_CLOSE}\s*(?:"
        r"[?\uff1f\u061f]"  # A? No.
        rf"|{_IS}[\s*_]+(?:\w+\s+){{0,3}}?(?:{_NO})"  # A is clearly not justified
        r"|[a-z]+n['’]t\b|cannot\b|never\b"
        r"|(?:是|は|が|는|은|이|가)?\s*(?:不|错|錯|誤|误|間違|正しくな|틀|아니|잘못)"
        rf"|[,;]?\s*{_BUT}(?!\w)"
        r"|/\s*[AB]\b"
        r")",
        re.IGNORECASE,
    )


@cache
def _contrary() -> re.Pattern[str]:
    """What stands behind an A and says that the answer is wrong."""
    subject = rf"(?:the|this|that|it|its|your)(?:\s+(?:\w+\s+)?{_ANSWER})?"
    return re.compile(
        rf"{_CLOSE}[-\s.,:;=(*_\u2013\u2014\uff1a\uff0c\u3002]*(?:(?:because|since|as|weil|car)\s+)?"
        rf"(?:{subject}\s*(?:['’]s|is|was|does|has)\s*(?:\w+\s+){{0,2}}?)?"
        rf"{_NO_FAULT}(?:{_NO})",
        re.IGNORECASE,
    )


_DOUBTED = re.compile(
    r"(?i)(?:\b(?:not|never|neither|cannot|doubt\w*|unsure|uncertain|whether|unless|if|hardly|wrong|deny"
    r"|denied|reject\w*|nicht|nie|pas|no|non|não|niet|не)|n['’]t)\b[^.!?\n:]*$"
)
"""What stands before an announced letter, in its sentence, and denies it."""


def read_verdict(draft: Draft) -> float | None:
    """Read P(right) out of a judge's reply.

    Args:
        draft: The reply.

    Returns:
        A probability in [0, 1], or None where the reply is not clearly A or B.
    """
    label = parse_label(draft.text)
    if label is None:
        return None
    own = None if draft.logprobs is None else own_logprobs(draft.logprobs, draft.text)[0]
    read = None if own is None else _p_right(own, label)
    return float(label == "A") if read is None else read


def parse_label(text: str) -> str | None:
    """Read the letter a reply decides for: alone, announced, or first; None if contradicted.

    Args:
        text: The reply.
    """
    text = spoken(text).strip()
    if "?" not in text[:_BEHIND] and text.strip(_PADDING).upper() in LABELS:
        return text.strip(_PADDING).upper()
    leading = _LEADING.match(text)
    announcements = list(_ANNOUNCED.finditer(text))
    decisions = [*announcements, *([leading] if leading else [])]
    if any(_is_denied(text, found) for found in decisions):
        return None
    named = set(_LABEL.findall(text))
    first = {leading[1]} & named if leading else set()
    announced = {found[1] for found in announcements}
    announced |= {text.rpartition("\n")[2].strip(_PADDING)}.intersection(LABELS)
    decided = first | announced if announced else first if len(named) == 1 else set()
    return decided.pop() if len(decided) == 1 else None


def _is_denied(text: str, found: re.Match[str]) -> bool:
    """Tell whether what stands around a letter takes it back."""
    start, end = found.span(1)
    behind = text[end : end + _BEHIND]
    if _taken_back().match(behind) or (found[1] == "A" and _contrary().match(behind)):
        return True
    return _DOUBTED.search(text[max(0, start - _BEFORE) : found.start()]) is not None


def _p_right(logprobs: Logprobs, label: str) -> float | None:
    """Return P(A) / (P(A) + P(B)) at the token that says the label."""
    try:
        said = [str(entry["token"]).strip(_PADDING) for entry in logprobs.entries]
        # In upper case, if it is anywhere.
        place = said.index(label if label in said else label.lower())
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    return p_right_at(logprobs, place, label)


def p_right_at(logprobs: Logprobs, place: int, label: str) -> float | None:
    """Return P(A) / (P(A) + P(B)) at a token.

    Args:
        logprobs: The tokens'.
        place: Which token says the label.
        label: The label.

    Returns:
        A probability in [0, 1], or None where the token has none.
    """
    try:
        own = float(logprobs.entries[place]["logprob"])
        alternatives = logprobs.alternatives(place)
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    mass = dict.fromkeys(LABELS, 0.0)
    for token, logprob in alternatives:
        name = token.strip(_PADDING).upper()
        if name in mass and logprob <= 0:  # NaN is not
            mass[name] += math.exp(logprob)
    if not mass[label] and own <= 0:
        mass[label] = math.exp(own)
    if not alternatives and mass[label]:  # what was not said is about all that remains
        mass["B" if label == "A" else "A"] = 1 - mass[label]
    total = sum(mass.values())
    return mass["A"] / total if total else None
