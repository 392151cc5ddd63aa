"""`GET /v1/emails/search`: emails of all domains by whatever is known of them, and what has changed since the last look."""

# No postponed annotations here: they name loaders that only `router` knows.

from dataclasses import replace
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from postroom.runtime import ids
from postroom.store import credentials, email_search
from postroom.store import emails as store
from postroom.store.email_search import EmailFilter
from postroom.store.emails import EmailDetails
from postroom.tenancy.entitlements import Area
from postroom.types.draft import Stream
from postroom.types.permissions import Permission
from postroom.types.status import EmailStatus
from postroom.web.api.access import access
from postroom.web.api.api import Api
from postroom.web.api.call import Caller, CurrentCaller
from postroom.web.api.domain_object import UNKNOWN_DOMAIN, DomainId, own_domain
from postroom.web.api.email_search import StatusWord
from postroom.web.api.email_timeline import SentBy, sent_by
from postroom.web.api.emails import SCOPES, ListedEmail, listed
from postroom.web.api.errors import invalid
from postroom.web.api.period import Seconds
from postroom.web.api.route import routes
from postroom.web.api.shown import Line, MailId, Word, limited

MOST_ROWS, DEFAULT_ROWS = 200, 50
MOST_CHANGES = 1000
"""Things that happened since the last look; who looked longer ago begins anew."""
OVERLAP = 10_000
"""Milliseconds that two looks have in common: what happened is seen once it is committed, somewhat later, and the clocks
of several nodes differ."""

_ID = "0195f0c2a7d1000001a2b3c4"
_CURSOR = "^[0-9a-f]{24}$"


class SearchableEvent(StrEnum):
    """What may have happened to some emails; every one was queued."""

    SENT = "sent"
    DELIVERED = "delivered"
    DEFERRED = "deferred"
    SOFT_BOUNCED = "soft_bounced"
    HARD_BOUNCED = "hard_bounced"
    SUPPRESSED = "suppressed"
    CANCELLED = "cancelled"
    HELD = "held"
    RELEASED = "released"
    POSSIBLE_DUPLICATE = "possible_duplicate"


class FoundEmail(ListedEmail):
    state: EmailStatus = Field(
        description="Where it stands, more exactly than `status`.", examples=["deferred"]
    )
    stream: Word = Field(description="`transactional` or `broadcast`.", examples=["transactional"])
    sent_by: SentBy = Field(description="Who sent it.")
    possible_duplicate: bool = Field(
        description="The outcome of an attempt was lost: the recipient may have got it twice.",
        examples=[False],
    )
    reply: Line = Field(description='The last reply about it; "" if none.', examples=["250 2.0.0 Ok"])


class Cursors(BaseModel):
    since: MailId = Field(
        description="For the next look at what has changed: `since`. Rows may come again; the id tells.",
        examples=[_ID],
    )
    before: MailId | None = Field(
        description="For the next page: `before`; null on the last, and where changes were asked for. A page may have "
        "fewer rows than asked for, or none, and still a next one: so much had to be looked at.",
        examples=[None],
    )
    complete: bool = Field(
        description="False when more has changed than an answer tells: then read the first page anew.",
        examples=[True],
    )


class Found(BaseModel):
    data: Annotated[list[FoundEmail], limited(maxItems=MOST_ROWS)] = Field(description="The newest first.")
    meta: Cursors = Field(description="How to go on.")


def _many(alias: str, about: str, example: str) -> Any:
    return Query(alias=alias, default_factory=list, max_length=100, description=about, examples=[[example]])


async def _filter(
    status: Annotated[list[StatusWord], _many("status[]", "One of these.", "sent")],
    state: Annotated[list[EmailStatus], _many("state[]", "One of these.", "held")],
    event: Annotated[list[SearchableEvent], _many("event[]", "One of these has happened to it.", "deferred")],
    recipient: Annotated[
        str | None,
        Query(min_length=2, max_length=320, description="Contained in the address.", examples=["ada@"]),
    ] = None,
    subject: Annotated[
        str | None,
        Query(min_length=3, max_length=255, description="Contained in the subject.", examples=["order"]),
    ] = None,
    tag: Annotated[str | None, Query(max_length=191, description="Has this tag.", examples=["order"])] = None,
    stream: Annotated[Stream | None, Query(description="Of this stream.", examples=["broadcast"])] = None,
    credential_id: Annotated[
        str | None,
        Query(
            max_length=16, description="Sent by this SMTP user, token or user.", examples=["65qngkdovk8lwr12"]
        ),
    ] = None,
    message_id: Annotated[
        str | None, Query(max_length=24, description="Of this message.", examples=[_ID])
    ] = None,
) -> EmailFilter:
    """Of no account yet, and any time."""
    return EmailFilter(
        "",
        None,
        0,
        0,
        statuses=frozenset(map(str, status)),
        states=frozenset(map(str, state)),
        events=frozenset(map(str, event)),
        recipient_part=recipient,
        subject=subject,
        tag=tag,
        stream=stream and stream.value,
        credential_id=credential_id,
        message_id=message_id,
    )


