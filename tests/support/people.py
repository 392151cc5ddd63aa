"""People for tests: made at once, signed in, calling as their browser would."""

from __future__ import annotations

from itertools import count
from typing import Any

import httpx
from argon2 import PasswordHasher

from postroom.runtime import ids
from postroom.store import users as user_store
from postroom.store.database import Database
from postroom.store.users import User
from postroom.tenancy import sessions, users
from postroom.tenancy.grants import Grant
from postroom.tenancy.sessions import Browser
from postroom.types.actor import SYSTEM
from postroom.types.permissions import Role
from postroom.web.api.persons import COOKIE, csrf_token

PASSWORD = "correct horse battery"
HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
"""Quick: nobody guesses at it here."""
WEEK = 7 * 24 * 3600.0

_numbers = count(1)


async def make(
    database: Database,
    account_id: str | None = None,
    grant: Grant | None = None,
    *,
    email: str = "",
    operator: bool = False,
) -> User:
    """Somebody, by default an Admin of the account."""
    email = email or f"person{next(_numbers)}@example.com"
    async with database.write() as connection:
        user = User(ids.object_id(), email, "", "", HASH, operator, 1, 1)
        await user_store.add(connection, user)
        if account_id is not None:
            await users.join(connection, account_id, user, grant or Grant(Role.ADMIN), now=1, by=SYSTEM)
    return user


def headers(secret: str) -> dict[str, str]:
    """What a browser sends with a session."""
    return {
        "cookie": f"{COOKIE}={secret}",
        "x-csrf-token": csrf_token(secret),
        "origin": "http://api.test",
    }


def secret_in(answer: httpx.Response) -> str:
    """What the cookie holds that an answer sets."""
    return str(answer.headers["set-cookie"]).partition("=")[2].partition(";")[0]


class SignedIn:
    """`get("/v1/users")`, `post("/console/...")` and so on, with cookie and CSRF token."""

    def __init__(self, http: httpx.AsyncClient, user: User, secret: str) -> None:
        self.http = http
        self.user = user
        self.secret = secret

    @property
    def headers(self) -> dict[str, str]:
        return headers(self.secret)

    async def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = self.headers | options.pop("headers", {})
        return await self.http.request(method, path, headers=headers, **options)

    async def get(self, path: str, **options: Any) -> httpx.Response:
        return await self.request("GET", path, **options)

    async def post(self, path: str, **options: Any) -> httpx.Response:
        return await self.request("POST", path, **options)

    async def put(self, path: str, **options: Any) -> httpx.Response:
        return await self.request("PUT", path, **options)

    async def delete(self, path: str, **options: Any) -> httpx.Response:
        return await self.request("DELETE", path, **options)


async def sign_in(
    database: Database, http: httpx.AsyncClient, user: User, now: int, *, lifetime: float = WEEK
) -> SignedIn:
    """Without checking the password, which takes long."""
    async with database.write() as connection:
        made = await sessions.begin(
            connection, user, Browser("127.0.0.1", "test"), now=now, lifetime=lifetime
        )
    return SignedIn(http, user, made.secret)
