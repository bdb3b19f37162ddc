"""A call of one of LlamaIndex's methods as data, made in whichever of its four forms is wanted.

LlamaIndex names the forms alike for models, synthesizers and engines: `chat`, `achat`,
`stream_chat`, `astream_chat`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any

from cascade_core.frozen import frozen


@frozen
class Invocation:
    """A method and its arguments.

    Attributes:
        on: The model, synthesizer or query engine.
        method: The name of the method's plain form.
        args: Positional arguments.
        kwargs: Keyword arguments.
    """

    on: Any
    method: str
    args: Sequence[Any] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)

    def call(self) -> Any:
        """Ask and wait."""
        return getattr(self.on, self.method)(*self.args, **self.kwargs)

    async def acall(self) -> Any:
        """Ask and wait."""
        return await getattr(self.on, f"a{self.method}")(*self.args, **self.kwargs)

    def stream(self) -> Iterator[Any]:
        """Ask for a stream."""
        return iter(getattr(self.on, f"stream_{self.method}")(*self.args, **self.kwargs))

    async def astream(self) -> AsyncIterator[Any]:
        """Ask for a stream."""
        return aiter(await getattr(self.on, f"astream_{self.method}")(*self.args, **self.kwargs))
