"""A domain as other resources show it, and how they find the one that is asked for."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import Query
from pydantic import AfterValidator, BaseModel, Field

from postroom.store import domains
from postroom.store.domains import Domain
from postroom.web.api.api import Api
from postroom.web.api.call import Caller
from postroom.web.api.json_out import Timestamp
from postroom.web.api.words import REQUIRED

UNKNOWN_DOMAIN = {"domain_id": ["The selected domain id is invalid."]}

_ID = "65qngkdovk8lwr12"

UNSUBSCRIBE_HTML = '<p>Click here to <a href="{{unsubscribe}}">unsubscribe</a></p>'
UNSUBSCRIBE_PLAIN = "Click here to unsubscribe: {{unsubscribe}}"


_SHAPE = re.compile(r"[0-9a-z]{16}")


def _decodable(value: str) -> str:
    """What cannot be an id is the same as none, as on the contract's server."""
    if _SHAPE.fullmatch(value) is None:
        raise ValueError(REQUIRED)
    return value


DomainId = Annotated[str, AfterValidator(_decodable), Query(description="Only this domain.", examples=[_ID])]
"""`domain_id` in a query. Whether it is the caller's says `own_domain`."""


class DomainShort(BaseModel):
    id: str = Field(description="Of the domain.", examples=[_ID])
    name: str = Field(description="Its name.", examples=["example.com"])
    created_at: Timestamp
    updated_at: Timestamp


class DomainSettings(BaseModel):
    """Everything that watches recipients is off."""

    send_paused: bool = False
    track_clicks: bool = False
    track_opens: bool = False
    track_opens_pixel_on_top: bool = False
    track_unsubscribe: bool = False
    track_unsubscribe_html: str = UNSUBSCRIBE_HTML
    track_unsubscribe_html_enabled: bool = False
    track_unsubscribe_plain: str = UNSUBSCRIBE_PLAIN
    track_unsubscribe_plain_enabled: bool = False
    track_content: bool = False
    custom_tracking_enabled: bool = False
    custom_tracking_subdomain: str = "email"
    return_path_subdomain: str = "mta"
    inbound_routing_enabled: bool = False
    inbound_routing_subdomain: str = "inbound"
    precedence_bulk: bool = False
    ignore_duplicated_recipients: bool = False
    show_dmarc: bool = False


class EmbeddedDomain(BaseModel):
    """Inside another object; `totals` is always empty there."""

    id: str = Field(description="Of the domain.", examples=[_ID])
    name: str = Field(description="Its name.", examples=["example.com"])
    dkim: bool = Field(description="The DKIM records are published.", examples=[True])
    spf: bool = Field(description="The return path is set up, so SPF passes.", examples=[True])
    tracking: bool = Field(description="The tracking host is set up.", examples=[False])
    is_verified: bool = Field(description="Mail may be sent from it.", examples=[True])
    is_cname_verified: bool = Field(description="The return path is set up.", examples=[True])
    is_dns_active: bool = Field(description="The required records are published.", examples=[True])
    is_cname_active: bool = Field(description="The tracking host is in use.", examples=[False])
    is_tracking_allowed: bool = Field(description="Tracking can be switched on.", examples=[False])
    has_not_queued_messages: bool = Field(description="Messages wait because sending is paused.")
    not_queued_messages_count: int = Field(description="How many.", examples=[0])
    domain_settings: DomainSettings
    created_at: Timestamp
    updated_at: Timestamp
    totals: list[int] = Field(max_length=0, description="Empty.", examples=[[]])


def embedded(domain: Domain) -> EmbeddedDomain:
    verified, return_path = domain.verified_at is not None, domain.return_path_verified_at is not None
    subdomain = domain.return_path_host.removesuffix(f".{domain.name}")
    return EmbeddedDomain(
        id=domain.id,
        name=domain.name,
        dkim=verified,
        spf=return_path,
        tracking=False,
        is_verified=verified,
        is_cname_verified=return_path,
        is_dns_active=verified,
        is_cname_active=False,
        is_tracking_allowed=False,
        has_not_queued_messages=False,
        not_queued_messages_count=0,
        domain_settings=DomainSettings(return_path_subdomain=subdomain),
        created_at=domain.created_at,
        updated_at=domain.updated_at,
        totals=[],
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
