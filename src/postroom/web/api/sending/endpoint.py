"""One send request from its decoded body to its answer; shared by the endpoints that send."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import Request, Response

from postroom.accept.api import SendRequest
from postroom.tenancy.quotas import seconds_left
from postroom.types import refusals
from postroom.types.draft import Idempotency
from postroom.types.refusals import Refused
from postroom.web.api.api import Api
from postroom.web.api.body import AT_ONCE, off_loop
from postroom.web.api.call import Caller, header
from postroom.web.api.errors import ApiError, refused
from postroom.web.api.sending.answers import answer
from postroom.web.api.sending.context import Context, context_of
from postroom.web.api.sending.idempotency import fingerprint, key_of
from postroom.web.api.sending.named import envelope_of
from postroom.web.api.sending.read import begin, read, recipients_of
from postroom.wire.template import TemplateCache

T = TypeVar("T")

RETRY_AFTER = 5
"""Seconds, when the message cannot be stored now."""


class Sending:
    def __init__(self, api: Api) -> None:
        self._api = api
        self._cache = TemplateCache()

    async def send(self, request: Request, caller: Caller, body: Any) -> Response:
        """Raises ApiError; what is refused is recorded where the customer finds it."""
        try:
            return await self._send(request, caller, body)
        except ApiError as error:
            if error.status == 422:
                self._record(Refused(refusals.REQUEST_INVALID, {"problem": error.message}), caller, body)
            raise

    async def _send(self, request: Request, caller: Caller, body: Any) -> Response:
        large, key = _is_large(request), key_of(request.scope)
        if key is None:
            return await self._accept(caller, body, large=large)
        digest = await _run(fingerprint, "POST /email", body, large=large)
        idempotency, keys = Idempotency(key, digest), self._api.accept.keys
        async with keys.turn(caller.account_id, idempotency):
            before = await keys.answered(caller.account_id, idempotency)
            if before is None:
                return await self._accept(caller, body, large=large, idempotency=idempotency)
            if isinstance(before, Refused):
                raise self._refusal(before, caller, body)
            return answer(before, await _run(recipients_of, body, large=large))

    async def _accept(
        self, caller: Caller, body: Any, *, large: bool, idempotency: Idempotency | None = None
    ) -> Response:
        api = self._api
        context = await context_of(caller, body, api.clock.now_ms(), api.templates, self._cache)
        wanted = await off_loop(read, body, context) if large else await _read_small(body, context)
        accepted = await self._api.accept.send(context.sender, wanted, idempotency)
        if isinstance(accepted, Refused):
            raise self._refusal(accepted, caller, body)
        return answer(accepted, wanted.recipients.values() if accepted.suppressed else ())

    def _refusal(self, why: Refused, caller: Caller, body: Any) -> ApiError:
        if why.rule.status != 422:
            self._record(why, caller, body)
        waits = {
            refusals.DAILY_QUOTA: seconds_left(self._api.clock.now_ms()),
            refusals.STORAGE_UNAVAILABLE: RETRY_AFTER,
            refusals.IDEMPOTENCY_KEY_IN_USE: 1,
        }
        return refused(why, _FIELDS.get(why.rule, "body"), retry_after=waits.get(why.rule))

    def _record(self, why: Refused, caller: Caller, body: Any) -> None:
        envelope = envelope_of(body)
        self._api.refusals.add(
            why,
            client=caller.client,
            account_id=caller.account_id,
            credential=caller.credential_id,
            envelope=envelope,
            header_from=str(envelope.sender or ""),
        )


_FIELDS = {
    refusals.FROM_NOT_VERIFIED: "from.email",
    refusals.ENVELOPE_NOT_VERIFIED: "from.email",
    refusals.TOO_MANY_RECIPIENTS: "to",
    refusals.PLAN_FEATURE: "headers",
    refusals.IDEMPOTENCY_KEY_REUSED: "idempotency-key",
}


def _is_large(request: Request) -> bool:
    """A body that does not say how long it is may be."""
    length = header(request.scope, b"content-length") or ""
    return not length.isdigit() or int(length) > AT_ONCE


async def _read_small(body: Any, context: Context) -> SendRequest:
    """On the loop, but for templates that take long."""
    reading = begin(body, context)
    return await off_loop(reading.finish) if reading.takes_long else reading.finish()


async def _run(work: Callable[..., T], *arguments: Any, large: bool) -> T:
    return await off_loop(work, *arguments) if large else work(*arguments)
