"""The steps of signing in: whoever guesses has to wait, whoever knows does not (U05, U10, S08)."""

from __future__ import annotations

from fastapi import Request

from postroom.accept.submission.limits import FailedLogins
from postroom.tenancy import password_resets, sessions, sign_in_links
from postroom.tenancy.sessions import NewSession
from postroom.types import refusals
from postroom.types.notices import SecondStepLocked
from postroom.types.refusals import Refused
from postroom.web.api.api import Api
from postroom.web.api.call import Call
from postroom.web.api.errors import ApiError, refused
from postroom.web.api.persons import secret_of
from postroom.web.console.session_out import browser_of
from postroom.web.console.tell import tell


class SignIns:
    """Each step gives a new session, complete or waiting for the second step. They raise ApiError."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._logins = FailedLogins(api.config.submission.failed_logins, api.clock.monotonic)

    async def by_password(self, email: str, password: str, call: Call, request: Request) -> NewSession:
        api, client = self._api, call.client
        waits = self._logins.wait(client, email)
        if waits is not None:
            raise self._refuse(waits, call, retry_after=int(waits.facts["seconds"]))
        await api.clock.sleep(self._logins.delay(client, email))
        made = await sessions.sign_in(
            api.database,
            email,
            password,
            browser_of(call, request),
            now=api.clock.now_ms(),
            lifetime=api.config.sessions.lifetime,
            instead_of=secret_of(call, request.scope["headers"]),
        )
        if made is None:
            self._logins.failed(client, email)
            raise self._refuse(Refused(refusals.SIGN_IN_FAILED), call)
        self._logins.succeeded(client, email)
        return made

    async def by_link(self, secret: str, call: Call, request: Request) -> NewSession:
        """Nobody can guess what a link holds, so nobody has to wait."""
        made = await sign_in_links.use(
            self._api.database,
            secret,
            browser_of(call, request),
            now=self._api.clock.now_ms(),
            lifetime=self._api.config.sessions.lifetime,
            instead_of=secret_of(call, request.scope["headers"]),
        )
        if isinstance(made, Refused):
            raise self._refuse(made, call)
        return made

    async def second_step(self, code: str, call: Call, request: Request) -> NewSession:
        api = self._api
        secret = secret_of(call, request.scope["headers"])
        if secret is None:
            raise self._refuse(Refused(refusals.SESSION_INVALID), call)
        made = await sessions.second_step(
            api.database,
            api.secrets,
            secret,
            code,
            browser_of(call, request),
            now=api.clock.now_ms(),
            lifetime=api.config.sessions.lifetime,
        )
        if isinstance(made, NewSession):
            return made
        if made.locks is not None:
            await tell(
                api, SecondStepLocked(made.locks.email, call.client, api.mail.link(password_resets.START))
            )
        raise self._refuse(made.why, call, field="code", retry_after=made.seconds)

    def _refuse(
        self, why: Refused, call: Call, *, field: str = "", retry_after: int | None = None
    ) -> ApiError:
        self._api.refusals.add(why, client=call.client)
        return refused(why, field, retry_after=retry_after)
