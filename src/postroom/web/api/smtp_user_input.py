"""What can be said of an SMTP user, and whether that makes sense in the account."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from postroom.store import domains
from postroom.store.domains import Domain
from postroom.store.smtp_users import SmtpUser
from postroom.tenancy import smtp_users
from postroom.tenancy.smtp_users import MOST_LISTED
from postroom.types import refusals
from postroom.types.draft import Stream
from postroom.types.refusals import Refused
from postroom.web.api.api import Api
from postroom.web.api.call import Caller
from postroom.web.api.errors import invalid, refused
from postroom.web.api.fields import Flag, Input, Moment
from postroom.web.api.token_object import Name, Network

MOST_EMAILS = 1_000_000_000
"""Of a cap."""

_ID, _NETWORKS = "65qngkdovk8lwr12", ["192.0.2.0/24"]

Enabled = Annotated[Flag, Field(description="Whether it may log in.", examples=[True])]
EmailCap = Annotated[int, Field(ge=0, le=MOST_EMAILS)]


class SmtpUserLimits(Input):
    """Postroom's own. What is absent stays as it is; of a new SMTP user it is not limited."""

    from_domains: list[Annotated[str, Field(max_length=16)]] | None = Field(
        None,
        max_length=MOST_LISTED,
        description="From may only be under these domains, by id; none: every verified one of the account.",
        examples=[[_ID]],
    )
    hourly_cap: EmailCap | None = Field(
        None, description="Most emails an hour; each recipient is one. 0: no cap.", examples=[100]
    )
    daily_cap: EmailCap | None = Field(
        None, description="Most emails a day, which begins at 00:00 UTC. 0: no cap.", examples=[1000]
    )
    allowed_addresses: list[Network] | None = Field(
        None,
        max_length=MOST_LISTED,
        description="The only clients that may log in; none: any.",
        examples=[_NETWORKS],
    )
    stream: Stream | None = Field(
        None,
        description="What its mail is unless the message says otherwise.",
        examples=["transactional"],
    )
    refuse_suppressed: Flag | None = Field(
        None,
        description="Refuse suppressed recipients with a 550, instead of accepting them and sending nothing.",
        examples=[False],
    )
    expires_at: Moment | None = Field(
        None,
        description="When it ends: ISO 8601, in UTC unless it says otherwise, or seconds since 1970. 0: never.",
        examples=["2027-01-31T09:00:00Z"],
    )

    async def changes(
        self, api: Api, caller: Caller, domain: Domain, before: SmtpUser | None = None
    ) -> dict[str, Any]:
        """What is asked for, as it is stored. Raises ApiError for what is wrong, or more than the caller has."""
        given = self.model_dump(exclude_none=True, mode="json")
        wrong: dict[str, list[str]] = {}
        for name in ("hourly_cap", "daily_cap"):
            if name in given:
                given[name] = given[name] or None
        if self.allowed_addresses is not None:
            given["allowed_addresses"] = smtp_users.networks(self.allowed_addresses)
        if self.expires_at is not None:
            given["expires_at"] = expires_at = int(self.expires_at.timestamp() * 1000) or None
            unchanged = before is not None and before.expires_at == expires_at
            if expires_at is not None and expires_at <= api.clock.now_ms() and not unchanged:
                wrong["expires_at"] = ["The expires at must be in the future."]
        senders, unknown = await _senders(api, caller, self.from_domains)
        if wrong or unknown:
            raise invalid(wrong | unknown)
        if senders is None and before is None and caller.domains is not None:
            senders = domain.id  # of who may use some domains only
        if senders is not None:
            check_senders(caller, senders)
            given["from_domains"] = senders
        return given


class SmtpUserIn(SmtpUserLimits):
    name: Name
    enabled: Enabled = True


class SmtpUserChange(SmtpUserLimits):
    """What is absent stays as it is."""

    name: Name | None = None
    enabled: Enabled | None = None


def check_senders(caller: Caller, from_domains: str) -> None:
    """Who is limited to some domains hands out those only. Raises ApiError."""
    own = caller.domains
    if own is not None and not (from_domains and own.issuperset(from_domains.split())):
        raise refused(Refused(refusals.MORE_THAN_OWN))


async def _senders(
    api: Api, caller: Caller, wanted: list[str] | None
) -> tuple[str | None, dict[str, list[str]]]:
    """The domains as they are stored, None: not said; and what is wrong with them."""
    if wanted is None:
        return None, {}
    async with api.database.read() as connection:
        owned = {one.id for one in await domains.list_all(connection, caller.account_id)}
    unknown = {
        f"from_domains.{at}": [f"The selected from_domains.{at} is invalid."]
        for at, one in enumerate(wanted)
        if one not in owned or not caller.may_use(one)
    }
    return "\n".join(dict.fromkeys(wanted)), unknown
