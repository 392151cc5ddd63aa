"""`/v1/identities`: addresses of other people's domains that may be sent from, because their owners have agreed."""

# No postponed annotations here: they name loaders that only `router` knows.

from typing import Annotated, Any, Literal

import structlog
from fastapi import APIRouter, Depends, Path, Query, Response

from postroom.accept import admit
from postroom.errors import ConflictError, PostroomError
from postroom.store import domains
from postroom.store import sender_identities as store
from postroom.store.sender_identities import IdentityFilter, Order, SenderIdentity
from postroom.tenancy import sender_identities
from postroom.tenancy.entitlements import entitlements
from postroom.tenancy.sender_identities import Asked
from postroom.types.addresses import AddressError, parse_mailbox
from postroom.types.notices import IdentityConfirmation
from postroom.types.permissions import Permission
from postroom.types.refusals import Refused
from postroom.types.scopes import Scope
from postroom.web.api.access import access
from postroom.web.api.api import Api
from postroom.web.api.call import Caller, CurrentCaller
from postroom.web.api.domain_object import UNKNOWN_DOMAIN, DomainId, own_domain
from postroom.web.api.errors import invalid, not_found, refused
from postroom.web.api.identity_object import IdentityChange, IdentityIn, IdentityOut, identity_out
from postroom.web.api.json_out import Data, empty
from postroom.web.api.pages import Counted, CurrentPage
from postroom.web.api.route import routes
from postroom.web.public_confirmation import PATH

TAKEN = {"email": ["The email has already been taken."]}
UNVERIFIED = {"domain_id": ["The domain must be verified before addresses can be added to it."]}

READERS = (
    Scope.SENDER_IDENTITY_READ,
    Scope.SENDER_IDENTITY_FULL,
    Permission.READ_SENDER_IDENTITIES,
    Permission.MANAGE_SENDER_IDENTITIES,
)
WRITERS = (Scope.SENDER_IDENTITY_FULL, Permission.MANAGE_SENDER_IDENTITIES)

log = structlog.get_logger()

Search = Annotated[
    str, Query(max_length=191, description="Stands anywhere in address or name.", examples=["client"])
]
Sorted = Annotated[Order, Query(description="By what they are sorted.", examples=["email"])]
Direction = Annotated[Literal["asc", "desc"], Query(description="Upwards or downwards.", examples=["asc"])]
Address = Annotated[str, Path(max_length=320, description="The address.", examples=["ben@client.example"])]


def router(api: Api) -> APIRouter:
    resource = routes("Sender identities")
    add_list(api, resource)
    add_create(api, resource)
    add_by_id(api, resource)
    add_by_email(api, resource)
    return resource


def add_list(api: Api, resource: APIRouter) -> None:
    @resource.get("/identities", summary="List sender identities", response_model=Counted[IdentityOut])
    @access(*READERS)
    async def index(
        caller: CurrentCaller,
        page: CurrentPage,
        domain_id: DomainId | None = None,
        query: Search = "",
        order_by: Sorted = Order.CREATED_AT,
        order: Direction = "asc",
    ) -> Any:
        """Whether their owners have agreed or not."""
        if domain_id is not None and await own_domain(api, caller, domain_id) is None:
            raise invalid(UNKNOWN_DOMAIN)
        only = caller.domains if domain_id is None else frozenset({domain_id})
        wanted = IdentityFilter(caller.account_id, only, query)
        async with api.database.read() as connection:
            total = await store.count(connection, wanted)
            found = await store.page(
                connection,
                wanted,
                offset=page.offset,
                limit=page.limit,
                order=order_by,
                descending=order == "desc",
            )
            owned = {one.id: one for one in await domains.list_all(connection, caller.account_id)}
        shown = [identity_out(one, owned[one.domain_id]) for one in found if one.domain_id in owned]
        return page.counted(shown, total)


def add_create(api: Api, resource: APIRouter) -> None:
    @resource.post("/identities", summary="Create a sender identity", status_code=201)
    @access(*WRITERS)
    async def create(body: IdentityIn, caller: CurrentCaller) -> Data[IdentityOut]:
        """Its owner gets a mail with a link, and mail can be sent from it once they have agreed.

        The domain of the address must not be a mail provider's, another account's, or have a DMARC policy other than
        `none`. An account may have 100 such mails sent an hour, and 5 a day to one address.
        """
        state = admit.account_state(caller.account, api.config)
        if state is not None:
            raise refused(state)  # nobody unknown sends mail to strangers from here
        await _check_new(api, caller, body)
        try:
            asked = await sender_identities.add(
                api.database,
                api.resolver,
                caller.account_id,
                body.new(),
                most=entitlements(caller.account, api.config).sender_identities,
                by=caller.actor,
            )
        except ConflictError:
            raise invalid(TAKEN) from None
        return await _sent(api, asked)


