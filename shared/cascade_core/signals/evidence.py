"""Finds where in long texts the words of a claim stand near one another.

A text is indexed once, as sets of places; a set is one integer with a bit a
place. Looking a claim up is then a handful of additions over all places at
once, so the work grows with the length of the texts and the number of claims,
and not with how often a word is repeated. What a place is worth is decided by
`grounding`, which also says what the weights mean.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cascade_core.signals.words import Key, ends, items, joined, parts, tokens

LONGEST_CLAIM = 40  # tokens of a sentence that must stand together
_BLOCK = 20  # tokens; a window is two or three blocks, as many as the claim can touch
_SENTENCE = 4  # tokens; a shorter sentence counts as a part of the next
_APART = 3  # empty blocks between texts, so that no window spans two


@dataclass(frozen=True, slots=True)
class Claim:
    """What one sentence, or a part of a long one, needs to be found.

    Attributes:
        weights: What is looked for, and how much each counts.
        exact: Numbers and identifiers that have to be there, each with the words
            near it.
        negated: Its words as they are written, and whether each is negated.
        size: Its length in tokens, at most `LONGEST_CLAIM`.
    """

    weights: Mapping[Key, int]
    exact: Mapping[Key, frozenset[Key]]
    negated: Mapping[str, bool]
    size: int

    @property
    def weight(self) -> int:
        """How much the claim says."""
        return sum(self.weights.values())


@dataclass(frozen=True, slots=True)
class Window:
    """The best window of one kind.

    Attributes:
        share: The share of the claim's weight it holds.
        complete: Whether it holds every number of the claim.
        denies: Whether it has a word of the claim only with the opposite negation.
        start: The block it starts at.
    """

    share: float
    complete: bool
    denies: bool
    start: int


class Evidence:
    """Where in some texts the words of some claims stand.

    Args:
        texts: The texts.
        claims: What will be looked for.
    """

    def __init__(self, texts: Sequence[str], claims: Sequence[Claim]) -> None:
        wanted = {key for claim in claims for key in claim.weights}
        wanted |= {key for claim in claims for near in claim.exact.values() for key in near}
        written = {word for claim in claims for word in claim.negated}
        blocks: dict[Key, list[int]] = defaultdict(list)
        lines: dict[Key, list[int]] = defaultdict(list)
        polar: dict[tuple[str, bool], list[int]] = defaultdict(list)
        self._texts: list[tuple[int, list[str]]] = []
        block = line = 0
        for text in texts:
            pieces = tokens(text)
            self._texts.append((block, pieces))
            line_of = _lines(pieces, line)
            for item in items(pieces):
                at = block + item.place // _BLOCK
                for key in (item.key, *parts(item.key)) if item.exact else (item.key,):
                    if key in wanted:
                        blocks[key].append(at)
                        lines[key].append(line_of[item.place])
                if item.word in written:
                    polar[item.word, item.negated].append(at)
            block += -(-len(pieces) // _BLOCK) + _APART
            line = line_of[-1] + 1 if line_of else line
        self._blocks = {key: _mask(found) for key, found in blocks.items()}
        self._lines = {key: _mask(found) for key, found in lines.items()}
        self._polar = {key: _mask(found) for key, found in polar.items()}
        self._everywhere = (1 << block) - 1

    def has(self, keys: Iterable[Key]) -> bool:
        """Tell whether each of some keys occurs anywhere."""
        return all(key in self._blocks for key in keys)

    def windows(self, claim: Claim) -> list[Window]:
        """Return the best window of every kind there is for a claim."""
        span = _span(claim.size)
        planes: list[int] = []
        complete = self._everywhere
        for key, weight in claim.weights.items():
            held = _smeared(self._blocks.get(key, 0), span)
            _add(planes, held, weight)
            if key in claim.exact:
                complete &= held
        denies = self._denying(claim, span)
        total = claim.weight
        return [
            Window(value / total, holds, against, start)
            for holds, of_numbers in ((True, complete), (False, self._everywhere & ~complete))
            for against, among in ((False, of_numbers & ~denies), (True, of_numbers & denies))
            for value, start in _highest(planes, among)
        ]

    def anchored(self, claim: Claim, share: float) -> bool:
        """Tell whether every number has, in one sentence, enough of the words near it.

        Args:
            claim: The claim.
            share: The share of those words that is enough.
        """
        counted: dict[frozenset[Key], list[int]] = {}  # numbers side by side have one set of words
        for number, near in claim.exact.items():
            planes = counted.get(near)
            if planes is None:
                planes = counted[near] = []
                for key in near:
                    _add(planes, self._lines.get(key, 0), 1)
            best = max((v for v, _ in _highest(planes, self._lines.get(number, 0))), default=0)
            if best < share * len(near):
                return False
        return True

    def passages(self, places: Iterable[tuple[int, Claim]], most: int) -> dict[int, str]:
        """Return the texts around windows, by the place of the text they are of.

        Args:
            places: Where windows start, and the claims they are for; the first
                are served first.
            most: Characters after which no more are added.
        """
        kept: set[int] = set()
        for start, claim in places:
            for block in range(max(0, start - 1), start + _span(claim.size) + 1):
                if block not in kept and most > 0:
                    kept.add(block)
                    most -= sum(len(" ".join(self._block(*text, block))) for text in self._texts)
        found = (self._passage(offset, pieces, sorted(kept)) for offset, pieces in self._texts)
        return {place: passage for place, passage in enumerate(found) if passage}

    def _denying(self, claim: Claim, span: int) -> int:
        """Return the windows that have a word of the claim only with the opposite negation."""
        denying = 0
        for word, negated in claim.negated.items():
            if other := self._polar.get((word, not negated), 0):
                same = self._polar.get((word, negated), 0)
                denying |= _smeared(other, span) & ~_smeared(same, span)
        return denying

    @staticmethod
    def _block(offset: int, pieces: list[str], block: int) -> list[str]:
        start = (block - offset) * _BLOCK
        return pieces[start : start + _BLOCK] if start >= 0 else []

    def _passage(self, offset: int, pieces: list[str], blocks: Sequence[int]) -> str:
        shown: list[str] = []
        previous = None
        for block in blocks:
            found = self._block(offset, pieces, block)
            if found:
                if previous is not None and block > previous + 1:
                    shown.append("[…]")
                shown += found
                previous = block
        return joined(shown)


def _span(size: int) -> int:
    """Return the most blocks that so many tokens in a row can touch."""
    return max(2, (size - 2) // _BLOCK + 2)


def _lines(pieces: Sequence[str], line: int) -> list[int]:
    """Number the sentences of a text, from `line` on."""
    numbered, start = [], 0
    for place, piece in enumerate(pieces):
        numbered.append(line)
        if place - start + 1 >= _SENTENCE and ends(piece):
            line, start = line + 1, place + 1
    return numbered


def _mask(places: Sequence[int]) -> int:
    """Return a set of places, in ascending order, as one integer."""
    bits = bytearray(places[-1] // 8 + 1)
    for place in places:
        bits[place >> 3] |= 1 << (place & 7)
    return int.from_bytes(bits, "little")


def _smeared(blocks: int, span: int) -> int:
    """Return the starts of the windows that hold one of some blocks."""
    held = blocks
    for shift in range(1, span):
        held |= blocks >> shift
    return held


def _add(planes: list[int], places: int, weight: int) -> None:
    """Add a weight at some places to the sums whose binary digits `planes` are."""
    plane = 0
    while weight:
        carry = places if weight & 1 else 0
        at = plane
        while carry:
            if at == len(planes):
                planes.append(0)
            planes[at], carry = planes[at] ^ carry, planes[at] & carry
            at += 1
        weight >>= 1
        plane += 1
        if weight and plane > len(planes):
            planes.append(0)


def _highest(planes: Sequence[int], among: int) -> list[tuple[int, int]]:
    """Return the highest of the sums at some places and where it first is, if there are any."""
    if not among:
        return []
    value = 0
    for plane in reversed(range(len(planes))):
        if better := among & planes[plane]:
            among = better
            value |= 1 << plane
    return [(value, (among & -among).bit_length() - 1)]
