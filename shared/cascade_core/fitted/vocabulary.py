"""The English words that features of a text count, by what they say about it."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


SPELLED = {
    "zero": 0.0, "one": 1.0, "two": 2.0, "three": 3.0, "four": 4.0, "five": 5.0, "six": 6.0,
    "seven": 7.0, "eight": 8.0, "nine": 9.0, "ten": 10.0, "eleven": 11.0, "twelve": 12.0,
    "thirteen": 13.0, "fourteen": 14.0, "fifteen": 15.0, "sixteen": 16.0, "seventeen": 17.0,
    "eighteen": 18.0, "nineteen": 19.0, "twenty": 20.0,
    "thirty": 30.0, "forty": 40.0, "fifty": 50.0, "sixty": 60.0, "hundred": 100.0,
    "once": 1.0, "twice": 2.0, "thrice": 3.0, "double": 2.0, "triple": 3.0, "dozen": 12.0,
}  # fmt: skip
FRACTIONS = _words(
    "half halves third thirds quarter quarters fourth fifth tenth percent percentage"
)
QUANTITIES = _words(
    """each every per twice thrice double triple times more less fewer than most least remaining
    remain remains left rest total altogether combined average half another additional equal
    equally same both only extra increase increased decrease decreased difference ratio rate"""
)
CONDITIONS = _words("if unless except until whether when while after before instead otherwise")
NEGATIVES = _words("no not never none neither nor without cannot can't don't doesn't didn't isn't")
TIMES = _words(
    """second seconds minute minutes hour hours day days week weeks weekly month months monthly
    year years yearly daily today yesterday tomorrow morning evening monday tuesday wednesday
    thursday friday saturday sunday age old older younger"""
)
REASONS = _words("why how explain describe compare difference prove show derive summarize")
HEDGES = _words(
    """maybe perhaps might may could possibly probably likely unlikely seems seem appears about
    approximately roughly around estimate estimated typically usually generally often sometimes
    should would think believe guess possible depends depending"""
)
TURNS = _words(
    """however but although though actually instead wait mistake incorrect wrong correction
    apologies contradiction contradicts still yet since nevertheless unfortunately"""
)
REFUSALS = _words(
    """sorry cannot can't unable unknown unclear unsure insufficient impossible unfortunately
    don't doesn't not missing unspecified ambiguous"""
)
SUPPOSITIONS = _words(
    "assume assuming assumed suppose supposing let let's say imagine consider given denote if"
)
CONCLUSIONS = _words(
    "therefore so thus hence total altogether finally conclusion answer result overall means"
)
