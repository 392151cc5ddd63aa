"""`/v1/messages`: what was sent, as one object for all recipients."""

# No postponed annotations here: they name loaders that only `router` knows.

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from postroom.store import domains, emails
from postroom.store import messages as store
from postroom.store.messages import Message
from postroom.types.permissions import Permission
from postroom.types.scopes import Scope
from postroom.web.api.access import access
from postroom.web.api.api import Api
from postroom.web.api.call import CurrentCaller
from postroom.web.api.domain_object import EmbeddedDomain, embedded
from postroom.web.api.email_object import EmailOut, email_fields
from postroom.web.api.errors import not_found
from postroom.web.api.json_out import Data
from postroom.web.api.pages import Page, Simple, page
from postroom.web.api.route import routes
from postroom.web.api.shown import CreatedAt, MailId, UpdatedAt, limited

MOST_PAGES = 1000


class MessageShort(BaseModel):
    id: MailId = Field(
        description="As the header `x-message-id` said.", examples=["0195f0c2a7d1000001a2b3c4"]
    )
    created_at: CreatedAt
    updated_at: UpdatedAt


class MessageOut(MessageShort):
    emails: Annotated[list[EmailOut], limited(maxItems=10_000)] = Field(description="One for each recipient.")
    domain: EmbeddedDomain | None = Field(description="Null if it has been deleted.")


def router(api: Api) -> APIRouter:
    resource = routes("Messages")

    @resource.get("/messages", summary="List messages", response_model=Simple[MessageShort])
    @access(Scope.EMAIL_FULL, Permission.READ_EMAIL)
    async def index(caller: CurrentCaller, page: Annotated[Page, page(pages=MOST_PAGES)]) -> Any:
        """The newest first."""
        found = await store.newest(
            api.database,
            caller.account_id,
            domains=caller.domains,
            offset=page.offset,
            limit=page.limit + 1,
        )
        return page.simple([MessageShort(id=id_, created_at=at, updated_at=at) for id_, at in found])

    async def asked(message_id: str, caller: CurrentCaller) -> Message:
        async with api.database.read() as connection:
            found = await store.get(connection, caller.account_id, message_id)
        if found is None or not caller.may_use(found.domain_id):
            raise not_found()
        return found

    @resource.get("/messages/{message_id}", summary="Get a message")
    @access(Scope.EMAIL_FULL, Permission.READ_EMAIL)
    async def show(found: Annotated[Message, Depends(asked)]) -> Data[MessageOut]:
        """A message with its emails."""
        async with api.database.read() as connection:
            parts = await emails.details_of_message(connection, found.account_id, found.id)
            domain = await domains.get(connection, found.domain_id)
            shown_domain = None if domain is None else await embedded(connection, domain)
        shown = MessageOut(
            id=found.id,
            created_at=found.received_at,
            updated_at=found.received_at,
            emails=[EmailOut(**email_fields(email)) for email in parts],
            domain=shown_domain,
        )
        return Data(data=shown)

    return resource
