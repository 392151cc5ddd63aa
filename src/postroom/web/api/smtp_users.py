"""`/v1/domains/{domain_id}/smtp-users`: the relay's credentials."""

# No postponed annotations here: they name loaders that only `router` knows.

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, Field

from postroom.store import smtp_users as store
from postroom.store.domains import Domain
from postroom.store.smtp_users import SmtpUser
from postroom.tenancy import smtp_caps, smtp_users
from postroom.tenancy.entitlements import entitlements
from postroom.tenancy.smtp_caps import Used
from postroom.tenancy.smtp_users import LONGEST_NAME, MOST_LISTED, NewSmtpUser
from postroom.types import refusals
from postroom.types.permissions import Permission
from postroom.types.refusals import Refused
from postroom.types.scopes import Scope
from postroom.web.api.access import access
from postroom.web.api.api import Api
from postroom.web.api.call import Caller, CurrentCaller
from postroom.web.api.domains import loader as domain_loader
from postroom.web.api.errors import not_found, refused
from postroom.web.api.json_out import Data, Timestamp, empty
from postroom.web.api.pages import CurrentPage, Simple
from postroom.web.api.route import routes
from postroom.web.api.shown import (
    AddressText,
    ConfigId,
    Count,
    CreatedAt,
    DomainName,
    UpdatedAt,
    Word,
    limited,
)
from postroom.web.api.smtp_user_input import SmtpUserChange, SmtpUserIn, check_senders

READERS = (
    Scope.SMTP_USERS_READ,
    Scope.SMTP_USERS_FULL,
    Permission.VIEW_SMTP_USERS,
    Permission.MANAGE_SMTP_USERS,
)
MANAGERS = (Scope.SMTP_USERS_FULL, Permission.MANAGE_SMTP_USERS)


class SmtpUserOut(BaseModel):
    id: ConfigId = Field(description="Of the SMTP user.", examples=["0r83ql3vxvgzw1jm"])
    name: Annotated[str, limited(maxLength=LONGEST_NAME)] = Field(
        description="What uses it, for people.", examples=["Shop"]
    )
    username: AddressText = Field(description="To log in with.", examples=["pr_ab2c4def@example.com"])
    password: Word | None = Field(
        repr=False,
        description="To log in with. Null, except in the answer that made it, to who may see passwords.",
        examples=[None],
    )
    enabled: bool = Field(description="Whether it may log in.", examples=[True])
    accessed_at: Timestamp | None = Field(description="When it was used last, to the minute; null: never.")
    server: DomainName = Field(description="The relay to connect to.", examples=["smtp.example.com"])
    port: Count = Field(description="The relay's port for STARTTLS.", examples=[587])
    domain_id: ConfigId = Field(description="The domain it belongs to.", examples=["65qngkdovk8lwr12"])
    from_domains: Annotated[list[ConfigId], limited(maxItems=MOST_LISTED)] = Field(
        description="The only domains From may be under; none: every verified one of the account.",
        examples=[["65qngkdovk8lwr12"]],
    )
    hourly_cap: Count | None = Field(description="Most emails an hour; null: no cap.", examples=[100])
    daily_cap: Count | None = Field(description="Most emails a day; null: no cap.", examples=[1000])
    used_this_hour: Count | None = Field(
        description="Emails in the hour of the clock; null: not counted, for there is no hourly cap.",
        examples=[3],
    )
    used_today: Count | None = Field(
        description="Emails since 00:00 UTC; null: not counted, for there is no daily cap.", examples=[120]
    )
    allowed_addresses: Annotated[list[Word], limited(maxItems=MOST_LISTED)] = Field(
        description="The only clients that may log in; none: any.", examples=[["192.0.2.0/24"]]
    )
    stream: Literal["transactional", "broadcast"] = Field(
        description="What its mail is unless the message says otherwise.", examples=["transactional"]
    )
    refuse_suppressed: bool = Field(
        description="Suppressed recipients are refused with a 550.", examples=[False]
    )
    expires_at: Timestamp | None = Field(description="When it ends; null: never.")
    created_at: CreatedAt
    updated_at: UpdatedAt


def router(api: Api) -> APIRouter:
    resource = routes("SMTP users")
    add_reading(api, resource)
    add_changing(api, resource)
    return resource


def loader(api: Api) -> Any:
    """The dependency that finds the SMTP user of the path, below its domain."""
    domain = domain_loader(api)

    async def smtp_user(smtp_user_id: str, of: Annotated[Domain, Depends(domain)]) -> SmtpUser:
        async with api.database.read() as connection:
            found = await store.owned(connection, of.account_id, smtp_user_id)
        if found is None or found.domain_id != of.id:
            raise not_found()
        return found

    return smtp_user


