"""The gate for people: a browser's session instead of a token.

The cookie says who it is. It is `__Host-postroom` where the browser talks over TLS, and `postroom` on this machine's
plain HTTP; HttpOnly, SameSite=Lax, never for another path or host. What changes something needs the session's own token
in the header X-CSRF-Token, too, which no page of another site can read, and must not come from such a page (U01, H14).
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable
from inspect import isawaitable
from urllib.parse import urlsplit

from postroom.accept import admit
from postroom.accept.submission.limits import client_network
from postroom.tenancy import passwords
from postroom.tenancy.persons import Person
from postroom.types import refusals
from postroom.types.refusals import Refused
from postroom.web.api.access import ID, Access
from postroom.web.api.api import Api
from postroom.web.api.call import Call, Caller
from postroom.web.api.errors import ApiError, not_found, refused
from postroom.web.api.rates import Windows

Headers = Iterable[tuple[bytes, bytes]]

COOKIE, ENCRYPTED_COOKIE = "postroom", "__Host-postroom"
UNKNOWN_SESSIONS = 60
"""Look-ups of sessions that do not exist, per client address and minute: they cost a query each."""
MOST_WELCOME = 20_000

_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")


def cookie_name(call: Call) -> str:
    return ENCRYPTED_COOKIE if call.encrypted else COOKIE


def secret_of(call: Call, headers: Headers) -> str | None:
    """What the session's cookie holds; None if there is none, several, or it looks like none of ours."""
    name = cookie_name(call)
    found = [
        value
        for field, written in headers
        if field == b"cookie"
        for key, _, value in (part.strip().partition("=") for part in written.decode("latin-1").split(";"))
        if key == name
    ]
    return found[0] if len(found) == 1 and _SECRET.fullmatch(found[0]) else None


def csrf_token(secret: str) -> str:
    """What belongs to a session: only who has its secret can make it."""
    return hmac.digest(secret.encode("ascii"), b"csrf token", "sha256").hex()


class PersonGate:
    def __init__(self, api: Api) -> None:
        self._api = api
        configured = urlsplit(api.config.server.http_url.lower())
        self._own = f"{configured.scheme}://{configured.netloc}"
        self._rates = Windows()
        self._unknown = Windows()
        self._welcome: set[bytes] = set()

    async def admit(self, call: Call, headers: Headers, path: dict[str, str], access: Access) -> Caller:
        """Who calls, for an account. Raises ApiError; nothing of it counts for the account's quota of requests."""
        person = await self.person(call, headers, access)
        found = self._api.directory.account(person.account_id)
        account = await found if isawaitable(found) else found
        if account is None:
            raise self.refuse(call, Refused(refusals.NO_ACCOUNT))
        grant = person.grant
        caller = call.caller = Caller(
            account, person.user_id, person.email, grant.domains, frozenset(), call.client, person
        )
        state = admit.account_state(account, self._api.config)
        if state is not None and state.rule is refusals.ACCOUNT_SUSPENDED:
            raise self.refuse(call, state)
        if not all(ID.fullmatch(value) for name, value in path.items() if name.endswith("_id")):
            raise not_found()
        if access.scopes and not access.permissions:
            raise self.refuse(call, Refused(refusals.TOKENS_ONLY))
        if access.permissions and grant.permissions.isdisjoint(access.permissions):
            needed = " or ".join(access.permissions)
            raise self.refuse(call, Refused(refusals.PERMISSION_MISSING, {"permissions": needed}))
        return caller

    async def person(self, call: Call, headers: Headers, access: Access) -> Person:
        """Who is signed in, with an account or without. Raises ApiError: 401, 403, 429."""
        secret = secret_of(call, headers)
        if secret is None:
            raise self.refuse(call, Refused(refusals.TOKEN_INVALID))
        person = self._api.persons.known(secret) or await self._read(call, secret)
        if access.changes:
            self.check_origin(call, headers)
            given = [value for name, value in headers if name == b"x-csrf-token"]
            if len(given) != 1 or not hmac.compare_digest(given[0], csrf_token(secret).encode()):
                raise self.refuse(call, Refused(refusals.CSRF_TOKEN))
        call.person = person
        self._take(call, person)
        return person

    def check_origin(self, call: Call, headers: Headers) -> None:
        """Raises ApiError (403) for what a page of another site sends. A program that sends no Origin is no page."""
        given = {name: value.decode("latin-1") for name, value in headers if name in (b"origin", b"host")}
        origin = given.get(b"origin")
        if origin is None or origin.lower() == self._own:
            return
        scheme, _, host = origin.partition("://")
        same = host != "" and host == given.get(b"host", "")
        if not same or scheme not in ("https",) + (() if call.encrypted else ("http",)):
            raise self.refuse(call, Refused(refusals.FOREIGN_ORIGIN, {"origin": origin}))

    def refuse(self, call: Call, why: Refused, *, retry_after: int | None = None) -> ApiError:
        """The answer; the attempt is recorded where the customer finds it."""
        person = call.person
        self._api.refusals.add(
            why,
            client=call.client,
            account_id=person.account_id if person is not None else "",
            credential=person.user_id if person is not None else "",
        )
        return refused(why, retry_after=retry_after)

    async def _read(self, call: Call, secret: str) -> Person:
        digest, network = passwords.digest(secret), client_network(call.client)
        now = self._api.clock.monotonic()
        wait = self._unknown.full(network, UNKNOWN_SESSIONS, now)
        if wait and digest not in self._welcome:
            why = Refused(refusals.TOO_MANY_TOKENS_TRIED, {"seconds": str(wait)})
            raise self.refuse(call, why, retry_after=wait)
        person = await self._api.persons.read(secret)
        if person is None:
            self._unknown.take(network, UNKNOWN_SESSIONS, now)
            raise self.refuse(call, Refused(refusals.SESSION_INVALID))
        if len(self._welcome) >= MOST_WELCOME:
            self._welcome.clear()
        self._welcome.add(digest)
        return person

    def _take(self, call: Call, person: Person) -> None:
        limit = self._api.config.sessions.requests_per_minute
        if not limit:
            return
        taken = self._rates.take(person.user_id, limit, self._api.clock.monotonic())
        if not taken.allowed:
            facts = {"limit": str(limit), "seconds": str(taken.seconds)}
            raise self.refuse(call, Refused(refusals.SESSION_RATE, facts), retry_after=taken.seconds)
