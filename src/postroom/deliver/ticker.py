"""Records outcomes and marks attempts, many in one transaction (design section 3: the delivery tick).

While one transaction runs, and until the writer's turn has come, outcomes and marks gather for the next. An outcome
leaves this place only by being recorded: while the database is away it waits here, and because marks wait too, nothing
new is sent meanwhile. It is recorded under the incarnation whose attempt it was, even if the lease was lost since: as
long as nobody has claimed the row it needs no second copy.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import chain

import structlog

from postroom.errors import ConflictError
from postroom.runtime import metrics
from postroom.runtime.killpoints import reach
from postroom.store import batches, queue
from postroom.store.batches.rows import Entry, OutcomeRecord, Ticked
from postroom.store.database import Database, InTurn
from postroom.types.events import EventType

log = structlog.get_logger()

SOFT_BOUNCED = EventType.SOFT_BOUNCED.value
PAUSE, LONGEST_PAUSE = 0.2, 5.0
MOST = 500


class Ticker:
    """`owner` gives the node's incarnation now. Start with `start()`; `stop()` records what is left.

    `soft_bounced` is told, by account and email, what a server has turned away for now and for good.
    """

    def __init__(
        self,
        database: Database,
        owner: Callable[[], int],
        soft_bounced: Callable[[str, str], None] = lambda _account, _email: None,
    ) -> None:
        self._database = database
        self._owner = owner
        self._soft_bounced = soft_bounced
        self._records: list[OutcomeRecord] = []
        self._writing: list[OutcomeRecord] = []
        self._marks: list[tuple[Entry, asyncio.Future[bool]]] = []
        self._unsent: list[Entry] = []
        self._wake = asyncio.Event()
        self._turn = asyncio.Lock()
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="delivery ticks")

    async def stop(self, seconds: float) -> None:
        """Record what is left, for at most so many `seconds`."""
        reach("drain.deliveries_ended")
        self._stopping = True
        self._wake.set()
        if self._task is not None:
            ended, _ = await asyncio.wait({self._task}, timeout=seconds)
            self._task.cancel()
            if ended:
                await self._take_back_marks()
        reach("drain.outcomes_written")

    async def _take_back_marks(self) -> None:
        unsent, self._unsent = self._unsent, []
        for owner in {entry.owner for entry in unsent}:
            keys = [entry.key for entry in unsent if entry.owner == owner]
            async with self._database.write() as connection:
                await queue.unmark(connection, owner, keys)

    @property
    def owner(self) -> int:
        """The incarnation under which attempts begin now."""
        return self._owner()

    @property
    def backlog(self) -> int:
        return len(self._records) + len(self._marks)

    def waiting(self, email_id: str) -> bool:
        """Whether an outcome of this email is not written yet."""
        return any(record.queue.email_id == email_id for record in chain(self._writing, self._records))

    def record(self, record: OutcomeRecord) -> None:
        self._records.append(record)
        self._wake.set()

    def mark(self, entry: Entry) -> asyncio.Future[bool]:
        """Resolves to True once the mark is durable: the attempt may send its final dot. False: not ours any more, or
        its domain is paused, as the entry then says."""
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._marks.append((entry, future))
        self._wake.set()
        return future

    async def flush(self) -> None:
        """Record what waits, without the pause that follows a failure. Raises what the database raises."""
        async with self._turn:
            while self._records:
                await self._tick()
            await self._take_back_marks()

    def broken_off(self, entry: Entry) -> None:
        """Its attempt was told to stop before any content went out: with the next `flush` or `stop` its mark is taken
        back, as nobody can have got a copy."""
        self._unsent.append(entry)

    async def _run(self) -> None:
        pause = PAUSE
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._records or self._marks:
                try:
                    async with self._turn:
                        await self._tick()
                    pause = PAUSE
                except Exception as error:  # whatever it is: without ticks nothing is ever sent again
                    log.exception("outcomes wait for the database", waiting=self.backlog, reason=str(error))
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, LONGEST_PAUSE)
            if self._stopping:
                return

    async def _tick(self) -> None:
        with metrics.DELIVERY_BATCH_SECONDS.time():
            async with self._database.turn() as database:
                await self._tick_in_turn(database)

    async def _tick_in_turn(self, database: InTurn) -> None:
        records, self._records = self._records[:MOST], self._records[MOST:]
        self._writing = records
        marks, self._marks = self._marks[:MOST], self._marks[MOST:]
        marks = [(entry, future) for entry, future in marks if not future.cancelled()]
        try:
            reach("tick.taken")
            ticked = await self._write(database, records, [entry for entry, _ in marks])
        except BaseException:
            self._records = records + self._records
            self._marks = marks + self._marks
            raise
        finally:
            self._writing = []
        for record in records:
            if record.attempt is not None and record.events and record.events[-1].type == SOFT_BOUNCED:
                self._soft_bounced(*record.key)
        for entry, future in marks:
            entry.paused |= entry.email_id in ticked.paused
            if not future.done():
                future.set_result(entry.email_id in ticked.marked)

    async def _write(self, database: InTurn, records: list[OutcomeRecord], entries: list[Entry]) -> Ticked:
        owner = self._owner()
        marks = [entry.key for entry in entries if entry.owner == owner]  # a lost lease begins no attempt
        try:
            ticked = await batches.tick(database, owner, records, marks)
        except ConflictError:
            return await self._write_singly(database, owner, records, marks)
        metrics.DELIVERY_BATCH_SIZE.observe(len(records) + len(marks))
        for record in records:
            if record.queue.email_id not in ticked.recorded:
                log.warning(
                    "outcome discarded: the row is not ours",
                    message_id=record.queue.message_id,
                    email_id=record.queue.email_id,
                    owner=record.owner,
                )
        return ticked

    async def _write_singly(
        self, database: InTurn, owner: int, records: list[OutcomeRecord], marks: list[tuple[str, str]]
    ) -> Ticked:
        """A batch that cannot be written as a whole: find the record that does not fit and leave only that one."""
        for record in records:
            try:
                await batches.tick(database, owner, [record], [])
            except ConflictError as error:
                log.exception(
                    "outcome dropped: it was recorded before",
                    message_id=record.queue.message_id,
                    email_id=record.queue.email_id,
                    reason=str(error),
                )
        return await batches.tick(database, owner, [], marks)
