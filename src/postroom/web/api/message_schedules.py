"""`/v1/message-schedules`: messages that wait for a time of their own, and taking them back."""

# No postponed annotations here: they name loaders that only `router` knows.

from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, Field

from postroom.store import domains
from postroom.store import message_schedules as store
from postroom.store.domains import Domain
from postroom.store.message_schedules import MessageSchedule, ScheduleFilter
from postroom.tenancy import interventions
from postroom.types.permissions import Permission
from postroom.types.scopes import Scope
from postroom.web.api.access import access
from postroom.web.api.api import Api
from postroom.web.api.call import CurrentCaller
from postroom.web.api.domain_object import UNKNOWN_DOMAIN, DomainId, DomainShort, own_domain, short
from postroom.web.api.errors import invalid, not_found
from postroom.web.api.json_out import Data, Timestamp, empty
from postroom.web.api.messages import MessageShort
from postroom.web.api.pages import Counted, CurrentPage
from postroom.web.api.route import routes
from postroom.web.api.shown import CreatedAt, MailId, Sentence, Word

TOO_LATE = (
    "This message is scheduled to be sent shortly or has already been sent, it's not possible to delete it."
)


class Status(StrEnum):
    SCHEDULED = store.SCHEDULED
    SENT = store.SENT
    ERROR = store.ERROR


class ScheduleOut(BaseModel):
    message_id: MailId = Field(description="Of the message.", examples=["0195f0c2a7d1000001a2b3c4"])
    subject: Word = Field(description="Decoded, its first 255 characters.", examples=["Your order"])
    send_at: Timestamp = Field(description="When it is to be sent, in UTC.")
    status: Status = Field(description="`error`: it could not be sent to anybody.", examples=["scheduled"])
    status_message: Sentence | None = Field(description="Why it could not.", examples=[None])
    created_at: CreatedAt


class ShownSchedule(ScheduleOut):
    domain: DomainShort | None = Field(description="Null if it has been deleted.")
    message: MessageShort = Field(description="The message, which has the same id.")


def router(api: Api) -> APIRouter:
    resource = routes("Scheduled messages")

    @resource.get(
        "/message-schedules", summary="List scheduled messages", response_model=Counted[ScheduleOut]
    )
    @access(Scope.EMAIL_FULL, Permission.READ_EMAIL)
    async def index(
        caller: CurrentCaller,
        page: CurrentPage,
        domain_id: DomainId | None = None,
        status: Annotated[Status | None, Query(description="Only these.", examples=["scheduled"])] = None,
    ) -> Any:
        """Those that are to be sent last come first. What was deleted is not listed."""
        if domain_id is not None and await own_domain(api, caller, domain_id) is None:
            raise invalid(UNKNOWN_DOMAIN)
        asked_of = caller.domains if domain_id is None else {domain_id}
        wanted = ScheduleFilter(caller.account_id, asked_of, status)
        async with api.database.read() as connection:
            total = await store.count(connection, wanted)
            found = await store.page(connection, wanted, offset=page.offset, limit=page.limit)
        return page.counted([ScheduleOut(**_fields(schedule)) for schedule in found], total)

    async def scheduled(message_id: str, caller: CurrentCaller) -> MessageSchedule | None:
        async with api.database.read() as connection:
            found = await store.get(connection, caller.account_id, message_id)
        return found if found is not None and caller.may_use(found.domain_id) else None

    async def asked(found: Annotated[MessageSchedule | None, Depends(scheduled)]) -> MessageSchedule:
        if found is None:
            raise not_found()
        return found

    @resource.get("/message-schedules/{message_id}", summary="Get a scheduled message")
    @access(Scope.EMAIL_FULL, Permission.READ_EMAIL)
    async def show(found: Annotated[MessageSchedule, Depends(asked)]) -> Data[ShownSchedule]:
        """A scheduled message."""
        async with api.database.read() as connection:
            domain = await domains.get(connection, found.domain_id)
        return Data(data=_shown(found, domain))

    @resource.delete("/message-schedules/{message_id}", summary="Delete a scheduled message", status_code=204)
    @access(Scope.EMAIL_FULL, Permission.CONTROL_SENDINGS)
    async def delete(
        caller: CurrentCaller, found: Annotated[MessageSchedule | None, Depends(scheduled)]
    ) -> Response:
        """Nobody gets it, or it is too late: 404."""
        if found is None or not await interventions.cancel_scheduled(
            api.database,
            caller.account_id,
            found,
            now=api.clock.now_ms(),
            retention=api.config.retention.content,
            by=caller.actor,
        ):
            raise not_found(TOO_LATE)
        return empty(204)

    return resource


def _fields(schedule: MessageSchedule) -> dict[str, Any]:
    failed = schedule.status == store.ERROR
    return {
        "message_id": schedule.message_id,
        "subject": schedule.subject,
        "send_at": schedule.send_at,
        "status": schedule.status,
        "status_message": schedule.reply if failed and schedule.reply else None,
        "created_at": schedule.created_at,
    }


def _shown(schedule: MessageSchedule, domain: Domain | None) -> ShownSchedule:
    at = schedule.created_at
    return ShownSchedule(
        **_fields(schedule),
        domain=None if domain is None else short(domain),
        message=MessageShort(id=schedule.message_id, created_at=at, updated_at=at),
    )
