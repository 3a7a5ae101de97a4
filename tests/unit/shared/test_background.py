"""Work in the background: the error that ends a task is heard, once, and a cancelled task is no error."""

from __future__ import annotations

import asyncio

from shared.background import Background


def test_the_error_that_ends_a_task_is_heard_and_the_others_go_on() -> None:
    heard: list[BaseException] = []
    done: list[str] = []

    async def fails() -> None:
        raise OSError("gone")

    async def works() -> None:
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        done.append("works")

    async def run() -> None:
        background = Background(heard.append)
        background.start(fails())
        background.start(works())
        while not done:
            await asyncio.sleep(0)

    asyncio.run(run())
    assert [(type(error), str(error)) for error in heard] == [(OSError, "gone")]
    assert done == ["works"]


def test_a_task_that_is_cancelled_at_the_end_is_no_error() -> None:
    heard: list[BaseException] = []

    async def run() -> None:
        Background(heard.append).start(asyncio.sleep(3600))
        await asyncio.sleep(0)

    asyncio.run(run())
    assert heard == []
