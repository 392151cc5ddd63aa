"""`POST /v1/bulk-email`: up to 500 emails in one request; `GET /v1/bulk-email/{id}`: what became of them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Header, Request
from pydantic import BaseModel, Field

from postroom.accept import admit
from postroom.store import bulk_emails
from postroom.tenancy.entitlements import Area, entitlements
from postroom.types import refusals
from postroom.types.draft import Idempotency
from postroom.types.permissions import Permission
from postroom.types.refusals import Refused
from postroom.types.scopes import Scope
from postroom.web.api.access import access
from postroom.web.api.api import Api
from postroom.web.api.body import off_loop
from postroom.web.api.call import Caller, CurrentCaller
from postroom.web.api.errors import ApiError, invalid, not_found, refused
from postroom.web.api.json_out import Data
from postroom.web.api.route import routes
from postroom.web.api.sending.answers import Warned
from postroom.web.api.sending.context import sender_of
from postroom.web.api.sending.idempotency import LONGEST_KEY, fingerprint, key_of
from postroom.web.api.sending.request import EmailRequest
from postroom.web.api.sending.schema import ShownAs
from postroom.web.api.shown import Count, CreatedAt, MailId, Sentence, UpdatedAt, Word, limited
from postroom.web.bulk import keep
from postroom.web.bulk.results import merged, place, shown

MESSAGE = "The bulk email is being processed."
RETRY_AFTER = 1
_ID = "0195f0c2a7d1000001a2b3c4"
_WRONG = {"message.0": {"from.email": ["The from.email field is required. #MS42209"]}}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    400: {
        "description": "The body is no array.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    },
    409: {
        "description": "A request with this Idempotency-Key is being handled right now.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    },
}


class BulkAccepted(BaseModel):
    message: Sentence = Field(description="For people.", examples=[MESSAGE])
    bulk_email_id: MailId = Field(description="To ask what became of it.", examples=[_ID])


class BulkStatus(BaseModel):
    id: MailId = Field(description="Of the bulk email.", examples=[_ID])
    state: Word = Field(description="queued, processing, completed or failed.", examples=["completed"])
    total_recipients_count: Count = Field(description="Of all emails together.", examples=[2])
    suppressed_recipients_count: Count = Field(description="Those who are sent nothing.", examples=[0])
    suppressed_recipients: dict[str, Annotated[list[Warned], limited(maxItems=1)]] | None = Field(
        description="By the id of their message; by its place, like `message.0`, when all of its recipients are "
        "suppressed and there is no message.",
        examples=[None],
    )
    validation_errors_count: Count = Field(
        description="Emails that were not sent because something is wrong with them.", examples=[0]
    )
    validation_errors: dict[str, dict[str, Annotated[list[Sentence], limited(maxItems=100)]]] | None = Field(
        description="By the place of the email in the request, then by field.", examples=[_WRONG]
    )
    messages_id: Annotated[list[MailId], limited(maxItems=500)] | None = Field(
        description="The ids of the messages so far, in the order of the request.", examples=[[_ID]]
    )
    created_at: CreatedAt
    updated_at: UpdatedAt
    failure: Sentence | None = Field(
        description="Why it failed, and which emails were not sent; null otherwise.", examples=[None]
    )


def router(api: Api) -> APIRouter:
    resource = routes("Bulk email")

    @resource.post("/bulk-email", status_code=202, summary="Send emails in bulk", responses=_ANSWERS)
    @access(Scope.EMAIL_FULL, Permission.CONTROL_SENDINGS, area=Area.BULK, large_body=True)
    async def send(
        request: Request,
        caller: CurrentCaller,
        body: Annotated[Any, ShownAs(EmailRequest, many=500), Body()],
        idempotency_key: Annotated[
            str | None,
            Header(
                description="The same key with the same body within 24 hours never makes a second batch; "
                "the first answer is given again.",
                json_schema_extra={"maxLength": LONGEST_KEY},
                examples=["5f2d8c1e-9a1b-4c3d-8e7f-001122334455"],
            ),
        ] = None,
    ) -> BulkAccepted:
        """An array of emails as of `POST /v1/email`. All of it is on stable storage when this answers.

        Only what is wrong with the array itself is answered at once; what is wrong with an email is told later, by
        `GET /v1/bulk-email/{bulk_email_id}`. Templates are used in the version they have now.
        """
        del idempotency_key  # read from the request, where one can see whether it was repeated
        objects = _objects(body, entitlements(caller.account, api.config).bulk_emails)
        return BulkAccepted(message=MESSAGE, bulk_email_id=await _keep(api, request, caller, objects))

    @resource.get("/bulk-email/{bulk_email_id}", summary="Get the state of a bulk email")
    @access(Scope.EMAIL_FULL, Permission.READ_EMAIL)
    async def status(bulk_email_id: str, caller: CurrentCaller) -> Data[BulkStatus]:
        """What became of the emails so far. It is complete when `state` is `completed`, or `failed`: that happens only
        when the storage has lost the request.
        """
        async with api.database.read() as connection:
            found = await bulk_emails.get(connection, caller.account_id, bulk_email_id)
            if found is None:
                raise not_found()
            stored = await bulk_emails.results(connection, caller.account_id, bulk_email_id)
        parts = await off_loop(lambda: shown(merged(stored)))
        return Data(
            data=BulkStatus(
                id=found.id,
                state=found.state,
                total_recipients_count=found.recipients,
                suppressed_recipients_count=found.suppressed,
                validation_errors_count=found.invalid,
                created_at=found.created_at,
                updated_at=found.updated_at,
                failure=found.failure or None,
                **parts,
            )
        )

    return resource


def _objects(body: Any, most: int) -> list[Any]:
    """The emails. Raises ApiError for what is wrong with the array."""
    if body == {} or body == []:
        raise refused(Refused(refusals.BULK_EMPTY), "message")
    if not isinstance(body, list):
        raise refused(Refused(refusals.BULK_MALFORMED))
    if len(body) > most:
        raise refused(Refused(refusals.BULK_TOO_MANY, {"most": str(most)}), "message")
    wrong = [place(number) for number, value in enumerate(body) if not isinstance(value, dict)]
    if wrong:
        text = refused(Refused(refusals.BULK_ITEM_INVALID)).message
        raise invalid({field: [text] for field in wrong})
    return body


async def _keep(api: Api, request: Request, caller: Caller, objects: list[Any]) -> str:
    """The batch's id. Raises ApiError; what is refused is recorded where the customer finds it."""
    kept = admit.account_state(caller.account, api.config) or await _once(api, request, caller, objects)
    if isinstance(kept, Refused):
        raise _refusal(api, kept, caller)
    api.bulk.wake()
    return kept


async def _once(api: Api, request: Request, caller: Caller, objects: list[Any]) -> str | Refused:
    """With an idempotency key the answer that was given before, if there is one."""
    account_id, key, sender = caller.account_id, key_of(request.scope), sender_of(caller)
    if key is None:
        return await keep(api.bulk.tools, sender, objects)
    idempotency = Idempotency(key, await off_loop(fingerprint, "POST /bulk-email", objects))
    async with api.accept.keys.turn(account_id, idempotency):
        before = await api.accept.keys.answered(account_id, idempotency)
        if before is None:
            return await keep(api.bulk.tools, sender, objects, idempotency)
        return before if isinstance(before, Refused) else before.message_id


def _refusal(api: Api, why: Refused, caller: Caller) -> ApiError:
    api.refusals.add(why, client=caller.client, account_id=caller.account_id, credential=caller.credential_id)
    waits = RETRY_AFTER if why.rule is refusals.IDEMPOTENCY_KEY_IN_USE else None
    field = "idempotency-key" if why.rule is refusals.IDEMPOTENCY_KEY_REUSED else ""
    return refused(why, field, retry_after=waits)
