"""What a request says somebody may do, and whether that makes sense in the account."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, ValidationInfo, field_validator
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.store import domains, templates
from postroom.tenancy.grants import Grant
from postroom.types.addresses import AddressError, parse_mailbox
from postroom.types.permissions import Permission, Role
from postroom.web.api.errors import invalid
from postroom.web.api.fields import Flag, Input

MOST = 500
NEEDS_PERMISSIONS = "The permissions field is required when role is custom user. #MS42232"
NEEDS_OWN_TEMPLATES = "Templates require a read own templates permission. #MS42224"
NOT_AN_ADDRESS = "The {field} must be a valid email address. #MS42208"


Id = Annotated[str, Field(max_length=16)]


def address(email: str) -> str:
    """For a field that is the address of somebody."""
    try:
        return str(parse_mailbox(email.strip()))
    except AddressError:
        raise ValueError(NOT_AN_ADDRESS) from None


class GrantInput(Input):
    role: Role | None = Field(None, description="What they may do.", examples=["Custom User"])
    permissions: list[Permission] | None = Field(
        None, max_length=len(Permission), description="Of a Custom User.", examples=[["read-email"]]
    )
    templates: list[Id] | None = Field(
        None,
        max_length=MOST,
        description="What `read-own-templates` lets a Custom User see, by id.",
        examples=[["7nxe3yjmeq28vp0k"]],
    )
    domains: list[Id] | None = Field(
        None,
        max_length=MOST,
        description="The only ones a Custom User may see, by id; none: all.",
        examples=[["65qngkdovk8lwr12"]],
    )
    requires_periodic_password_change: Flag | None = Field(
        None, description="The password has to be changed now and then.", examples=[False]
    )

    @field_validator("templates")
    @classmethod
    def _with_a_role(cls, chosen: list[str] | None, info: ValidationInfo) -> list[str] | None:
        """Without a role that makes sense nobody may see templates."""
        own = Permission.READ_OWN_TEMPLATES in (info.data.get("permissions") or ())
        if chosen is not None and "role" not in info.data and not own:
            raise ValueError(NEEDS_OWN_TEMPLATES)
        return chosen


class InviteInput(GrantInput):
    email: str = Field(max_length=320, description="Who is invited.", examples=["anna@example.com"])
    role: Role = Field(description="What they may do.", examples=["Custom User"])

    _is_address = field_validator("email")(address)


async def grant_of(
    connection: AsyncConnection, account_id: str, wanted: GrantInput, before: Grant | None = None
) -> Grant:
    """The grant; what the request leaves out stays as it was. Raises ApiError (422) with all that is wrong."""
    old = before or Grant(Role.CUSTOM_USER)
    grant = Grant(
        role=wanted.role or old.role,
        chosen=old.chosen if wanted.permissions is None else frozenset(wanted.permissions),
        domains=old.domains if wanted.domains is None else frozenset(wanted.domains) or None,
        templates=old.templates if wanted.templates is None else frozenset(wanted.templates),
        requires_periodic_password_change=_or(
            wanted.requires_periodic_password_change, old.requires_periodic_password_change
        ),
    )
    if grant.role is not Role.CUSTOM_USER:
        return Grant(grant.role, requires_periodic_password_change=grant.requires_periodic_password_change)
    problems: dict[str, list[str]] = {}
    if not grant.chosen:
        problems["permissions"] = [NEEDS_PERMISSIONS]
    if grant.templates and Permission.READ_OWN_TEMPLATES not in grant.chosen:
        problems["templates"] = [NEEDS_OWN_TEMPLATES]
    problems |= await _unknown(connection, account_id, wanted)
    if problems:
        raise invalid(problems)
    return grant


async def _unknown(connection: AsyncConnection, account_id: str, wanted: GrantInput) -> dict[str, list[str]]:
    """What is named and not the account's."""
    owned = {domain.id for domain in await domains.list_all(connection, account_id)}
    missing = [f"domains.{at}" for at, one in enumerate(wanted.domains or ()) if one not in owned]
    found = {template.id for template in await templates.load(connection, account_id, wanted.templates or ())}
    missing += [f"templates.{at}" for at, one in enumerate(wanted.templates or ()) if one not in found]
    return {path: [f"The selected {path} is invalid."] for path in missing}


def _or(given: Any, before: bool) -> bool:
    return before if given is None else bool(given)