def add_reading(api: Api, resource: APIRouter) -> None:
    domain, smtp_user = domain_loader(api), loader(api)

    @resource.get(
        "/domains/{domain_id}/smtp-users",
        summary="List a domain's SMTP users",
        response_model=Simple[SmtpUserOut],
    )
    @access(*READERS)
    async def index(found: Annotated[Domain, Depends(domain)], page: CurrentPage) -> Any:
        """In the order they were made."""
        async with api.database.read() as connection:
            rows = await store.page(
                connection, found.account_id, found.id, offset=page.offset, limit=page.limit + 1
            )
            used = await smtp_caps.used(connection, found.account_id, rows, api.clock.now_ms())
        return page.simple([_shown(api, one, used[one.id]) for one in rows])

    @resource.get("/domains/{domain_id}/smtp-users/{smtp_user_id}", summary="Get an SMTP user")
    @access(*READERS)
    async def show(found: Annotated[SmtpUser, Depends(smtp_user)]) -> Data[SmtpUserOut]:
        """What it may do. Its password is not known any more."""
        return await _answer(api, found)


def add_changing(api: Api, resource: APIRouter) -> None:
    domain, smtp_user = domain_loader(api), loader(api)

    @resource.post("/domains/{domain_id}/smtp-users", summary="Create an SMTP user", status_code=201)
    @access(*MANAGERS)
    async def create(
        body: SmtpUserIn, caller: CurrentCaller, of: Annotated[Domain, Depends(domain)]
    ) -> Data[SmtpUserOut]:
        """The answer has the password, this once. Who is limited to some domains makes users for those only."""
        given = await body.changes(api, caller, of)
        most = entitlements(caller.account, api.config).smtp_users
        async with api.database.read() as connection:
            full = await smtp_users.room(connection, of, most)
        if full is not None:
            raise refused(full, "name")
        made = await smtp_users.add(api.database, of.id, most=most, by=caller.actor, **given)
        return await _once(api, caller, made)

    @resource.put("/domains/{domain_id}/smtp-users/{smtp_user_id}", summary="Update an SMTP user")
    @access(*MANAGERS)
    async def update(
        body: SmtpUserChange,
        caller: CurrentCaller,
        of: Annotated[Domain, Depends(domain)],
        found: Annotated[SmtpUser, Depends(smtp_user)],
    ) -> Data[SmtpUserOut]:
        """What is absent stays as it is. It counts within a second, also for connections that are open."""
        given = await body.changes(api, caller, of, found)
        changed = await smtp_users.change(api.database, found, by=caller.actor, **given)
        return await _answer(api, changed)

    @resource.post(
        "/domains/{domain_id}/smtp-users/{smtp_user_id}/reset-password", summary="Reset a password"
    )
    @access(*MANAGERS)
    async def reset_password(
        caller: CurrentCaller, found: Annotated[SmtpUser, Depends(smtp_user)]
    ) -> Data[SmtpUserOut]:
        """The answer has the new password, this once; the old one is refused at once, and its open connections end. A
        person also needs the permission `access-smtp-credentials`."""
        if not _may_see(caller):
            lacking = {"permissions": Permission.ACCESS_SMTP_CREDENTIALS.value}
            raise refused(Refused(refusals.PERMISSION_MISSING, lacking))
        check_senders(caller, found.from_domains)
        made = await smtp_users.reset_password(api.database, found, by=caller.actor)
        return await _once(api, caller, made)

    @resource.delete(
        "/domains/{domain_id}/smtp-users/{smtp_user_id}", summary="Delete an SMTP user", status_code=204
    )
    @access(*MANAGERS)
    async def delete(caller: CurrentCaller, found: Annotated[SmtpUser, Depends(smtp_user)]) -> Response:
        """What it has handed over is delivered all the same."""
        await smtp_users.delete(api.database, found, by=caller.actor)
        return empty(204)


def _may_see(caller: Caller) -> bool:
    return caller.has(Permission.ACCESS_SMTP_CREDENTIALS)


async def _once(api: Api, caller: Caller, made: NewSmtpUser) -> Data[SmtpUserOut]:
    return await _answer(api, made.user, made.password if _may_see(caller) else None)


async def _answer(api: Api, user: SmtpUser, password: str | None = None) -> Data[SmtpUserOut]:
    async with api.database.read() as connection:
        used = await smtp_caps.used(connection, user.account_id, [user], api.clock.now_ms())
    return Data(data=_shown(api, user, used[user.id], password))


def _shown(api: Api, user: SmtpUser, used: Used, password: str | None = None) -> SmtpUserOut:
    config = api.config
    listens = config.submission.listen or config.submission.implicit_tls_listen
    return SmtpUserOut(
        id=user.id,
        name=user.name,
        username=user.username,
        password=password,
        enabled=user.enabled,
        accessed_at=user.last_used_at,
        server=config.server.smtp_host or api.hostname,
        port=listens[0].port if listens else 0,
        domain_id=user.domain_id,
        from_domains=user.from_domains.split(),
        hourly_cap=user.hourly_cap,
        daily_cap=user.daily_cap,
        used_this_hour=used.hour,
        used_today=used.day,
        allowed_addresses=user.allowed_addresses.splitlines(),
        stream="broadcast" if user.stream == "broadcast" else "transactional",
        refuse_suppressed=user.refuse_suppressed,
        expires_at=user.expires_at,
        created_at=user.created_at,
        updated_at=user.updated_at,
    )
