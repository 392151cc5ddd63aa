"""accept.api: a checked request becomes a message that is kept, once, and delivered when it is due."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from postroom.accept.api import Accepted, ApiEdge, Sender, SendRequest
from postroom.config import Config
from postroom.errors import CommitUnknownError
from postroom.runtime.blobs import MemoryBlobs
from postroom.store import batches, interventions
from postroom.store.database import Database
from postroom.store.schema import api_messages, emails, idempotency_keys, messages, queue
from postroom.tenancy import suppressions
from postroom.types import refusals
from postroom.types.actor import SYSTEM
from postroom.types.draft import ApiDetails, CredentialKind, Idempotency
from postroom.types.envelope import Address
from postroom.types.parts import Mailbox, Personalization
from postroom.types.refusals import Refused
from postroom.types.status import Hold
from postroom.types.suppression import SuppressionList
from support.engine import Engine

BOB, CARLA = Mailbox("Bob", Address("bob", "x.test")), Mailbox("Carla", Address("carla", "x.test"))
KEY = Idempotency("key", b"f" * 32)


def request(**changes: Any) -> SendRequest:
    given: dict[str, Any] = {
        "from_": Mailbox("Shop", Address("shop", "sender.test")),
        "to": (BOB,),
        "subject": "Hello",
        "text": "Hello Bob.",
    }
    return SendRequest(**(given | changes))


class Desk:
    """An engine with the edge before it."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.edge = ApiEdge(engine.config, engine.clock, engine.database, MemoryBlobs(), engine.commit)

    async def sender(self) -> Sender:
        found = self.engine.directory.account(self.engine.account)
        account = found if found is None or not hasattr(found, "__await__") else await found
        assert account is not None
        return Sender(account, CredentialKind.TOKEN, "t" * 16)

    async def send(self, *, idempotency: Idempotency | None = None, **changes: Any) -> Accepted | Refused:
        return await self.edge.send(await self.sender(), request(**changes), idempotency)


@pytest.fixture
async def desk(database: Database, tmp_path: Path) -> AsyncIterator[Desk]:
    engine = await Engine.start(database, tmp_path, running=False)
    await engine.directory.refresh()
    yield Desk(engine)
    await engine.stop()


async def rows(database: Database, table: Any) -> list[Any]:
    async with database.read() as connection:
        return list(await connection.execute(select(table)))


async def test_a_request_becomes_a_message_with_what_the_api_remembers(
    desk: Desk, database: Database
) -> None:
    details = ApiDetails("t" * 16, "v" * 16, (("X-A", "ä"),), {"order": "42"})
    answer = await desk.send(details=details, hidden=(CARLA,))
    assert isinstance(answer, Accepted)
    (message,) = await rows(database, messages)
    assert (message.id, message.edge, message.sender) == (answer.message_id, "api", "shop@sender.test")
    (kept,) = await rows(database, api_messages)
    assert (kept.id, kept.template_id, kept.template_version, kept.send_at) == (
        answer.message_id,
        "t" * 16,
        "v" * 16,
        None,
    )
    assert json.loads(kept.headers) == [{"name": "X-A", "value": "ä"}]
    assert {row.recipient for row in await rows(database, emails)} == {"bob@x.test", "carla@x.test"}


async def test_whom_nothing_is_sent_to(desk: Desk, database: Database) -> None:
    await suppressions.add(database, desk.engine.account, "carla@x.test", by=SYSTEM)
    some = await desk.send(cc=(CARLA,))
    assert isinstance(some, Accepted)
    assert some.suppressed == {"carla@x.test": (SuppressionList.BLOCKLIST,)}
    assert await desk.send(to=(CARLA,)) == Accepted("", {"carla@x.test": (SuppressionList.BLOCKLIST,)})
    assert len(await rows(database, messages)) == 1


async def test_the_rules_of_admit_hold(desk: Desk) -> None:
    foreign = await desk.send(from_=Mailbox("", Address("a", "else.test")))
    assert isinstance(foreign, Refused)
    assert foreign.rule is refusals.FROM_NOT_VERIFIED


# -- idempotency ------------------------------------------------------------------------------------------------------


