"""Reads a text as the words, names and numbers that carry what it says.

Just enough language to compare an answer with its sources: no model, no
dictionary, and no script that is left out. What follows from the comparison is
not decided here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from cascade_core.compatible import compatible
from cascade_core.signals.agreement import numbers
from cascade_core.spoken import spoken

Key: TypeAlias = str | Decimal

_NO_SPACES = (  # scripts that are written without spaces, or glue particles to their words
    "\u0e01-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3105-\u312f\u31a0-\u31bf\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)
_GLUED = re.compile(f"[{_NO_SPACES}]")
_UNGLUE = re.compile(f"(?<=[{_NO_SPACES}]) +(?=[{_NO_SPACES}])")
_THOUSANDS = re.compile(r"(?<=\d)[\u00a0\u2009\u202f'’_](?=\d{3}(?!\d))")
_DASHES = re.compile("[\u2010-\u2015\u2212]")
_WORD = re.compile(r"(?<![^\W_])[^\W\d_]+(?:'[^\W\d_]+)?(?![^\W_])")
_NAMED = re.compile(r"(?:[^\W_]+[-./])*[^\W_]*\d[^\W_]*")  # AB-1234, A4, covid-19
_LONGEST_COMPOSITE = 40  # characters
_LONGEST_TOKEN = 200
"""Characters; what is longer is no word of anybody's, and is read in parts."""
_MOST = 16
"""Words, and numbers, that are read of one token."""
_LONGEST_SCALE = 12
"""Characters of the longest word that scales a number, and a sign after it."""
_LONGEST_KEPT = 40
"""Characters of the longest token whose reading is kept: what the caches hold is bounded, too."""
_ENDS = tuple(".!?;。！？；")  # noqa: RUF001 - full-width on purpose
_MARK = re.compile(r"(?:[-*•#>]+|\d{1,2}[.)])\s+")  # at the start of a line
_CITATION = re.compile(r"\[\d{1,3}(?:, ?\d{1,3})*\]")
_SUFFIX = re.compile(  # the longest that leaves four letters, or three before a plural's s
    "(?<=....)(?:ations?|ingly|ments?|ables?|ible|edly|ings?|ies|ied|e[dsnm]?|ly|y)$"
    "|(?<=..[^siu])s$"
)


def _listed(text: str) -> frozenset[str]:
    return frozenset(text.split())


STOP = _listed(
    # English, with what answers say about themselves
    """a about above after again against all also am an and any are aren as at be because been
    before being below between both but by can could did do does doing down during each either else
    for from further get gets getting got had has have having he her here hers him his how however
    i if in into is it its itself just let ll may me might more most must my of off on once only
    or other our ours out over own per re s same shall she should so some such t than that the
    their theirs them then there these they this those through to too under until up upon us ve
    very was we were what when where whether which while who whom whose why will with would you
    your yours able according answer assist assistance based certainly context course document
    documents feel free glad happy hello help helpful helps hi hope information know mentioned ok
    okay please provided question questions regards source sources stated sure text thank thanks
    welcome within yes"""
    # German
    """ ab aber alle als am auch auf aus bei bin bis da dann das dass dem den der des die dies diese
    dieser dieses du durch ein eine einem einen einer eines er es für hat haben hier ich ihr ihre
    ihrem ihren ihrer im ist ja kann können man mit nach noch nur ob oder sein sich sie sind
    so um und uns unter vom von vor war was wenn werden wie wir wird zu zum zur über"""
    # French, Spanish, Italian, Portuguese, Dutch
    """ à au aux avec ce ces cette dans de des du elle en est et eux il ils je la le les leur lui
    ma mais mes nous ou où par pour qu que qui sa se ses sont sur te tu un une vos votre vous
    al como con cuando del desde donde el ella ellos entre es esta este esto fue hay las lo los más
    mi muy o para pero por porque puede se ser si sobre son su sus también tiene una uno unos y ya
    alla che chi ci come da dal dalla degli dei della delle di e gli ha i nel nella per più può
    questo sono tra tutti anche as ao com da do dos é em foi mais na no nas nos pela pelo são seu
    sua um uma aan dat de deze dit een en het hun ik is je kan maar met naar of om onder ook op
    te tot uit uw van voor wordt zijn zo"""
)
NEGATIONS = _listed(
    """no not never none neither nor cannot without unable non nicht kein keine keinen keinem
    keiner keines nie niemals ohne pas jamais aucun aucune sans nunca sin ningún ninguna senza mai
    niet geen nooit zonder não sem"""
)
GREETINGS = _listed(
    """hello hi hey dear thank thanks regards sincerely sorry cheers hallo liebe lieber bonjour
    merci hola gracias ciao grazie olá obrigado dag bedankt"""
)
_SPELLED = {
    "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15,
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "ninety": 90,
}  # fmt: skip


class Item(NamedTuple):
    """One thing a text says something with.

    Attributes:
        key: What it is compared by: a stem, a value, or an identifier.
        place: The index of the token it stands in.
        word: The word as it is written, in lower case; empty for what is no word.
        exact: Whether it is a number or identifier written in digits.
        name: Whether it is written like a name: a capital inside a sentence.
        negated: Whether a negation stands before it.
    """

    key: Key
    place: int
    word: str = ""
    exact: bool = False
    name: bool = False
    negated: bool = False


