"""Decides what goes where and when: takes entries in (just accepted, or claimed), finds their site, fills its lane.

Memory is bounded: at most `delivery.in_memory` entries, and no account may hold more than half of the room, so one
account's million cannot keep another's password reset out. Whatever does not fit stays in the table, unowned, and
is claimed account by account in turn when there is room. What was accepted together while there was room for some of
it is let go again.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

import structlog

from postroom.config import Config
from postroom.deliver.delivery import FAILED_INSIDE, Delivery, deferred
from postroom.deliver.destination import Destination, Destinations
from postroom.deliver.lane import Connection, Lane
from postroom.errors import StorageUnavailableError
from postroom.runtime import metrics
from postroom.runtime.clock import Clock
from postroom.store import batches, nodes
from postroom.store import queue as queue_rows
from postroom.store.batches.rows import Entry
from postroom.store.database import Database
from postroom.types.outcome import Outcome

log = structlog.get_logger()

POLL = 0.5  # seconds between looks for due rows
CLAIM = 500  # rows of one account in one claim
ACCOUNTS = 50  # accounts in one look
KNOWN_SECONDS, KNOWN_MOST = 60.0, 10_000
LAST_WORDS = 2.0  # seconds for the replies to final dots that were sent before the lease was lost


class Scheduler:
    """`connect` makes a courier to a destination. `start` after the lease, `stop` before it."""

    def __init__(
        self,
        config: Config,
        database: Database,
        clock: Clock,
        delivery: Delivery,
        destinations: Destinations,
        connect: Callable[[Destination], Connection],
    ) -> None:
        self._config = config.delivery
        self._database = database
        self._clock = clock
        self._delivery = delivery
        self._destinations = destinations
        self._connect = connect
        self._slots = asyncio.Semaphore(config.delivery.concurrency)
        self._alone = asyncio.Semaphore(1)
        self._entries: dict[str, Entry] = {}
        self._surplus: list[tuple[str, str]] = []
        self._held: Counter[str] = Counter()
        self._lanes: dict[str, Lane] = {}
        self._known: dict[str, tuple[float, Destination]] = {}
        self._finding: dict[str, deque[Entry]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._owner = 0
        self._after = ""
        self._next_sweep = 0.0

    # -- what others see ------------------------------------------------------------------------------------------

    @property
    def in_memory(self) -> int:
        return len(self._entries)

    @property
    def connections(self) -> int:
        """At most so many are open."""
        return sum(lane.workers for lane in self._lanes.values())

    def owner_for(self, account_id: str) -> int:
        """The incarnation under which a row accepted now is inserted: ours while there is room, else nobody's."""
        return self._owner if self._room_for(account_id) else 0

    def _room_for(self, account_id: str) -> bool:
        room = self._config.in_memory
        return len(self._entries) < room and self._held[account_id] * 2 < room

    def take(self, entries: Iterable[Entry], owner: int) -> None:
        """Entries this node owns: just accepted, or claimed. `owner` is the incarnation under which it got them: those
        of one whose lease was lost meanwhile are left alone, as they are their next owner's."""
        if owner != self._owner:
            return
        now = self._clock.monotonic()
        for entry in entries:
            if entry.email_id in self._entries:
                continue
            if self._room_for(entry.account_id):
                entry.checked_at = now  # its suppressions, in the transaction it comes from
                self._entries[entry.email_id] = entry
                self._held[entry.account_id] += 1
                self._admit(entry)
            else:
                self._surplus.append(entry.key)

    async def start(self, owner: int) -> None:
        self._owner = owner
        self._spawn(self._claims(), "claims")

    async def stop(self, seconds: float) -> None:
        """Finish what is under way for at most so many `seconds`, give back the rest."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(lane.stop(seconds) for lane in self._lanes.values()))
        self._lanes.clear()

    async def restart(self) -> None:
        """The lease was lost: forget everything; somebody else may own it now. Nothing more is sent, but what a server
        has taken is recorded before our next incarnation claims what the last one has left: it needs no second copy.

        Raises StorageUnavailableError; then it is to be called again.
        """
        self._owner = 0
        await self.stop(LAST_WORDS)
        self._entries.clear()
        self._surplus.clear()
        self._held.clear()
        self._finding.clear()
        await self._delivery.record_all()

    # -- from entry to lane ---------------------------------------------------------------------------------------

    def _admit(self, entry: Entry) -> None:
        known = self._known.get(entry.site)
        if known is not None and known[0] > self._clock.monotonic() and not self._delivery.special(entry):
            self._lane(known[1]).push(entry)
        elif entry.site in self._finding:
            self._finding[entry.site].append(entry)
        else:
            self._finding[entry.site] = deque((entry,))
            self._spawn(self._find(entry.site), "find destination")

    async def _find(self, site: str) -> None:
        """Send everything that waits for the destination of `site` on its way."""
        destination: Destination | Outcome | None = None
        try:
            while waiting := self._finding.get(site):
                entry = waiting.popleft()
                try:
                    early = await self._delivery.gate(entry)
                    if early is None and destination is None:
                        destination = await self._destination(site)
                except Exception:  # the database is away, or a bug: it counts as an attempt, as in a lane
                    log.exception(
                        "delivery failed before it began",
                        message_id=entry.message_id,
                        email_id=entry.email_id,
                    )
                    self._delivery.settle(entry, deferred(FAILED_INSIDE))
                    self._done(entry)
                    continue
                if early is not None:
                    self._delivery.finish(early)
                    self._done(entry)
                elif isinstance(destination, Outcome):
                    self._delivery.settle(entry, destination)
                    self._done(entry)
                elif destination is not None:
                    self._lane(destination).push(entry)
        finally:
            self._finding.pop(site, None)

    async def _destination(self, site: str) -> Destination | Outcome:
        found = await self._destinations.find(site)
        if isinstance(found, Destination):
            if len(self._known) >= KNOWN_MOST:
                self._known.clear()
            self._known[site] = (self._clock.monotonic() + KNOWN_SECONDS, found)
        return found

    def _lane(self, destination: Destination) -> Lane:
        lane = self._lanes.get(destination.site)
        if lane is None:
            lane = self._lanes[destination.site] = Lane(
                self._delivery,
                lambda: self._connect(destination),
                most=destination.connections,
                idle=self._config.idle_timeout,
                slots=self._slots,
                alone=self._alone,
                done=self._done,
            )
        else:
            lane.connect = lambda: self._connect(destination)
        return lane

    def _done(self, entry: Entry) -> None:
        if self._entries.pop(entry.email_id, None) is not None:
            self._held[entry.account_id] -= 1
            if not self._held[entry.account_id]:
                del self._held[entry.account_id]

    # -- from the table -------------------------------------------------------------------------------------------

    async def _claims(self) -> None:
        while True:
            try:
                await self._let_go()
                more = await self._claim()
                await self._sweep()
            except StorageUnavailableError as error:
                log.warning("cannot look for due mail", reason=str(error))
                more = False
            except Exception:  # whatever it is: without this look nothing due is ever found again
                log.exception("looking for due mail failed inside")
                more = False
            metrics.QUEUE_IN_MEMORY.set(len(self._entries))
            self._lanes = {site: lane for site, lane in self._lanes.items() if not lane.unused}
            await asyncio.sleep(0 if more else POLL)

    async def _claim(self) -> bool:
        """Claim due rows, account by account in turn; True when there may be more and there is room for them."""
        if len(self._entries) * 2 > self._config.in_memory:
            return False
        due_by = sum(self._clock.moment())
        async with self._database.read() as connection:
            # Our own lease may have lapsed unnoticed; what we are working on is nobody's to claim but our successor's.
            dead = [owner for owner in await nodes.dead(connection) if owner != self._owner]
            accounts = await queue_rows.accounts_waiting(
                connection, [0, *dead], due_by, self._after, ACCOUNTS
            )
        self._after = accounts[-1] if len(accounts) == ACCOUNTS else ""
        found = 0
        for account_id in accounts:
            if dead:
                found += await self._claim_of(account_id, dead, suspect=True)
            found += await self._claim_of(account_id, [0], suspect=False)
        return found > 0

    async def _claim_of(self, account_id: str, free: list[int], *, suspect: bool) -> int:
        """Claim due rows of an account that have one of these owners; how many."""
        (now, ahead), ours = self._clock.moment(), self._owner
        room = self._config.in_memory - len(self._entries)
        limit = min(CLAIM, room, self._config.in_memory // 2 - self._held[account_id])
        if limit <= 0:
            return 0
        entries = await batches.claim(self._database, ours, free, account_id, now, limit, ahead=ahead)
        for entry in entries:
            entry.suspect = suspect
        self.take(entries, ours)
        return len(entries)

    async def _let_go(self) -> None:
        """What there was no room for is anybody's; if that cannot be written down now, the sweep will find it."""
        surplus, self._surplus = self._surplus, []
        if surplus:
            async with self._database.write() as connection:
                await queue_rows.release(connection, self._owner, surplus)

    async def _sweep(self) -> None:
        """Rows that are ours in the table and not in memory: a commit whose end we never heard, a bug. Free them."""
        if self._clock.monotonic() < self._next_sweep:
            return
        self._next_sweep = self._clock.monotonic() + self._config.lease
        before = sum(self._clock.moment()) - round(self._config.lease * 1000)
        async with self._database.read() as connection:
            owned = await queue_rows.owned(connection, self._owner, before)
        orphans = [
            key for key in owned if key[1] not in self._entries and not self._delivery.recording(key[1])
        ]
        if orphans:
            log.warning("freeing queue rows nobody works on", rows=len(orphans))
            async with self._database.write() as connection:
                await queue_rows.release(connection, self._owner, orphans, before)

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
