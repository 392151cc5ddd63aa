"""runtime/clock.py"""

import asyncio
import time
from pathlib import Path

import pytest

from postroom.runtime import clock as clocks
from postroom.runtime.clock import Clock, FakeClock


async def test_the_system_clock_tells_the_time():
    clock = Clock()
    assert abs(clock.now_ms() - time.time() * 1000) < 60_000
    assert clock.monotonic() <= clock.monotonic()
    assert clock.boottime() <= clock.boottime()
    await clock.sleep(0)


def test_advance_moves_every_clock():
    clock = FakeClock(1000)
    before = clock.monotonic(), clock.boottime()
    clock.advance(1.5)
    assert clock.now_ms() == 2500
    assert clock.now().isoformat() == "1970-01-01T00:00:02.500000+00:00"
    assert (clock.monotonic() - before[0], clock.boottime() - before[1]) == (1.5, 1.5)


def test_q07_jumps_and_suspension_move_some():
    clock = FakeClock(0)
    before = clock.monotonic(), clock.boottime()
    clock.jump(-86400)
    assert (clock.now_ms(), clock.monotonic(), clock.boottime()) == (-86_400_000, *before)
    clock.jump(86400)
    clock.suspend(600)
    assert (clock.now_ms(), clock.monotonic()) == (600_000, before[0])
    assert clock.boottime() == before[1] + 600


def test_q07_the_steady_scale_stays_where_it_is():
    clock = FakeClock(1_000_000)
    assert clock.moment() == (1_000_000, 0)
    clock.jump(86400)
    assert clock.steady_ms() == 1_000_000
    assert clock.moment() == (87_400_000, -86_400_000)
    assert sum(clock.moment()) == clock.steady_ms()
    clock.jump(-2 * 86400)
    clock.suspend(600)
    assert sum(clock.moment()) == 1_600_000
    clock.set_steady(clock.now_ms() + 500)
    assert clock.moment() == (clock.now_ms(), 0)  # no step, only a clock that is a little slow


def test_q07_a_file_makes_the_wall_clock_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / "wrong by"
    file.write_text("-3600")
    clock = Clock()
    before = clock.now_ms(), clock.steady_ms()
    monkeypatch.setattr(clocks, "_wrong_by", file)
    assert clock.now_ms() - before[0] == pytest.approx(-3_600_000, abs=60_000)
    assert clock.steady_ms() - before[1] < 60_000
    assert clock.moment()[1] == pytest.approx(3_600_000, abs=60_000)


async def test_sleepers_wake_when_they_are_due():
    clock = FakeClock()
    woken = []

    async def sleeper(seconds):
        await clock.sleep(seconds)
        woken.append(seconds)

    tasks = [asyncio.create_task(sleeper(seconds)) for seconds in (30, 10, 20)]
    await asyncio.sleep(0)
    clock.advance(20)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert woken == [10, 20]
    tasks[0].cancel()
    clock.advance(20)
    assert await asyncio.gather(*tasks, return_exceptions=True) != [None] * 3


async def test_run_lets_each_sleeper_act_at_its_moment():
    clock = FakeClock(0)
    moments = []

    async def periodic():
        while True:
            await clock.sleep(10)
            moments.append(clock.now_ms())

    task = asyncio.create_task(periodic())
    await clock.run(35)
    assert moments == [10_000, 20_000, 30_000]
    assert clock.now_ms() == 35_000
    task.cancel()
