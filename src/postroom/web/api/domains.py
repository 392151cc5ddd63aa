"""`/v1/domains`: what an account may send from."""

# No postponed annotations here: they name loaders that only `router` knows.

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.errors import ConflictError
from postroom.store import domain_counts, recipients
from postroom.store import domains as store
from postroom.store.domain_counts import MOST_COUNTED, Stats
from postroom.store.domains import Domain, DomainFilter
from postroom.tenancy import domain_names, domain_removal, domain_watch, domains
from postroom.tenancy.entitlements import entitlements
from postroom.types import refusals
from postroom.types.permissions import Permission
from postroom.types.refusals import Refused
from postroom.types.scopes import Scope
from postroom.web.api.access import access
from postroom.web.api.api import Api
from postroom.web.api.call import Caller, CurrentCaller
from postroom.web.api.domain_input import TAKEN, DomainIn, SettingsIn
from postroom.web.api.domain_object import EmbeddedDomain, ShownSettings, embedded, own_domain, settings_of
from postroom.web.api.email_object import RecipientOut
from postroom.web.api.errors import invalid, not_found, refused
from postroom.web.api.fields import Flag
from postroom.web.api.json_out import Data, Timestamp, empty
from postroom.web.api.pages import Counted, CurrentPage, Simple
from postroom.web.api.recipients import recipient_row
from postroom.web.api.route import routes
from postroom.web.api.shown import ConfigId, Count, DomainName, limited

READERS = (
    Scope.DOMAINS_READ,
    Scope.DOMAINS_FULL,
    Permission.MANAGE_DOMAIN,
    Permission.CONTROL_SENDINGS,
    Permission.CONTROL_TRACKING_OPTIONS,
    Permission.READ_ACTIVITY,
    Permission.READ_ANALYTICS,
    Permission.READ_EMAIL,
    Permission.MANAGE_WEBHOOK,
    Permission.VIEW_SMTP_USERS,
)
"""Whoever works with what belongs to a domain has to see which there are."""

_ID = "65qngkdovk8lwr12"
_NEWEST = f"Of the account's newest {MOST_COUNTED}"


class StatsOut(BaseModel):
    total: Count = Field(description=f"Emails. {_NEWEST}, as all here.", examples=[49])
    queued: Count = Field(description="Not tried yet.", examples=[0])
    sent: Count = Field(description="Tried, and not final.", examples=[0])
    rejected: Count = Field(description="Given up, or never tried.", examples=[2])
    delivered: Count = Field(description="Taken by the recipient's server.", examples=[47])


class TotalsOut(BaseModel):
    sent: Count = Field(description=f"Events. {_NEWEST}, as all here.", examples=[49])
    delivered: Count = Field(description="Taken by the recipient's server.", examples=[47])
    hard_bounced: Count = Field(description="The address does not exist.", examples=[2])
    soft_bounced: Count = Field(description="Given up for another reason.", examples=[0])


class DomainOut(EmbeddedDomain):
    """In the list, and after a change."""

    domain_stats: StatsOut = Field(description="Emails by where they stand.")
    mode: Literal["live", "sandbox"] = Field(
        description="`sandbox`: mail is kept in the inbox, nothing leaves.", examples=["live"]
    )
    failing_since: Timestamp | None = Field(
        description="Since when the record that proves the domain is gone; null while it is there.",
        examples=[None],
    )
    pauses_at: Timestamp | None = Field(
        description="When sending is paused for that. Another account may verify the domain from then on.",
        examples=[None],
    )


class ShownDomain(DomainOut):
    """One by itself."""

    totals: TotalsOut = Field(description="What happened to its mail.")  # type: ignore[assignment]


class Can(BaseModel):
    manage: bool = Field(description="Always true.", examples=[True])


