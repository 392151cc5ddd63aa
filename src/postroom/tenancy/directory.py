"""The cache in front of credentials, domains and account states, for the hot path.

Rules:
1. What is cached is answered at once, without SQL and without `await`; a method then returns the value itself, and
   an awaitable only when it has to ask the database.
2. A change made by any process is seen within a second: `watch` looks at `installation.version` every half second
   and forgets everything when it rose. What was read before that and arrives after it is not kept.
3. A login is never refused from the cache: the database is asked again before.
4. When the database does not answer, what is cached stays good: mail that cannot be stored is refused anyway.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import structlog

from postroom.errors import StorageUnavailableError
from postroom.runtime.clock import Clock
from postroom.store import (
    accounts,
    domains,
    installation,
    sender_identities,
    smtp_users,
    suppressions,
    tokens,
)
from postroom.store.database import Database
from postroom.tenancy import passwords
from postroom.tenancy.entries import (
    AccountState,
    Bearer,
    Credential,
    Login,
    account_state,
    bearer_entry,
    login_entry,
)
from postroom.types import refusals
from postroom.types.refusals import Refused

T = TypeVar("T")

POLL = 0.5
"""Seconds between two looks at the version."""
FLUSH = 60.0
"""Seconds between two writes of when SMTP users and tokens were last used."""

NOBODY = passwords.digest("")

log = structlog.get_logger(__name__)


class Directory:
    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._version: int | None = None
        self._generation = 0
        self._logins: dict[str, Login] = {}
        self._bearers: dict[bytes, Bearer] = {}
        self._accounts: dict[str, AccountState] = {}
        self._reading: dict[str, asyncio.Task[Any]] = {}
        self._used: dict[str, int] = {}
        self._tokens_used: dict[str, int] = {}
        self._listeners: list[Callable[[], None]] = []

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call `listener` whenever some configuration object has changed."""
        self._listeners.append(listener)

    # -- answers ---------------------------------------------------------------------------------------------

    def login(
        self, username: str, password: str, address: str
    ) -> Credential | Refused | Awaitable[Credential | Refused]:
        """Who this is, or why not. `address` is the client's IP address.

        Refused: AUTH_FAILED (also for users that do not exist); with the right password SMTP_USER_DISABLED,
        SMTP_USER_EXPIRED, DOMAIN_SMTP_DISABLED or ADDRESS_NOT_ALLOWED; LOGIN_UNAVAILABLE when the database does not
        answer.
        """
        username = username.lower()
        entry = self._logins.get(username)
        verdict = _judge(entry, password, address, self._clock.now_ms())
        if isinstance(verdict, Refused):
            return self._login_again(username, password, address)
        self._used[verdict.id] = self._clock.now_ms()
        return verdict

    async def _login_again(self, username: str, password: str, address: str) -> Credential | Refused:
        try:
            entry = await self._soon(_begun(self._read_login(username)))
        except StorageUnavailableError as error:
            log.warning("login cannot be checked", error=str(error))
            return Refused(refusals.LOGIN_UNAVAILABLE)
        verdict = _judge(entry, password, address, self._clock.now_ms())
        if isinstance(verdict, Credential):
            self._used[verdict.id] = self._clock.now_ms()
        return verdict

    def known_bearer(self, secret: str, address: str) -> Bearer | None:
        """Whose token this is, if it is cached and good for a client at `address`; never asks the database."""
        bearer = self._bearers.get(passwords.digest(secret))
        if bearer is None or bearer.refusal(address, self._clock.now_ms()) is not None:
            return None
        self._tokens_used[bearer.id] = self._clock.now_ms()
        return bearer

    async def read_bearer(self, secret: str, address: str) -> Bearer | Refused:
        """The same from the database. Refused: TOKEN_INVALID, and with the right token TOKEN_ADDRESS.

        Raises StorageUnavailableError.
        """
        generation = self._generation
        digest = passwords.digest(secret)
        async with self._db.read() as connection:
            token = await tokens.by_hash(connection, digest)
        if token is None:
            self._bearers.pop(digest, None)
            return Refused(refusals.TOKEN_INVALID)
        bearer = bearer_entry(token)
        if generation == self._generation:
            self._bearers[digest] = bearer
        refused = bearer.refusal(address, self._clock.now_ms())
        if refused is None:
            self._tokens_used[bearer.id] = self._clock.now_ms()
        return refused or bearer

    def known_credential(self, credential: Credential, address: str) -> Credential | Refused | None:
        """The login of an open connection, with what its SMTP user may do now; None if that is not cached.

        LOGIN_REVOKED when it does not hold any more: the SMTP user is gone, switched off, expired, or has another
        password; or `address`, the client's, is not allowed now.
        """
        entry = self._logins.get(credential.username)
        return None if entry is None else entry.renewed(credential, address, self._clock.now_ms())

    async def read_credential(self, credential: Credential, address: str) -> Credential | Refused:
        """The same from the database; while that does not answer, the login is good as it is."""
        username = credential.username
        try:
            entry = await self._once(f"login {username}", lambda: self._read_login(username))
        except StorageUnavailableError:
            return credential
        if entry is None:
            return Refused(refusals.LOGIN_REVOKED)
        return entry.renewed(credential, address, self._clock.now_ms())

    def account(self, account_id: str) -> AccountState | Awaitable[AccountState | None]:
        """The account with its verified domains; None when there is none.

        Awaiting raises StorageUnavailableError when it is not cached and the database does not answer.
        """
        state = self._accounts.get(account_id)
        if state is not None:
            return state
        return self._once(f"account {account_id}", lambda: self._read_account(account_id))

    def known(self, account_id: str) -> AccountState | None:
        """The account if it is cached; never asks the database."""
        return self._accounts.get(account_id)

    # -- keeping up ------------------------------------------------------------------------------------------

    async def watch(self) -> None:
        """Run until cancelled. Trouble with the database is logged and waited out."""
        flushed = self._clock.monotonic()
        while True:
            try:
                await self.refresh()
                if self._clock.monotonic() - flushed >= FLUSH:
                    flushed = self._clock.monotonic()
                    await self.flush()
            except StorageUnavailableError as error:
                log.warning("the directory cannot look for changes", error=str(error))
            await self._clock.sleep(POLL)

    async def refresh(self) -> None:
        """Forget everything if a configuration object has changed since the last look."""
        async with self._db.read() as connection:
            version = await installation.version(connection)
        if version != self._version:
            self._version = version
            self._generation += 1
            self._logins.clear()
            self._bearers.clear()
            self._accounts.clear()
            self._reading.clear()
            for listener in self._listeners:
                listener()

    async def flush(self) -> None:
        """Write down when SMTP users and tokens were last used; call it once more before the end."""
        used, self._used = self._used, {}
        tokens_used, self._tokens_used = self._tokens_used, {}
        if not used and not tokens_used:
            return
        try:
            async with self._db.write() as connection:
                if used:
                    await smtp_users.touch(connection, used)
                if tokens_used:
                    await tokens.touch(connection, tokens_used)
        except StorageUnavailableError:
            self._used = used | self._used
            self._tokens_used = tokens_used | self._tokens_used
            raise

    # -- reading ---------------------------------------------------------------------------------------------

    async def _read_login(self, username: str) -> Login | None:
        generation = self._generation
        async with self._db.read() as connection:
            user = await smtp_users.get(connection, username)
            # Also for nobody: how long it takes must not tell which users exist.
            domain = await domains.get(connection, user.domain_id if user is not None else "")
        if user is None or domain is None or user.username != username:
            self._logins.pop(username, None)
            return None
        entry = login_entry(user, domain)
        if generation == self._generation:
            self._logins[username] = entry
        return entry

    async def _read_account(self, account_id: str) -> AccountState | None:
        generation = self._generation
        async with self._db.read() as connection:
            account = await accounts.get(connection, account_id)
            owned = await domains.list_all(connection, account_id)
            suppresses = await suppressions.any_of(connection, account_id)
            identities = await sender_identities.verified(connection, account_id)
            organisations = {domain.organisation for domain in owned}
            organisations |= {identity.organisation for identity in identities}
            others = await domains.below(connection, account_id, organisations)
        if account is None:
            return None
        state = account_state(account, owned, suppresses=suppresses, others=others, identities=identities)
        if generation == self._generation:
            self._accounts[account_id] = state
        return state

    async def _once(self, key: str, read: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """One reader for all who want the same at the same time; one who goes away does not stop it."""
        task: asyncio.Task[T] | None = self._reading.get(key)
        if task is None:
            task = self._reading[key] = _begun(read())
            task.add_done_callback(lambda done: self._forget(key, done))
        return await self._soon(task)

    async def _soon(self, reading: asyncio.Task[T]) -> T:
        """Raises StorageUnavailableError when it takes longer than a client is let wait (Q09); the reading goes on."""
        ended, _ = await asyncio.wait({reading}, timeout=self._db.timeout)
        if not ended:
            raise StorageUnavailableError("the database does not answer in time")
        return reading.result()

    def _forget(self, key: str, done: asyncio.Task[Any]) -> None:
        if self._reading.get(key) is done:
            del self._reading[key]


def _begun(reading: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """Whoever waits gets what it raises; if nobody does any more, it is no surprise."""
    task = asyncio.create_task(reading)
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    return task


def _judge(entry: Login | None, password: str, address: str, now_ms: int) -> Credential | Refused:
    """Costs the same whether the user exists or not; says why only to who knows the password."""
    right = hmac.compare_digest(passwords.digest(password), NOBODY if entry is None else entry.password_hash)
    if entry is None or not right:
        return Refused(refusals.AUTH_FAILED)
    return entry.refusal(address, now_ms) or entry.credential
