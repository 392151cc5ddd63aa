"""accept.commit: many messages in one transaction, each decided by itself, none acknowledged that is not kept."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from postroom.accept import commit
from postroom.accept.commit import GroupCommit, Member
from postroom.errors import CommitUnknownError, StorageUnavailableError
from postroom.runtime.clock import FakeClock
from postroom.runtime.ids import mail_id
from postroom.store import batches
from postroom.store.database import Database
from postroom.store.schema import emails, events, messages, queue, quota_days, suppressions
from postroom.tenancy.quotas import day_number, release_ms
from postroom.types import refusals
from postroom.types.draft import Content, Draft
from postroom.types.envelope import Address, Envelope, Recipient
from postroom.types.refusals import Refused

ACCOUNT, OTHER = "a" * 16, "b" * 16
OWNER = 7


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


@pytest.fixture
def batch_sizes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Recipients in each transaction."""
    sizes: list[int] = []
    real = batches.accept

    async def spy(database, day, limited, addresses, *rest):
        sizes.append(len(addresses))
        return await real(database, day, limited, addresses, *rest)

    monkeypatch.setattr(batches, "accept", spy)
    return sizes


async def test_what_arrives_during_a_commit_goes_into_the_next(desk: Desk, batch_sizes: list[int]) -> None:
    first = desk.submit(draft())
    while not batch_sizes:
        await asyncio.sleep(0)
    await asyncio.gather(first, *[desk.submit(draft()) for _ in range(49)])
    assert batch_sizes == [1, 49]


async def test_what_arrives_before_the_writers_turn_goes_into_the_same(
    sqlite_database: Database, batch_sizes: list[int]
) -> None:
    desk = Desk(sqlite_database)
    async with sqlite_database.turn():
        answers = []
        for _ in range(7):
            answers.append(desk.submit(draft()))
            await asyncio.sleep(0)
    assert all(isinstance(answer, str) for answer in await asyncio.gather(*answers))
    assert batch_sizes == [7]


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
    assert sorted(rows)[1] == ("quota", 0, release_ms(desk.clock.now_ms()))
    assert [len(member.entries) for member in desk.handed] == [1, 0]  # tomorrow's is nobody's yet
    assert statuses == ["held", "queued"]


async def counted(database: Database) -> dict[int, int]:
    """Emails by day, today's being 0."""
    today = day_number(FakeClock().now_ms())
    async with database.read() as connection:
        rows = await connection.execute(select(quota_days.c.day, quota_days.c.used))
    return {day - today: used for day, used in rows}


async def test_what_is_held_uses_the_quota_of_the_next_day_and_no_more_than_that(
    database: Database, desk: Desk
) -> None:
    answers = [await desk.submit(draft("a@x.test", "b@x.test"), quota=5, hold=True) for _ in range(6)]
    assert [isinstance(answer, str) for answer in answers] == [True] * 4 + [False] * 2
    assert await counted(database) == {0: 4, 1: 4}
    assert isinstance(await desk.submit(draft(), quota=5, hold=True), str)  # one has room today
    assert await counted(database) == {0: 5, 1: 4}
    refused = answers[-1]
    assert isinstance(refused, Refused)
    assert (refused.rule, refused.facts["used"]) == (refusals.DAILY_QUOTA, "4")


async def test_what_was_held_leaves_the_next_day_its_rest(database: Database, desk: Desk) -> None:
    for _ in range(5):
        await desk.submit(draft(), quota=3, hold=True)
    desk.clock.jump(86_400)
    answers = [await desk.submit(draft(), quota=3, hold=hold) for hold in (False, False, True)]
    assert [isinstance(answer, str) for answer in answers] == [True, False, True]
    assert await counted(database) == {0: 3, 1: 3, 2: 1}


async def test_x04_racing_never_exceeds_the_quotas_of_two_days(database: Database) -> None:
    desks = [Desk(database) for _ in range(4)]
    answers = await asyncio.gather(
        *[desks[number % 4].submit(draft(), quota=37, hold=True) for number in range(200)]
    )
    assert sum(isinstance(answer, str) for answer in answers) == 74
    assert await counted(database) == {0: 37, 1: 37}


