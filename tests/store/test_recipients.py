from __future__ import annotations

from dataclasses import replace

from postroom.events.recipients import LAG, Gathering
from postroom.runtime import ids
from postroom.runtime.clock import Clock
from postroom.store import recipients
from postroom.store.database import Database
from postroom.store.recipients import ID, NEWEST, Recipient
from support.mail import ACCOUNT, DOMAIN, NOW, OTHER, add_account, insert, lay_out, mail_id, message_row

ADA = Recipient(ACCOUNT, "1" * 24, DOMAIN, "ada@y.test", NOW, NOW, "")
BOB = replace(ADA, id="2" * 24, email="bob@y.test", domain_id="e" * 16)


async def put(database: Database, *seen: Recipient) -> None:
    async with database.write() as connection:
        await recipients.put(connection, seen)


async def got(database: Database, one: Recipient = ADA) -> Recipient | None:
    async with database.read() as connection:
        return await recipients.get(connection, one.account_id, one.id)


async def test_what_is_seen_again_is_told_of_the_same_recipient(database: Database) -> None:
    first, second = mail_id(), mail_id()
    await put(database, replace(ADA, newest=first))
    await put(database, replace(ADA, newest=second, created_at=NOW + 5, updated_at=NOW + 5))
    assert await got(database) == replace(ADA, newest=f"{second} {first}", updated_at=NOW + 5)
    await put(database, replace(ADA, newest=" ".join(mail_id() for _ in range(NEWEST))))
    kept = await got(database)
    assert kept is not None
    assert {len(id_) for id_ in kept.newest.split()} == {ID}
    assert (len(kept.newest.split()), kept.updated_at) == (NEWEST, NOW + 5)


async def test_only_newer_mail_brings_back_who_was_deleted(database: Database) -> None:
    await put(database, replace(ADA, newest=mail_id()))
    async with database.write() as connection:
        assert await recipients.remove(connection, ACCOUNT, ADA.id, NOW + 10)
        assert not await recipients.remove(connection, ACCOUNT, ADA.id, NOW + 10)
    assert await got(database) is None
    await put(database, replace(ADA, updated_at=NOW + 10, newest=mail_id()))
    assert await got(database) is None
    new = mail_id()
    await put(database, replace(ADA, updated_at=NOW + 11, newest=new))
    assert await got(database) == replace(ADA, updated_at=NOW + 11, newest=new)


async def test_h01_another_account_sees_and_changes_nothing(database: Database) -> None:
    await put(database, ADA)
    async with database.write() as connection:
        assert await recipients.get(connection, OTHER, ADA.id) is None
        assert await recipients.page(connection, OTHER) == []
        assert await recipients.load(connection, OTHER, [ADA.id]) == {}
        assert not await recipients.remove(connection, OTHER, ADA.id, NOW)
        assert await recipients.get(connection, ACCOUNT, ADA.id) == ADA


async def test_pages(database: Database) -> None:
    await put(database, ADA, BOB, replace(BOB, id="3" * 24, email="abe@y.test"))
    async with database.read() as connection:
        addresses = [one.email for one in await recipients.page(connection, ACCOUNT)]
        assert addresses == ["abe@y.test", "ada@y.test", "bob@y.test"]
        assert await recipients.page(connection, ACCOUNT, domains=[DOMAIN]) == [ADA]
        assert await recipients.page(connection, ACCOUNT, offset=2, limit=5) == [BOB]


async def test_who_has_not_been_written_to_for_long_goes(database: Database) -> None:
    await put(database, ADA, replace(BOB, updated_at=NOW + 1))
    async with database.write() as connection:
        assert await recipients.delete_old(connection, NOW + 1, 10) == 1
        assert await recipients.delete_old(connection, NOW + 1, 10) == 0
        assert [one.id for one in await recipients.page(connection, ACCOUNT)] == [BOB.id]


class At(Clock):
    at = NOW

    def now_ms(self) -> int:
        return self.at


async def test_gathering_takes_in_each_email_once(database: Database) -> None:
    """What is younger than the lag waits for the next run."""
    await add_account(database)
    await add_account(database, OTHER)
    start, clock = NOW, At()
    gathering = Gathering(database, clock)
    old = await insert(database, lay_out(message_row(at=start - LAG - 1), 2))
    theirs = await insert(database, lay_out(message_row(OTHER, at=start - LAG - 1), 1))
    await insert(database, lay_out(message_row(at=start), 1))
    assert [await gathering.run_once() for _ in range(2)] == [3, 0]
    async with database.read() as connection:
        mine = await recipients.page(connection, ACCOUNT)
        assert sorted(one.newest for one in mine) == [email.id for email in old.emails]
        assert [one.newest for one in await recipients.page(connection, OTHER)] == [theirs.emails[0].id]
        assert await recipients.behind(connection, ids.earliest(start)) == []
    clock.at += LAG + 1
    assert await gathering.run_once() == 1
