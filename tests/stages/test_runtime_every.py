"""runtime/every.py and runtime/loop.py"""

import asyncio

from structlog.testing import capture_logs

from postroom.runtime.clock import FakeClock
from postroom.runtime.every import Every
from postroom.runtime.loop import LoopLag
from postroom.runtime.metrics import REGISTRY


async def test_jobs_run_again_and_again_give_or_take_a_tenth():
    clock = FakeClock(0)
    moments = []

    async def job():
        moments.append(clock.now_ms() / 1000)

    every = Every(clock)
    every.add("sweep", 100, job)
    every.start()
    await clock.run(1000)
    await every.stop()
    assert 9 <= len(moments) <= 11
    gaps = [after - before for before, after in zip([0, *moments], moments, strict=False)]
    assert all(89 < gap < 111 for gap in gaps)
    assert len(set(gaps)) > 1


async def test_a_job_may_run_at_once():
    ran = []

    async def job():
        ran.append(1)

    every = Every(FakeClock())
    every.add("sweep", 100, job, at_once=True)
    every.start()
    await asyncio.sleep(0)
    assert ran == [1]
    await every.stop()


async def test_a_failed_run_is_logged_and_the_next_one_comes():
    clock = FakeClock()
    runs = []

    async def job():
        runs.append(1)
        raise RuntimeError("out of luck")

    every = Every(clock)
    every.add("fragile", 10, job)
    every.start()
    with capture_logs() as logs:
        await clock.run(35)
    await every.stop()
    assert len(runs) == 3
    assert {line["job"] for line in logs} == {"fragile"}
    assert REGISTRY.get_sample_value("postroom_job_failures_total", {"job": "fragile"}) == 3


async def test_a_slow_run_is_never_doubled_and_may_end_before_the_stop():
    clock = FakeClock()
    running, most, ended = 0, 0, 0
    gate = asyncio.Event()

    async def job():
        nonlocal running, most, ended
        running += 1
        most = max(most, running)
        await gate.wait()
        running -= 1
        ended += 1

    every = Every(clock)
    every.add("slow", 1, job)
    every.start()
    await clock.run(50)
    stop = asyncio.create_task(every.stop())
    await asyncio.sleep(0)
    gate.set()
    await stop
    assert (most, ended) == (1, 1)


async def test_a_run_that_does_not_end_is_cancelled():
    cancelled = []

    async def job():
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(1)
            raise

    every = Every(FakeClock())
    every.add("stuck", 1, job, at_once=True)
    every.start()
    await asyncio.sleep(0)
    await every.stop(grace=0.01)
    assert cancelled == [1]


async def test_stopping_what_was_never_started():
    every = Every(FakeClock())
    await every.stop()
    await LoopLag(FakeClock()).stop()


async def test_the_loop_lag_is_what_a_timer_came_too_late():
    clock = FakeClock()
    lag = LoopLag(clock)
    lag.start()
    await asyncio.sleep(0)
    with capture_logs() as logs:
        clock.advance(0.9)  # the timer was set for 0.1 s
        for _ in range(3):
            await asyncio.sleep(0)
    await lag.stop()
    assert 0.79 < lag.worst < 0.81
    assert [line["seconds"] for line in logs] == [0.8]
