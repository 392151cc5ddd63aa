"""What people change about themselves: name, time zone, the dashboard's preferences, and how they sign in.

A new password takes the present one, unless there was none: who came by a link chooses their first. It ends all other
sessions, and the one it was made in goes on under another secret.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from postroom.errors import NotFoundError, PostroomError
from postroom.runtime.clock import Clock
from postroom.store import one_time_links, users
from postroom.store.database import Database
from postroom.store.users import User
from postroom.tenancy import audit, passwords, sessions
from postroom.tenancy.sessions import NewSession, Renewal
from postroom.types import refusals
from postroom.types.actor import Actor
from postroom.types.refusals import Refused

TIME_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}")
"""A name of the IANA database, by its shape: browsers may know names that this machine does not."""


async def show(db: Database, user_id: str) -> User | None:
    async with db.read() as connection:
        return await users.get(connection, user_id)


async def change(db: Database, user_id: str, new: Mapping[str, Any], *, by: Actor) -> User:
    """`new` has the columns to set: name, last_name, time_zone, preferences (JSON). Raises NotFoundError, PostroomError."""
    zone = new.get("time_zone")
    if zone and not TIME_ZONE.fullmatch(zone):
        raise PostroomError(f"{zone!r} is no time zone: use a name like Europe/Berlin")
    async with db.write() as connection:
        before = await users.lock(connection, user_id)
        if before is None:
            raise NotFoundError(f"there is no user {user_id}")
        changed = {name: value for name, value in new.items() if getattr(before, name) != value}
        if not changed:
            return before
        await users.change(connection, user_id, **changed, updated_at=Clock().now_ms())
        after = await users.get(connection, user_id)
        assert after is not None, "who is locked cannot vanish"
        await audit.record(
            connection,
            by,
            "profile.updated",
            account_id="",
            object_id=user_id,
            name=after.email,
            before=before,
            after=after,
        )
    return after


async def is_right(db: Database, user_id: str, password: str | None) -> bool:
    """Whether this is the person's present password. Who has none needs none."""
    user = await show(db, user_id)
    if user is None:
        return False
    return not user.password_hash or await passwords.is_right(user.password_hash, password or "")


async def set_password(
    db: Database,
    user_id: str,
    password: str,
    *,
    old: str | None,
    renewal: Renewal,
    by: Actor,
) -> NewSession | Refused:
    """The session that takes the place of all there were.

    Refused: PASSWORD_WRONG (`old` is not the present one), PASSWORD_UNFIT. Raises NotFoundError.
    """
    before = await show(db, user_id)
    if before is None:
        raise NotFoundError(f"there is no user {user_id}")
    if before.password_hash and not await passwords.is_right(before.password_hash, old or ""):
        return Refused(refusals.PASSWORD_WRONG)
    if (unfit := passwords.unfit(password, before.email)) is not None:
        return unfit
    hashed = await passwords.hash_of_person(password, before.email)
    async with db.write() as connection:
        user = await users.lock(connection, user_id)
        if user is None or user.password_hash != before.password_hash:
            return Refused(refusals.PASSWORD_WRONG)  # it was changed meanwhile
        after = replace(user, password_hash=hashed, updated_at=renewal.now)
        # The sessions first: everybody takes the rows in this order, so nobody waits in a circle.
        made = await sessions.renew(connection, after, renewal)
        await users.change(connection, user_id, password_hash=hashed, updated_at=renewal.now)
        await one_time_links.remove_all(connection, user_id, user.email)
        await audit.record(
            connection,
            by,
            "profile.password_changed",
            account_id="",
            object_id=user_id,
            name=user.email,
            before=user,
            after=after,
        )
    return made
