"""Batches on threads, the cache, and the keys that are parsed once."""

from __future__ import annotations

import asyncio
import threading

import pytest

from postroom.compose.keys import KeyMaterial, Keys
from postroom.compose.lru import Lru
from postroom.compose.signer import BATCH_JOBS, BATCH_OCTETS, Signer
from postroom.wire.dkim_keys import private_bytes
from support.dkim import private_key


@pytest.fixture
async def signer():
    signer: Signer[object] = Signer()
    yield signer
    await signer.close()


async def test_every_job_gets_its_own_answer(signer: Signer[object]) -> None:
    answers = await asyncio.gather(
        *[signer.submit(lambda number=number: number, 10) for number in range(200)]
    )
    assert answers == list(range(200))


async def test_jobs_run_off_the_event_loop_on_two_threads(signer: Signer[object]) -> None:
    both = threading.Barrier(2, timeout=5)
    answers = [signer.submit(both.wait, 10) for _ in range(2)]
    assert sorted(await asyncio.gather(*answers)) == [0, 1]


async def test_what_comes_while_the_threads_are_busy_travels_in_batches(signer: Signer[object]) -> None:
    free = threading.Event()
    busy = [signer.submit(free.wait, 10) for _ in range(2)]
    await asyncio.sleep(0)
    handed: list[int] = []
    submit = signer._executor.submit
    signer._executor.submit = lambda run, loop, batch: handed.append(len(batch)) or submit(run, loop, batch)
    waiting = [signer.submit(lambda: None, 10) for _ in range(3 * BATCH_JOBS)]
    free.set()
    await asyncio.gather(*busy, *waiting)
    assert sum(handed) == 3 * BATCH_JOBS
    assert max(handed) == BATCH_JOBS


async def test_large_jobs_do_not_keep_small_ones_waiting() -> None:
    signer: Signer[None] = Signer(threads=1)
    handed: list[int] = []
    submit = signer._executor.submit
    signer._executor.submit = lambda run, loop, batch: handed.append(len(batch)) or submit(run, loop, batch)
    sizes = [10, 10, BATCH_OCTETS, 2 * BATCH_OCTETS, 10, 10]
    await asyncio.gather(*[signer.submit(lambda: None, size) for size in sizes])
    await signer.close()
    assert handed == [2, 1, 1, 2]


async def test_one_failure_belongs_to_one_job(signer: Signer[object]) -> None:
    def fail() -> None:
        raise KeyError("broken")

    answers = [signer.submit(work, 10) for work in (lambda: 1, fail, lambda: 2)]
    first, second, third = await asyncio.gather(*answers, return_exceptions=True)
    assert (first, third) == (1, 2)
    assert isinstance(second, KeyError)


async def test_cancelled_work_is_not_begun(signer: Signer[object]) -> None:
    done: list[int] = []
    answer = signer.submit(lambda: done.append(1), 10)
    answer.cancel()
    await signer.submit(lambda: done.append(2), 10)
    assert done == [2]


async def test_close_drops_what_waits_and_ends_the_threads() -> None:
    signer: Signer[int] = Signer()
    answer = signer.submit(lambda: 1, 10)
    await signer.close()
    assert answer.cancelled()
    assert not [
        thread for thread in threading.enumerate() if thread.name.startswith("sign") and thread.is_alive()
    ]


# -- keys --------------------------------------------------------------------------------------------------------


class Vault:
    def __init__(self) -> None:
        self.selectors = {"example.com": "s1", "example.net": "s2"}
        self.loads = 0
        self.gate: asyncio.Event | None = None

    async def load(self, domain: str) -> KeyMaterial | None:
        self.loads += 1
        selector = self.selectors.get(domain)
        if self.gate is not None:
            await self.gate.wait()
        return KeyMaterial(selector, private_bytes(private_key())) if selector else None


async def test_a_key_is_loaded_and_parsed_once() -> None:
    vault = Vault()
    keys = Keys(vault.load)
    first = await keys.get("example.com")
    assert first is not None
    assert (first.domain, first.selector) == ("example.com", "s1")
    assert await keys.get("example.com") is first
    assert vault.loads == 1


async def test_a_key_that_is_missing_is_asked_for_again() -> None:
    vault = Vault()
    keys = Keys(vault.load)
    assert await keys.get("new.example") is None
    vault.selectors["new.example"] = "s1"
    assert await keys.get("new.example") is not None


@pytest.mark.parametrize(("domain", "loads"), [("example.com", 3), (None, 4), ("other.example", 2)])
async def test_invalidate_one_or_all(domain: str | None, loads: int) -> None:
    vault = Vault()
    keys = Keys(vault.load)
    for _ in range(2):
        await keys.get("example.com")
        await keys.get("example.net")
        keys.invalidate(domain) if vault.loads == 2 else None
    assert vault.loads == loads


async def test_k04_a_key_read_before_a_change_is_not_kept() -> None:
    vault = Vault()
    keys = Keys(vault.load)
    vault.gate = asyncio.Event()
    reading = asyncio.create_task(keys.get("example.com"))
    await asyncio.sleep(0)
    vault.selectors["example.com"] = "new"
    keys.invalidate("example.com")
    vault.gate.set()
    assert (await reading).selector == "s1"  # type: ignore[union-attr]
    assert (await keys.get("example.com")).selector == "new"  # type: ignore[union-attr]


async def test_the_number_of_keys_is_bounded() -> None:
    vault = Vault()
    keys = Keys(vault.load, most=1)
    await keys.get("example.com")
    await keys.get("example.net")
    await keys.get("example.com")
    assert vault.loads == 3


# -- the cache ---------------------------------------------------------------------------------------------------


def test_lru_forgets_what_was_not_used_for_longest() -> None:
    cache: Lru[str, str] = Lru(2)
    cache.put("a", "1")
    cache.put("b", "2")
    assert cache.get("a") == "1"
    cache.put("c", "3")
    assert [cache.get(key) for key in "abc"] == ["1", None, "3"]


def test_lru_counts_weight() -> None:
    cache: Lru[str, bytes] = Lru(10, len)
    cache.put("a", b"12345")
    cache.put("b", b"12345")
    cache.put("b", b"1234567")
    assert [cache.get(key) for key in "ab"] == [None, b"1234567"]
    cache.put("huge", b"x" * 11)
    assert cache.get("huge") is None
    cache.discard("b")
    cache.put("c", b"x" * 10)
    assert cache.get("c") == b"x" * 10
    cache.clear()
    assert cache.get("c") is None
