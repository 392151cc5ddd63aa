"""store.turn: one at a time, in order, and nobody waits for ever."""

import asyncio

import pytest

from postroom.errors import StorageUnavailableError
from postroom.store.turn import Turn


async def test_one_at_a_time_in_order() -> None:
    turn, order = Turn(), list[int]()

    async def use(number: int) -> None:
        await turn.take(1)
        order.append(number)
        await asyncio.sleep(0)
        assert order[-1] == number
        turn.give_back()

    await asyncio.gather(*[use(number) for number in range(20)])
    assert order == list(range(20))


async def test_whoever_waits_too_long_is_told_and_loses_no_turn() -> None:
    turn = Turn()
    await turn.take(1)
    with pytest.raises(StorageUnavailableError):
        await turn.take(0.01)
    turn.give_back()
    await turn.take(0.01)


async def test_q09_cancelled_at_any_moment_the_turn_goes_on() -> None:
    turn = Turn()
    await turn.take(1)
    first, second = (asyncio.ensure_future(turn.take(1)) for _ in range(2))
    await asyncio.sleep(0)
    turn.give_back()  # it is the first one's now, who does not know yet
    first.cancel()
    await asyncio.wait_for(second, 1)
    assert first.cancelled()
    turn.give_back()
    await turn.take(0.01)
