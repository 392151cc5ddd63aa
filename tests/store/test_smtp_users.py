from __future__ import annotations

from dataclasses import replace

from postroom.store import installation, smtp_users
from postroom.store.database import Database
from postroom.store.smtp_users import PasswordKeys, SmtpUser

MINE, THEIRS, DOMAIN = "a" * 16, "b" * 16, "d" * 16
KEYS = PasswordKeys(b"hash", b"salt", 4096, b"stored", b"server")
USER = SmtpUser(
    id="u" * 16,
    account_id=MINE,
    domain_id=DOMAIN,
    name="App",
    username="pr_app@example.com",
    password_hash=b"hash",
    enabled=True,
    refuse_suppressed=True,
    stream="broadcast",
    allowed_addresses="192.0.2.0/24\n2001:db8::/32",
    last_used_at=None,
    created_at=1,
    updated_at=1,
    from_domains=f"{DOMAIN}\n{'e' * 16}",
    hourly_cap=10,
    daily_cap=2**40,
    expires_at=2**42,
)


async def added(database: Database, *users: SmtpUser) -> None:
    async with database.write() as connection:
        for user in users or (USER,):
            await smtp_users.add(connection, user, KEYS)


async def test_found_by_id_and_username(database: Database) -> None:
    await added(database)
    async with database.read() as connection:
        assert await smtp_users.get(connection, USER.id) == USER
        assert await smtp_users.get(connection, USER.username) == USER
        assert await smtp_users.owned(connection, MINE, USER.id) == USER
        assert await smtp_users.owned(connection, MINE, USER.username) is None
        assert await smtp_users.get(connection, "x" * 16) is None


async def test_expired_are_those_of_a_name_whose_time_is_over(database: Database) -> None:
    over, theirs, on, ever, other = (
        replace(USER, id=f"{at}" * 16, username=f"{at}", account_id=account, name=name, expires_at=expires_at)
        for at, (account, name, expires_at) in enumerate(
            [(MINE, "run", 5), (THEIRS, "run", 4), (MINE, "run", 6), (MINE, "run", None), (MINE, "App", 5)]
        )
    )
    await added(database, over, theirs, on, ever, other)
    async with database.read() as connection:
        assert {user.id for user in await smtp_users.expired(connection, "run", 5)} == {over.id, theirs.id}


async def test_h01_another_account_cannot_see_or_change_it(database: Database) -> None:
    await added(database)
    async with database.write() as connection:
        assert await smtp_users.owned(connection, THEIRS, USER.id) is None
        assert await smtp_users.page(connection, THEIRS, DOMAIN, offset=0, limit=10) == []
        assert await smtp_users.count(connection, THEIRS, DOMAIN) == 0
        assert not await smtp_users.change(connection, THEIRS, USER.id, name="mine")
        assert not await smtp_users.remove(connection, THEIRS, USER.id)
        assert await smtp_users.get(connection, USER.id) == USER


async def test_every_change_is_seen_by_the_caches(database: Database) -> None:
    seen = []

    async def note() -> None:
        async with database.read() as connection:
            seen.append(await installation.version(connection))

    await note()
    await added(database)
    await note()
    async with database.write() as connection:
        assert await smtp_users.change(connection, MINE, USER.id, hourly_cap=None, from_domains="")
        changed = replace(USER, hourly_cap=None, from_domains="")
        assert await smtp_users.get(connection, USER.id) == changed
    await note()
    async with database.write() as connection:
        assert await smtp_users.remove(connection, MINE, USER.id)
        assert not await smtp_users.remove(connection, MINE, USER.id)
    await note()
    assert seen == sorted(set(seen))


async def test_pages_are_those_of_a_domain_in_the_order_they_were_made(database: Database) -> None:
    elsewhere = replace(USER, id="x" * 16, username="pr_x@example.org", domain_id="e" * 16)
    more = [
        replace(USER, id=f"{number:016}", username=f"pr_{number}@example.com", created_at=10 - number)
        for number in range(1, 6)
    ]
    await added(database, USER, elsewhere, *more)
    async with database.read() as connection:
        some = await smtp_users.page(connection, MINE, DOMAIN, offset=2, limit=2)
        assert [one.created_at for one in some] == [6, 7]
        assert await smtp_users.count(connection, MINE, DOMAIN) == 6
        assert len(await smtp_users.list_all(connection)) == 7
        assert [one.created_at for one in await smtp_users.list_all(connection, DOMAIN)] == [1, 5, 6, 7, 8, 9]


async def test_when_it_was_used_last_wakes_no_cache(database: Database) -> None:
    await added(database)
    async with database.write() as connection:
        before = await installation.version(connection)
        await smtp_users.touch(connection, {USER.id: 7, "x" * 16: 8})
        assert await smtp_users.get(connection, USER.id) == replace(USER, last_used_at=7)
        assert await installation.version(connection) == before