class NewDomain(BaseModel):
    """Right after it was added. What is null is not known before the domain is verified."""

    id: ConfigId = Field(description="Of the domain.", examples=[_ID])
    name: DomainName = Field(description="Its name.", examples=["example.com"])
    dkim: bool | None = Field(None, description="Null.", examples=[None])
    spf: bool | None = Field(None, description="Null.", examples=[None])
    mx: bool | None = Field(None, description="Null.", examples=[None])
    tracking: bool | None = Field(None, description="Null.", examples=[None])
    is_verified: bool = Field(False, description="Mail may be sent from it.", examples=[False])
    is_cname_verified: bool = Field(False, description="The return path is set up.", examples=[False])
    is_dns_active: bool = Field(False, description="The required records are published.", examples=[False])
    is_cname_active: bool = Field(False, description="The tracking host is in use.", examples=[False])
    is_tracking_allowed: bool = Field(False, description="Tracking can be switched on.", examples=[False])
    is_trial_domain: bool = Field(False, description="There are none.", examples=[False])
    is_being_verified: bool = Field(False, description="Always false.", examples=[False])
    is_dkim_txt: bool | None = Field(None, description="Null.", examples=[None])
    show_dkim_info: bool = Field(False, description="Always false.", examples=[False])
    domain_settings: ShownSettings = Field(description="What can be set.")
    can: Can = Field(Can(manage=True), description="What the caller may do with it.")
    totals: Annotated[list[Count], limited(maxItems=0)] = Field([], description="Empty.", examples=[[]])


def router(api: Api) -> APIRouter:
    resource = routes("Domains")
    add_reading(api, resource)
    add_changing(api, resource)
    return resource


def loader(api: Api) -> Any:
    """The dependency that finds the domain of the path."""

    async def domain(domain_id: str, caller: CurrentCaller) -> Domain:
        found = await own_domain(api, caller, domain_id)
        if found is None:
            raise not_found()
        return found

    return domain


def add_reading(api: Api, resource: APIRouter) -> None:
    domain = loader(api)

    @resource.get("/domains", summary="List domains", response_model=Counted[DomainOut])
    @access(*READERS)
    async def index(
        caller: CurrentCaller,
        page: CurrentPage,
        verified: Annotated[
            Flag | None, Query(description="Only those that are, or are not, verified.", examples=[True])
        ] = None,
    ) -> Any:
        """In the order they were added."""
        wanted = DomainFilter(caller.account_id, caller.domains, verified)
        async with api.database.read() as connection:
            total = await store.count(connection, wanted)
            found = await store.page(connection, wanted, offset=page.offset, limit=page.limit)
            counted = await domain_counts.stats(connection, caller.account_id) if found else {}
            shown = [await _shown(api, connection, one, counted) for one in found]
        return page.counted(shown, total)

    @resource.get("/domains/{domain_id}", summary="Get a domain")
    @access(*READERS)
    async def show(found: Annotated[Domain, Depends(domain)]) -> Data[ShownDomain]:
        """With what happened to its mail."""
        async with api.database.read() as connection:
            counted = await domain_counts.stats(connection, found.account_id)
            totals = await domain_counts.totals(connection, found.account_id, found.id)
            row = await _shown(api, connection, found, counted)
        shown = TotalsOut.model_validate(totals, from_attributes=True)
        return Data(data=ShownDomain(**{**dict(row), "totals": shown}))

    @resource.get(
        "/domains/{domain_id}/recipients",
        summary="List a domain's recipients",
        response_model=Simple[RecipientOut],
    )
    @access(Scope.DOMAINS_READ, Scope.DOMAINS_FULL, Permission.READ_RECIPIENT)
    async def domain_recipients(found: Annotated[Domain, Depends(domain)], page: CurrentPage) -> Any:
        """In the order of their addresses. Somebody new is listed some seconds after the message was accepted."""
        async with api.database.read() as connection:
            rows = await recipients.page(
                connection, found.account_id, domains={found.id}, offset=page.offset, limit=page.limit + 1
            )
        return page.simple([recipient_row(one) for one in rows])


