"""Sending from a domain is paused: what it accepts and what it has queued waits until it is resumed, on every node."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from postroom.accept.rows import content_row, lay_out
from postroom.errors import NotFoundError
from postroom.store import interventions
from postroom.store.database import Database
from postroom.store.schema import emails, events, queue
from postroom.tenancy import accounts, domains, holds, templates
from postroom.types.actor import SYSTEM
from postroom.types.draft import ApiDetails, Edge
from postroom.types.template import TemplateContent, Wording
from support.engine import DELIVERED, GREYLISTED, Engine, Post

Start = Callable[..., Awaitable[Engine]]


@pytest.fixture
async def start(database: Database, tmp_path: Path) -> AsyncIterator[Start]:
    """An engine; the second one is another node of the same installation."""
    running: list[Engine] = []

    async def begin(post: Post | None = None, **delivery: object) -> Engine:
        if running:
            first = running[0]
            engine = Engine(database, first.post, first.config, first.box)
            engine.account, engine.domain = first.account, first.domain
            await engine.run()
        else:
            engine = await Engine.start(database, tmp_path, post, **delivery)
        running.append(engine)
        return engine

    yield begin
    for engine in running:
        engine.post.gate.set()
        await engine.stop()


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(10):
        while not await condition():
            await asyncio.sleep(0.02)


async def waiting(engine: Engine) -> list[tuple[str, int]]:
    """(hold, owner) of what is not final."""
    async with engine.database.read() as connection:
        return [
            (hold, owner) for hold, owner in await connection.execute(select(queue.c.hold, queue.c.owner))
        ]


async def held(engine: Engine, number: int = 1) -> None:
    async def all_held() -> bool:
        return await waiting(engine) == [("paused", 0)] * number

    await until(all_held)


async def settled(engine: Engine) -> None:
    """With what the node does every few seconds."""

    async def empty() -> bool:
        await holds.release_resumed(engine.database)
        await engine.directory.refresh()
        return not await waiting(engine)

    await until(empty)


async def statuses(engine: Engine) -> dict[str, str]:
    async with engine.database.read() as connection:
        return {row.recipient: row.status for row in await connection.execute(select(emails))}


async def happened(engine: Engine) -> list[tuple[str, str]]:
    async with engine.database.read() as connection:
        found = await connection.execute(select(events).order_by(events.c.at, events.c.id))
        return [(row.type, row.detail) for row in found]


async def pause(engine: Engine, *nodes: Engine) -> None:
    """`nodes` have heard of it."""
    await domains.pause(engine.database, engine.domain, by=SYSTEM)
    for node in nodes:
        await node.directory.refresh()


async def test_what_is_accepted_waits_and_is_sent_at_the_end(start: Start) -> None:
    engine = await start()
    await pause(engine, engine)
    await engine.accept("you@x.test", "me@x.test", paused=True)
    assert await waiting(engine) == [("paused", 0)] * 2
    assert set((await statuses(engine)).values()) == {"held"}
    await domains.resume(engine.database, "sender.test", by=SYSTEM)
    await settled(engine)
    assert sorted(engine.post.recipients()) == ["me@x.test", "you@x.test"]
    kinds = [(kind, detail) for kind, detail in await happened(engine) if kind in ("held", "released")]
    assert kinds == [("held", '{"reason": "paused"}')] * 2 + [("released", '{"reason": "paused"}')] * 2


async def test_it_outlives_a_restart_and_a_pause_in_halves(start: Start) -> None:
    """The process that pauses died before it came to the rows."""
    engine = await start(Post(answer=GREYLISTED), retry=[0.3])
    await engine.accept("you@x.test")

    async def deferred() -> bool:
        return "deferred" in (await statuses(engine)).values()

    await until(deferred)
    async with engine.database.write() as connection:
        await domains.store.change(connection, engine.domain, send_paused=True)
    await engine.stop()
    again = await start()
    await held(again)
    engine.post.answer = DELIVERED
    await domains.resume(engine.database, engine.domain, by=SYSTEM)
    await settled(again)
    assert await statuses(engine) == {"you@x.test": "delivered"}


async def test_a_node_that_does_not_know_yet_sends_nothing(start: Start) -> None:
    """It accepts, and gives the row to itself; the table refuses the attempt."""
    engine = await start()
    assert await engine.directory.account(engine.account)  # type: ignore[misc]
    await pause(engine)
    await engine.accept("you@x.test")
    await held(engine)
    assert engine.post.recipients() == []
    assert engine.post.refused_by_us == ["you@x.test"]
    await domains.resume(engine.database, engine.domain, by=SYSTEM)
    await settled(engine)
    assert engine.post.recipients() == ["you@x.test"]


async def test_a_node_that_has_not_heard_of_the_end_is_put_right(start: Start) -> None:
    engine = await start()
    await engine.accept("you@x.test", paused=True)
    await asyncio.sleep(0)
    assert await waiting(engine) == [("paused", 0)]
    await settled(engine)
    assert engine.post.recipients() == ["you@x.test"]


@pytest.mark.parametrize("by", ["pause", "suspension"])
async def test_a_node_that_has_not_heard_of_the_end_holds_nothing_again(start: Start, by: str) -> None:
    engine = await start(Post(answer=GREYLISTED), retry=[0.3])
    await engine.accept("you@x.test")

    async def tried() -> bool:
        return "deferred" in (await statuses(engine)).values()

    await until(tried)
    engine.post.answer = DELIVERED
    if by == "pause":
        await pause(engine, engine)
        await engine.directory.account(engine.account)  # type: ignore[misc]
        await domains.resume(engine.database, engine.domain, by=SYSTEM)
    else:
        await accounts.suspend(engine.database, engine.account, by=SYSTEM)
        await engine.directory.refresh()
        await engine.directory.account(engine.account)  # type: ignore[misc]
        await accounts.approve(engine.database, engine.account, by=SYSTEM)

    async def delivered() -> bool:
        return await statuses(engine) == {"you@x.test": "delivered"}

    await until(delivered)
    kinds = [kind for kind, _ in await happened(engine)]
    assert [kind for kind in kinds if kind in ("held", "released")] == ["held", "released"]


async def test_two_nodes_with_different_knowledge(start: Start, database: Database) -> None:
    if database.sqlite:
        pytest.skip("PostgreSQL only: SQLite has one node")
    one, other = await start(), await start()
    await pause(one, one)  # the other one has not looked yet
    for number in range(6):
        await one.accept(f"one{number}@x.test", paused=True)
        await other.accept(f"other{number}@x.test")
    await held(one, 12)
    assert one.post.recipients() == []
    await domains.resume(one.database, one.domain, by=SYSTEM)
    await one.accept("late@x.test", paused=True)
    await settled(one)
    assert len(one.post.recipients()) == len(set(one.post.recipients())) == 13


async def test_what_is_under_way_may_end_and_what_waits_in_memory_may_not_begin(start: Start) -> None:
    engine = await start(Post(sent_before_gate=True), concurrency=1)
    engine.post.gate.clear()
    await engine.accept("you@x.test")

    async def under_way() -> bool:
        async with engine.database.read() as connection:
            return bool(await connection.scalar(select(queue.c.mark)))

    await until(under_way)
    await engine.accept("me@x.test")
    await pause(engine, engine)
    engine.post.gate.set()
    await held(engine)
    assert engine.post.recipients() == ["you@x.test"]
    assert await statuses(engine) == {"you@x.test": "delivered", "me@x.test": "held"}


async def test_a_scheduled_message_that_becomes_due_waits_as_well(start: Start) -> None:
    engine = await start()
    await pause(engine, engine)
    await engine.accept("you@x.test", paused=True, send_at=engine.clock.now_ms() + 100)
    assert await waiting(engine) == [("scheduled", 0)]
    await held(engine)
    await domains.resume(engine.database, engine.domain, by=SYSTEM)
    await settled(engine)
    assert engine.post.recipients() == ["you@x.test"]


async def test_a_pause_outlasts_the_lifetime_of_what_it_holds(start: Start) -> None:
    engine = await start(lifetime=0.2)
    await pause(engine, engine)
    await engine.accept("you@x.test", paused=True)
    async with engine.database.write() as connection:  # somebody wants to know it exactly
        [email_id] = list(await connection.scalars(select(queue.c.email_id)))
        await asyncio.sleep(0.3)
        await interventions.retry_now(connection, email_id, engine.clock.now_ms())
    await held(engine)
    await domains.resume(engine.database, engine.domain, by=SYSTEM)
    await settled(engine)
    assert await statuses(engine) == {"you@x.test": "delivered"}


async def test_a_sandbox_can_be_paused_and_an_account_suspended_meanwhile(start: Start) -> None:
    engine = await start()
    box = await domains.add(
        engine.database, engine.box, "box.test", account_id=engine.account, mode="sandbox", by=SYSTEM
    )
    engine.domain = box.id
    await pause(engine, engine)
    await engine.accept("you@x.test", paused=True)
    await accounts.suspend(engine.database, engine.account, by=SYSTEM)
    await accounts.approve(engine.database, engine.account, by=SYSTEM)
    assert await waiting(engine) == [("paused", 0)]
    await domains.resume(engine.database, engine.domain, by=SYSTEM)
    await settled(engine)
    assert (engine.post.recipients(), await statuses(engine)) == ([], {"you@x.test": "delivered"})


async def test_pausing_twice_does_no_harm_and_an_unknown_domain_is_not_found(start: Start) -> None:
    engine = await start()
    for paused, change in ((True, domains.pause), (False, domains.resume)):
        for _ in range(2):
            assert (await change(engine.database, "Sender.TEST", by=SYSTEM)).send_paused is paused
        with pytest.raises(NotFoundError):
            await change(engine.database, "nobody.test", by=SYSTEM)


async def test_a_quota_that_is_used_up_comes_before_a_pause(start: Start) -> None:
    """It ends by itself, and then the claim asks."""
    engine = await start()
    draft = engine.draft("you@x.test", paused=True)
    for changes, hold in (({}, "paused"), ({"held": True}, "quota")):
        layout = lay_out(draft, content_row(draft), 0, owner=1, lifetime=1, **changes)
        assert [row.hold for row in layout.queue] == [hold]
    later = replace(draft, send_at=5)
    assert lay_out(later, None, 0, owner=1, lifetime=1).queue[0].hold == "scheduled"


CONTENT = TemplateContent(wording=Wording("Hello", "Hello {{ name }}", None))
GONE = "the template was deleted before the time of sending"


@pytest.mark.parametrize("mode", ["live", "sandbox"])
async def test_a_scheduled_message_is_stopped_when_its_template_is_deleted(start: Start, mode: str) -> None:
    engine = await start()
    if mode == "sandbox":
        box = await domains.add(
            engine.database, engine.box, "box.test", account_id=engine.account, mode=mode, by=SYSTEM
        )
        engine.domain = box.id
        await engine.directory.refresh()
    made = [await templates.create(engine.database, engine.account, CONTENT, by=SYSTEM) for _ in range(2)]
    soon = engine.clock.now_ms() + 300
    for template, recipient in zip(made, ("stopped@x.test", "sent@x.test"), strict=True):
        details = ApiDetails(template_id=template.id, template_version=template.version_id)
        await engine.accept(recipient, edge=Edge.API, send_at=soon, details=details)
    await templates.delete(engine.database, engine.account, made[0].id, by=SYSTEM)
    await settled(engine)
    assert await statuses(engine) == {"stopped@x.test": "bounced", "sent@x.test": "delivered"}
    assert engine.post.recipients() == ([] if mode == "sandbox" else ["sent@x.test"])
    assert ("soft_bounced", f'{{"reason": "{GONE}"}}') in await happened(engine)
    async with engine.database.read() as connection:
        reply = select(emails.c.reply).where(emails.c.status == "bounced")
        assert await connection.scalar(reply) == GONE


async def test_what_was_not_scheduled_or_was_tried_before_is_sent_without_its_template(start: Start) -> None:
    """Accepted means kept; and a second recipient must not be told otherwise than the first."""
    engine = await start(Post(answers={"tried@x.test": [GREYLISTED, DELIVERED]}), retry=[0.4])
    template = await templates.create(engine.database, engine.account, CONTENT, by=SYSTEM)
    details = ApiDetails(template_id=template.id, template_version=template.version_id)
    soon = engine.clock.now_ms() + 100
    await engine.accept("tried@x.test", edge=Edge.API, send_at=soon, details=details)

    async def tried() -> bool:
        return (await statuses(engine))["tried@x.test"] == "deferred"

    await until(tried)
    await pause(engine, engine)
    await engine.accept("now@x.test", edge=Edge.API, paused=True, details=details)
    await templates.delete(engine.database, engine.account, template.id, by=SYSTEM)
    await domains.resume(engine.database, engine.domain, by=SYSTEM)
    await settled(engine)
    assert set((await statuses(engine)).values()) == {"delivered"}