def tokens(text: str) -> list[str]:
    """Split a text without its citation marks; a letter of a script without spaces is a token.

    None is longer than `_LONGEST_TOKEN`, so that reading one takes no time to speak of.
    """
    text = _THOUSANDS.sub("", _CITATION.sub(" ", text))
    text = _DASHES.sub("-", compatible(text)).replace("’", "'")
    pieces = (text if text.isascii() else _GLUED.sub(r" \g<0> ", text)).split()
    if all(len(piece) <= _LONGEST_TOKEN for piece in pieces):
        return pieces
    return [part for piece in pieces for part in _cut(piece)]


def _cut(piece: str) -> Iterator[str]:
    for start in range(0, len(piece), _LONGEST_TOKEN):
        yield piece[start : start + _LONGEST_TOKEN]


def joined(pieces: list[str]) -> str:
    """Put tokens together again as a text."""
    return _UNGLUE.sub("", " ".join(pieces))


def sentences(answer: str) -> list[list[str]]:
    """Split an answer into the tokens of its sentences, without list marks."""
    found: list[list[str]] = []
    for line in spoken(answer).splitlines():
        mark = _MARK.match(line := line.strip() + "\n")
        pieces = tokens(line[mark.end() :] if mark else line)
        start = 0
        for end, piece in enumerate(pieces, 1):
            if ends(piece) or end == len(pieces):
                found.append(pieces[start:end])
                start = end
    return found


def ends(piece: str) -> bool:
    """Tell whether a token ends a sentence."""
    return piece.endswith(_ENDS)


def items(pieces: list[str]) -> Iterator[Item]:
    """Read tokens, in order; words that carry nothing are left out.

    A negation reaches the next word that carries something, in its sentence.
    """
    negated, starts, glued = False, True, ""
    last = len(pieces) - 1
    for place, piece in enumerate(pieces):
        if not piece.isascii() and _GLUED.match(piece):
            if glued:
                yield Item(glued + piece, place - 1)
            glued = piece
            continue
        glued = ""
        words, digits = (_read if len(piece) <= _LONGEST_KEPT else _read.__wrapped__)(piece)
        if digits:
            following = pieces[place + 1] if place < last else ""
            following = following[:_LONGEST_SCALE] if following[:1].isalpha() else ""
            numbers_of = _numbers if len(piece) <= _LONGEST_KEPT else _numbers.__wrapped__
            for number in numbers_of(piece, following):
                yield Item(number, place, exact=True)
        for key, word, name in words:
            if key is None:
                negated = True
                continue
            yield Item(key, place, word, name=name and not starts, negated=negated)
            negated = False
        starts = ends(piece)
        if starts:
            negated = False


@lru_cache(maxsize=20_000)
def _read(piece: str) -> tuple[tuple[tuple[Key | None, str, bool], ...], bool]:
    """Return the words of a token, None for a negation, and whether it has digits."""
    found: list[tuple[Key | None, str, bool]] = []
    for written in _WORD.findall(piece):
        word = written.lower()
        if word in NEGATIONS or word.endswith("n't"):
            found.append((None, "", False))
            continue
        if "'" in word:  # l'abonnement, customer's
            word = max(word.split("'"), key=len)
        if word in STOP or (len(word) == 1 and word.isascii()):
            continue
        found.append(
            (
                Decimal(_SPELLED[word]) if word in _SPELLED else stem(word),
                word,
                written[0].isupper(),
            )
        )
    return tuple(found[:_MOST]), not piece.isalpha() and any(map(str.isdecimal, piece))


def stem(word: str) -> str:
    """Cut the endings that most often tell forms of one word apart (refunded, refundable)."""
    cut = _SUFFIX.sub("", word)
    return cut[:-1] if cut[-1:] == cut[-2:-1] else cut  # shipp(ing) is ship, so bill is bil


@lru_cache(maxsize=20_000)
def _numbers(piece: str, following: str) -> tuple[Key, ...]:
    """Return the numbers of a token; the next one may scale it (5 million)."""
    found = [n for n in numbers(f"{piece} {following}") if n.start < len(piece)]
    if not found:
        return tuple(name.casefold() for name in _NAMED.findall(piece)[:_MOST])
    return tuple(n.value for n in found[:_MOST])


def parts(key: Key) -> list[Key]:
    """Return the values a composite number is written with: 2024-05-12 has 2024, 5 and 12."""
    if isinstance(key, Decimal):
        return []
    body = key.rpartition("e")[0].lstrip("-")
    pieces = re.split(r"[-/:]", body[:_LONGEST_COMPOSITE])
    if (
        len(body) > _LONGEST_COMPOSITE
        or len(pieces) == 1
        or not all(p.replace(".", "").replace(",", "").isdecimal() for p in pieces)
    ):
        return []
    return [number.value for piece in pieces for number in numbers(piece)]


def is_range(key: Key) -> bool:
    """Tell whether a composite number is a range (10-15), which may be written otherwise."""
    return isinstance(key, str) and "-" in key and len(parts(key)) == 2  # noqa: PLR2004