async def test_what_is_held_is_due_in_the_order_in_which_it_came(database: Database, desk: Desk) -> None:
    await desk.submit(draft("a@x.test", "b@x.test", "c@x.test"), quota=3)
    kept = []
    for minutes in (1, 5, 300):
        desk.clock.advance(minutes * 60)
        kept.append(await desk.submit(draft(), quota=3, hold=True))
    async with database.read() as connection:
        due = await connection.scalars(
            select(queue.c.message_id).where(queue.c.hold == "quota").order_by(queue.c.due_at)
        )
        assert list(due) == kept


@pytest.mark.parametrize("hold", [False, True])
async def test_q07_what_waits_is_stored_on_the_steady_scale(
    database: Database, desk: Desk, hold: bool
) -> None:
    steady = desk.clock.steady_ms()
    desk.clock.jump(90_000)
    if hold:
        await desk.submit(draft(), quota=1)
    kept = await desk.submit(draft(), quota=1, hold=hold)
    async with database.read() as connection:
        row = (await connection.execute(select(queue).where(queue.c.message_id == kept))).one()
        email = (await connection.execute(select(emails).where(emails.c.message_id == kept))).one()
    today = desk.clock.now_ms() % 86_400_000
    assert row.due_at == steady + (86_400_000 - today + today // 1000 if hold else 0)
    assert row.expires_at == row.due_at + 3_600_000
    assert email.created_at == desk.clock.now_ms()


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
    database: Database, desk: Desk, monkeypatch: pytest.MonkeyPatch, slow_part: str
) -> None:
    await desk.submit(draft())  # connected: that may take its time
    desk.handed.clear()
    database.timeout = 0.2
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


async def test_q09_nobody_waits_longer_for_the_writers_turn(sqlite_database: Database) -> None:
    desk = Desk(sqlite_database)
    sqlite_database.timeout = 0.2
    async with sqlite_database.turn():
        answer = await asyncio.wait_for(desk.submit(draft()), 2)
    assert isinstance(answer, Refused)
    assert answer.rule is refusals.STORAGE_UNAVAILABLE
    assert isinstance(await asyncio.wait_for(desk.submit(draft()), 2), str)
    assert await count(sqlite_database, messages) == len(desk.handed) == 1


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


@pytest.mark.parametrize(
    ("limit", "value", "size", "recipients"),
    [
        ("WAITING", 10, 100, 1),
        ("WAITING_OCTETS", 10_000, 1000, 1),
        ("WAITING_RECIPIENTS", 50, 100, 5),
    ],
)
async def test_x11_what_may_wait_is_bounded(
    desk: Desk,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    limit: str,
    value: int,
    size: int,
    recipients: int,
) -> None:
    """The rest is told at once to come back, and there is room again when the disk has caught up."""
    monkeypatch.setattr(commit, limit, value)
    people = [f"user{number}@x.test" for number in range(recipients)]
    async with database.turn():
        answers = [desk.submit(sized(draft(*people), size)) for _ in range(30)]
        await asyncio.sleep(0)
        refused = [answer for answer in answers if answer.done()]
        assert len(refused) == 30 - 10
        assert all(answer.result().rule is refusals.STORAGE_UNAVAILABLE for answer in refused)
    kept = [answer for answer in await asyncio.gather(*answers) if isinstance(answer, str)]
    assert len(kept) == await count(database, messages) == 10
    assert isinstance(await desk.submit(sized(draft(*people), size)), str)
    assert (desk.commit._waiting_octets, desk.commit._waiting_recipients) == (0, 0)


async def test_x11_what_is_personal_counts_as_well(
    desk: Desk, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commit, "WAITING_OCTETS", 10_000)

    def personal() -> Draft:
        made = sized(draft("ada@x.test"), 100)
        made.personalizations = {"ada@x.test": bytes(4900)}
        return made

    async with database.turn():
        answers = [desk.submit(personal()) for _ in range(5)]
        await asyncio.sleep(0)
        assert [answer.done() for answer in answers] == [False, False, True, True, True]
    await asyncio.gather(*answers)
    assert desk.commit._waiting_octets == 0


async def test_x11_a_transaction_is_bounded_by_its_recipients_too(
    desk: Desk, batch_sizes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commit, "MOST_RECIPIENTS", 100)
    people = [f"user{number}@x.test" for number in range(40)]
    answers = [desk.submit(draft(*people)) for _ in range(7)]
    assert all(isinstance(answer, str) for answer in await asyncio.gather(*answers))
    assert batch_sizes == [120, 120, 40]


def sized(one: Draft, octets: int) -> Draft:
    return replace(one, content=replace(one.content, data=one.content.data.ljust(octets, b"x"), size=octets))
