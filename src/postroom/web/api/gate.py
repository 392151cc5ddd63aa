"""What every request passes before its endpoint: HTTPS, token, account, quota and rate, scope. In this order. Who brings
no token at all may be a person who is signed in (`persons`).

Nothing of the body is read until all of them are content. What costs nothing comes from memory; the database is asked
only for what is not cached.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from inspect import isawaitable

from postroom.accept import admit
from postroom.accept.submission.limits import client_network
from postroom.tenancy import passwords, quotas
from postroom.tenancy.entitlements import Entitlements, entitlements
from postroom.tenancy.entries import AccountState, Bearer
from postroom.tenancy.tokens import SHAPE
from postroom.types import refusals
from postroom.types.refusals import Refused
from postroom.web.api.access import ID, Access
from postroom.web.api.api import Api
from postroom.web.api.body import SMALL_BODY, Memory
from postroom.web.api.call import Call, Caller
from postroom.web.api.errors import ApiError, not_found, refused
from postroom.web.api.persons import PersonGate
from postroom.web.api.quota import quota_reset
from postroom.web.api.rates import Windows

UNKNOWN_TOKENS = 60
"""Look-ups of tokens that do not exist, per client address and minute: they cost a query each (H02)."""
MOST_WELCOME = 20_000
"""Tokens remembered as good once: a neighbour's flood of unknown ones does not shut them out."""

_BEARER = re.compile(rb"bearer +([^ ]+) *", re.IGNORECASE)


class Gate:
    def __init__(self, api: Api) -> None:
        self._api = api
        self.persons = PersonGate(api)
        self._rates = Windows()
        self._unknown = Windows()
        self._welcome: set[bytes] = set()
        self.bodies = Memory(api.config.api.body_memory)

    def largest_body(self, access: Access) -> int:
        """In octets."""
        return self._api.config.api.max_body if access.large_body else SMALL_BODY

    async def admit(
        self, call: Call, headers: Iterable[tuple[bytes, bytes]], path: dict[str, str], access: Access
    ) -> Caller:
        """Who calls. Raises ApiError when a gate is shut; `call` is told what goes into the answer's header."""
        if not call.secure:
            raise self._refuse(call, Refused(refusals.HTTPS_REQUIRED))
        secret = _token(headers)
        if secret is None:
            if not any(name == b"authorization" for name, _ in headers):
                return await self.persons.admit(call, headers, path, access)
            raise self._refuse(call, Refused(refusals.TOKEN_INVALID))
        bearer = await self._bearer(call, secret)
        account = await self._account(call, bearer)
        caller = call.caller = Caller(
            account, bearer.id, bearer.name, bearer.domains, bearer.scopes, call.client
        )
        state = admit.account_state(account, self._api.config)
        if state is not None and state.rule is refusals.ACCOUNT_SUSPENDED:
            raise self._refuse(call, state)  # an account that is not approved yet may look around
        if not all(ID.fullmatch(value) for name, value in path.items() if name.endswith("_id")):
            raise not_found()  # before anything is counted, as the contract's server does with what is no id
        allowed = entitlements(account, self._api.config)
        limited = self._take(call, caller, allowed, access)
        await self._count(call, caller, allowed, counted=access.counted and limited is None)
        if limited is not None:
            raise limited
        if access.scopes and bearer.scopes.isdisjoint(access.scopes):
            needed = " or ".join(access.scopes)
            raise self._refuse(call, Refused(refusals.TOKEN_SCOPE, {"scopes": needed}))
        return caller

    async def _bearer(self, call: Call, secret: str) -> Bearer:
        directory, now = self._api.directory, self._api.clock.monotonic()
        known = directory.known_bearer(secret, call.client)
        if known is not None:
            return known
        digest, network = passwords.digest(secret), client_network(call.client)
        wait = self._unknown.full(network, UNKNOWN_TOKENS, now)
        if wait and digest not in self._welcome:
            why = Refused(refusals.TOO_MANY_TOKENS_TRIED, {"seconds": str(wait)})
            raise self._refuse(call, why, retry_after=wait)
        found = await directory.read_bearer(secret, call.client)
        if isinstance(found, Refused):
            self._unknown.take(network, UNKNOWN_TOKENS, now)
            raise self._refuse(call, found)
        if len(self._welcome) >= MOST_WELCOME:
            self._welcome.clear()
        self._welcome.add(digest)
        return found

    async def _account(self, call: Call, bearer: Bearer) -> AccountState:
        account = self._api.directory.known(bearer.account_id)
        if account is None:
            found = self._api.directory.account(bearer.account_id)
            account = await found if isawaitable(found) else found
        if account is None:
            raise self._refuse(call, Refused(refusals.TOKEN_INVALID))
        return account

    async def _count(self, call: Call, caller: Caller, allowed: Entitlements, *, counted: bool) -> None:
        """The daily quota. A request beyond it is refused and still counts, one beyond the limit per minute does not."""
        now = self._api.clock.now_ms()
        quota = allowed.requests_per_day
        used = 0 if quota is None else await self._used(caller.account_id, counted=counted)
        remaining = -1 if quota is None else max(quota - used, 0)
        call.headers += [
            (b"x-apiquota-remaining", b"%d" % remaining),
            (b"x-apiquota-reset", quota_reset(quotas.next_day_ms(now)).encode()),
        ]
        if quota is not None and used > quota and counted:
            why = Refused(refusals.REQUEST_QUOTA, {"quota": str(quota)})
            raise self._refuse(call, why, retry_after=quotas.seconds_left(now))

    async def _used(self, account_id: str, *, counted: bool) -> int:
        """How many requests there were today, with this one if it counts."""
        quota = self._api.quota
        used = quota.count(account_id) if counted else quota.used(account_id)
        return await quota.load(account_id) if used is None else used

    def _take(self, call: Call, caller: Caller, allowed: Entitlements, access: Access) -> ApiError | None:
        """The limit per minute of the endpoint's area; what is to be raised beyond it."""
        limit = allowed.per_minute[access.area]
        if limit is None:
            return None
        taken = self._rates.take((caller.account_id, access.area), limit, self._api.clock.monotonic())
        call.headers += [
            (b"x-ratelimit-limit", b"%d" % limit),
            (b"x-ratelimit-remaining", b"%d" % taken.remaining),
        ]
        if taken.allowed:
            return None
        reset = self._api.clock.now_ms() // 1000 + taken.seconds
        call.headers.append((b"x-ratelimit-reset", b"%d" % reset))
        why = Refused(refusals.REQUEST_RATE, {"limit": str(limit)})
        return self._refuse(call, why, retry_after=taken.seconds)

    def _refuse(self, call: Call, why: Refused, *, retry_after: int | None = None) -> ApiError:
        """The answer; the attempt is recorded where the customer finds it."""
        caller = call.caller
        self._api.refusals.add(
            why,
            client=call.client,
            account_id=caller.account_id if caller is not None else "",
            credential=caller.credential_id if caller is not None else "",
        )
        return refused(why, retry_after=retry_after)


def _token(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """The token of the one Authorization field; None if there is none, several, or it looks like no token."""
    fields = [value for name, value in headers if name == b"authorization"]
    if len(fields) != 1:
        return None
    match = _BEARER.fullmatch(fields[0])
    secret = "" if match is None else match[1].decode("latin-1")
    return secret if SHAPE.fullmatch(secret) else None
