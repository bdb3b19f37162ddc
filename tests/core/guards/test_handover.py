"""What is granted to a request that is gone meanwhile goes back."""

from __future__ import annotations

import asyncio
import threading

import pytest

from cascade_core.guards.handover import Handover


async def test_an_answer_that_is_waited_for_is_handed_over():
    back = []
    assert await Handover(lambda: "granted", back.append).get() == "granted"
    assert back == []


async def test_an_answer_that_comes_too_late_is_given_back():
    back, begun, go = [], threading.Event(), threading.Event()
    returned = threading.Event()

    def ask() -> str:
        begun.set()
        go.wait(60)
        return "granted"

    def give_back(answer: str) -> None:
        back.append(answer)
        returned.set()

    task = asyncio.create_task(Handover(ask, give_back).get())
    await asyncio.to_thread(begun.wait, 60)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert back == []
    go.set()
    assert await asyncio.to_thread(returned.wait, 60)
    assert back == ["granted"]


async def test_an_answer_that_was_there_already_is_given_back():
    back = []
    handover = Handover(lambda: "granted", back.append)
    task = asyncio.create_task(handover.get())
    while not handover._answers:  # noqa: ASYNC110 - until the thread has answered
        await asyncio.sleep(0)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        assert back == ["granted"]
    else:  # it was handed over at the last moment
        assert back == []


async def test_what_asking_raises_is_raised():
    def ask() -> str:
        raise OSError("asked in vain")

    with pytest.raises(OSError, match="in vain"):
        await Handover(ask, lambda _: None).get()
