"""`/v1/emails` and `/v1/email/{id}`: one recipient's copy of a message, searched and shown."""

# No postponed annotations here: they name loaders that only `router` knows.

import json
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.store import email_search, events
from postroom.store import emails as store
from postroom.store.batches.rows import EventRow
from postroom.store.email_search import EmailFilter
from postroom.store.emails import EmailDetails
from postroom.tenancy.entitlements import Area
from postroom.types.events import EventType
from postroom.types.permissions import Permission
from postroom.types.scopes import Scope
from postroom.types.status import EmailStatus
from postroom.web.api.access import access
from postroom.web.api.api import Api
from postroom.web.api.call import CurrentCaller
from postroom.web.api.domain_object import UNKNOWN_DOMAIN, DomainId, own_domain
from postroom.web.api.email_object import EmailOut, RecipientOut, email_fields, recipient_out
from postroom.web.api.email_search import METADATA, CurrentSearch, Interaction, Search
from postroom.web.api.errors import invalid, not_found
from postroom.web.api.json_out import Data
from postroom.web.api.pages import Page, Simple, page
from postroom.web.api.period import DateFrom, DateTo, Period
from postroom.web.api.route import routes
from postroom.web.api.shown import AddressText, ConfigId, CreatedAt, Line, MailId, UpdatedAt, Word, limited

MOST_PAGES, MOST_ROWS = 100, 1000

_ID = "0195f0c2a7d1000001a2b3c4"
SCOPES = (Scope.EMAIL_FULL, Scope.ACTIVITY_READ, Scope.ACTIVITY_FULL)


class ListedEmail(EmailOut):
    to: AddressText = Field(description="The recipient's address.", examples=["ada@example.org"])
    domain_id: ConfigId = Field(description="Of the sender's domain.", examples=["65qngkdovk8lwr12"])
    message_id: MailId = Field(description="Of its message.", examples=[_ID])
    interaction: Annotated[list[Interaction], limited(maxItems=5)] = Field(
        description="What the recipient did with it.", examples=[[]]
    )
    suppression_reason: Word | None = Field(description="Why nothing was sent.", examples=["hard_bounced"])
    metadata: dict[str, Word] | None = Field(
        description="What the request gave; null if nothing.", examples=[{"order": "4711"}]
    )
    settings: dict[str, bool] | None = Field(
        description="The tracking that the request asked for; null if it left that to the domain.",
        examples=[{"track_opens": True}],
    )


class EventOut(BaseModel):
    id: MailId = Field(description="Of what happened.", examples=[_ID])
    type: EventType = Field(description="What happened.", examples=["delivered"])
    created_at: CreatedAt
    updated_at: UpdatedAt
    suppression_reason: Word | None = Field(
        description="Only of `suppressed`: which list.", examples=["hard_bounced"]
    )
    reason: Line | None = Field(
        description="Postroom's own: why, in our words and those of the recipient's server; null if there are none.",
        examples=["550 5.1.1 no such user"],
    )


class ShownEmail(ListedEmail):
    recipient: RecipientOut = Field(description="Whose copy it is.")
    activity: Annotated[list[EventOut], limited(maxItems=10_000)] = Field(
        description="What happened to it, in that order."
    )


def loader(api: Api) -> Any:
    """The dependency that finds the email of the path."""

    async def email(email_id: str, caller: CurrentCaller) -> EmailDetails:
        async with api.database.read() as connection:
            found = (await store.details(connection, caller.account_id, [email_id])).get(email_id)
        if found is None or not caller.may_use(found.domain_id):
            raise not_found()
        return found

    return email


def router(api: Api) -> APIRouter:
    resource = routes("Emails")
    email = loader(api)

    @resource.get(
        "/emails",
        summary="List emails",
        response_model=Simple[ListedEmail],
        openapi_extra={"parameters": [METADATA]},
    )
    @access(*SCOPES, Permission.READ_EMAIL, area=Area.ACTIVITY)
    async def index(
        caller: CurrentCaller,
        search: CurrentSearch,
        page: Annotated[Page, page(most=MOST_ROWS, pages=MOST_PAGES)],
        domain_id: DomainId,
        date_from: DateFrom,
        date_to: DateTo,
    ) -> Any:
        """Emails of a domain, the newest first."""
        period = Period(date_from, date_to)
        problems = period.problems(api.clock.now_ms(), api.config.retention.emails)
        if await own_domain(api, caller, domain_id) is None:
            problems = UNKNOWN_DOMAIN | problems
        if problems:
            raise invalid(problems)
        if search.interactions and Interaction.NO_INTERACTION not in search.interactions:
            return page.simple([])  # nobody watches what recipients do
        wanted = _wanted(caller.account_id, domain_id, period, search)
        found = await email_search.page(api.database, wanted, offset=page.offset, limit=page.limit + 1)
        async with api.database.read() as connection:
            details = await store.details(connection, caller.account_id, found)
            emails = [details[email_id] for email_id in found if email_id in details]
            rows = await listed(connection, caller.account_id, emails)
        return page.simple([ListedEmail(**row) for row in rows])

    @resource.get("/email/{email_id}", summary="Get an email")
    @access(*SCOPES, Permission.READ_EMAIL)
    async def show(found: Annotated[EmailDetails, Depends(email)]) -> Data[ShownEmail]:
        """An email with everything that happened to it."""
        async with api.database.read() as connection:
            [fields] = await listed(connection, found.account_id, [found])
            happened = await events.of_email(connection, found.account_id, found.id)
        activity = list(map(event_out, happened))
        return Data(data=ShownEmail(**fields, recipient=recipient_out(found), activity=activity))

    return resource


def event_out(event: EventRow) -> EventOut:
    detail = json.loads(event.detail)
    suppressed = event.type == EventType.SUPPRESSED
    why = [] if suppressed else [detail[name] for name in ("reason", "reply") if detail.get(name)]
    return EventOut(
        id=event.id,
        type=EventType(event.type),
        created_at=event.at,
        updated_at=event.at,
        suppression_reason=detail.get("reason") if suppressed else None,
        reason=": ".join(why) or None,
    )


def _wanted(account_id: str, domain_id: str, period: Period, search: Search) -> EmailFilter:
    return EmailFilter(
        account_id,
        {domain_id},
        period.start,
        period.end,
        statuses=search.statuses,
        recipient=search.recipient,
        message_id=search.message_id,
        template_id=search.template_id,
        subject=search.subject,
        tag=search.tag,
        metadata=search.metadata,
    )


async def listed(
    connection: AsyncConnection, account_id: str, emails: Sequence[EmailDetails]
) -> list[dict[str, Any]]:
    """The fields of `ListedEmail` for each."""
    suppressed = [email.id for email in emails if email.status == EmailStatus.SUPPRESSED]
    reasons = await events.suppression_reasons(connection, account_id, suppressed) if suppressed else {}
    return [
        email_fields(email)
        | {
            "to": email.recipient,
            "domain_id": email.domain_id,
            "message_id": email.message_id,
            "interaction": [],
            "suppression_reason": reasons.get(email.id),
            "metadata": json.loads(email.metadata or "null") or None,
            "settings": json.loads(email.settings or "null") or None,
        }
        for email in emails
    ]
