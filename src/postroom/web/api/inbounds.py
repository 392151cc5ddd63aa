"""`/v1/inbound`: where inbound mail goes. Taking it in is not done here."""

# No postponed annotations here: they name loaders that only `router` knows.

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, Field

from postroom.store import domains
from postroom.store import inbounds as store
from postroom.store.domains import Domain
from postroom.store.inbounds import Inbound
from postroom.tenancy import dns_records, inbounds
from postroom.tenancy.dns_records import INBOUND_PRIORITY, Hosts
from postroom.tenancy.entitlements import entitlements
from postroom.tenancy.inbounds import NewInbound
from postroom.types import refusals
from postroom.types.inbound import CatchKind, Comparer, ForwardKind, MatchKind, Needed
from postroom.types.permissions import Permission
from postroom.types.refusals import Refused
from postroom.types.scopes import Scope
from postroom.web.api.access import access
from postroom.web.api.api import Api
from postroom.web.api.call import Caller, CurrentCaller
from postroom.web.api.domain_object import UNKNOWN_DOMAIN, DomainId, own_domain
from postroom.web.api.errors import ApiError, invalid, not_found, refused
from postroom.web.api.inbound_input import InboundChange, InboundIn, fields, problems
from postroom.web.api.json_out import Data, Timestamp, empty
from postroom.web.api.pages import Counted, Page, page
from postroom.web.api.route import routes
from postroom.web.api.shown import AddressText, ConfigId, DomainName, Word, limited

FIELDS = {refusals.INBOUND_HOST_MISSING: "domain_id", refusals.TOO_MANY_INBOUNDS: "domain_id"}
"""Which field a refusal is about, if not the inbound domain."""


class FilterOut(BaseModel):
    type: CatchKind | MatchKind = Field(description="What is looked at.", examples=["catch_recipient"])
    key: Word | None = Field(description="Which header, with `match_header`.", examples=[None])
    comparer: Comparer | None = Field(description="How; null with `match_all`.", examples=["starts-with"])
    value: Word | None = Field(description="With what.", examples=["support"])


class ForwardOut(BaseModel):
    id: ConfigId = Field(description="Of the forward.", examples=["3m5jgro0kdgqdpvr"])
    type: ForwardKind = Field(description="To an address, or to a URL.", examples=["webhook"])
    value: Word = Field(description="The address or the URL.", examples=["https://example.com/inbound"])
    secret: Annotated[str, limited(maxLength=32)] | None = Field(
        description="What will sign the requests to a URL, as for webhooks; null for an address.",
        examples=["0123456789abcdef0123456789abcdef"],
    )


class MxValues(BaseModel):
    priority: Annotated[str, limited(maxLength=5)] = Field(description="A number as text.", examples=["10"])
    target: DomainName | None = Field(
        description="Null while this installation takes no mail.", examples=["inbound.example.net"]
    )


class InboundOut(BaseModel):
    id: ConfigId = Field(description="Of the route.", examples=["pr9084zw584w63dn"])
    name: Word = Field(description="For people.", examples=["Support"])
    address: AddressText | None = Field(
        description="Its own address; null while this installation takes no mail.",
        examples=["g9lz3bsjlnqde2vhvheh@inbound.example.net"],
    )
    domain: DomainName | None = Field(
        description="The name whose mail it takes, too.", examples=["inbound.example.com"]
    )
    dns_checked_at: Timestamp | None = Field(
        description="When the MX record of that name was found; only for the inbound host of the domain."
    )
    enabled: bool = Field(description="Whether it takes any mail.", examples=[True])
    filters: Annotated[list[FilterOut], limited(maxItems=10)] = Field(
        description="What has to hold, of the recipient and of the message."
    )
    forwards: Annotated[list[ForwardOut], limited(maxItems=5)] = Field(description="Where the mail goes.")
    priority: Annotated[int, limited(minimum=0, maximum=100)] = Field(
        description="The lowest is asked first.", examples=[10]
    )
    mxValues: MxValues = Field(description="The MX record to publish for the name.")  # noqa: N815 - the contract's
    catch_type: Needed = Field(description="All that the recipient must fulfil, or one.", examples=["all"])
    match_type: Needed = Field(description="All that the message must fulfil, or one.", examples=["all"])


def router(api: Api) -> APIRouter:
    resource = routes("Inbound routes")
    add_reading(api, resource)
    add_changing(api, resource)
    return resource


def loader(api: Api) -> Any:
    """The dependency that finds the route of the path."""

    async def inbound(inbound_id: str, caller: CurrentCaller) -> Inbound:
        async with api.database.read() as connection:
            found = await store.get(connection, caller.account_id, inbound_id)
        if found is None or not caller.may_use(found.domain_id):
            raise not_found()
        return found

    return inbound


def add_reading(api: Api, resource: APIRouter) -> None:
    inbound = loader(api)

    @resource.get("/inbound", summary="List inbound routes", response_model=Counted[InboundOut])
    @access(Scope.INBOUNDS_FULL, Permission.MANAGE_INBOUND)
    async def index(
        caller: CurrentCaller, page: Annotated[Page, page(default=10)], domain_id: DomainId | None = None
    ) -> Any:
        """In the order they were made."""
        if domain_id is not None and await own_domain(api, caller, domain_id) is None:
            raise invalid(UNKNOWN_DOMAIN)
        asked_of = caller.domains if domain_id is None else {domain_id}
        async with api.database.read() as connection:
            total = await store.count(connection, caller.account_id, domain_ids=asked_of)
            found = await store.page(
                connection, caller.account_id, domain_ids=asked_of, offset=page.offset, limit=page.limit
            )
            owned = {one.id: one for one in await domains.list_all(connection, caller.account_id)}
        return page.counted([_shown(api, one, owned.get(one.domain_id)) for one in found], total)

    @resource.get("/inbound/{inbound_id}", summary="Get an inbound route")
    @access(Scope.INBOUNDS_FULL, Permission.MANAGE_INBOUND)
    async def show(found: Annotated[Inbound, Depends(inbound)]) -> Data[InboundOut]:
        """An inbound route with the secrets of its webhooks."""
        return await _answer(api, found)


