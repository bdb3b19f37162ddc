"""A call as data, made in whichever form is wanted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

from llamaindex_cascade.asking.calls import Invocation


class Model:
    def chat(self, *args: Any, **kwargs: Any) -> Any:
        return "chat", args, kwargs

    async def achat(self, *args: Any, **kwargs: Any) -> Any:
        return "achat", args, kwargs

    def stream_chat(self, *args: Any, **kwargs: Any) -> list[Any]:
        return ["stream_chat", args, kwargs]

    async def astream_chat(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        async def stream() -> AsyncIterator[Any]:
            for each in ("astream_chat", args, kwargs):
                yield each

        return stream()


async def test_the_four_forms_are_called_by_llamaindexs_names() -> None:
    chat = Invocation(Model(), "chat", ("hi",), {"top": 1})
    with_it = ("hi",), {"top": 1}
    assert chat.call() == ("chat", *with_it)
    assert await chat.acall() == ("achat", *with_it)
    stream = chat.stream()
    assert isinstance(stream, Iterator)
    assert [*stream] == ["stream_chat", *with_it]
    assert [each async for each in await chat.astream()] == ["astream_chat", *with_it]
