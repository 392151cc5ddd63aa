"""Who a browser's session belongs to and what they may do now: a cache with the directory's rules.

What is cached is answered at once; nobody is refused from the cache; a change of users, memberships or sessions by any
process is seen within a second. A session has ended when its time is over, or when it was not used for a while.
"""

from __future__ import annotations

from dataclasses import dataclass

from postroom.config import Sessions
from postroom.errors import StorageUnavailableError
from postroom.runtime.clock import Clock
from postroom.store import memberships, sessions, users
from postroom.store.database import Database
from postroom.store.memberships import Membership
from postroom.store.sessions import Session
from postroom.store.users import User
from postroom.tenancy import passwords
from postroom.tenancy.directory import Directory
from postroom.tenancy.grants import Grant
from postroom.types.permissions import Permission, Role

FLUSH = 60.0
"""Seconds between two writes of when sessions were last used."""

NOTHING = Grant(Role.CUSTOM_USER, domains=frozenset())


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is signed in, working in one account. `account_id` "": they belong to none, or not to this any more.

    `grant` is what they may do in it. `expires_at` in milliseconds: then it is over, however much it is used.
    """

    session_id: str
    user_id: str
    email: str
    operator: bool
    account_id: str
    grant: Grant
    expires_at: int

    @property
    def permissions(self) -> frozenset[Permission]:
        return self.grant.permissions


@dataclass(slots=True)
class _Known:
    person: Person
    last_used_at: int


class Persons:
    """`known` and `read` tell whose session a secret is; call `flush` every minute, and once more before the end."""

    def __init__(self, db: Database, clock: Clock, settings: Sessions, directory: Directory) -> None:
        self._db = db
        self._clock = clock
        self._idle = round(settings.idle * 1000)
        self._generation = 0
        self._people: dict[bytes, _Known] = {}
        self._used: dict[str, int] = {}
        directory.on_change(self._forget)

    def known(self, secret: str) -> Person | None:
        """Whose session this is, if that is cached and the session goes on; never asks the database."""
        known = self._people.get(passwords.digest(secret))
        return None if known is None else self._admitted(known)

    async def read(self, secret: str) -> Person | None:
        """The same from the database. Raises StorageUnavailableError."""
        generation = self._generation
        digest = passwords.digest(secret)
        async with self._db.read() as connection:
            session = await sessions.by_hash(connection, digest)
            if session is None or session.state != sessions.SIGNED_IN:
                return None
            user = await users.get(connection, session.user_id)
            membership = await memberships.get(connection, session.account_id, session.user_id)
        if user is None:
            return None
        last_used_at = max(session.last_used_at, self._used.get(session.id, 0))
        known = _Known(_person(session, user, membership), last_used_at)
        if generation == self._generation:
            self._people[digest] = known
        return self._admitted(known)

    def forget(self, session_id: str) -> None:
        """This process looks it up again; another one notices within a second."""
        gone = [key for key, known in self._people.items() if known.person.session_id == session_id]
        for key in gone:
            del self._people[key]

    def forget_user(self, user_id: str) -> None:
        """All sessions of a person, as `forget`."""
        gone = [key for key, known in self._people.items() if known.person.user_id == user_id]
        for key in gone:
            del self._people[key]

    async def flush(self) -> None:
        """Write down when sessions were last used, and delete those that have ended."""
        used, self._used = self._used, {}
        now = self._clock.now_ms()
        try:
            async with self._db.write() as connection:
                if used:
                    await sessions.touch(connection, used)
                await sessions.remove_ended(connection, now, now - self._idle)
        except StorageUnavailableError:
            self._used = used | self._used
            raise

    def _admitted(self, known: _Known) -> Person | None:
        now = self._clock.now_ms()
        if now >= known.person.expires_at or now - known.last_used_at >= self._idle:
            return None
        known.last_used_at = self._used[known.person.session_id] = now
        return known.person

    def _forget(self) -> None:
        self._generation += 1
        self._people.clear()


def _person(session: Session, user: User, membership: Membership | None) -> Person:
    return Person(
        session_id=session.id,
        user_id=user.id,
        email=user.email,
        operator=user.operator,
        account_id=session.account_id if membership is not None else "",
        grant=Grant.of(membership) if membership is not None else NOTHING,
        expires_at=session.expires_at,
    )
