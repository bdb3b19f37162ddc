"""From logits to an answer: sampling, token logprobs, stop strings and finish reasons.

Nothing here knows about HTTP or about the desk. `generate` is a plain generator that
pauses after every token, so that a server may do something else between two tokens.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Literal

import numpy as np

from cascade_demo.model import Floats, LanguageModel, ModelRun
from cascade_demo.tokenizer import END, Tokenizer

FinishReason = Literal["stop", "length", "tool_calls"]

IMPOSSIBLE = -9999.0
"""Logprob reported for a token of probability 0; JSON has no minus infinity."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How an answer is drawn.

    Attributes:
        temperature: 0 takes the likeliest token; 1 draws from the model's distribution.
        top_p: draw only from the likeliest tokens that hold this much probability.
        seed: makes the draw repeatable; None draws afresh.
        max_tokens: end with finish reason ``length`` after this many; None for no limit
            but the context.
        stop: end before the first of these texts would appear.
        top_logprobs: how many alternatives to give for every token.
    """

    temperature: float = 1.0
    top_p: float = 1.0
    seed: int | tuple[int, ...] | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    top_logprobs: int = 0


@dataclass(frozen=True, slots=True)
class Token:
    """One piece of an answer.

    Attributes:
        text: the piece; all pieces joined are the answer.
        logprob: natural log of its probability under the model, before temperature and
            top_p.
        alternatives: the likeliest pieces at this place, with their logprobs.
        forced: whether it is a part of a form that the model did not write, see `filling`.
    """

    text: str
    logprob: float
    alternatives: tuple[tuple[str, float], ...] = ()
    forced: bool = False


@dataclass(frozen=True, slots=True)
class Ending:
    """The end of an answer.

    Attributes:
        reason: ``stop`` (the model or a stop string ended it), ``length``, or
            ``tool_calls`` (it became one, see `tools`).
        tokens: tokens the model wrote, those of a removed stop string included.
        cut: whether a stop string ended it.
    """

    reason: FinishReason
    tokens: int
    cut: bool = False


def log_softmax(logits: Floats) -> Floats:
    """Give the natural-log probabilities of `logits`."""
    shifted = logits - logits.max()
    result: Floats = shifted - np.log(np.exp(shifted).sum())
    return result


def generate(
    model: LanguageModel, prompt: list[int], sampling: Sampling
) -> Iterator[list[Token | Ending]]:
    """Write an answer to `prompt`, which is read at once.

    Args:
        model: which model.
        prompt: token ids, the separator included.
        sampling: how to draw.

    Returns:
        An iterator with one item for every token computed: the pieces that may be shown
        after it. An item is empty while pieces are held back because they may be the
        beginning of a stop string. The last piece of the last item is the `Ending`.

    Raises:
        ContextLengthError: if the prompt leaves no room for an answer.
    """
    return _write(model, model.start(prompt), sampling)


def _write(
    model: LanguageModel, run: ModelRun, sampling: Sampling
) -> Iterator[list[Token | Ending]]:
    tokenizer = model.tokenizer
    rng = np.random.default_rng(sampling.seed)
    held: list[Token] = []
    for written in count():
        if run.full or written == sampling.max_tokens:
            yield [*held, Ending("length", written)]
            return
        logits = run.logits + model.silence
        logprobs = log_softmax(logits)
        chosen = _draw(logits, sampling, rng)
        if chosen == tokenizer.end:
            yield [*held, Ending("stop", written)]
            return
        held.append(_token(tokenizer, chosen, logprobs, sampling.top_logprobs, first=written == 0))
        text = "".join(token.text for token in held)
        cut = min((at for stop in sampling.stop if (at := text.find(stop)) >= 0), default=-1)
        if cut >= 0:
            yield [*_cut(held, cut), Ending("stop", written + 1, cut=True)]
            return
        run.step(chosen)
        safe = len(text) - _held_back(text, sampling.stop)
        ready: list[Token | Ending] = []
        while held and len(held[0].text) <= safe:
            safe -= len(held[0].text)
            ready.append(held.pop(0))
        yield ready


def _token(
    tokenizer: Tokenizer, chosen: int, logprobs: Floats, alternatives: int, *, first: bool
) -> Token:
    """Describe a drawn token; the space before the first word is not part of the answer."""

    def text(token: int) -> str:
        piece = END if token == tokenizer.end else tokenizer.pieces[token].decode(errors="replace")
        return piece.removeprefix(" ") if first else piece

    best = np.argsort(-logprobs, kind="stable")[:alternatives] if alternatives else ()
    return Token(
        text(chosen),
        float(logprobs[chosen]),
        tuple((text(int(token)), max(float(logprobs[token]), IMPOSSIBLE)) for token in best),
    )


def _draw(logits: Floats, sampling: Sampling, rng: np.random.Generator) -> int:
    if sampling.temperature == 0:
        return int(logits.argmax())
    # float64: a tiny temperature would overflow float32.
    scaled = logits.astype(np.float64) / sampling.temperature
    chances = np.exp(scaled - scaled.max())
    chances /= chances.sum()
    if sampling.top_p < 1:
        order = np.argsort(-chances, kind="stable")
        # A token stays if those before it do not yet hold top_p: at least one always does.
        before = np.cumsum(chances[order]) - chances[order]
        chances[order[before >= sampling.top_p]] = 0
        if not chances.any():  # top_p = 0
            return int(order[0])
        chances /= chances.sum()
    return int(rng.choice(chances.size, p=chances))


def _held_back(text: str, stop: tuple[str, ...]) -> int:
    """Length of the longest end of `text` that may be the beginning of a stop string."""
    return max(
        (
            size
            for string in stop
            for size in range(1, min(len(string), len(text) + 1))
            if text.endswith(string[:size])
        ),
        default=0,
    )


def _cut(held: list[Token], length: int) -> Iterator[Token]:
    """Give the pieces up to `length` characters, shortening the one that crosses it."""
    for token in held:
        if length <= 0:
            return
        if len(token.text) <= length:
            yield token
        else:
            yield Token(token.text[:length], token.logprob, token.alternatives)
        length -= len(token.text)
