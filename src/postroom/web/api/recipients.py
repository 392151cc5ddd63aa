"""`/v1/recipients`: whom the account has written to."""

# No postponed annotations here: they name loaders that only `router` knows.

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from pydantic import Field

from postroom.store import domains, emails
from postroom.store import recipients as store
from postroom.store.recipients import NEWEST, Recipient
from postroom.tenancy import recipients
from postroom.types.permissions import Permission
from postroom.types.scopes import Scope
from postroom.web.api.access import access
from postroom.web.api.api import Api
from postroom.web.api.call import CurrentCaller
from postroom.web.api.domain_object import UNKNOWN_DOMAIN, DomainId, DomainShort, own_domain, short
from postroom.web.api.email_object import EmailOut, RecipientOut, email_fields
from postroom.web.api.errors import invalid, not_found
from postroom.web.api.json_out import Data, empty
from postroom.web.api.pages import CurrentPage, Simple
from postroom.web.api.route import routes
from postroom.web.api.shown import limited


class ShownRecipient(RecipientOut):
    emails: Annotated[list[EmailOut], limited(maxItems=NEWEST)] = Field(
        description=f"The newest {NEWEST} that are still there, the newest first."
    )
    domain: DomainShort | None = Field(description="That has written to them. Null if it has been deleted.")


def recipient_row(recipient: Recipient) -> RecipientOut:
    """A recipient in a list."""
    return RecipientOut(
        id=recipient.id,
        email=recipient.email,
        created_at=recipient.created_at,
        updated_at=recipient.updated_at,
    )


def router(api: Api) -> APIRouter:
    resource = routes("Recipients")

    @resource.get("/recipients", summary="List recipients", response_model=Simple[RecipientOut])
    @access(Scope.RECIPIENTS_READ, Scope.RECIPIENTS_FULL, Permission.READ_RECIPIENT)
    async def index(caller: CurrentCaller, page: CurrentPage, domain_id: DomainId | None = None) -> Any:
        """In the order of their addresses, once for each domain that has written to them.

        Somebody new is listed some seconds after the message was accepted, and leaves the list when the last mail to
        them is not kept any more.
        """
        if domain_id is not None and await own_domain(api, caller, domain_id) is None:
            raise invalid(UNKNOWN_DOMAIN)
        wanted = caller.domains if domain_id is None else {domain_id}
        async with api.database.read() as connection:
            found = await store.page(
                connection, caller.account_id, domains=wanted, offset=page.offset, limit=page.limit + 1
            )
        return page.simple([recipient_row(one) for one in found])

    async def recipient(recipient_id: str, caller: CurrentCaller) -> Recipient:
        async with api.database.read() as connection:
            found = await store.get(connection, caller.account_id, recipient_id)
        if found is None or not caller.may_use(found.domain_id):
            raise not_found()
        return found

    @resource.get("/recipients/{recipient_id}", summary="Get a recipient")
    @access(Scope.RECIPIENTS_READ, Scope.RECIPIENTS_FULL, Permission.READ_RECIPIENT)
    async def show(found: Annotated[Recipient, Depends(recipient)]) -> Data[ShownRecipient]:
        """A recipient with the newest emails to them."""
        ids = found.newest.split()
        async with api.database.read() as connection:
            known = await emails.details(connection, found.account_id, ids)
            domain = await domains.get(connection, found.domain_id)
        shown = ShownRecipient(
            **dict(recipient_row(found)),
            emails=[EmailOut(**email_fields(known[id_])) for id_ in ids if id_ in known],
            domain=None if domain is None else short(domain),
        )
        return Data(data=shown)

    @resource.delete("/recipients/{recipient_id}", summary="Delete a recipient", status_code=204)
    @access(Scope.RECIPIENTS_FULL, Permission.MANAGE_SUPPRESSIONS)
    async def delete(caller: CurrentCaller, found: Annotated[Recipient, Depends(recipient)]) -> Response:
        """They are not listed until they are written to again. What was sent to them is kept as long as all mail is,
        and suppressions stay: deleting does not undo an unsubscribe."""
        await recipients.delete(api.database, found, by=caller.actor)
        return empty(204)

    return resource