def router(api: Api) -> APIRouter:
    resource = routes("Emails")

    @resource.get("/emails/search", summary="Search emails of all domains")
    @access(*SCOPES, Permission.READ_EMAIL, area=Area.ACTIVITY)
    async def search(
        caller: CurrentCaller,
        asked: Annotated[EmailFilter, Depends(_filter)],
        domain_id: DomainId | None = None,
        date_from: Annotated[Seconds | None, Query(description="Accepted from then on, UTC.")] = None,
        date_to: Annotated[
            Seconds | None, Query(description="Accepted up to and with that second, UTC.")
        ] = None,
        limit: Annotated[
            int, Query(ge=1, le=MOST_ROWS, description="Rows an answer.", examples=[DEFAULT_ROWS])
        ] = DEFAULT_ROWS,
        before: Annotated[
            str | None,
            Query(pattern=_CURSOR, max_length=24, description="The next page: from `meta`.", examples=[_ID]),
        ] = None,
        since: Annotated[
            str | None,
            Query(
                pattern=_CURSOR, max_length=24, description="What has changed: from `meta`.", examples=[_ID]
            ),
        ] = None,
    ) -> Found:
        """The newest first, by any of these together; all that are kept if nothing is asked.

        For a list that keeps up: read the first page, then ask every few seconds with `since`, and put each row that
        comes in the place of the one with its id, or on top. That costs next to nothing while nothing happens.
        """
        now = api.clock.now_ms()
        kept_from = now - round(api.config.retention.emails * 1000)
        wanted = replace(
            asked,
            account_id=caller.account_id,
            domains=await _domains(api, caller, domain_id),
            start=kept_from if date_from is None else max(date_from * 1000, kept_from),
            end=now + OVERLAP if date_to is None else (date_to + 1) * 1000,
        )
        if since is not None:
            return await _changed(api, wanted, since, limit, now)
        found, rest = await email_search.some(api.database, wanted, below=before, limit=limit)
        return Found(data=await _rows(api, wanted.account_id, found), meta=_cursors(now, before=rest))

    return resource


async def _domains(api: Api, caller: Caller, domain_id: str | None) -> frozenset[str] | None:
    """Those that are looked at; None: all. Raises ApiError (422)."""
    if domain_id is None:
        return caller.domains
    if await own_domain(api, caller, domain_id) is None:
        raise invalid(UNKNOWN_DOMAIN)
    return frozenset({domain_id})


async def _changed(api: Api, wanted: EmailFilter, since: str, limit: int, now: int) -> Found:
    found, complete = await email_search.changed(api.database, wanted, since, limit=MOST_CHANGES)
    rows = await _rows(api, wanted.account_id, found[:limit])
    return Found(data=rows, meta=_cursors(now, complete=complete and len(found) <= limit))


def _cursors(now: int, *, before: str | None = None, complete: bool = True) -> Cursors:
    return Cursors(since=ids.earliest(now - OVERLAP), before=before, complete=complete)


async def _rows(api: Api, account_id: str, email_ids: list[str]) -> list[FoundEmail]:
    async with api.database.read() as connection:
        details = await store.details(connection, account_id, email_ids)
        emails = [details[email_id] for email_id in email_ids if email_id in details]
        fields = await listed(connection, account_id, emails)
        names = await credentials.named(connection, account_id, {email.credential_id for email in emails})
    return [
        FoundEmail(**row, **_more(email, sent_by(email, names)))
        for row, email in zip(fields, emails, strict=True)
    ]


def _more(email: EmailDetails, by: SentBy) -> dict[str, Any]:
    return {
        "state": EmailStatus(email.status),
        "stream": email.stream,
        "sent_by": by,
        "possible_duplicate": email.possible_duplicate,
        "reply": email.reply,
    }
