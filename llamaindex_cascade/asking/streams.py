"""A tier's stream: what arrives is handed on and put together at the same time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from time import perf_counter
from typing import Any

from cascade_core.draft import Draft, Finish
from cascade_core.effects import Chunk
from cascade_core.logprobs import Logprobs
from cascade_core.loop import streams
from cascade_core.usage import Usage
from llamaindex_cascade.reading.answers import read_finish, reported_usage, to_draft
from llamaindex_cascade.reading.connections import (
    aclose_connections,
    close_connections,
    streams_under,
)
from llamaindex_cascade.reading.logprobs import chunk_tokens
from llamaindex_cascade.reading.raw import Response


class Responses:
    """Puts a stream of responses together; each holds all the text so far.

    Args:
        name: The model's name, where the chunks do not say it.
        prompt_texts: Gives what was asked, to count tokens that nobody reported.
        judge: Looks at the whole draft.
        entries: Whether alternatives to the tokens are wanted too.
    """

    def __init__(
        self,
        name: str | None,
        prompt_texts: Callable[[], Iterable[str]],
        judge: Callable[[Draft], Draft],
        *,
        entries: bool,
    ) -> None:
        self._name = name
        self._prompt_texts = prompt_texts
        self._judge = judge
        self._wants_entries = entries
        self._started = perf_counter()
        self._last: Response | None = None
        self._values: list[float] = []
        self._entries: list[Mapping[str, Any]] = []
        self._usage: Usage | None = None
        self._finish: Finish | None = None

    def take(self, chunk: Response) -> Chunk:
        """Take the next chunk."""
        self._last = chunk
        tokens = chunk_tokens(chunk)
        values = () if tokens is None else tokens.values
        if tokens is not None:
            self._values += values
            if self._wants_entries:
                self._entries += tokens.entries
        self._usage = reported_usage(chunk) or self._usage
        self._finish = read_finish(chunk) or self._finish
        return Chunk(chunk, values)

    def had(self) -> Draft | None:
        """Return what has arrived."""
        if self._last is None:
            return None
        logprobs = None
        if self._values:
            aligned = len(self._entries) == len(self._values)
            logprobs = Logprobs(self._values, self._entries if aligned else ())
        draft = to_draft(
            self._last,
            seconds=perf_counter() - self._started,
            name=self._name,
            prompt_texts=self._prompt_texts,
            logprobs=logprobs,
            usage=self._usage,
        )
        # Usually said by the last chunk but one: the tokens used come after it.
        return draft if self._finish is None else replace(draft, finish=self._finish)

    def whole(self) -> Draft:
        """Return the answer."""
        draft = self.had()
        return Draft() if draft is None else self._judge(draft)


class TierStream(streams.Stream):
    """A running stream; its connection is closed with it."""

    def _shut(self) -> None:
        connections = streams_under(self._source)
        super()._shut()
        close_connections(connections)


class AsyncTierStream(streams.AsyncStream):
    """The same, awaited."""

    async def _shut(self) -> None:
        connections = streams_under(self._source)
        await super()._shut()
        await aclose_connections(connections)
