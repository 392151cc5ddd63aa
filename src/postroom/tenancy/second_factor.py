"""The second step of signing in: a code from an app (TOTP, RFC 6238), or a recovery code. `enrolment` switches it on.

A code of the app is good once, and only in its half minute and the ones beside it; a recovery code is good once. Five
wrong ones in a row lock the step for a quarter of an hour, each five more for twice as long, up to a day (U05). A person
whose password nobody else knows never meets the lock: a code is only taken after the password.

The secret is sealed under the user's id; of a recovery code there is an HMAC under the installation's key (X01).
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from math import ceil

from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.runtime.secrets import SecretBox
from postroom.store import second_factors as store
from postroom.store.database import Database
from postroom.store.second_factors import SecondFactor
from postroom.store.users import User
from postroom.tenancy import audit
from postroom.types import refusals
from postroom.types.actor import Actor
from postroom.types.refusals import Refused
from postroom.wire import totp

TRIES = 5
"""Wrong codes in a row until the step is locked."""
FIRST_LOCK, LONGEST_LOCK = 15 * 60 * 1000, 24 * 3600 * 1000
"""Milliseconds."""


@dataclass(frozen=True, slots=True)
class State:
    """`since` in milliseconds, None: signing in takes one step."""

    since: int | None
    recovery_codes_left: int


@dataclass(frozen=True, slots=True)
class WrongCode:
    """`locks` is the person whose step is locked by this code, and who ought to hear of it. `seconds` until codes are
    taken again."""

    why: Refused
    locks: User | None = None
    seconds: int | None = None


async def state(db: Database, user_id: str) -> State:
    async with db.read() as connection:
        factor = await store.get(connection, user_id)
        left = await store.count_codes(connection, user_id)
    return State(None if factor is None else factor.confirmed_at, left)


async def is_on(connection: AsyncConnection, user_id: str) -> bool:
    """Whether signing in takes a second step."""
    factor = await store.get(connection, user_id)
    return factor is not None and factor.confirmed_at is not None


async def check(
    connection: AsyncConnection, box: SecretBox, user: User, given: str, *, now: int, by: Actor
) -> WrongCode | None:
    """None when the code is right, and used up. The transaction has to be committed either way: it counts wrong ones."""
    factor = await store.lock(connection, user.id)
    if factor is None or factor.confirmed_at is None:
        return None  # it was switched off meanwhile, by somebody who had more than a password
    if now < factor.locked_until:
        return _locked(factor.locked_until - now)
    written = plain(given)
    step = step_of(box, factor, written, now)
    if step is not None and step > factor.last_step:
        await store.change(connection, user.id, last_step=step, failures=0)
        return None
    if await store.use_code(connection, user.id, hash_of(box, user.id, written)):
        await store.change(connection, user.id, failures=0)
        await record(connection, by, "second_factor.recovery_code_used", user)
        return None
    return await _failed(connection, factor, user, now=now, by=by)


async def _failed(
    connection: AsyncConnection, factor: SecondFactor, user: User, *, now: int, by: Actor
) -> WrongCode:
    failures = factor.failures + 1
    rounds, beyond = divmod(failures, TRIES)
    lock = 0 if beyond else min(FIRST_LOCK * 2 ** min(rounds - 1, 20), LONGEST_LOCK)
    await store.change(connection, user.id, failures=failures, locked_until=now + lock)
    await record(connection, by, "second_factor.refused", user, after={"failures": failures, "lock": lock})
    return _locked(lock, user) if lock else WrongCode(Refused(refusals.SECOND_FACTOR_WRONG))


def _locked(milliseconds: int, locks: User | None = None) -> WrongCode:
    seconds = ceil(milliseconds / 1000)
    facts = {"minutes": str(ceil(seconds / 60))}
    return WrongCode(Refused(refusals.SECOND_FACTOR_LOCKED, facts), locks, seconds)


def plain(code: str) -> str:
    """As it was made: people write blanks and dashes."""
    return "".join(code.split()).replace("-", "").lower()


def step_of(box: SecretBox, factor: SecondFactor, code: str, now: int) -> int | None:
    """The step that a code of the app belongs to; None when it is wrong."""
    return totp.matching_step(box.open(factor.secret, context_of(factor.user_id)), code, now)


def hash_of(box: SecretBox, user_id: str, code: str) -> bytes:
    """What is kept of a recovery code, written without dashes."""
    return hmac.digest(box.derive("recovery codes"), f"{user_id}:{code}".encode(), "sha256")


def context_of(user_id: str) -> str:
    """What the secret is sealed under."""
    return f"second factor:{user_id}"


async def record(
    connection: AsyncConnection, by: Actor, action: str, user: User, after: dict[str, int] | None = None
) -> None:
    """They concern the person, whatever accounts they belong to: the entry is the installation's."""
    await audit.record(connection, by, action, account_id="", object_id=user.id, name=user.email, after=after)
