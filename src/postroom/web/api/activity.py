"""`/v1/activity/{domain_id}` and `/v1/activities/{id}`: what happened to emails."""

# No postponed annotations here: they name loaders that only `router` knows.

import json
from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from postroom.store import activity as store
from postroom.store import emails
from postroom.store.activity import ActivityFilter
from postroom.store.batches.rows import EventRow
from postroom.store.domains import Domain
from postroom.store.emails import EmailDetails
from postroom.tenancy.entitlements import Area, entitlements
from postroom.types import refusals
from postroom.types.events import EventType
from postroom.types.permissions import Permission
from postroom.types.refusals import Refused
from postroom.types.scopes import Scope
from postroom.web.api.access import access
from postroom.web.api.api import Api
from postroom.web.api.call import Caller, CurrentCaller
from postroom.web.api.codes import code_of
from postroom.web.api.domain_object import own_domain
from postroom.web.api.email_object import AddressedEmail, addressed_fields
from postroom.web.api.errors import invalid, not_found
from postroom.web.api.json_out import Data
from postroom.web.api.pages import Page, Simple, page
from postroom.web.api.period import DateFrom, DateTo, Period
from postroom.web.api.route import routes
from postroom.web.api.shown import CreatedAt, MailId, UpdatedAt, Word

MOST_PAGES = 1000


class Event(StrEnum):
    """What can be asked for. Some never happen here, some are only ours."""

    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    SOFT_BOUNCED = "soft_bounced"
    HARD_BOUNCED = "hard_bounced"
    JUNK = "junk"
    DEFERRED = "deferred"
    OPENED = "opened"
    OPENED_UNIQUE = "opened_unique"
    CLICKED = "clicked"
    CLICKED_UNIQUE = "clicked_unique"
    UNSUBSCRIBED = "unsubscribed"
    SPAM_COMPLAINTS = "spam_complaints"
    SURVEY_OPENED = "survey_opened"
    SURVEY_SUBMITTED = "survey_submitted"
    SUPPRESSED = "suppressed"
    CANCELLED = "cancelled"
    HELD = "held"
    RELEASED = "released"
    POSSIBLE_DUPLICATE = "possible_duplicate"


class ActivityOut(BaseModel):
    id: MailId = Field(description="Of what happened.", examples=["0195f0c2a7d1000001a2b3c4"])
    created_at: CreatedAt
    updated_at: UpdatedAt
    type: EventType = Field(description="What happened.", examples=["delivered"])
    email: AddressedEmail = Field(description="The email it happened to.")


class SuppressedOut(ActivityOut):
    suppression_reason: Word = Field(description="Why nothing was sent.", examples=["hard_bounced"])


Activity = SuppressedOut | ActivityOut


def router(api: Api) -> APIRouter:
    resource = routes("Activity")

    async def asked_domain(domain_id: str, caller: CurrentCaller) -> Domain:
        domain = await own_domain(api, caller, domain_id)
        if domain is None:
            raise not_found()
        return domain

    @resource.get("/activity/{domain_id}", summary="List activity", response_model=Simple[Activity])
    @access(Scope.ACTIVITY_READ, Scope.ACTIVITY_FULL, Permission.READ_ACTIVITY, area=Area.ACTIVITY)
    async def index(
        caller: CurrentCaller,
        domain: Annotated[Domain, Depends(asked_domain)],
        page: Annotated[Page, page(pages=MOST_PAGES)],
        date_from: DateFrom,
        date_to: DateTo,
        event: Annotated[
            list[Event],
            Query(
                alias="event[]",
                default_factory=list,
                max_length=100,
                description="Only these; all if absent.",
                examples=[["sent"]],
            ),
        ],
    ) -> Any:
        """What happened to emails of a domain, the newest first."""
        period = Period(date_from, date_to)
        problems = period.problems(api.clock.now_ms(), api.config.retention.events)
        if not entitlements(caller.account, api.config).suppressed_filter:
            problems |= _closed(event)
        if problems:
            raise invalid(problems)
        wanted = ActivityFilter(
            domain.account_id, domain.id, period.start, period.end, _types(event) if event else None
        )
        found = await store.page(api.database, wanted, offset=page.offset, limit=page.limit + 1)
        ids = {row.email_id for row in found}
        async with api.database.read() as connection:
            details = await emails.details(connection, domain.account_id, sorted(ids))
        return page.simple([_shown(row, details[row.email_id]) for row in found if row.email_id in details])

    async def asked_activity(activity_id: str, caller: CurrentCaller) -> Activity:
        found = await _find(api, caller, activity_id)
        if found is None:
            raise not_found()
        return found

    @resource.get("/activities/{activity_id}", summary="Get one activity")
    @access(Scope.ACTIVITY_READ, Scope.ACTIVITY_FULL, Permission.READ_ACTIVITY, area=Area.ACTIVITY)
    async def show(found: Annotated[Activity, Depends(asked_activity)]) -> Data[Activity]:
        """One thing that happened to an email."""
        return Data(data=found)

    return resource


async def _find(api: Api, caller: Caller, activity_id: str) -> Activity | None:
    async with api.database.read() as connection:
        events = await store.load(connection, caller.account_id, [activity_id])
        ids = [event.email_id for event in events]
        details = await emails.details(connection, caller.account_id, ids)
    shown = [
        _shown(event, email)
        for event in events
        if (email := details.get(event.email_id)) is not None and caller.may_use(email.domain_id)
    ]
    return shown[0] if shown else None


def _closed(asked: Iterable[Event]) -> dict[str, list[str]]:
    """What is wrong with asking for these when such filters are for others."""
    closed = [event for event in asked if event in (Event.SUPPRESSED, Event.DEFERRED)]
    why = [Refused(refusals.FILTER_NOT_ALLOWED, {"event": event}) for event in closed]
    texts = [refused.text + code_of(refused.rule.id) for refused in why]
    return {"event": texts} if texts else {}


def _types(asked: Iterable[Event]) -> set[str]:
    """Events of ours; what lands in a junk folder is told as a soft bounce, what never happens here is left out."""
    return {EventType.SOFT_BOUNCED if event is Event.JUNK else str(event) for event in asked} & {*EventType}


def _shown(event: EventRow, email: EmailDetails) -> Activity:
    fields: dict[str, Any] = {
        "id": event.id,
        "created_at": event.at,
        "updated_at": event.at,
        "type": EventType(event.type),
        "email": AddressedEmail(**addressed_fields(email)),
    }
    if event.type == EventType.SUPPRESSED:
        return SuppressedOut(**fields, suppression_reason=json.loads(event.detail).get("reason", ""))
    return ActivityOut(**fields)
