"""Work off the event loop: jobs that come together travel together to one of two threads.

A signature of RSA takes 0.23 ms during which the interpreter lock is free; a hand-over to a thread of its own costs
15 % of that. So jobs that arrive while the threads are busy wait and go in one hand-over, a few milliseconds' worth.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, NamedTuple, TypeVar

THREADS = 2
BATCH_JOBS = 16
BATCH_OCTETS = 1024 * 1024

T = TypeVar("T")


class _Job(NamedTuple, Generic[T]):
    work: Callable[[], T]
    octets: int
    answer: asyncio.Future[T]


class _Done(NamedTuple, Generic[T]):
    answer: asyncio.Future[T]
    result: T | None
    error: Exception | None


class Signer(Generic[T]):
    """`submit` from the event loop only; `close` when nobody submits any more."""

    def __init__(self, threads: int = THREADS) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="sign")
        self._idle = threads
        self._waiting: deque[_Job[T]] = deque()
        self._scheduled = False

    def submit(self, work: Callable[[], T], octets: int) -> asyncio.Future[T]:
        """Run `work` in a thread; `octets` says how much it has to read. Cancelling the future drops work not begun."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        self._waiting.append(_Job(work, octets, answer))
        if self._idle and not self._scheduled:
            self._scheduled = True
            loop.call_soon(self._begin, loop)  # so that all who come in this turn of the loop travel together
        return answer

    async def close(self) -> None:
        """Drop what waits and let the threads finish what they have."""
        for job in self._waiting:
            job.answer.cancel()
        self._waiting.clear()
        await asyncio.to_thread(self._executor.shutdown)

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        self._scheduled = False
        self._hand_over(loop)

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        while self._waiting and self._idle:
            batch = self._take()
            self._idle -= 1
            self._executor.submit(self._run, loop, batch)

    def _take(self) -> list[_Job[T]]:
        """A fair share of what waits for each idle thread, but never more than a batch."""
        share = min(-(-len(self._waiting) // self._idle), BATCH_JOBS)
        batch = [self._waiting.popleft()]
        octets = batch[0].octets
        while len(batch) < share and octets + self._waiting[0].octets <= BATCH_OCTETS:
            batch.append(self._waiting.popleft())
            octets += batch[-1].octets
        return batch

    def _run(self, loop: asyncio.AbstractEventLoop, batch: list[_Job[T]]) -> None:
        """In a thread."""
        done: list[_Done[T]] = []
        for job in batch:
            if job.answer.cancelled():
                continue
            try:
                done.append(_Done(job.answer, job.work(), None))
            except Exception as error:  # it belongs to who waits for the answer
                done.append(_Done(job.answer, None, error))
        loop.call_soon_threadsafe(self._finish, loop, done)

    def _finish(self, loop: asyncio.AbstractEventLoop, done: list[_Done[T]]) -> None:
        self._idle += 1
        self._hand_over(loop)
        for answer, result, error in done:
            if answer.done():
                continue
            if error is not None:
                answer.set_exception(error)
            else:
                answer.set_result(result)  # type: ignore[arg-type]  # None is a result, too
