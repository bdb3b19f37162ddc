"""How far an answer is supported by the texts it was made from.

Every sentence of the answer is looked for in the retrieved contexts, and the
reading falls with the worst of them. The idea is K-precision, the share of an
answer's words that its sources contain (Adlakha et al., "Evaluating Correctness
and Faithfulness of Instruction-Following Models for Question Answering", TACL
2024), made local: over a long text nearly every word occurs somewhere, so the
words of one sentence must stand near one another. For a sentence, and a window
of a few sentences of one context:

    coverage = weight of its words in the window / weight of all its words
    support  = max(0, coverage - 0.2) / 0.8
               x 0.4 where a number stands elsewhere or among other words
               x 0.4 where the window has a word only negated and the sentence does not,
                     or the other way round
    reading  = 0.5 x mean of the sentences' best supports + 0.5 x the worst of them

A word weighs 1, a name 2, a number 3, and a quarter of that where the question
says it already. A sentence with a number that no context contains has no
support, so one invented number keeps the reading at or below one half.

What a word is, is the subject of `words`; finding it, that of `evidence`;
asking a model, that of `judge`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from cascade_core.draft import Draft
from cascade_core.effects import Steps
from cascade_core.named_arguments import names_checked
from cascade_core.request import Request, Turn
from cascade_core.signals.base import BaseSignal
from cascade_core.signals.evidence import LONGEST_CLAIM, Claim, Evidence, Window
from cascade_core.signals.judge import Judge
from cascade_core.signals.readings import Reading
from cascade_core.signals.words import (
    GREETINGS,
    Item,
    Key,
    is_range,
    items,
    parts,
    sentences,
    tokens,
)
from cascade_core.tier import Tier

_WORD, _NAME, _NUMBER, _ASKED = 4, 8, 12, 4  # weights in quarters of a word; the last divides
_CHANCE = 0.2  # the coverage that unrelated texts have by accident
_DOUBTFUL = 0.4
_WORST = 0.5
_NEAR = 6  # tokens between a number and the words that say what it is of
_ANCHOR = 1 / 3  # share of those words that stand by the number in a context
_GREETING = 3  # fewer words after a greeting are part of it
_LONGEST_QUESTION = 1_000  # characters; a longer one is a prompt with more than the question in it
_SHORTEST_TEMPLATE = 40  # characters of a context whose occurrence makes the question a prompt

_ENTAILED = """\
Judge support only, against the parts named "source". The answer is right (A) if each of its \
statements follows from what the sources say, with the same numbers, names, dates and negations. \
It is wrong (B) if any statement contradicts the sources or is not in them, even if you know it \
to be true. Leaving something out is no mistake, and greetings need no support."""


@names_checked
class Grounding(BaseSignal):
    """How far the retrieved contexts support the answer, sentence by sentence.

    Free: it compares words, so a paraphrase in quite other words reads lower
    than it should, and a statement put together wrongly from the right words
    reads higher. With a judge it is paid: a model checks as well, and the
    reading is the lower of the two.

    The contexts are those the tier retrieved itself, else the request's. There
    is no reading without contexts, for an answer that states nothing, and for
    tool calls.

    Args:
        judge: A chat model, or its name, that checks whether the contexts entail the answer,
            or None. It is not asked where no support was found at all; where it
            does not decide, there is no reading.
        max_chars: The most characters the judge is shown, at least 1,000. Of
            longer contexts it sees the passages nearest to the answer.
        name: The signal's name in records and policies.

    Raises:
        ConfigurationError: `max_chars` is not one of the above.
    """

    model: Any  # set where there is a judge: adapters make it ready to be called

    def __init__(
        self, judge: Any = None, *, max_chars: int = 24_000, name: str = "grounding"
    ) -> None:
        self.name = name
        self.paid = judge is not None
        self._max_chars = max_chars
        self._judge: Judge | None = None
        if judge is not None:
            self.model = judge
            self._judge = Judge(judge, instructions=_ENTAILED, max_chars=max_chars, name=name)

    @property
    def identity(self) -> str:
        """The settings, and the judge's, but not its repr, which may hold keys."""
        judge = None if self._judge is None else self._judge.identity
        return f"Grounding(judge={judge}, name={self.name!r})"

    def measure(self, request: Request, draft: Draft, tier: Tier) -> Steps[Reading]:
        """Compare the answer with its contexts; then ask the judge, if there is one."""
        given = request.contexts if draft.contexts is None else draft.contexts
        contexts = [context for context in given if context.strip()]
        if not contexts or draft.tool_calls or draft.broken_tool_calls:
            return None
        question = question_of(request, contexts)
        claims = _claims(draft.text, question)
        if not claims:
            return None
        evidence = Evidence(contexts, claims)
        reading = _reading(claims, [_support(claim, evidence) for claim in claims])
        if self._judge is None or not reading:
            return reading
        if sum(map(len, contexts)) > self._max_chars // 2:
            contexts = list(_nearest(claims, evidence, self._max_chars // 2).values())
        turns = (Turn("user", question),) if question else ()
        judged = yield from self._judge.measure(Request(turns, contexts=contexts), draft, tier)
        return None if judged is None else min(reading, judged)


def question_of(request: Request, contexts: Sequence[str]) -> str:
    """Return the question, or nothing where it is a filled-in template around the contexts."""
    question = request.question
    if len(question) > _LONGEST_QUESTION:
        return ""
    held = (c.strip() for c in contexts if _SHORTEST_TEMPLATE <= len(c.strip()) <= len(question))
    return "" if any(context in question for context in held) else question


def _reading(claims: Sequence[Claim], supports: Sequence[float]) -> float:
    weights = [claim.weight for claim in claims]
    mean = sum(s * w for s, w in zip(supports, weights, strict=True)) / sum(weights)
    return min(1.0, (1 - _WORST) * mean + _WORST * min(supports))


def _support(claim: Claim, evidence: Evidence) -> float:
    """Return the best support that any window of any context gives a claim."""
    if not evidence.has(claim.exact):
        return 0.0
    best = max(map(_worth, evidence.windows(claim)))
    return best if evidence.anchored(claim, _ANCHOR) else min(best, _DOUBTFUL)


def _worth(window: Window) -> float:
    value = max(0.0, window.share - _CHANCE) / (1 - _CHANCE)
    if not window.complete:
        value *= _DOUBTFUL
    return value * _DOUBTFUL if window.denies else value


def nearest(answer: str, question: str, contexts: Sequence[str], most: int) -> dict[int, str]:
    """Return what a judge should see of contexts that are too long for it, by their place.

    Args:
        answer: The answer, whose words are looked for.
        question: What was asked.
        contexts: The contexts.
        most: Characters after which no more are shown.
    """
    claims = _claims(answer, question)
    return _nearest(claims, Evidence(contexts, claims), most)


def _nearest(claims: Sequence[Claim], evidence: Evidence, most: int) -> dict[int, str]:
    best = ((max(evidence.windows(claim), key=_worth), claim) for claim in claims)
    return evidence.passages([(window.start, claim) for window, claim in best], most)


def _claims(answer: str, question: str) -> list[Claim]:
    asked = {item.key for item in items(tokens(question))}
    claims = []
    for pieces in sentences(answer):
        if pieces[-1].rstrip("\"')*").endswith("?"):  # it asks, and states nothing
            continue
        said = [part for item in items(pieces) for part in _parts(item)]
        if _greets(pieces, said):
            continue
        # Cut after reading: "5 million" is one number on whichever side of a cut.
        for place, part in groupby(said, lambda item: item.place // LONGEST_CLAIM):
            size = min(LONGEST_CLAIM, len(pieces) - place * LONGEST_CLAIM)
            claims.append(_claim(list(part), asked, size))
    return claims


def _parts(item: Item) -> list[Item]:
    """Read a range as its two ends: "10-15" is supported by "10 to 15"."""
    if item.exact and is_range(item.key):
        return [item._replace(key=key) for key in parts(item.key)]
    return [item]


def _greets(pieces: Sequence[str], said: Sequence[Item]) -> bool:
    greets = pieces[0].strip(",.!*").lower() in GREETINGS
    return greets and len(said) < _GREETING and not any(item.exact for item in said)


def _neighbours(said: Sequence[Item]) -> dict[int, frozenset[Key]]:
    """Return the words near each place that has something exact."""
    words: dict[int, set[Key]] = {}
    for item in said:
        if not item.exact:
            words.setdefault(item.place, set()).add(item.key)
    places = {item.place for item in said if item.exact}
    return {
        place: frozenset(
            key for other in range(place - _NEAR, place + _NEAR + 1) for key in words.get(other, ())
        )
        for place in places
    }


def _claim(said: Sequence[Item], asked: set[Key], size: int) -> Claim:
    if all(item.key in asked for item in said):  # it says the question again: yes to all of it
        asked = set()
    weights: dict[Key, int] = {}
    exact: dict[Key, frozenset[Key]] = {}
    near = _neighbours(said)
    for item in said:
        weight = _NUMBER if item.exact else _NAME if item.name else _WORD
        weight = weight // _ASKED if item.key in asked else weight
        weights[item.key] = max(weight, weights.get(item.key, 0))
        if item.exact and item.key not in asked:
            around, known = near[item.place], exact.get(item.key)
            exact[item.key] = around if known is None else known | around
    negated: dict[str, bool] = {}
    for item in said:  # denied once is denied, however often the sentence says the word
        if item.word:
            negated[item.word] = negated.get(item.word, False) or item.negated
    return Claim(weights, exact, negated, size)