def add_changing(api: Api, resource: APIRouter) -> None:
    domain = loader(api)

    @resource.post("/domains", summary="Add a domain", status_code=201)
    @access(Scope.DOMAINS_FULL, Permission.MANAGE_DOMAIN)
    async def create(body: DomainIn, caller: CurrentCaller) -> Data[NewDomain]:
        """Publish its DNS records, then verify it. A domain is verified for one account of the installation."""
        if caller.domains is not None:
            raise refused(Refused(refusals.MORE_THAN_OWN))
        rules, allowed = api.config.domains, entitlements(caller.account, api.config)
        defaults = body.defaults(rules.defaults)
        if not allowed.track_content:
            defaults = defaults.model_copy(update={"track_content": False})
        rules = rules.model_copy(update={"defaults": defaults})
        await _check_new(api, caller, body.name, allowed.domains)
        try:
            made = await domains.add(
                api.database,
                api.secrets,
                body.name,
                account_id=caller.account_id,
                rules=rules,
                most=allowed.domains,
                by=caller.actor,
            )
        except ConflictError:
            raise invalid({"name": [TAKEN]}) from None
        return Data(data=NewDomain(id=made.id, name=made.name, domain_settings=settings_of(made)))

    @resource.put("/domains/{domain_id}/settings", summary="Change a domain's settings")
    @access(
        Scope.DOMAINS_FULL,
        Permission.MANAGE_DOMAIN,
        Permission.CONTROL_SENDINGS,
        Permission.CONTROL_TRACKING_OPTIONS,
    )
    async def update_settings(
        body: SettingsIn, caller: CurrentCaller, found: Annotated[Domain, Depends(domain)]
    ) -> Data[DomainOut]:
        """What is absent stays as it is. A changed subdomain has to be verified anew."""
        changes = body.changes(found, caller)
        if changes.get("track_content") and not entitlements(caller.account, api.config).track_content:
            why = Refused(refusals.PLAN_FEATURE, {"feature": "keeping content"})
            raise refused(why, "track_content")
        changed = await domains.change(api.database, found.id, by=caller.actor, **changes)
        if isinstance(changed, Refused):
            raise refused(changed, "send_paused")
        async with api.database.read() as connection:
            counted = await domain_counts.stats(connection, found.account_id)
            return Data(data=await _shown(api, connection, changed, counted))

    @resource.delete("/domains/{domain_id}", summary="Delete a domain", status_code=204)
    @access(Scope.DOMAINS_FULL, Permission.MANAGE_DOMAIN)
    async def delete(caller: CurrentCaller, found: Annotated[Domain, Depends(domain)]) -> Response:
        """With its keys, SMTP users, tokens, webhooks and suppressions. What is queued is cancelled, but for attempts
        under way; what was sent stays in the activity."""
        retention = api.config.retention.content
        await domain_removal.delete(api.database, found.id, by=caller.actor, retention=retention)
        return empty(204)


async def _check_new(api: Api, caller: Caller, name: str, most: int | None) -> None:
    """Raises ApiError with what stands against this name, before keys are made for it."""
    if await asyncio.to_thread(domain_names.organisation, name) is None:
        raise refused(Refused(refusals.PUBLIC_SUFFIX, {"name": name}), "name")
    async with api.database.read() as connection:
        if await domains.taken(connection, caller.account_id, name, grace=api.config.domains.grace):
            raise invalid({"name": [TAKEN]})
        full = await domains.room(connection, caller.account_id, most)
    if full is not None:
        raise refused(full, "name")


async def _shown(
    api: Api, connection: AsyncConnection, domain: Domain, counted: dict[str, Stats]
) -> DomainOut:
    row = await embedded(connection, domain)
    stats = StatsOut.model_validate(counted.get(domain.id, Stats()), from_attributes=True)
    return DomainOut(
        **dict(row),
        domain_stats=stats,
        mode="sandbox" if domain.mode == domains.SANDBOX else "live",
        failing_since=domain.failing_since,
        pauses_at=domain_watch.pauses_at(domain, api.config.domains.grace),
    )
