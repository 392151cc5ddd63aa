"""`/v1/inbox`: the sandbox inbox, what sandbox domains sent. Nothing of it left the machine."""

# No postponed annotations here: they name loaders that only `router` knows.

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, Field

from postroom.store import emails
from postroom.store import inbox as store
from postroom.store.inbox import InboxFilter, InboxItem
from postroom.tenancy import inbox
from postroom.types.permissions import Permission
from postroom.types.scopes import Scope
from postroom.web.api.access import access
from postroom.web.api.api import Api
from postroom.web.api.call import Caller, CurrentCaller
from postroom.web.api.domain_object import UNKNOWN_DOMAIN, DomainId, own_domain
from postroom.web.api.email_content import ContentOut, content_out
from postroom.web.api.errors import invalid, not_found
from postroom.web.api.json_out import Data, Timestamp, empty
from postroom.web.api.pages import Counted, CurrentPage
from postroom.web.api.route import routes
from postroom.web.api.shown import AddressText, ConfigId, Count, MailId, Word

READERS = (Scope.EMAIL_FULL, Scope.ACTIVITY_READ, Scope.ACTIVITY_FULL, Permission.READ_EMAIL)
CHANGERS = (Scope.EMAIL_FULL, Permission.CONTROL_SENDINGS)

_ID = "0195f0c2a7d1000001a2b3c4"

SearchText = Annotated[
    str | None,
    Query(
        min_length=2,
        max_length=320,
        description="Contained in the subject, From or the recipient, in any case.",
        examples=["order"],
    ),
]


class InboxItemOut(BaseModel):
    id: MailId = Field(description="Of the email: `/email/{id}/preview` and so on take it.", examples=[_ID])
    message_id: MailId = Field(description="Of its message.", examples=[_ID])
    domain_id: ConfigId = Field(description="The sandbox that sent it.", examples=["65qngkdovk8lwr12"])
    received_at: Timestamp = Field(description="When it came into the inbox.")
    from_: AddressText = Field(
        alias="from", description="As the message says.", examples=["App <app@example.com>"]
    )
    to: AddressText = Field(description="The recipient it would have gone to.", examples=["ada@example.org"])
    subject: Word = Field(description="Decoded.", examples=["Your order"])
    size: Count = Field(description="Of the message, in octets.", examples=[51870])


class ShownItem(InboxItemOut):
    content: ContentOut = Field(description="What it says.")


def router(api: Api) -> APIRouter:
    resource = routes("Sandbox inbox")

    @resource.get("/inbox", summary="List the sandbox inbox", response_model=Counted[InboxItemOut])
    @access(*READERS)
    async def index(
        caller: CurrentCaller,
        page: CurrentPage,
        domain_id: DomainId | None = None,
        search: SearchText = None,
    ) -> Any:
        """What sandbox domains sent, the newest first."""
        wanted = await _wanted(api, caller, domain_id, search)
        async with api.database.read() as connection:
            total = await store.count(connection, wanted)
            found = await store.of_account(connection, wanted, offset=page.offset, limit=page.limit)
        return page.counted([InboxItemOut(**_fields(item)) for item in found], total)

    @resource.delete("/inbox", summary="Empty the sandbox inbox", status_code=204)
    @access(*CHANGERS)
    async def clear(
        caller: CurrentCaller, domain_id: DomainId | None = None, search: SearchText = None
    ) -> Response:
        """Everything, or what fits. The emails stay in the activity; their content is deleted."""
        now = api.clock.now_ms()
        wanted = await _wanted(api, caller, domain_id, search, before=now)
        await inbox.empty(api.database, wanted, now=now, by=caller.actor)
        return empty(204)

    async def item(sandbox_email_id: str, caller: CurrentCaller) -> InboxItem:
        async with api.database.read() as connection:
            found = await store.get(connection, caller.account_id, sandbox_email_id)
        if found is None or not caller.may_use(found.domain_id):
            raise not_found()
        return found

    @resource.get("/inbox/{sandbox_email_id}", summary="Get an email of the sandbox inbox")
    @access(*READERS)
    async def show(found: Annotated[InboxItem, Depends(item)]) -> Data[ShownItem]:
        """With what it says. Its preview, source and attachments are those of the email with this id."""
        async with api.database.read() as connection:
            known = await emails.details(connection, found.account_id, [found.email_id])
        if found.email_id not in known:
            raise not_found()
        content = await content_out(api, known[found.email_id])
        return Data(data=ShownItem(**_fields(found), content=content))

    @resource.delete(
        "/inbox/{sandbox_email_id}", summary="Delete an email of the sandbox inbox", status_code=204
    )
    @access(*CHANGERS)
    async def delete(caller: CurrentCaller, found: Annotated[InboxItem, Depends(item)]) -> Response:
        """The email stays in the activity; its content is deleted with the last recipient's copy."""
        await inbox.delete(api.database, found, now=api.clock.now_ms(), by=caller.actor)
        return empty(204)

    return resource


async def _wanted(
    api: Api, caller: Caller, domain_id: str | None, search: str | None, *, before: int | None = None
) -> InboxFilter:
    """Raises ApiError (422)."""
    if domain_id is not None and await own_domain(api, caller, domain_id) is None:
        raise invalid(UNKNOWN_DOMAIN)
    domains = caller.domains if domain_id is None else {domain_id}
    return InboxFilter(caller.account_id, domains, search, before)


def _fields(item: InboxItem) -> dict[str, Any]:
    return {
        "id": item.email_id,
        "message_id": item.message_id,
        "domain_id": item.domain_id,
        "received_at": item.received_at,
        "from": item.header_from,
        "to": item.recipient,
        "subject": item.subject,
        "size": item.size,
    }
