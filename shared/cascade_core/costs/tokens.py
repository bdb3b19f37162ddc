"""Counting tokens where the provider reported none, honestly labelled.

A reported count always wins and never comes here. Where the encodings are found
does not belong here; see `encodings`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from cascade_core.usage import TokensSource, Usage

CHARACTERS_PER_TOKEN = 4
"""OpenAI's rule of thumb for English; other languages take more tokens."""

MESSAGE_TOKENS = 4
"""Tokens around each chat message: three separators and the role.

Source: OpenAI cookbook, "How to count tokens with tiktoken", section 6.
"""

REPLY_TOKENS = 3
"""Tokens that open the reply, once a request. Same source."""

_RUN = re.compile(r"(\S{500}|\s{500})")
"""Where unbroken text is cut: on long runs older releases of tiktoken take minutes, and
on a million blanks it panics. A cut adds a token at most; ordinary text has none."""


def count_tokens(text: str, model: str | None) -> tuple[int, TokensSource]:
    """Count the tokens of a text.

    Never opens a connection: an encoding that is not on this machine counts as
    none. The first count with an encoding takes some 0.3 s to read it.

    Args:
        text: The text.
        model: The model that reads or wrote it.

    Returns:
        The count, and `tiktoken` where it was made with the model's own
        encoding, else `estimate`: characters / 4, rounded up.
    """
    from cascade_core.costs.encodings import encoding_for  # noqa: PLC0415 - on use

    encoding = encoding_for(model)
    if encoding is None:
        return -(-len(text) // CHARACTERS_PER_TOKEN), "estimate"
    return sum(len(encoding.encode_ordinary(piece)) for piece in _RUN.split(text)), "tiktoken"


def estimate_usage(
    prompt_texts: Iterable[str], answer: str, model: str | None, output_tokens: int | None = None
) -> Usage:
    """Work out the usage of a call that reported none, such as an abandoned stream.

    Args:
        prompt_texts: The texts of the prompt's messages.
        answer: What had been written.
        model: The model.
        output_tokens: How many tokens had been written, where the stream
            showed each of them (by its logprob); makes `answer` unneeded.

    Returns:
        The usage, its source the weakest of its parts: `tiktoken` where every
        text was counted with the model's own encoding, else `estimate`.
    """
    counts = [count_tokens(text, model) for text in prompt_texts]
    parts = list(counts)
    if output_tokens is None:
        parts.append(count_tokens(answer, model))
        output_tokens = parts[-1][0]
    counted = all(source == "tiktoken" for _, source in parts)
    input_tokens = sum(count for count, _ in counts)
    if counts and counted:
        input_tokens += MESSAGE_TOKENS * len(counts) + REPLY_TOKENS
    # With no prompt at hand, its tokens are not counted but unknown.
    source: TokensSource = "tiktoken" if counts and counted else "estimate"
    return Usage(input_tokens, output_tokens, source=source)
