"""A token as the API takes and shows it. Its value is in the answer to creating it, and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from postroom.errors import PostroomError
from postroom.store.domains import Domain
from postroom.store.tokens import Token
from postroom.tenancy import tokens
from postroom.tenancy.tokens import LONGEST_NAME, NewToken
from postroom.types.scopes import Scope
from postroom.web.api.domain_object import BodyDomainId, DomainShort, settings_of, short
from postroom.web.api.domains import NewDomain
from postroom.web.api.fields import Input
from postroom.web.api.json_out import Timestamp
from postroom.web.api.shown import ConfigId, CreatedAt, Word, limited

MOST_ADDRESSES = 100

_ID, _SCOPES = "65qngkdovk8lwr12", ["email_full", "domains_read"]
_NETWORKS = ["192.0.2.0/24"]


def _named(name: str) -> str:
    name = name.strip()
    if not name or not name.isprintable():
        raise ValueError("The {field} must hold printable characters.")
    return name


def _network(written: str) -> str:
    try:
        return tokens.network(written)
    except PostroomError:
        raise ValueError("The {field} must be an IP address or a network like 192.0.2.0/24.") from None


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


Name = Annotated[
    str,
    AfterValidator(_named),
    Field(max_length=LONGEST_NAME, description="What uses it, for people.", examples=["Shop"]),
]
Scopes = Annotated[
    list[Scope],
    Field(
        min_length=1,
        max_length=2 * len(Scope),
        description="What it may do. Nobody can give what they do not have.",
        examples=[_SCOPES],
    ),
]
Network = Annotated[
    str,
    AfterValidator(_network),
    Field(max_length=50, description="An address or a network.", examples=["192.0.2.0/24"]),
]
Status = Annotated[
    Literal["pause", "unpause"],
    Field(description="`pause`: it is refused like one that does not exist.", examples=["pause"]),
]


class TokenIn(Input):
    name: Name
    scopes: Scopes
    domain_id: BodyDomainId | None = Field(
        None,
        description="The only domain it is for; absent: all of the account.",
        examples=[_ID],
        json_schema_extra={"maxLength": 16},
    )
    expires_at: Annotated[datetime, AfterValidator(_utc)] | None = Field(
        None,
        description="Postroom's own: when it ends, by ISO 8601, in UTC unless it says otherwise; absent: never.",
        examples=["2027-01-31T09:00:00Z"],
    )
    allowed_addresses: list[Network] = Field(
        [],
        max_length=MOST_ADDRESSES,
        description="Postroom's own: the only clients that may use it; none: any.",
        examples=[_NETWORKS],
    )

    @property
    def expires_at_ms(self) -> int | None:
        return None if self.expires_at is None else int(self.expires_at.timestamp() * 1000)


class TokenChange(Input):
    """What is absent stays as it is."""

    name: Name | None = None
    status: Status | None = None


class TokenStatus(Input):
    status: Status


class TokenOut(BaseModel):
    id: ConfigId = Field(description="Of the token.", examples=["0r83ql3vxvgzw1jm"])
    name: Word = Field(description="What uses it, for people.", examples=["Shop"])
    status: Literal["pause", "unpause"] = Field(description="Whether it is paused.", examples=["unpause"])
    created_at: CreatedAt
    scopes: Annotated[list[Word], limited(maxItems=len(Scope))] = Field(
        description="What it may do.", examples=[_SCOPES]
    )
    domain: DomainShort | None = Field(description="The only one it is for; null: all of the account.")
    preview: Word = Field(description="How it begins and ends.", examples=["mlsn.1a2b...9f0e"])
    expires_at: Timestamp | None = Field(description="When it ends; null: never.")
    last_used_at: Timestamp | None = Field(description="To the minute; null: never.")
    allowed_addresses: Annotated[list[Word], limited(maxItems=MOST_ADDRESSES)] = Field(
        description="The only clients that may use it; none: any.", examples=[_NETWORKS]
    )


class CreatedToken(BaseModel):
    """Only here is the token itself."""

    model_config = ConfigDict(populate_by_name=True)

    id: ConfigId = Field(description="Of the token.", examples=["0r83ql3vxvgzw1jm"])
    access_token: Annotated[str, limited(maxLength=69)] = Field(
        alias="accessToken",
        repr=False,
        description="The token. Keep it: it is not shown again.",
        examples=[f"mlsn.{'0' * 64}"],
    )
    name: Word = Field(description="What uses it, for people.", examples=["Shop"])
    created_at: CreatedAt
    scopes: Annotated[list[Word], limited(maxItems=len(Scope))] = Field(
        description="What it may do.", examples=[_SCOPES]
    )
    has_full: bool = Field(description="Whether it has all scopes.", examples=[False])
    domain: NewDomain | None = Field(description="The only one it is for; null: all of the account.")
    preview: Word = Field(description="How it begins and ends.", examples=["mlsn.1a2b...9f0e"])
    expires_at: Timestamp | None = Field(description="When it ends; null: never.")
    allowed_addresses: Annotated[list[Word], limited(maxItems=MOST_ADDRESSES)] = Field(
        description="The only clients that may use it; none: any.", examples=[_NETWORKS]
    )


def token_out(token: Token, domains: Mapping[str, Domain]) -> TokenOut:
    """`domains` by id: the account's, or at least that of the token."""
    domain = domains.get(token.domain_id or "")
    return TokenOut(
        id=token.id,
        name=token.name,
        status="pause" if token.paused else "unpause",
        created_at=token.created_at,
        scopes=token.scopes.split(),
        domain=None if domain is None else short(domain),
        preview=token.preview,
        expires_at=token.expires_at,
        last_used_at=token.last_used_at,
        allowed_addresses=token.allowed_addresses.splitlines(),
    )


def created_token(made: NewToken, domain: Domain | None) -> CreatedToken:
    token = made.token
    return CreatedToken(
        id=token.id,
        access_token=made.secret,
        name=token.name,
        created_at=token.created_at,
        scopes=token.scopes.split(),
        has_full=set(token.scopes.split()) >= set(Scope),
        domain=None if domain is None else _new_domain(domain),
        preview=token.preview,
        expires_at=token.expires_at,
        allowed_addresses=token.allowed_addresses.splitlines(),
    )


def _new_domain(domain: Domain) -> NewDomain:
    verified = domain.verified_at is not None
    return NewDomain(
        id=domain.id,
        name=domain.name,
        is_verified=verified,
        is_dns_active=verified and domain.failing_since is None,
        is_cname_verified=domain.return_path_verified_at is not None,
        domain_settings=settings_of(domain),
    )