async def test_h04_between_nodes_the_transaction_decides(
    desk: Desk, database: Database, tmp_path: Path
) -> None:
    other = Desk(desk.engine)
    other.edge = ApiEdge(
        Config(),
        desk.engine.clock,
        database,
        MemoryBlobs(),
        Engine(database, desk.engine.post, desk.engine.config, desk.engine.box).commit,
    )
    answers = await asyncio.gather(*(one.send(idempotency=KEY) for one in (desk, other) * 10))
    assert len({answer.message_id for answer in answers if isinstance(answer, Accepted)}) == 1
    assert len(answers) == sum(isinstance(answer, Accepted) for answer in answers)
    assert len(await rows(database, messages)) == len(await rows(database, idempotency_keys)) == 1
    another = await other.send(idempotency=Idempotency("key", b"g" * 32))
    assert isinstance(another, Refused)
    assert another.rule is refusals.IDEMPOTENCY_KEY_REUSED


async def test_q07_a_key_is_good_for_a_day_whatever_is_done_to_the_wall_clock(
    desk: Desk, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await desk.send(idempotency=KEY)
    now_ms = desk.engine.clock.now_ms
    for days in (3, -3):
        monkeypatch.setattr(desk.engine.clock, "now_ms", lambda days=days: now_ms() + days * 86_400_000)
        assert await desk.send(idempotency=KEY) == first
    assert len(await rows(database, messages)) == 1


@pytest.mark.parametrize("happened", [True, False])
async def test_h04_after_an_unknown_commit_the_next_try_finds_the_first(
    desk: Desk, database: Database, monkeypatch: pytest.MonkeyPatch, happened: bool
) -> None:
    real = batches.accept

    async def unknown(*arguments: Any) -> Any:
        if happened:
            await real(*arguments)
        raise CommitUnknownError("the connection died during COMMIT")

    monkeypatch.setattr(batches, "accept", unknown)
    first = await desk.send(idempotency=KEY)
    monkeypatch.setattr(batches, "accept", real)
    assert isinstance(first, Accepted) == happened
    second = await desk.send(idempotency=KEY)
    assert isinstance(second, Accepted)
    if isinstance(first, Accepted):
        assert second == first
    assert len(await rows(database, messages)) == 1


async def test_h04_what_is_refused_leaves_no_key(desk: Desk, database: Database) -> None:
    await suppressions.add(database, desk.engine.account, "bob@x.test", by=SYSTEM)
    await desk.send(idempotency=KEY)
    assert await rows(database, idempotency_keys) == []


# -- later --------------------------------------------------------------------------------------------------------


async def final(database: Database) -> dict[str, str]:
    async with asyncio.timeout(10):
        while True:
            async with database.read() as connection:
                if not await connection.scalar(select(func.count()).select_from(queue)):
                    return {row.recipient: row.status for row in await connection.execute(select(emails))}
            await asyncio.sleep(0.01)


async def test_a_scheduled_message_is_claimed_when_it_is_due(desk: Desk, database: Database) -> None:
    await desk.engine.run()
    send_at = desk.engine.clock.now_ms() + 300
    answer = await desk.send(send_at=send_at)
    assert isinstance(answer, Accepted)
    (waiting,) = await rows(database, queue)
    assert (waiting.owner, waiting.hold, waiting.due_at) == (0, "scheduled", send_at)
    assert desk.engine.post.delivered == []
    assert await final(database) == {"bob@x.test": "delivered"}
    assert desk.engine.clock.now_ms() >= send_at


async def test_suspended_accounts_keep_what_is_scheduled(desk: Desk, database: Database) -> None:
    """It waits for its time; then delivery asks for the account's state like for any other mail."""
    await desk.send(send_at=desk.engine.clock.now_ms() + 60_000)
    async with database.write() as connection:
        now = desk.engine.clock.now_ms()
        await interventions.hold_account(connection, desk.engine.account, Hold.SUSPENDED, now)
    (waiting,) = await rows(database, queue)
    assert waiting.hold == "scheduled"


async def test_a_personalised_message_is_delivered_to_each_as_theirs(desk: Desk, database: Database) -> None:
    await desk.engine.run()
    given = {mailbox.address: Personalization({"name": mailbox.name}).encode() for mailbox in (BOB, CARLA)}
    await desk.send(to=(BOB, CARLA), text="Dear {{ name }}", personalizations=given, twig=True)
    assert set((await final(database)).values()) == {"delivered"}
    texts = {str(envelope.recipient): composed.body for envelope, composed in desk.engine.post.delivered}
    assert b"Dear Bob" in texts["bob@x.test"]
    assert b"Dear Carla" in texts["carla@x.test"]


async def test_received_says_that_it_came_by_http(desk: Desk, database: Database) -> None:
    await desk.engine.run()
    await desk.send()
    await final(database)
    (_, composed) = desk.engine.post.delivered[0]
    assert b"with HTTP" in composed.head