def add_by_id(api: Api, resource: APIRouter) -> None:
    async def identity(identity_id: str, caller: CurrentCaller) -> SenderIdentity:
        async with api.database.read() as connection:
            found = await store.get(connection, caller.account_id, identity_id)
        return _visible(found, caller)

    @resource.get("/identities/{identity_id}", summary="Get a sender identity")
    @access(*READERS)
    async def show(found: Annotated[SenderIdentity, Depends(identity)]) -> Data[IdentityOut]:
        """And whether its owner has agreed."""
        return await _answer(api, found)

    @resource.put("/identities/{identity_id}", summary="Update a sender identity")
    @access(*WRITERS)
    async def update(
        body: IdentityChange, caller: CurrentCaller, found: Annotated[SenderIdentity, Depends(identity)]
    ) -> Data[IdentityOut]:
        """Its name, and where answers go. What is absent stays as it is; null takes it away."""
        return await _changed(api, caller, found, body)

    @resource.delete("/identities/{identity_id}", summary="Delete a sender identity", status_code=204)
    @access(*WRITERS)
    async def delete(caller: CurrentCaller, found: Annotated[SenderIdentity, Depends(identity)]) -> Response:
        """Nothing more is accepted from it within a second. What is queued is sent."""
        return await _deleted(api, caller, found)

    @resource.post("/identities/{identity_id}/resend", summary="Resend the confirmation mail")
    @access(*WRITERS)
    async def resend(
        caller: CurrentCaller, found: Annotated[SenderIdentity, Depends(identity)]
    ) -> Data[IdentityOut]:
        """With a new link, good for seven days. The link before is dead."""
        state = admit.account_state(caller.account, api.config)
        if state is not None:
            raise refused(state)
        again = await sender_identities.resend(api.database, caller.account_id, found.id, by=caller.actor)
        return await _sent(api, again)


def add_by_email(api: Api, resource: APIRouter) -> None:
    """The same by the address, in which the domain may be written in any way."""

    async def identity(email: Address, caller: CurrentCaller) -> SenderIdentity:
        try:
            address = str(parse_mailbox(email))
        except AddressError:
            raise not_found() from None
        async with api.database.read() as connection:
            found = await store.by_email(connection, caller.account_id, address)
        return _visible(found, caller)

    @resource.get("/identities/email/{email}", summary="Get a sender identity by its address")
    @access(*READERS)
    async def show_by_email(found: Annotated[SenderIdentity, Depends(identity)]) -> Data[IdentityOut]:
        """And whether its owner has agreed."""
        return await _answer(api, found)

    @resource.put("/identities/email/{email}", summary="Update a sender identity by its address")
    @access(*WRITERS)
    async def update_by_email(
        body: IdentityChange, caller: CurrentCaller, found: Annotated[SenderIdentity, Depends(identity)]
    ) -> Data[IdentityOut]:
        """Its name, and where answers go. What is absent stays as it is; null takes it away."""
        return await _changed(api, caller, found, body)

    @resource.delete(
        "/identities/email/{email}", summary="Delete a sender identity by its address", status_code=204
    )
    @access(*WRITERS)
    async def delete_by_email(
        caller: CurrentCaller, found: Annotated[SenderIdentity, Depends(identity)]
    ) -> Response:
        """Nothing more is accepted from it within a second. What is queued is sent."""
        return await _deleted(api, caller, found)


def _visible(found: SenderIdentity | None, caller: Caller) -> SenderIdentity:
    if found is None or not caller.may_use(found.domain_id):
        raise not_found()
    return found


async def _check_new(api: Api, caller: Caller, body: IdentityIn) -> None:
    """Raises ApiError with all that is wrong, before the DNS is asked."""
    wrong: dict[str, list[str]] = {}
    domain = await own_domain(api, caller, body.domain_id)
    if domain is None or domain.verified_at is None:
        wrong |= UNKNOWN_DOMAIN if domain is None else UNVERIFIED
    async with api.database.read() as connection:
        if await store.by_email(connection, caller.account_id, body.email) is not None:
            wrong |= TAKEN
        most = entitlements(caller.account, api.config).sender_identities
        full = await sender_identities.room(connection, caller.account_id, most)
    if full is not None:
        wrong.setdefault("email", []).append(full.text)
    if wrong:
        raise invalid(wrong)


async def _changed(
    api: Api, caller: Caller, found: SenderIdentity, body: IdentityChange
) -> Data[IdentityOut]:
    try:
        new = body.changes(found)
    except ValueError as error:
        raise invalid({"reply_to_email": [str(error)]}) from None
    changed = await sender_identities.change(
        api.database, caller.account_id, found.id, by=caller.actor, **new
    )
    return await _answer(api, changed)


async def _deleted(api: Api, caller: Caller, found: SenderIdentity) -> Response:
    await sender_identities.delete(api.database, caller.account_id, found.id, by=caller.actor)
    return empty(204)


async def _sent(api: Api, asked: Asked | Refused) -> Data[IdentityOut]:
    """The identity is kept already: when no mail can be made now, it can be sent again later. The link is for nobody but
    the owner of the address."""
    if isinstance(asked, Refused):
        minutes = int(asked.facts.get("minutes", 0))
        raise refused(asked, "email", retry_after=minutes * 60 or None)
    identity = asked.identity
    link = api.mail.link(f"{PATH}/{asked.secret}")
    note = identity.personal_note if identity.add_note else ""
    try:
        await api.mail.send(IdentityConfirmation(identity.email, asked.account.name, link, note))
    except PostroomError as error:
        log.warning("a confirmation was not sent", identity=identity.id, reason=str(error))
    return await _answer(api, identity)


async def _answer(api: Api, identity: SenderIdentity) -> Data[IdentityOut]:
    async with api.database.read() as connection:
        domain = await domains.get(connection, identity.domain_id)
    if domain is None:
        raise not_found()  # deleted this moment, and its identities with it
    return Data(data=identity_out(identity, domain))
