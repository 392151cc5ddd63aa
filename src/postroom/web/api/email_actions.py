"""`POST /v1/email/{id}/resend`, `/retry` and `/cancel`: what can be done to an email that was accepted before."""

# No postponed annotations here: they name loaders that only `router` knows.

import json
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from postroom.accept.api import Accepted, Again
from postroom.store.emails import EmailDetails
from postroom.tenancy import emails, interventions
from postroom.tenancy.entitlements import Area
from postroom.tenancy.quotas import seconds_left
from postroom.types import refusals
from postroom.types.addresses import AddressError, parse_mailbox
from postroom.types.draft import ApiDetails, Idempotency, Stream
from postroom.types.envelope import Address
from postroom.types.parts import Mailbox
from postroom.types.permissions import Permission
from postroom.types.refusals import Refused
from postroom.types.scopes import Scope
from postroom.web.api.access import access
from postroom.web.api.api import Api
from postroom.web.api.call import Caller, CurrentCaller
from postroom.web.api.email import ANSWERS
from postroom.web.api.emails import loader
from postroom.web.api.errors import ApiError, refused
from postroom.web.api.fields import Input
from postroom.web.api.json_out import empty
from postroom.web.api.kept import message_of, source_of
from postroom.web.api.route import routes
from postroom.web.api.sending.answers import answer
from postroom.web.api.sending.context import sender_of
from postroom.web.api.sending.idempotency import IdempotencyKey, fingerprint, key_of
from postroom.web.api.sending.request import Email

MAY_ACT = (Scope.EMAIL_FULL, Permission.CONTROL_SENDINGS)
RETRY_AFTER = 5
"""Seconds, when the message cannot be stored now."""


class ResendInput(Input):
    email: Email | None = Field(None, description="To whom; the same recipient if left out.")


def router(api: Api) -> APIRouter:
    resource = routes("Emails")
    email = loader(api)

    @resource.post(
        "/email/{email_id}/resend", status_code=202, summary="Send an email once more", responses=ANSWERS
    )
    @access(*MAY_ACT, area=Area.EMAIL)
    async def resend(
        request: Request,
        body: ResendInput,
        caller: CurrentCaller,
        found: Annotated[EmailDetails, Depends(email)],
        idempotency_key: IdempotencyKey = None,
    ) -> Response:
        """A new message with the same content, to the same recipient or another one, while the content is kept.

        It is accepted as any other: the same rules, quota and suppressions. It has a Message-ID and a date of its own;
        the header still names the recipients of the first one.
        """
        del idempotency_key
        recipient = body.email or _address(found.recipient)
        accepted = await _resent(api, caller, found, recipient, key_of(request.scope))
        return answer(accepted, [Mailbox("", recipient)])

    @resource.post("/email/{email_id}/retry", status_code=204, summary="Try an email now")
    @access(*MAY_ACT)
    async def retry(caller: CurrentCaller, found: Annotated[EmailDetails, Depends(email)]) -> Response:
        """It does not wait for its time any more. 422 when it is delivered or given up, when an attempt is under way, or
        while it is held for another reason."""
        why = await emails.retry(api.database, found, now=api.clock.now_ms(), by=caller.actor)
        if why is not None:
            raise refused(why, "email")
        return empty(204)

    @resource.post("/email/{email_id}/cancel", status_code=204, summary="Cancel an email")
    @access(*MAY_ACT)
    async def cancel(caller: CurrentCaller, found: Annotated[EmailDetails, Depends(email)]) -> Response:
        """It is not delivered any more. 422 when it is delivered or given up, or an attempt is under way."""
        now, retention = api.clock.now_ms(), api.config.retention.content
        await interventions.cancel(api.database, found.id, now=now, retention=retention, by=caller.actor)
        return empty(204)

    return resource


async def _resent(
    api: Api, caller: Caller, email: EmailDetails, recipient: Address, key: str | None
) -> Accepted:
    """Raises ApiError."""
    if key is None:
        return await _kept(api, caller, email, recipient, None)
    asked = {"email": str(recipient)}
    idempotency = Idempotency(key, fingerprint(f"POST /email/{email.id}/resend", asked))
    async with api.accept.keys.turn(caller.account_id, idempotency):
        before = await api.accept.keys.answered(caller.account_id, idempotency)
        if isinstance(before, Refused):
            raise _refusal(api, caller, before)
        return before or await _kept(api, caller, email, recipient, idempotency)


async def _kept(
    api: Api, caller: Caller, email: EmailDetails, recipient: Address, idempotency: Idempotency | None
) -> Accepted:
    message, source = await message_of(api, email), await source_of(api, email)
    again = Again(
        source=source,
        sender=_address(message.sender) if message is not None and message.sender else None,
        recipient=recipient,
        stream=Stream(email.stream),
        tags=tuple(email.tags.splitlines()),
        details=_details(email),
    )
    accepted = await api.accept.resend(sender_of(caller), again, idempotency)
    if isinstance(accepted, Refused):
        raise _refusal(api, caller, accepted)
    if accepted.message_id:
        await emails.resent(api.database, email, accepted.message_id, str(recipient), by=caller.actor)
    return accepted


def _details(email: EmailDetails) -> ApiDetails | None:
    """What makes the new email found as the old one is. It is of no template any more: that has been rendered."""
    if not (email.headers or email.metadata or email.settings):
        return None
    headers = json.loads(email.headers or "[]")
    return ApiDetails(
        headers=tuple((header["name"], header["value"]) for header in headers),
        metadata=json.loads(email.metadata or "{}"),
        settings=json.loads(email.settings or "{}"),
    )


def _address(written: str) -> Address:
    """One that was accepted before. Raises ApiError (422) for what only an older version took."""
    try:
        return parse_mailbox(written)
    except AddressError as error:
        problem = Refused(refusals.CONTENT_UNMADE, {"problem": str(error)})
        raise refused(problem, "email") from None


def _refusal(api: Api, caller: Caller, why: Refused) -> ApiError:
    """Recorded where the customer finds it, as that of a message that is sent for the first time."""
    api.refusals.add(why, client=caller.client, account_id=caller.account_id, credential=caller.credential_id)
    waits = {
        refusals.DAILY_QUOTA: seconds_left(api.clock.now_ms()),
        refusals.STORAGE_UNAVAILABLE: RETRY_AFTER,
        refusals.IDEMPOTENCY_KEY_IN_USE: 1,
    }
    return refused(why, "email", retry_after=waits.get(why.rule))
