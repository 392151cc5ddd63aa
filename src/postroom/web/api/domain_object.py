"""A domain as other resources show it, and how they find the one that is asked for."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Annotated

from fastapi import Query
from pydantic import AfterValidator, BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.store import domains, queue
from postroom.store.domains import Domain
from postroom.tenancy.domain_settings import UNSUBSCRIBE_HTML, UNSUBSCRIBE_PLAIN, DomainSettings
from postroom.web.api.api import Api
from postroom.web.api.call import Caller
from postroom.web.api.shown import ConfigId, Count, CreatedAt, DomainName, Sentence, UpdatedAt
from postroom.web.api.words import REQUIRED

UNKNOWN_DOMAIN = {"domain_id": ["The selected domain id is invalid."]}

_ID = "65qngkdovk8lwr12"

MOST_COUNTED = 10_000
"""A count of a million rows would be a long read."""


_SHAPE = re.compile(r"[0-9a-z]{16}")


def _decodable(value: str) -> str:
    """What cannot be an id is the same as none, as on the contract's server."""
    if _SHAPE.fullmatch(value) is None:
        raise ValueError(REQUIRED)
    return value


DomainId = Annotated[
    str,
    AfterValidator(_decodable),
    Query(description="Only this domain.", examples=[_ID], json_schema_extra={"maxLength": 16}),
]
"""`domain_id` in a query. Whether it is the caller's says `own_domain`."""

BodyDomainId = Annotated[
    str,
    AfterValidator(_decodable),
    Field(description="The domain it is for.", examples=[_ID], json_schema_extra={"maxLength": 16}),
]
"""`domain_id` in a body."""


class DomainShort(BaseModel):
    id: ConfigId = Field(description="Of the domain.", examples=[_ID])
    name: DomainName = Field(description="Its name.", examples=["example.com"])
    created_at: CreatedAt
    updated_at: UpdatedAt


class ShownSettings(BaseModel):
    """Everything that watches recipients is off until it is switched on."""

    send_paused: bool = Field(description="Messages are accepted and wait.", examples=[False])
    track_clicks: bool = Field(description="Clicks are counted.", examples=[False])
    track_opens: bool = Field(description="Opens are counted.", examples=[False])
    track_opens_pixel_on_top: bool = Field(
        description="The picture that counts opens stands first.", examples=[False]
    )
    track_unsubscribe: bool = Field(description="Emails get a way to unsubscribe.", examples=[False])
    track_unsubscribe_html: Sentence = Field(description="What the HTML gets.", examples=[UNSUBSCRIBE_HTML])
    track_unsubscribe_html_enabled: bool = Field(description="In the HTML.", examples=[False])
    track_unsubscribe_plain: Sentence = Field(description="What the text gets.", examples=[UNSUBSCRIBE_PLAIN])
    track_unsubscribe_plain_enabled: bool = Field(description="In the text.", examples=[False])
    track_content: bool = Field(description="Content is kept after delivery.", examples=[False])
    custom_tracking_enabled: bool = Field(
        description="Links lead over a host of this domain.", examples=[False]
    )
    custom_tracking_subdomain: DomainName = Field(
        description="The host of links, below the domain.", examples=["email"]
    )
    return_path_subdomain: DomainName = Field(
        description="The host of the return path, below the domain.", examples=["mta"]
    )
    inbound_routing_enabled: bool = Field(description="Mail to this domain is taken in.", examples=[False])
    inbound_routing_subdomain: DomainName = Field(
        description="The host of inbound mail, below the domain.", examples=["inbound"]
    )
    precedence_bulk: bool = Field(description="Emails have `Precedence: bulk`.", examples=[False])
    ignore_duplicated_recipients: bool = Field(
        description="An address twice in a list is no error.", examples=[False]
    )
    show_dmarc: bool = Field(description="Always false: nothing depends on it.", examples=[False])
    smtp_enabled: bool = Field(description="Its SMTP users may log in.", examples=[True])
    strict_envelope: bool = Field(
        description="The envelope sender, too, has to be under a verified domain.", examples=[False]
    )


class EmbeddedDomain(BaseModel):
    """Inside another object; `totals` is always empty there."""

    id: ConfigId = Field(description="Of the domain.", examples=[_ID])
    name: DomainName = Field(description="Its name.", examples=["example.com"])
    dkim: bool = Field(description="The DKIM records are published.", examples=[True])
    spf: bool = Field(description="The return path is set up, so SPF passes.", examples=[True])
    tracking: bool = Field(description="The tracking host is set up.", examples=[False])
    is_verified: bool = Field(description="Mail may be sent from it.", examples=[True])
    is_cname_verified: bool = Field(description="The return path is set up.", examples=[True])
    is_dns_active: bool = Field(description="The required records are published.", examples=[True])
    is_cname_active: bool = Field(description="The tracking host is in use.", examples=[False])
    is_tracking_allowed: bool = Field(description="Tracking can be switched on.", examples=[False])
    has_not_queued_messages: bool = Field(
        description="Messages wait because sending is paused.", examples=[False]
    )
    not_queued_messages_count: Count = Field(
        description=f"How many; at most {MOST_COUNTED} emails are looked at.", examples=[0]
    )
    domain_settings: ShownSettings = Field(description="What can be set.")
    created_at: CreatedAt
    updated_at: UpdatedAt
    totals: list[Count] = Field(max_length=0, description="Empty.", examples=[[]])


async def embedded(connection: AsyncConnection, domain: Domain) -> EmbeddedDomain:
    waiting = 0
    if domain.send_paused:
        waiting = await queue.paused_messages(connection, domain.account_id, domain.id, MOST_COUNTED)
    settings = settings_of(domain)
    proved = domain.verified_at is not None and domain.failing_since is None
    return_path = domain.return_path_verified_at is not None
    tracking = domain.tracking_verified_at is not None
    return EmbeddedDomain(
        id=domain.id,
        name=domain.name,
        dkim=proved,
        spf=return_path,
        tracking=tracking,
        is_verified=domain.verified_at is not None,
        is_cname_verified=return_path,
        is_dns_active=proved,
        is_cname_active=tracking and settings.custom_tracking_enabled,
        is_tracking_allowed=tracking,
        has_not_queued_messages=waiting > 0,
        not_queued_messages_count=waiting,
        domain_settings=settings,
        created_at=domain.created_at,
        updated_at=domain.updated_at,
        totals=[],
    )


def settings_of(domain: Domain) -> ShownSettings:
    return ShownSettings(
        **asdict(DomainSettings.decode(domain.settings)),
        send_paused=domain.send_paused,
        track_content=domain.keep_content,
        return_path_subdomain=domain.return_path_host.removesuffix(f".{domain.name}"),
        show_dmarc=False,
        smtp_enabled=domain.smtp_enabled,
        strict_envelope=domain.strict_envelope,
    )


def short(domain: Domain) -> DomainShort:
    return DomainShort(
        id=domain.id, name=domain.name, created_at=domain.created_at, updated_at=domain.updated_at
    )


async def own_domain(api: Api, caller: Caller, domain_id: str) -> Domain | None:
    """The domain with this id; None if it is not the caller's."""
    async with api.database.read() as connection:
        found = await domains.get(connection, domain_id)
    if found is None or found.account_id != caller.account_id or not caller.may_use(found.id):
        return None
    return found
