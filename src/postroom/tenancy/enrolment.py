"""Switching the second step of signing in on and off.

    enrol      a new secret, shown once; nothing is asked for yet
    confirm    a right code shows that the app has it: from now on signing in takes a code; ten recovery codes, shown once
    disable    gone, with the recovery codes

Either ends all sessions of the person; the one it is done in goes on under another secret (U03).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from os import urandom

from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.errors import NotFoundError
from postroom.runtime import ids
from postroom.runtime.secrets import SecretBox
from postroom.store import second_factors as store
from postroom.store import sessions as session_store
from postroom.store import users
from postroom.store.database import Database
from postroom.store.second_factors import SecondFactor
from postroom.store.users import User
from postroom.tenancy import second_factor, sessions
from postroom.tenancy.sessions import NewSession, Renewal
from postroom.types import refusals
from postroom.types.actor import Actor
from postroom.types.refusals import Refused
from postroom.wire import totp

ISSUER = "Postroom"
CODES = 10


@dataclass(frozen=True, slots=True)
class Enrolment:
    """`secret` in base32, for who cannot scan; `url` is what the QR code says. Shown once."""

    secret: str = field(repr=False)
    url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Confirmed:
    """`codes` are the recovery codes, shown once; `session` takes the place of all there were."""

    codes: list[str] = field(repr=False)
    session: NewSession


async def enrol(db: Database, box: SecretBox, user_id: str, *, now: int, by: Actor) -> Enrolment | Refused:
    """A new secret in place of one that was begun and not confirmed. Refused: SECOND_FACTOR_ON. Raises NotFoundError."""
    secret = urandom(totp.SECRET_OCTETS)
    sealed = box.seal(secret, second_factor.context_of(user_id))
    async with db.write() as connection:
        user = await _user(connection, user_id)
        before = await store.lock(connection, user_id)
        if before is not None and before.confirmed_at is not None:
            return Refused(refusals.SECOND_FACTOR_ON)
        await store.put(connection, SecondFactor(user_id, sealed, None, 0, 0, 0, now))
        await second_factor.record(connection, by, "second_factor.begun", user)
    return Enrolment(totp.base32(secret), totp.url(secret, issuer=ISSUER, name=user.email))


async def confirm(
    db: Database, box: SecretBox, user_id: str, code: str, *, renewal: Renewal, by: Actor
) -> Confirmed | Refused:
    """The step is on. Refused: SECOND_FACTOR_NOT_BEGUN, SECOND_FACTOR_ON, SECOND_FACTOR_WRONG. Raises NotFoundError.

    Guessing opens nothing here: who asks is signed in, and has been shown the secret.
    """
    written = second_factor.plain(code)
    async with db.write() as connection:
        user = await _user(connection, user_id)
        factor = await store.lock(connection, user_id)
        if factor is None:
            return Refused(refusals.SECOND_FACTOR_NOT_BEGUN)
        if factor.confirmed_at is not None:
            return Refused(refusals.SECOND_FACTOR_ON)
        step = second_factor.step_of(box, factor, written, renewal.now)
        if step is None:
            return Refused(refusals.SECOND_FACTOR_WRONG)
        await store.change(connection, user_id, confirmed_at=renewal.now, last_step=step)
        codes = await _new_codes(connection, box, user_id)
        await second_factor.record(connection, by, "second_factor.enabled", user)
        return Confirmed(codes, await sessions.renew(connection, user, renewal))


async def renew_recovery_codes(
    db: Database, box: SecretBox, user_id: str, *, by: Actor
) -> list[str] | Refused:
    """Ten new ones; those before are good for nothing. Refused: SECOND_FACTOR_OFF. Raises NotFoundError."""
    async with db.write() as connection:
        user = await _user(connection, user_id)
        if not await second_factor.is_on(connection, user_id):
            return Refused(refusals.SECOND_FACTOR_OFF)
        await second_factor.record(connection, by, "second_factor.recovery_codes_renewed", user)
        return await _new_codes(connection, box, user_id)


async def disable(db: Database, user_id: str, *, renewal: Renewal, by: Actor) -> NewSession | Refused:
    """Signing in takes one step again. Refused: SECOND_FACTOR_OFF. Raises NotFoundError."""
    async with db.write() as connection:
        user = await _switched_off(connection, user_id, by)
        return user if isinstance(user, Refused) else await sessions.renew(connection, user, renewal)


async def disable_for(db: Database, user_id: str, *, by: Actor) -> User | Refused:
    """The same for somebody else, who has lost the app and the codes: they are signed out everywhere."""
    async with db.write() as connection:
        user = await _switched_off(connection, user_id, by)
        if isinstance(user, User):
            await session_store.remove_all(connection, user_id)
        return user


async def _switched_off(connection: AsyncConnection, user_id: str, by: Actor) -> User | Refused:
    user = await _user(connection, user_id)
    if not await second_factor.is_on(connection, user_id):
        return Refused(refusals.SECOND_FACTOR_OFF)
    await store.remove(connection, user_id)
    await second_factor.record(connection, by, "second_factor.disabled", user)
    return user


async def _new_codes(connection: AsyncConnection, box: SecretBox, user_id: str) -> list[str]:
    made = [ids.object_id() for _ in range(CODES)]  # 80 random bits each
    hashes = [second_factor.hash_of(box, user_id, code) for code in made]
    await store.put_codes(connection, user_id, hashes)
    return ["-".join(code[at : at + 4] for at in range(0, len(code), 4)) for code in made]


async def _user(connection: AsyncConnection, user_id: str) -> User:
    """As they are once nobody else changes how they sign in."""
    user = await users.lock(connection, user_id)
    if user is None:
        raise NotFoundError(f"there is no user {user_id}")
    return user
