"""The demo's HTTP interface: the OpenAI chat-completions API over the two desk models.

One event loop computes every answer, a token at a time, and looks after all the others in
between; so concurrent requests advance evenly and nothing needs a lock. Starting and
stopping the server is in `server`, the wire format in `protocol`.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import asdict, dataclass

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from cascade_core.errors import CascadeError
from cascade_demo.checks import Json, RequestError
from cascade_demo.envelope import Choice, Envelope
from cascade_demo.generate import Ending
from cascade_demo.model import ContextLengthError, LanguageModel, load_embedded
from cascade_demo.protocol import MODELS, ChatRequest, parse_request
from cascade_demo.shaping import AnswerPart, prompt_of, write_answer

LARGEST_BODY = 1_000_000
"""Bytes; far beyond the models' context, and small enough to tokenise without a pause."""

_CLIENT_CLOSED_REQUEST = 499


@dataclass(slots=True)
class Counters:
    """What the server has done since its start.

    Attributes:
        requests: completions begun (refused requests are not).
        finished: completions answered to the end.
        disconnected: completions given up because the client went away.
        tokens_generated: tokens of all of them, counted as their usage is.
        in_flight: completions being computed now.
    """

    requests: int = 0
    finished: int = 0
    disconnected: int = 0
    tokens_generated: int = 0
    in_flight: int = 0

    @contextmanager
    def one_request(self) -> Iterator[None]:
        """Count one completion; one that is left by an exception was given up."""
        self.requests += 1
        self.in_flight += 1
        try:
            yield
        except BaseException:
            self.disconnected += 1
            raise
        else:
            self.finished += 1
        finally:
            self.in_flight -= 1


class _ClientGoneError(CascadeError):
    """The client went away while its answer was computed."""


def create_app(counters: Counters | None = None, token_delay_ms: float = 0) -> Starlette:
    """Build the application.

    Args:
        counters: where to count; new ones if None.
        token_delay_ms: pause after every token, to watch an answer grow.
    """
    desk = _Desk(counters or Counters(), token_delay_ms / 1000)
    return Starlette(
        routes=[
            Route("/v1/chat/completions", desk.complete, methods=["POST"]),
            Route("/v1/models", _list_models),
            Route("/v1/models/{name}", _show_model),
            Route("/health", _health),
            Route("/stats", desk.stats),
        ],
        exception_handlers={
            RequestError: _refuse,  # type: ignore[dict-item]
            HTTPException: _refuse_route,  # type: ignore[dict-item]
            ClientDisconnect: _leave,
        },
    )


class _Desk:
    """Serves completions."""

    def __init__(self, counters: Counters, delay: float) -> None:
        self._counters = counters
        self._delay = delay

    async def stats(self, _: Request) -> Response:
        return JSONResponse(asdict(self._counters))

    async def complete(self, request: Request) -> Response:
        asked = parse_request(await _read_json(request))
        model = load_embedded(asked.model)
        try:
            # Reads the prompt: it must be refused before a stream's headers are sent.
            writing = _Writing(model, asked)
        except ContextLengthError as error:
            raise RequestError(str(error), "messages", "context_length_exceeded") from error
        if asked.stream:
            events = self._events(writing)
            return StreamingResponse(events, media_type="text/event-stream")
        try:
            with self._counters.one_request():
                await self._finish(writing, request)
        except _ClientGoneError:
            return Response(status_code=_CLIENT_CLOSED_REQUEST)  # nobody reads it
        return JSONResponse(writing.envelope.whole(writing.choices, writing.prompt_tokens))

    async def _finish(self, writing: "_Writing", request: Request) -> None:
        """Write all of an answer unless the client goes away first."""
        watch = asyncio.create_task(_until_disconnected(request))
        try:
            async with aclosing(self._advance(writing)) as steps:
                async for _ in steps:
                    if watch.done():
                        raise _ClientGoneError
        finally:
            watch.cancel()

    async def _advance(self, writing: "_Writing") -> AsyncGenerator[tuple[int, AnswerPart], None]:
        """Write all choices in turn, a token each, giving way to others in between."""
        unfinished = dict(enumerate(writing.generators))
        while unfinished:
            for index, generator in list(unfinished.items()):
                choice = writing.choices[index]
                count = choice.count + 1
                for piece in next(generator):
                    if isinstance(piece, Ending):
                        count = piece.tokens
                        del unfinished[index]
                    choice.add(piece)
                    yield index, piece
                self._counters.tokens_generated += count - choice.count
                choice.count = count
                await asyncio.sleep(self._delay)

    async def _events(self, writing: "_Writing") -> AsyncGenerator[bytes, None]:
        """Give the server-sent events of a stream.

        Starlette cancels this when the client disconnects, which the counters notice.
        """
        envelope = writing.envelope
        with self._counters.one_request():
            if writing.plain:  # another answer's first event tells what it is
                for index, choice in enumerate(writing.choices):
                    yield _event(envelope.opening(index, choice))
            async with aclosing(self._advance(writing)) as steps:
                async for index, piece in steps:
                    for event in envelope.chunks(index, piece, writing.choices[index]):
                        yield _event(event)
            if writing.include_usage:
                yield _event(envelope.usage_chunk(writing.choices, writing.prompt_tokens))
            yield b"data: [DONE]\n\n"


class _Writing:
    """One request being answered: a generator and a growing `Choice` for each answer."""

    def __init__(self, model: LanguageModel, asked: ChatRequest) -> None:
        self.envelope = Envelope(asked.model, asked.logprobs)
        self.generators = [
            write_answer(model, asked.conversation, asked.form, sampling)
            for sampling in asked.samplings
        ]
        self.choices = [Choice() for _ in self.generators]
        self.plain = asked.form.plain
        self.include_usage = asked.include_usage
        self.prompt_tokens = len(prompt_of(model, asked.conversation))


def _event(body: Json) -> bytes:
    return b"data: " + json.dumps(body).encode() + b"\n\n"


async def _until_disconnected(request: Request) -> None:
    """Return once the client is gone; the body has been read, so nothing else can come."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _read_json(request: Request) -> object:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LARGEST_BODY:
            raise RequestError(f"the request body exceeds {LARGEST_BODY:,} bytes", status=413)
    try:
        return json.loads(body)
    except RecursionError:
        raise RequestError("the request body is nested too deep") from None
    except ValueError as error:
        raise RequestError(f"the request body is not valid JSON: {error}") from error


async def _health(_: Request) -> Response:
    return JSONResponse({"status": "ok"})


def _model_json(name: str) -> Json:
    return {"id": name, "object": "model", "created": 0, "owned_by": "model-cascade"}


async def _list_models(_: Request) -> Response:
    return JSONResponse({"object": "list", "data": [_model_json(name) for name in MODELS]})


async def _show_model(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in MODELS:
        raise RequestError(f"the model {name!r} does not exist", "model", "model_not_found", 404)
    return JSONResponse(_model_json(name))


async def _refuse(_: Request, error: RequestError) -> Response:
    return JSONResponse(error.as_json(), status_code=error.status)


async def _leave(_: Request, __: Exception) -> Response:
    """Give up a request whose client went away while it was sending it; nobody reads this."""
    return Response(status_code=_CLIENT_CLOSED_REQUEST)


async def _refuse_route(request: Request, error: HTTPException) -> Response:
    refusal = RequestError(f"{error.detail}: {request.method} {request.url.path}")
    return JSONResponse(refusal.as_json(), status_code=error.status_code, headers=error.headers)
