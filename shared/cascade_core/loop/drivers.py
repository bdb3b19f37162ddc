"""The only code here that differs between sync and async.

A driver runs a flow: it takes each effect the flow yields, lets a *port*
perform it, and sends the reply back. The adapter of a framework supplies the
port. An exception of a port becomes a `Failed` reply; only `port.fatal`
exceptions, and those that are not `Exception` (cancellation, a closed
generator, Ctrl-C), end the flow.

Whichever way a flow ends, its generator is closed and so is the port's
running stream, with its connection.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from threading import Thread
from time import perf_counter
from typing import Any, Generic, TypeVar

from cascade_core.effects import (
    Adopt,
    Ask,
    Begin,
    Close,
    Compute,
    Computed,
    Drop,
    Effect,
    Emit,
    Failed,
    Note,
    Now,
    Open,
    Pull,
    Race,
    Reply,
    Reserve,
    Settle,
    Steps,
)
from cascade_core.guards.handover import cancel_count
from cascade_core.loop.port import AsyncPort, Port

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Result(Generic[T]):
    """What a streamed flow returned; the last item of its stream."""

    value: T


def run(flow: Steps[T], port: Port) -> T:
    """Run a flow that does not stream."""
    reply: Reply = None
    try:
        while True:
            reply = _perform(flow.send(reply), port)
    except StopIteration as stop:
        value: T = stop.value
        return value
    finally:
        try:
            port.close()  # first: what had arrived is paid for, and the flow writes it down
        finally:
            flow.close()


async def arun(flow: Steps[T], port: AsyncPort) -> T:
    """Run a flow that does not stream."""
    reply: Reply = None
    try:
        while True:
            try:
                effect = flow.send(reply)
            except StopIteration as stop:
                value: T = stop.value
                return value
            cancels = cancel_count()
            reply = await _aperform(effect, port)
            _not_cancelled(reply, cancels)
    finally:
        try:
            await port.close()
        finally:
            flow.close()


def stream(flow: Steps[T], port: Port) -> Generator[Any, None, None]:
    """Run a flow and yield what it emits, then its `Result`."""
    reply: Reply = None
    try:
        while True:
            try:
                effect = flow.send(reply)
            except StopIteration as stop:
                port.close()
                yield Result(stop.value)
                return
            if type(effect) is Emit:
                yield port.emit(effect)
                reply = None
            else:
                reply = _perform(effect, port)
    finally:
        try:
            port.close()
        finally:
            flow.close()


async def astream(flow: Steps[T], port: AsyncPort) -> AsyncGenerator[Any, None]:
    """Run a flow and yield what it emits, then its `Result`."""
    reply: Reply = None
    try:
        while True:
            try:
                effect = flow.send(reply)
            except StopIteration as stop:
                await port.close()
                yield Result(stop.value)
                return
            if type(effect) is Emit:
                yield await port.emit(effect)
                reply = None
            else:
                # Counted here, for the next chunk may be asked for by another task.
                cancels = cancel_count()
                reply = await _aperform(effect, port)
                _not_cancelled(reply, cancels)
    finally:
        try:
            await port.close()
        finally:
            flow.close()


def play(
    flow: Steps[T], replies: Iterable[Reply] | Callable[[Effect], Reply]
) -> tuple[T, list[Effect]]:
    """Run a flow with no model: replies come from a list or a function.

    Args:
        flow: The flow.
        replies: Replies in order, or a function from effect to reply. `Emit`,
            `Note` and `Begin` need none from a list.

    Returns:
        What the flow returned, and every effect it yielded.
    """
    scripted = None if callable(replies) else iter(replies)
    seen: list[Effect] = []
    reply: Reply = None
    while True:
        try:
            effect = flow.send(reply)
        except StopIteration as stop:
            return stop.value, seen
        seen.append(effect)
        if scripted is None:
            reply = replies(effect)  # type: ignore[operator]
        else:
            reply = None if isinstance(effect, Emit | Note | Begin) else next(scripted)


_DONE_BY = {
    Ask: "ask",
    Adopt: "adopt",
    Open: "open",
    Reserve: "reserve",
    Settle: "settle",
    Begin: "begin",
    Race: "race",
    Drop: "drop",
}
"""The method of a port that performs an effect."""


def _perform(effect: Effect, port: Port) -> Reply:
    started = perf_counter()
    kind = type(effect)
    try:
        method = _DONE_BY.get(kind)
        if method is not None:
            reply: Reply = getattr(port, method)(effect)
            return reply
        if kind is Pull:
            return port.pull()
        if kind is Close:
            return port.close()
        if isinstance(effect, Compute):
            value = effect.function(*effect.args)
            return Computed(await_elsewhere(value) if inspect.isawaitable(value) else value)
        if isinstance(effect, Note):
            port.note(effect)
        return started if kind is Now else None
    except port.fatal:
        raise
    except Exception as error:  # noqa: BLE001 - a failed call is a reply, not a crash
        return Failed(error, perf_counter() - started, began=started)


async def _aperform(effect: Effect, port: AsyncPort) -> Reply:
    started = perf_counter()
    kind = type(effect)
    try:
        method = _DONE_BY.get(kind)
        if method is not None:
            reply: Reply = await getattr(port, method)(effect)
            return reply
        if kind is Pull:
            return await port.pull()
        if kind is Close:
            return await port.close()
        if isinstance(effect, Compute):
            if effect.blocks:
                return Computed(await awaited(effect.function, *effect.args))
            value = effect.function(*effect.args)
            return Computed(await value if inspect.isawaitable(value) else value)
        if isinstance(effect, Note):
            port.note(effect)
        return started if kind is Now else None
    except port.fatal:
        raise
    except Exception as error:  # noqa: BLE001 - a failed call is a reply, not a crash
        return Failed(error, perf_counter() - started, began=started)


def _not_cancelled(reply: Reply, before: int) -> None:
    """Stop where the task was cancelled during a call that did not pass it on.

    An HTTP client may turn a cancellation into an error of its own, and
    `asyncio.wait_for` of Python 3.11 loses one that comes together with a chunk;
    the cascade would then go on with a request that nobody waits for. What callers
    compute is not suspected: a task group of Python 3.11 cancels its own task to
    end, and leaves the count as it is.
    """
    if cancel_count() > before and not isinstance(reply, Computed):
        raise asyncio.CancelledError from (reply.error if isinstance(reply, Failed) else None)


def await_elsewhere(value: Any) -> Any:
    """Await a caller's coroutine from sync code, whether or not a loop is running here."""

    async def wait() -> Any:
        return await value

    def in_new_loop(coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run(coroutine)

    context = contextvars.copy_context()
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(context.run, in_new_loop, wait()).result()


async def in_thread(function: Callable[..., T], *args: Any) -> T:
    """Call what may block, where an event loop is running in one of its threads."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:  # another event loop's framework, or none, is driving
        return function(*args)
    return await asyncio.to_thread(_called, function, *args)


def _called(function: Callable[..., T], *args: Any) -> T:
    """Call a function; no future takes a `StopIteration`, and whoever awaits it waits for ever."""
    try:
        return function(*args)
    except StopIteration as error:
        raise RuntimeError("a function raised StopIteration") from error


async def in_own_thread(function: Callable[[], None]) -> None:
    """Call what blocks for long, in a thread that ends with it; see `in_thread`."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        function()
        return
    done: asyncio.Future[None] = loop.create_future()

    def say(error: BaseException | None) -> None:
        if not done.done():
            done.set_result(None) if error is None else done.set_exception(error)

    def run() -> None:
        error: BaseException | None = None
        try:
            _called(function)
        except BaseException as raised:  # noqa: BLE001 - it is raised where this is awaited
            error = raised
        with suppress(RuntimeError):  # the loop may be closed by now
            loop.call_soon_threadsafe(say, error)

    thread = Thread(target=contextvars.copy_context().run, args=(run,), daemon=True)
    thread.start()
    await done
    while thread.is_alive():  # noqa: ASYNC110 - it has nothing left to do but to end
        await asyncio.sleep(0)


async def awaited(function: Callable[..., Any], *args: Any) -> Any:
    """Call a caller's function: a coroutine function here, any other in a thread."""
    if inspect.iscoroutinefunction(function):
        return await function(*args)
    value = await in_thread(function, *args)
    return await value if inspect.isawaitable(value) else value
