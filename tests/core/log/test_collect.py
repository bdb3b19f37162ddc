"""Collecting decisions: each block sees its own, however it is nested or threaded."""

import asyncio
import contextvars
import threading

import pytest

from cascade_core import collect_decisions
from cascade_core.log import collectors


def publish(record):
    for seen in collectors():
        seen.append(record)


def test_decisions_inside_the_block_are_collected_in_order():
    publish({"id": "before"})
    with collect_decisions() as seen:
        publish({"id": "1"})
        publish({"id": "2"})
    publish({"id": "after"})
    assert [record["id"] for record in seen] == ["1", "2"]


def test_nested_blocks_each_see_what_is_inside_them():
    with collect_decisions() as outer:
        publish({"id": "1"})
        with collect_decisions() as inner:
            publish({"id": "2"})
        publish({"id": "3"})
    assert [record["id"] for record in outer] == ["1", "2", "3"]
    assert [record["id"] for record in inner] == ["2"]


def test_a_block_that_raises_stops_collecting():
    with pytest.raises(KeyError), collect_decisions() as seen:  # noqa: PT012
        publish({"id": "1"})
        raise KeyError
    publish({"id": "2"})
    assert len(seen) == 1


def test_a_thread_with_the_callers_context_reports_to_it_and_another_does_not():
    with collect_decisions() as seen:
        context = contextvars.copy_context()
        own = threading.Thread(target=context.run, args=(publish, {"id": "own"}))
        foreign = threading.Thread(target=contextvars.Context().run, args=(publish, {"id": "no"}))
        for thread in (own, foreign):
            thread.start()
            thread.join()
    assert [record["id"] for record in seen] == ["own"]


def test_threads_at_once_lose_nothing():
    with collect_decisions() as seen:
        threads = [
            threading.Thread(target=contextvars.copy_context().run, args=(publish, {"id": i}))
            for i in range(50)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(record["id"] for record in seen) == list(range(50))


async def test_tasks_collect_their_own_and_report_to_the_block_around_them():
    async def one(name):
        with collect_decisions() as mine:
            await asyncio.sleep(0)
            publish({"id": name})
            await asyncio.sleep(0)
        return [record["id"] for record in mine]

    with collect_decisions() as seen:
        own = await asyncio.gather(*(one(name) for name in "abc"))
    assert own == [["a"], ["b"], ["c"]]
    assert sorted(record["id"] for record in seen) == ["a", "b", "c"]
