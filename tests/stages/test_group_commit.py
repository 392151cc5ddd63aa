"""accept.commit: many messages in one transaction, each decided by itself, none acknowledged that is not kept."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from postroom.accept.commit import GroupCommit, Member
from postroom.errors import CommitUnknownError, StorageUnavailableError
from postroom.runtime.clock import FakeClock
from postroom.runtime.ids import mail_id
from postroom.store import batches
from postroom.store.database import Database
from postroom.store.schema import emails, events, messages, metadata, queue, quota_days, suppressions
from postroom.types import refusals
from postroom.types.draft import Content, Draft
from postroom.types.envelope import Address, Envelope, Recipient
from postroom.types.refusals import Refused

ACCOUNT, OTHER = "a" * 16, "b" * 16
OWNER = 7


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await Database.open(f"sqlite:///{tmp_path / 'mail.db'}", timeout=0.2)
    async with opened.write() as connection:
        await connection.run_sync(metadata.create_all)
    yield opened
    await opened.close()


class Desk:
    """A group commit with what it handed on."""

    def __init__(self, database: Database) -> None:
        self.clock = FakeClock()
        self.handed: list[Member] = []
        self.counted: dict[str, int] = {}
        self.commit = GroupCommit(
            database,
            self.clock,
            lifetime=3600,
            owner_for=lambda _: OWNER,
            handed=self.handed.extend,
            counted=lambda _, used: self.counted.update(used),
        )

    def submit(
        self, draft: Draft, quota: int | None = None, *, hold: bool = False
    ) -> asyncio.Future[str | Refused]:
        return self.commit.submit(draft, quota=quota, hold_over_quota=hold)


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


def draft(*recipients: str, account: str = ACCOUNT, refuse_suppressed: bool = False) -> Draft:
    content = b"From: a@sender.test\r\nSubject: hi\r\n\r\nbody\r\n"
    to = [Recipient(Address(*address.split("@"))) for address in recipients or ("r@x.test",)]
    return Draft(
        id=mail_id(1),
        account_id=account,
        domain_id="d" * 16,
        credential_id="c" * 16,
        envelope=Envelope(Address("a", "sender.test"), to),
        content=Content(content, len(content), 35),
        signing_domain="sender.test",
        header_from="a@sender.test",
        subject="hi",
        message_id="<1@sender.test>",
        received_at=1,
        refuse_suppressed=refuse_suppressed,
    )


async def count(database: Database, table) -> int:
    async with database.read() as connection:
        return int(await connection.scalar(select(func.count()).select_from(table)) or 0)


async def test_each_is_acknowledged_with_its_id_and_is_there(database: Database, desk: Desk) -> None:
    drafts = [draft("r@x.test", "s@x.test") for _ in range(30)]
    answers = await asyncio.gather(*[desk.submit(each) for each in drafts])
    assert answers == [each.id for each in drafts]
    assert (await count(database, messages), await count(database, queue)) == (30, 60)
    assert await count(database, events) == 0  # that they are queued is told by the emails
    assert len(desk.handed) == 30
    assert {entry.site for member in desk.handed for entry in member.entries} == {"x.test"}
    assert desk.counted == {ACCOUNT: 60}


async def test_what_arrives_during_a_commit_goes_into_the_next(
    database: Database, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    real = batches.accept

    async def spy(database, day, limited, addresses, plan):
        sizes.append(len(addresses))
        return await real(database, day, limited, addresses, plan)

    monkeypatch.setattr(batches, "accept", spy)
    await asyncio.gather(*[desk.submit(draft()) for _ in range(50)])
    assert sizes == [1, 49]


async def test_the_quota_refuses_one_member_and_keeps_the_others(database: Database, desk: Desk) -> None:
    answers = await asyncio.gather(
        desk.submit(draft("a@x.test", "b@x.test"), quota=3),
        desk.submit(draft("c@x.test", "d@x.test"), quota=3),
        desk.submit(draft("e@x.test"), quota=3),
        desk.submit(draft(account=OTHER), quota=1),
    )
    assert [isinstance(answer, str) for answer in answers] == [True, False, True, True]
    refused = answers[1]
    assert isinstance(refused, Refused)
    assert refused.rule is refusals.DAILY_QUOTA
    assert refused.facts["used"] == "2"
    assert await count(database, queue) == 4


async def test_x04_racing_never_exceeds_the_quota(database: Database) -> None:
    desks = [Desk(database) for _ in range(4)]
    answers = await asyncio.gather(*[desks[number % 4].submit(draft(), quota=37) for number in range(200)])
    assert sum(isinstance(answer, str) for answer in answers) == 37
    async with database.read() as connection:
        assert await connection.scalar(select(quota_days.c.used)) == 37
    assert await count(database, emails) == 37


async def test_over_the_quota_may_be_held_until_the_next_day(database: Database, desk: Desk) -> None:
    answers = await asyncio.gather(*[desk.submit(draft(), quota=1, hold=True) for _ in range(2)])
    assert all(isinstance(answer, str) for answer in answers)
    async with database.read() as connection:
        rows = (await connection.execute(select(queue.c.hold, queue.c.owner, queue.c.due_at))).all()
        statuses = sorted(await connection.scalars(select(emails.c.status)))
    day = 86_400_000
    midnight = (desk.clock.now_ms() // day + 1) * day
    assert sorted(rows)[1] == ("quota", 0, midnight)
    assert [len(member.entries) for member in desk.handed] == [1, 0]  # tomorrow's is nobody's yet
    assert statuses == ["held", "queued"]


async def test_a_suppressed_recipient_is_accepted_and_final(database: Database, desk: Desk) -> None:
    await suppress(database, "gone@x.test")
    answer = await desk.submit(draft("gone@x.test", "here@x.test"))
    assert isinstance(answer, str)
    async with database.read() as connection:
        found = dict((await connection.execute(select(emails.c.recipient, emails.c.status))).all())
        kinds = sorted(await connection.scalars(select(events.c.type)))
    assert found == {"gone@x.test": "suppressed", "here@x.test": "queued"}
    assert kinds == ["suppressed"]
    assert await count(database, queue) == 1


async def test_an_smtp_user_may_refuse_suppressed_recipients(database: Database, desk: Desk) -> None:
    await suppress(database, "gone@x.test")
    answer = await desk.submit(draft("gone@x.test", refuse_suppressed=True))
    assert isinstance(answer, Refused)
    assert answer.rule is refusals.RECIPIENT_SUPPRESSED
    assert await count(database, messages) == 0


async def test_i6_a_failed_transaction_refuses_all_its_members(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_):
        raise StorageUnavailableError("disk full")

    monkeypatch.setattr(batches, "accept", fail)
    answers = await asyncio.gather(*[desk.submit(draft()) for _ in range(5)])
    assert {answer.rule for answer in answers if isinstance(answer, Refused)} == {
        refusals.STORAGE_UNAVAILABLE
    }
    assert len(answers) == 5
    assert desk.handed == []


async def test_a_bug_of_ours_refuses_and_the_next_batch_goes_on(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = batches.accept

    async def fail(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(batches, "accept", fail)
    assert isinstance(await desk.submit(draft()), Refused)
    monkeypatch.setattr(batches, "accept", real)
    assert isinstance(await desk.submit(draft()), str)


@pytest.mark.parametrize("happened", [True, False])
async def test_q10_after_an_unknown_commit_members_are_looked_up(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, happened: bool
) -> None:
    real = batches.accept

    async def unknown(*arguments):
        if happened:
            await real(*arguments)
        raise CommitUnknownError("the connection died during COMMIT")

    monkeypatch.setattr(batches, "accept", unknown)
    answer = await desk.submit(draft())
    assert isinstance(answer, str) == happened
    assert len(desk.handed) == int(happened)


@pytest.mark.parametrize("slow_part", ["begin", "commit"])
async def test_q09_nobody_waits_longer_than_the_databases_timeout(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, slow_part: str
) -> None:
    real, gate = batches.accept, asyncio.Event()

    async def slow(*arguments):
        if slow_part == "begin":
            await gate.wait()
        await real(*arguments)
        await gate.wait()

    monkeypatch.setattr(batches, "accept", slow)
    answer = await asyncio.wait_for(desk.submit(draft()), 2)
    assert isinstance(answer, Refused)
    assert answer.rule is refusals.STORAGE_UNAVAILABLE
    gate.set()
    await desk.commit.stop()
    # What was refused is not kept; only when it is there already it has to be delivered.
    assert len(desk.handed) == (0 if slow_part == "begin" else 1)


async def suppress(database: Database, address: str) -> None:
    async with database.write() as connection:
        row = {
            "account_id": ACCOUNT,
            "id": mail_id(1),
            "list": "blocklist",
            "address": address,
            "created_at": 1,
        }
        await connection.execute(suppressions.insert().values(row))