def add_changing(api: Api, resource: APIRouter) -> None:
    inbound = loader(api)

    @resource.post("/inbound", summary="Create an inbound route", status_code=201)
    @access(Scope.INBOUNDS_FULL, Permission.MANAGE_INBOUND)
    async def create(body: InboundIn, caller: CurrentCaller) -> Data[InboundOut]:
        """It gets an address of its own. Mail is not taken in yet; until then the route is only kept."""
        wrong = problems(body, api.http)
        domain = await own_domain(api, caller, body.domain_id)
        if domain is None:
            raise invalid(UNKNOWN_DOMAIN | wrong)
        why = await _refusal(api, caller, domain, body.inbound_domain if body.domain_enabled else None)
        if why is not None:
            wrong = _field(why) | wrong
        if wrong:
            raise invalid(wrong)
        new = NewInbound(domain_id=domain.id, **fields(body))
        most = entitlements(caller.account, api.config).inbound_routes
        made = await inbounds.add(
            api.database, api.secrets, caller.account_id, new, most=most, by=caller.actor
        )
        if isinstance(made, Refused):
            raise _refused(made)
        return await _answer(api, made)

    @resource.put("/inbound/{inbound_id}", summary="Update an inbound route")
    @access(Scope.INBOUNDS_FULL, Permission.MANAGE_INBOUND)
    async def update(
        body: InboundChange, caller: CurrentCaller, found: Annotated[Inbound, Depends(inbound)]
    ) -> Data[InboundOut]:
        """What is absent stays as it is. `forwards` replaces all of them; those that were there keep their secrets."""
        had_domain = found.inbound_domain is not None
        wrong = problems(body, api.http, had_domain=had_domain)
        if wrong:
            raise invalid(wrong)
        new = fields(body, had_domain=had_domain)
        changed = await inbounds.change(api.database, api.secrets, found, by=caller.actor, **new)
        if isinstance(changed, Refused):
            raise _refused(changed)
        return await _answer(api, changed)

    @resource.delete("/inbound/{inbound_id}", summary="Delete an inbound route", status_code=204)
    @access(Scope.INBOUNDS_FULL, Permission.MANAGE_INBOUND)
    async def delete(caller: CurrentCaller, found: Annotated[Inbound, Depends(inbound)]) -> Response:
        """Its address takes no mail any more, and is never given again."""
        await inbounds.delete(api.database, found, by=caller.actor)
        return empty(204)


async def _refusal(api: Api, caller: Caller, domain: Domain, inbound_domain: str | None) -> Refused | None:
    """What speaks against a new route of the domain, known before it is made."""
    if not Hosts.of(api.config.server).inbound:
        return Refused(refusals.INBOUND_HOST_MISSING)
    async with api.database.read() as connection:
        most = entitlements(caller.account, api.config).inbound_routes
        full = await inbounds.room(connection, caller.account_id, most)
        return full or await inbounds.claim(connection, domain, inbound_domain)


def _field(why: Refused) -> dict[str, list[str]]:
    return {FIELDS.get(why.rule, "inbound_domain"): [why.text]}


def _refused(why: Refused) -> ApiError:
    return refused(why, FIELDS.get(why.rule, "inbound_domain"))


async def _answer(api: Api, inbound: Inbound) -> Data[InboundOut]:
    async with api.database.read() as connection:
        domain = await domains.get(connection, inbound.domain_id)
    return Data(data=_shown(api, inbound, domain))


def _shown(api: Api, inbound: Inbound, domain: Domain | None) -> InboundOut:
    host = Hosts.of(api.config.server).inbound or None
    checked = None
    if domain is not None and inbound.inbound_domain == dns_records.inbound_host(domain):
        checked = domain.inbound_verified_at
    return InboundOut(
        id=inbound.id,
        name=inbound.name,
        address=None if host is None else f"{inbound.mailbox}@{host}",
        domain=inbound.inbound_domain,
        dns_checked_at=checked,
        enabled=inbound.enabled,
        filters=_filters(inbound),
        forwards=[
            ForwardOut(
                id=one.id, type=one.kind, value=one.value, secret=inbounds.secret(api.secrets, inbound, one)
            )
            for one in inbound.forwards
        ],
        priority=inbound.priority,
        mxValues=MxValues(priority=str(INBOUND_PRIORITY), target=host),
        catch_type=Needed(inbound.catch_type),
        match_type=Needed(inbound.match_type),
    )


def _filters(inbound: Inbound) -> list[FilterOut]:
    """Both in one list, as the contract has it: `match_all` stands there, `catch_all` does not."""
    caught, matched = inbound.catch_filter, inbound.match_filter
    found = [
        FilterOut(type=_kind(one.kind), key=condition.key, comparer=condition.comparer, value=condition.value)
        for one in (caught, matched)
        for condition in one.conditions
    ]
    if matched.kind == MatchKind.ALL:
        found.append(FilterOut(type=MatchKind.ALL, key=None, comparer=None, value=None))
    return found


def _kind(kind: str) -> CatchKind | MatchKind:
    return CatchKind.RECIPIENT if kind == CatchKind.RECIPIENT else MatchKind(kind)
