"""The second step: its secret, its recovery codes, and who comes at the same time."""

from __future__ import annotations

import asyncio
from base64 import b32decode

from postroom.runtime.secrets import SecretBox
from postroom.store import second_factors as store
from postroom.store import sessions as session_store
from postroom.store import users
from postroom.store.database import Database
from postroom.store.second_factors import SecondFactor
from postroom.store.users import User
from postroom.tenancy import enrolment, second_factor, sessions
from postroom.tenancy.sessions import Browser, NewSession, Renewal
from postroom.types.actor import SYSTEM
from postroom.wire import totp

ANNA, BEN = "a" * 16, "b" * 16
FACTOR = SecondFactor(ANNA, b"sealed", None, 0, 0, 0, 1)
BOX = SecretBox(bytes(32))
BROWSER = Browser("192.0.2.7", "test")
NOW = 1_800_000_000_000


async def test_put_changed_and_removed(database: Database) -> None:
    async with database.write() as connection:
        await store.put(connection, FACTOR)
        await store.put_codes(connection, ANNA, [b"1", b"2"])
        await store.put_codes(connection, BEN, [b"1"])
        assert await store.get(connection, ANNA) == await store.lock(connection, ANNA) == FACTOR
        assert await store.get(connection, BEN) is None
        await store.change(connection, ANNA, confirmed_at=5, last_step=7)
        assert (await store.load(connection, [ANNA, BEN]))[ANNA].last_step == 7
        assert await store.use_code(connection, ANNA, b"1")
        assert not await store.use_code(connection, ANNA, b"1")
        assert not await store.use_code(connection, BEN, b"2")
        assert await store.count_codes(connection, ANNA) == 1
        await store.put_codes(connection, ANNA, [b"3", b"4", b"5"])
        assert await store.count_codes(connection, ANNA) == 3
        await store.remove(connection, ANNA)
        assert await store.get(connection, ANNA) is None
        assert (await store.count_codes(connection, ANNA), await store.count_codes(connection, BEN)) == (0, 1)


async def enrolled(database: Database) -> tuple[User, bytes, list[str]]:
    """Somebody with a second step, its secret and the recovery codes."""
    user = User(ANNA, "anna@example.com", "", "", "", False, 1, 1)
    async with database.write() as connection:
        await users.add(connection, user)
    made = await enrolment.enrol(database, BOX, ANNA, now=NOW, by=SYSTEM)
    assert isinstance(made, enrolment.Enrolment)
    secret = b32decode(made.secret)
    code = totp.code(secret, totp.step_at(NOW) - 1)
    renewal = Renewal(BROWSER, "", NOW, 60)
    done = await enrolment.confirm(database, BOX, ANNA, code, renewal=renewal, by=SYSTEM)
    assert isinstance(done, enrolment.Confirmed)
    return user, secret, done.codes


async def half(database: Database, user: User) -> str:
    async with database.write() as connection:
        made = await sessions.first_step(connection, user, BROWSER, now=NOW, lifetime=60)
    assert not made.complete
    return made.secret


async def tried(database: Database, secret: str, code: str) -> str:
    made = await sessions.second_step(database, BOX, secret, code, BROWSER, now=NOW, lifetime=60)
    return "signed in" if isinstance(made, NewSession) else made.why.rule.id


async def test_u05_whoever_comes_at_the_same_time_uses_a_code_once(database: Database) -> None:
    user, secret, codes = await enrolled(database)
    for code in (totp.code(secret, totp.step_at(NOW)), codes[0]):
        halves = [await half(database, user) for _ in range(3)]
        answers = await asyncio.gather(*(tried(database, one, code) for one in halves))
        assert sorted(answers) == ["second-factor-wrong"] * 2 + ["signed in"]


async def test_u05_guesses_at_the_same_time_are_counted_one_by_one(database: Database) -> None:
    user, _, _ = await enrolled(database)
    waiting = await half(database, user)
    answers = await asyncio.gather(*(tried(database, waiting, "000000") for _ in range(12)))
    assert answers.count("second-factor-wrong") == second_factor.TRIES - 1
    assert set(answers) <= {"second-factor-wrong", "second-factor-locked", "session-invalid"}
    async with database.read() as connection:
        factor = await store.get(connection, ANNA)
        left = await session_store.of_user(connection, ANNA, session_store.SECOND_STEP)
    assert factor is not None
    assert (factor.failures, left) == (second_factor.TRIES, [])
