"""`GET /v1/refusals`: what was refused, why, and how to mend it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.store import credentials
from postroom.store import refusals as store
from postroom.store.credentials import Named
from postroom.store.refusals import Refusal, RefusalFilter
from postroom.tenancy.entitlements import Area
from postroom.types.permissions import Permission
from postroom.types.refusals import CATALOGUE
from postroom.types.scopes import Scope
from postroom.web.api.access import access
from postroom.web.api.api import Api
from postroom.web.api.call import Caller, CurrentCaller
from postroom.web.api.json_out import Timestamp
from postroom.web.api.pages import CurrentPage, Simple
from postroom.web.api.period import Seconds
from postroom.web.api.route import routes
from postroom.web.api.shown import AddressText, Count, MailId, Sentence, Word, limited

DAY_MS = 86_400_000


class RefusalOut(BaseModel):
    """One attempt, or several alike within an hour."""

    id: MailId = Field(description="Of this row.", examples=["0195f0c2a7d1000001a2b3c4"])
    first_at: Timestamp = Field(description="The first one.")
    last_at: Timestamp = Field(description="The last one.")
    count: Count = Field(description="How many.", examples=[12])
    rule: Word = Field(description="The entry of the catalogue of refusals.", examples=["from-not-verified"])
    reply: Sentence = Field(
        description="Exactly what the client was told.",
        examples=["550 5.7.1 The domain example.net in From is not verified. [from-not-verified]"],
    )
    what: Sentence = Field(description="What happened, in general.", examples=["The domain is not verified."])
    fix: Sentence = Field(description="How to mend it.", examples=["Verify the domain."])
    credential: AddressText = Field(
        description='Who: the username of an SMTP user, the id of a token or user; "" if nobody was logged in.',
        examples=["app@example.com"],
    )
    credential_name: Word = Field(
        description='The same for people; "" if it is gone.', examples=["app@example.com"]
    )
    client: Word = Field(description="The address the client connected from.", examples=["192.0.2.7"])
    sender: AddressText = Field(
        description='The sender of the envelope; "" if it did not come so far.', examples=["app@example.net"]
    )
    header_from: AddressText = Field(
        description="The From of the message, of the first attempt.", examples=["App <app@example.net>"]
    )
    recipients: Annotated[list[AddressText], limited(maxItems=100)] = Field(
        description="The first recipients of the first attempt, as far as known.",
        examples=[["ada@example.org"]],
    )


async def _filter(
    rule: Annotated[
        list[str],
        Query(
            alias="rule[]",
            default_factory=list,
            max_length=100,
            description="One of these entries of the catalogue.",
            examples=[["from-not-verified"]],
            json_schema_extra={"items": {"type": "string", "maxLength": 48}},
        ),
    ],
    credential: Annotated[
        str | None,
        Query(max_length=320, description="Of this username or id.", examples=["app@example.com"]),
    ] = None,
    client: Annotated[
        str | None, Query(max_length=64, description="From this address.", examples=["192.0.2.7"])
    ] = None,
    search: Annotated[
        str | None,
        Query(
            min_length=2,
            max_length=320,
            description="Contained in an address, the reply or who it was, in any case.",
            examples=["example.net"],
        ),
    ] = None,
    date_from: Annotated[Seconds | None, Query(description="Refused from then on, UTC.")] = None,
    date_to: Annotated[Seconds | None, Query(description="Refused up to and with that second, UTC.")] = None,
) -> RefusalFilter:
    """Of no account yet; 0 is a time that was not given."""
    return RefusalFilter(
        "",
        start=(date_from or 0) * 1000,
        end=0 if date_to is None else (date_to + 1) * 1000,
        credentials=None if credential is None else {credential},
        rules=rule or None,
        client=client,
        text=search,
    )


def router(api: Api) -> APIRouter:
    resource = routes("Refusals")

    @resource.get("/refusals", summary="List what was refused", response_model=Simple[RefusalOut])
    @access(Scope.ACTIVITY_READ, Scope.ACTIVITY_FULL, Permission.READ_ERROR_LOG, area=Area.ACTIVITY)
    async def index(
        caller: CurrentCaller, page: CurrentPage, asked: Annotated[RefusalFilter, Depends(_filter)]
    ) -> Any:
        """Attempts of this account to send that were refused, and requests, the latest first. Equal ones of an hour are
        one row. A login that failed is here if its username is that of one of the account's SMTP users.

        A token or person for some domains sees what their SMTP users and tokens tried.
        """
        now = api.clock.now_ms()
        kept_from = now - round(api.config.retention.refusals * 1000)
        async with api.database.read() as connection:
            wanted = replace(
                asked,
                account_id=caller.account_id,
                start=max(asked.start, kept_from),
                end=asked.end or now + DAY_MS,
                credentials=await whose(connection, caller, asked.credentials),
            )
            found = await store.of_account(connection, wanted, offset=page.offset, limit=page.limit + 1)
            names = await credentials.named(connection, caller.account_id, {row.credential for row in found})
        return page.simple([_shown(row, names) for row in found])

    return resource


async def whose(
    connection: AsyncConnection, caller: Caller, asked: Collection[str] | None = None
) -> Collection[str] | None:
    """Whose refusals the caller may see of those asked for; None: everybody's in the account."""
    if caller.domains is None:
        return asked
    own = {caller.credential_id, *await credentials.of_domains(connection, caller.account_id, caller.domains)}
    return own if asked is None else own & {*asked}


def _shown(row: Refusal, names: dict[str, Named]) -> RefusalOut:
    rule, known = CATALOGUE.get(row.rule), names.get(row.credential)
    name = row.credential if "@" in row.credential else ""
    return RefusalOut(
        id=row.id,
        first_at=row.first_at,
        last_at=row.last_at,
        count=row.count,
        rule=row.rule,
        reply=row.reply,
        what=rule.what if rule is not None else "",
        fix=rule.fix if rule is not None else "",
        credential=row.credential,
        credential_name=known.name[:255] if known is not None else name[:255],
        client=row.client,
        sender=row.sender,
        header_from=row.header_from,
        recipients=[address for address in row.recipients.split(", ") if address],
    )
