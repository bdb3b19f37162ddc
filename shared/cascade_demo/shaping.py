"""From what a model wrote to the answer that is sent: text, JSON or tool calls.

Text is sent as it is written. The two other forms are made of the finished answer, by
`filling` and `tools`; where they cannot be, the answer is a refusal that says why, as a
hosted model's is. These models cannot read a tool's result: after one the model writes
its answer to the ticket again, and the result is put behind it word for word, each word
forced.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from cascade_demo.conversation import Conversation
from cascade_demo.filling import JsonSchema, UnfilledError, fill
from cascade_demo.generate import Ending, FinishReason, Sampling, Token, generate
from cascade_demo.model import LanguageModel
from cascade_demo.passages import Written
from cascade_demo.tools import Offer, Proposal, choose_calls

_PIECE = re.compile(r"\s*\S+|\s+")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a form could not be filled.

    Attributes:
        text: the reason.
    """

    text: str


AnswerPart = Token | Proposal | Refusal | Ending


@dataclass(frozen=True, slots=True)
class Form:
    """What an answer may look like.

    Attributes:
        offer: the tools it may call.
        schema: what its text must be JSON of; None for plain text.
    """

    offer: Offer
    schema: JsonSchema | None = None

    @property
    def may_be_text(self) -> bool:
        """Whether an answer can be text."""
        return self.schema is None and self.offer.free

    @property
    def plain(self) -> bool:
        """Whether an answer can only be text."""
        return self.schema is None and (not self.offer.tools or self.offer.choice == "none")


def prompt_of(model: LanguageModel, conversation: Conversation) -> list[int]:
    """Give the token ids that a model reads."""
    return [
        *model.tokenizer.encode(conversation.ticket + conversation.stated),
        model.tokenizer.separator,
    ]


def write_answer(
    model: LanguageModel, conversation: Conversation, form: Form, sampling: Sampling
) -> Iterator[Sequence[AnswerPart]]:
    """Write an answer; its prompt is read at once.

    Returns:
        An iterator like that of `generate`, with tool calls and refusals among the pieces.
        While an answer that may get another form than text is written, its items are empty.

    Raises:
        ContextLengthError: if the prompt leaves no room for an answer.
    """
    model.check_room(prompt_of(model, conversation))
    steps = generate(model, prompt_of(model, replace(conversation, results=())), sampling)
    if conversation.results:
        steps = _stating(steps, conversation.stated, sampling)
    return steps if form.plain else _shape(steps, conversation, form, sampling)


def _stating(
    steps: Iterator[list[Token | Ending]], results: str, sampling: Sampling
) -> Iterator[list[Token | Ending]]:
    """Write `results` after what is written in `steps`."""
    for step in steps:
        ending = step[-1] if step else None
        if isinstance(ending, Ending) and ending.reason == "stop" and not ending.cut:
            yield [*step[:-1], *_stated(results, ending, sampling)]
        else:
            yield step


def _stated(results: str, ending: Ending, sampling: Sampling) -> Iterator[Token | Ending]:
    """Give the words of `results`, as many as there is room for."""
    stops = (at for stop in sampling.stop if (at := results.find(stop)) >= 0)
    words = _PIECE.findall(results[: min(stops, default=None)])
    room = None if sampling.max_tokens is None else sampling.max_tokens - ending.tokens
    kept = words[:room]
    for word in kept:
        yield Token(word, 0.0, ((word, 0.0),) if sampling.top_logprobs else ())
    reason: FinishReason = "stop" if len(kept) == len(words) else "length"
    yield Ending(reason, ending.tokens + len(kept))


def _shape(
    steps: Iterator[list[Token | Ending]],
    conversation: Conversation,
    form: Form,
    sampling: Sampling,
) -> Iterator[Sequence[AnswerPart]]:
    written: list[Token] = []
    for step in steps:
        ending = None
        for piece in step:
            if isinstance(piece, Token):
                written.append(piece)
            else:
                ending = piece
        yield _finished(written, ending, conversation, form, sampling) if ending else ()


def _finished(
    tokens: list[Token], ending: Ending, conversation: Conversation, form: Form, sampling: Sampling
) -> Sequence[AnswerPart]:
    """Give all of an answer that is written to its end."""
    if ending.reason == "length":
        return [*tokens, ending] if form.may_be_text else [ending]
    written = Written(tokens, conversation.stated)
    shown: Sequence[Token | Proposal]
    try:
        shown = choose_calls(form.offer, written, conversation.called)
        if shown:
            # As hosted models end: a call that was asked for by name is no surprise.
            ending = Ending("stop" if form.offer.named else "tool_calls", ending.tokens)
        elif form.schema is None:
            return [*tokens, ending]
        else:
            shown = fill(form.schema, written)
    except UnfilledError as error:
        return [Refusal(f"This cannot be filled in: {error}."), ending]
    return _limited(shown, ending, sampling)


def _limited(
    shown: Sequence[Token | Proposal], ending: Ending, sampling: Sampling
) -> Sequence[AnswerPart]:
    """Count the forced tokens among those that were written, and end where there are too many."""
    used = ending.tokens

    def within(tokens: Iterable[Token]) -> Iterator[Token]:
        nonlocal used
        for token in tokens:
            used += token.forced
            if sampling.max_tokens is not None and used > sampling.max_tokens:
                return
            yield replace(token, alternatives=token.alternatives[: sampling.top_logprobs])

    kept: list[AnswerPart] = []
    for piece in shown:
        if sampling.max_tokens is not None and used > sampling.max_tokens:
            break
        if isinstance(piece, Proposal):
            kept.append(replace(piece, tokens=tuple(within(piece.tokens))))
        else:
            kept += within([piece])
    if sampling.max_tokens is not None and used > sampling.max_tokens:
        return [*kept, Ending("length", sampling.max_tokens)]
    return [*kept, Ending(ending.reason, used)]
