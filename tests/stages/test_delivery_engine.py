"""The delivery engine on SQLite: from an accepted message to its final state, with everything but the network."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from postroom.store import interventions, messages
from postroom.store.batches.rows import Entry
from postroom.store.database import Database
from postroom.store.schema import attempts, emails, events, inbox, nodes, queue
from postroom.store.schema import messages as message_table
from postroom.tenancy import accounts, domains
from postroom.types.actor import SYSTEM
from postroom.types.draft import Stream
from postroom.types.outcome import Outcome, Result
from postroom.types.reply import Reply
from support.engine import DELIVERED, GREYLISTED, UNKNOWN_USER, Engine, Post


@pytest.fixture
async def start(sqlite_database: Database, tmp_path: Path) -> AsyncIterator[Callable[..., Awaitable[Engine]]]:
    running: list[Engine] = []

    async def begin(post: Post | None = None, **delivery: object) -> Engine:
        engine = await Engine.start(sqlite_database, tmp_path, post, **delivery)
        running.append(engine)
        return engine

    yield begin
    for engine in running:
        engine.post.gate.set()
        await engine.stop()


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(5):
        while not await condition():
            await asyncio.sleep(0.01)


async def queued(database: Database) -> int:
    async with database.read() as connection:
        return int(await connection.scalar(select(func.count()).select_from(queue)) or 0)


async def settled(engine: Engine) -> None:
    async def empty() -> bool:
        return not await queued(engine.database)

    await until(empty)


async def statuses(database: Database) -> dict[str, str]:
    async with database.read() as connection:
        return {row.recipient: row.status for row in await connection.execute(select(emails))}


async def kinds(database: Database) -> list[str]:
    async with database.read() as connection:
        return list(await connection.scalars(select(events.c.type).order_by(events.c.at, events.c.id)))


async def test_an_accepted_message_is_delivered_signed_and_recorded(start) -> None:
    engine = await start()
    message_id = await engine.accept("you@x.test")
    await settled(engine)
    [(envelope, composed)] = engine.post.delivered
    assert composed.head.startswith(b"DKIM-Signature:")
    assert composed.body == b"body\r\n"
    assert envelope.sender == "shop@sender.test"
    assert await statuses(engine.database) == {"you@x.test": "delivered"}
    assert await kinds(engine.database) == ["sent", "delivered"]
    async with engine.database.read() as connection:
        story = await messages.show(connection, message_id)
        expires = await connection.scalar(select(message_table.c.content_expires_at))
    assert story is not None
    assert [attempt.result for attempt in story.emails[0].attempts] == ["delivered"]
    assert expires is not None
    assert expires > engine.clock.now_ms()


async def test_i5_each_recipient_has_its_own_outcome(start) -> None:
    post = Post(answers={"bad@x.test": [UNKNOWN_USER], "slow@x.test": [GREYLISTED, DELIVERED]})
    engine = await start(post)
    await engine.accept("good@x.test", "bad@x.test", "slow@x.test")
    await settled(engine)
    assert await statuses(engine.database) == {
        "good@x.test": "delivered", "bad@x.test": "bounced", "slow@x.test": "delivered"}  # fmt: skip
    assert sorted(post.recipients()) == ["bad@x.test", "good@x.test", "slow@x.test", "slow@x.test"]
    assert (await kinds(engine.database)).count("deferred") == 1
    assert (await kinds(engine.database)).count("sent") == 3


async def test_a_message_that_stays_deferred_expires(start) -> None:
    engine = await start(Post(answer=GREYLISTED), lifetime=0.3)
    await engine.accept("you@x.test")
    await settled(engine)
    assert await statuses(engine.database) == {"you@x.test": "expired"}
    assert (await kinds(engine.database)).count("soft_bounced") == 1


async def test_a_sandbox_domain_delivers_into_the_inbox_and_nothing_leaves(start) -> None:
    engine = await start()
    sandbox = await domains.add(
        engine.database, engine.box, "box.test", account_id=engine.account, mode="sandbox", by=SYSTEM
    )
    engine.domain = sandbox.id
    await engine.directory.refresh()
    await engine.accept("you@x.test", "me@null.test")
    await settled(engine)
    assert engine.post.delivered == []
    async with engine.database.read() as connection:
        kept = set(await connection.scalars(select(inbox.c.recipient)))
        tried = await connection.scalar(select(func.count()).select_from(attempts))
    assert kept == {"you@x.test", "me@null.test"}
    assert tried == 0
    assert set((await statuses(engine.database)).values()) == {"delivered"}


async def test_d04_null_mx_bounces_without_a_connection(start) -> None:
    engine = await start()
    await engine.accept("you@null.test")
    await settled(engine)
    assert engine.post.connected == 0
    assert await statuses(engine.database) == {"you@null.test": "bounced"}


async def test_domains_of_one_site_share_a_connection(start) -> None:
    engine = await start(connections_per_site=1)
    for number in range(20):
        await engine.accept(f"user{number}@x.test")
    await settled(engine)
    assert engine.post.connected <= 2


async def test_a_suspended_accounts_mail_is_held_and_goes_on_after_approval(start) -> None:
    engine = await start()
    await accounts.suspend(engine.database, engine.account, "spam", by=SYSTEM)
    await engine.directory.refresh()
    await engine.accept("you@x.test")

    async def held() -> bool:
        return await statuses(engine.database) == {"you@x.test": "held"}

    await until(held)
    assert engine.post.delivered == []
    await accounts.approve(engine.database, engine.account, by=SYSTEM)
    await engine.directory.refresh()
    await settled(engine)
    assert await statuses(engine.database) == {"you@x.test": "delivered"}
    assert {"held", "released"} <= set(await kinds(engine.database))


async def test_q22_what_is_cancelled_in_time_is_never_sent(start) -> None:
    post = Post()
    engine = await start(post, concurrency=1, connections_per_site=1)
    post.gate.clear()
    await engine.accept("first@x.test")
    await engine.accept("second@x.test")
    async with engine.database.read() as connection:
        second = await connection.scalar(select(emails.c.id).where(emails.c.recipient == "second@x.test"))
    async with engine.database.write() as connection:
        now = engine.clock.now_ms()
        await interventions.cancel(connection, str(second), now, now)
    post.gate.set()
    await settled(engine)
    await asyncio.sleep(0.05)
    assert post.recipients() == ["first@x.test"]
    assert (await statuses(engine.database))["second@x.test"] == "cancelled"


async def test_q14_without_a_lease_no_final_dot_is_sent(start) -> None:
    post = Post()
    engine = await start(post)
    post.gate.clear()
    await engine.accept("you@x.test")
    await asyncio.sleep(0.05)  # the attempt is marked and waits before its dot
    engine.lease._until = 0.0  # as after a long stop of the process
    post.gate.set()
    await asyncio.sleep(0.05)
    assert post.delivered == []
    assert post.refused_by_us == ["you@x.test"]


async def test_a_lost_lease_begins_again_under_a_new_number(start, sqlite_database: Database) -> None:
    engine = await start(lease=1)
    before = engine.lease.incarnation
    async with sqlite_database.write() as connection:
        await connection.execute(nodes.update().values(until=0))
    await until(lambda: _later(engine, before))
    await engine.accept("you@x.test")
    await settled(engine)
    assert engine.post.recipients() == ["you@x.test"]


async def _later(engine: Engine, before: int) -> bool:
    return engine.lease.incarnation > before and engine.lease.held


async def test_q12_a_mark_without_outcome_is_a_possible_duplicate_after_a_crash(
    start, sqlite_database: Database
) -> None:
    engine = await start(running=False)
    await engine.accept("you@x.test")
    async with sqlite_database.write() as connection:  # as a killed node leaves it: owned, marked
        await connection.execute(update(queue).values(owner=99, mark=1))
    await engine.run()
    await settled(engine)
    async with sqlite_database.read() as connection:
        row = (await connection.execute(select(emails))).one()
    assert (row.status, row.possible_duplicate, row.attempts) == ("delivered", True, 2)
    assert (await kinds(sqlite_database)).count("possible_duplicate") == 1


async def test_q15_three_unfinished_attempts_quarantine(start, sqlite_database: Database) -> None:
    engine = await start(running=False)
    await engine.accept("you@x.test")
    async with sqlite_database.write() as connection:
        await connection.execute(update(queue).values(owner=99, mark=3, unfinished=2, attempts=2))
    await engine.run()

    async def quarantined() -> bool:
        async with sqlite_database.read() as connection:
            return await connection.scalar(select(queue.c.hold)) == "quarantined"

    await until(quarantined)
    assert engine.post.delivered == []
    assert await statuses(sqlite_database) == {"you@x.test": "held"}


async def marks(database: Database) -> list[int]:
    async with database.read() as connection:
        return list(await connection.scalars(select(queue.c.mark).where(queue.c.mark > 0)))


async def test_q15_what_a_dead_node_had_is_marked_before_it_is_touched(
    start, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = await start(running=False)
    await engine.accept("you@x.test")
    async with sqlite_database.write() as connection:  # it died before the mark was durable
        await connection.execute(update(queue).values(owner=99))
    load, marked = engine.loader.load, []

    async def touched(account_id: str, message_id: str) -> object:
        marked.append(await marks(sqlite_database))
        return await load(account_id, message_id)

    monkeypatch.setattr(engine.loader, "load", touched)
    await engine.run()
    await settled(engine)
    assert marked == [[1]]


async def test_q15_after_two_interrupted_attempts_suspects_are_tried_one_at_a_time(
    start, sqlite_database: Database
) -> None:
    engine = await start(running=False)
    for number in range(5):
        await engine.accept(f"user{number}@x.test")
    async with sqlite_database.write() as connection:
        await connection.execute(update(queue).values(owner=99, mark=2, unfinished=1, attempts=1))
    engine.post.gate.clear()
    await engine.run()
    await engine.accept("fresh@y.test")  # is under no suspicion, and waits for nobody

    async def two() -> bool:
        return sorted(await marks(sqlite_database)) == [1, 3]

    await until(two)
    await asyncio.sleep(0.05)
    assert await two()
    engine.post.gate.set()
    await settled(engine)
    assert set((await statuses(sqlite_database)).values()) == {"delivered"}


@pytest.mark.parametrize("sent", [False, True])
async def test_q19_what_is_broken_off_by_a_stop_before_its_content_is_no_attempt(
    sent: bool, sqlite_database: Database, tmp_path: Path
) -> None:
    """After three restarts while a server was slow it would be in quarantine; and nobody can have got a copy."""
    engine = await Engine.start(sqlite_database, tmp_path)
    engine.post.gate.clear()
    engine.post.sent_before_gate = sent
    await engine.accept("you@x.test")

    async def under_way() -> bool:
        return await marks(sqlite_database) == [1]

    await until(under_way)
    await asyncio.sleep(0.05)
    await engine.stop(seconds=0)
    async with sqlite_database.read() as connection:
        row = (await connection.execute(select(queue))).one()
    assert (row.mark, row.owner) == ((1, engine.lease.incarnation) if sent else (0, 0))


async def test_a_bug_of_ours_counts_as_an_attempt_and_stops_nobody(start) -> None:
    post = Post(explode=True)
    engine = await start(post)
    await engine.accept("you@x.test")

    async def deferred() -> bool:
        return await statuses(engine.database) == {"you@x.test": "deferred"}

    await until(deferred)
    post.explode = False
    await settled(engine)
    assert await statuses(engine.database) == {"you@x.test": "delivered"}


async def test_q17_a_flood_of_one_account_does_not_delay_another(start) -> None:
    post = Post()
    engine = await start(post, connections_per_site=1, in_memory=100)
    post.gate.clear()
    other = await accounts.add(engine.database, "Other", approved=True, by=SYSTEM)
    for number in range(150):
        await engine.accept(f"bulk{number}@x.test", f"more{number}@x.test", stream=Stream.BROADCAST)
    assert engine.scheduler.in_memory <= 60  # half of the room, and no account gets more
    await engine.accept("reset@x.test", account=other.id)
    post.gate.set()
    await settled(engine)
    assert "reset@x.test" in post.recipients()[:30]
    assert len(set(post.recipients())) == 301


async def test_x11_what_is_accepted_at_once_does_not_exceed_the_room(start) -> None:
    """Each of them found room when it came in; together they have none. Memory is bounded, and nobody is forgotten."""
    post = Post()
    engine = await start(post, in_memory=100)
    post.gate.clear()
    other = await accounts.add(engine.database, "Other", approved=True, by=SYSTEM)
    people = [f"user{number}@x.test" for number in range(60)]
    await asyncio.gather(
        *(engine.accept(*people, account=account) for account in (engine.account, other.id) for _ in range(5))
    )
    assert engine.scheduler.in_memory <= 100
    assert max(engine.scheduler._held.values()) <= 50

    async def let_go() -> bool:
        async with engine.database.read() as connection:
            owners = list(await connection.scalars(select(queue.c.owner)))
        return len(owners) == 600 and owners.count(0) == 600 - engine.scheduler.in_memory

    await until(let_go)
    post.gate.set()
    await settled(engine)
    assert len(post.recipients()) == 600


async def test_uncertain_outcomes_wait_and_are_marked(start) -> None:
    lost = Outcome(Result.UNCERTAIN, Reply.of(451, "4.4.2", "no reply"), reached=True, retry_after=900)
    engine = await start(Post(answers={"you@x.test": [lost]}))
    await engine.accept("you@x.test")

    async def uncertain() -> bool:
        return await statuses(engine.database) == {"you@x.test": "uncertain"}

    await until(uncertain)
    async with engine.database.read() as connection:
        due_at = await connection.scalar(select(queue.c.due_at))
    assert due_at is not None
    assert due_at >= engine.clock.now_ms() + 890_000


def test_an_entry_knows_its_key() -> None:
    assert Entry("a", "e", "m", "d", "s", 0, 0, 0, 0, 0, "r", "", "").key == ("a", "e")
