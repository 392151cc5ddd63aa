"""`/v1/audit-log`: who changed what in the account, and all of it as a file."""

# No postponed annotations here: they name dependencies that only `router` knows.

import re
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse
from pydantic import AfterValidator, BaseModel, Field

from postroom.store.audit import Entry
from postroom.tenancy import audit_log
from postroom.tenancy.audit_log import NAMELESS, AuditFilter, Format
from postroom.types import refusals
from postroom.types.actor import ActorKind
from postroom.types.permissions import Permission
from postroom.types.refusals import Refused
from postroom.types.scopes import Scope
from postroom.web.api.access import ID, access
from postroom.web.api.api import Api
from postroom.web.api.call import CurrentCaller
from postroom.web.api.errors import invalid, refused
from postroom.web.api.export import file_of
from postroom.web.api.pages import CurrentPage, Simple
from postroom.web.api.period import Seconds
from postroom.web.api.route import routes
from postroom.web.api.shown import ConfigId, CreatedAt, MailId, Word, limited

TYPES = {Format.CSV: "text/csv; charset=utf-8", Format.JSONL: "application/x-ndjson"}

_ACTION = re.compile(r"[a-z_]{1,40}\.[a-z_]{0,40}")


def _action(action: str) -> str:
    if _ACTION.fullmatch(action) is None:
        raise ValueError("The {field} must look like webhook.updated, or like webhook. for all changes.")
    return action


def _actor(actor: str) -> str:
    if actor not in NAMELESS and ID.fullmatch(actor) is None:
        raise ValueError(f"The {{field}} must be the id of a user or token, or {' or '.join(NAMELESS)}.")
    return actor


def _object(object_id: str) -> str:
    if ID.fullmatch(object_id) is None:
        raise ValueError("The {field} must be an id.")
    return object_id


class ActorOut(BaseModel):
    kind: ActorKind = Field(
        description="`command`: the operator at the command line; `system`: it happened by itself.",
        examples=["user"],
    )
    id: ConfigId | None = Field(description="Of the user or token.", examples=["0z76k5jg0o3yeg2d"])
    name: Annotated[str, limited(maxLength=320)] = Field(
        description="The address, the token's name, or the login on the machine.",
        examples=["ann@example.com"],
    )
    client: Annotated[str, limited(maxLength=64)] | None = Field(
        description="The address the request came from.", examples=["192.0.2.7"]
    )


class ObjectOut(BaseModel):
    id: MailId | None = Field(description="Null where several changed.", examples=["0r83ql3vxvgzw1jm"])
    name: Annotated[str, limited(maxLength=320)] = Field(description="As it was then.", examples=["Orders"])


class EntryOut(BaseModel):
    id: MailId = Field(description="Of the entry.", examples=["0195f0c2a7d1000001a2b3c4"])
    created_at: CreatedAt
    actor: ActorOut = Field(description="Who did it.")
    action: Word = Field(description="What changed, and how.", examples=["webhook.updated"])
    object: ObjectOut = Field(description="What it was done to.")
    before: dict[str, Any] | None = Field(
        description="The fields that changed, or all of what is deleted; null: there was nothing.",
        examples=[{"enabled": True}],
    )
    after: dict[str, Any] | None = Field(
        description="The same fields, or all of what is new; null: there is nothing any more.",
        examples=[{"enabled": False}],
    )


Action = Annotated[
    str,
    AfterValidator(_action),
    Query(
        max_length=64,
        description="Only this; with a dot at its end all that begins so.",
        examples=["webhook."],
    ),
]
Actor = Annotated[
    str,
    AfterValidator(_actor),
    Query(
        max_length=24,
        description="The id of a user or token, `command` or `system`.",
        examples=["0z76k5jg0o3yeg2d"],
    ),
]
Object = Annotated[
    str,
    AfterValidator(_object),
    Query(max_length=24, description="The id of what was changed.", examples=["0r83ql3vxvgzw1jm"]),
]
DateFrom = Annotated[
    Seconds | None, Query(description="From when on: Unix timestamp or `YYYY-MM-DD HH:MM:SS`, UTC.")
]
DateTo = Annotated[Seconds | None, Query(description="Up to and with that second.")]
FormatOf = Annotated[Format, Query(description="Of the file.", examples=["jsonl"])]


async def _whole_account(caller: CurrentCaller) -> str:
    """The account, for those who see all of it: entries may be about any of its domains."""
    if caller.domains is not None:
        raise refused(Refused(refusals.LIMITED_TO_DOMAINS))
    return caller.account_id


async def _wanted(
    account_id: Annotated[str, Depends(_whole_account)],
    action: Action | None = None,
    actor: Actor | None = None,
    object: Object | None = None,
    date_from: DateFrom = None,
    date_to: DateTo = None,
) -> AuditFilter:
    if date_from is not None and date_to is not None and date_from >= date_to:
        raise invalid({"date_from": ["The date from must be less than date to."]})
    return AuditFilter(
        account_id=account_id,
        action=action,
        actor=actor,
        object_id=object,
        since=None if date_from is None else date_from * 1000,
        until=None if date_to is None else (date_to + 1) * 1000,
    )


Wanted = Annotated[AuditFilter, Depends(_wanted)]


def router(api: Api) -> APIRouter:
    resource = routes("Audit log")

    @resource.get("/audit-log", summary="List changes", response_model=Simple[EntryOut])
    @access(Scope.USERS_READ, Scope.USERS_FULL, Permission.MANAGE_ACCOUNT)
    async def index(wanted: Wanted, page: CurrentPage) -> Any:
        """Who changed what, the newest first. Secrets are never told."""
        async with api.database.read() as connection:
            found = await audit_log.page(connection, wanted, offset=page.offset, limit=page.limit + 1)
        return page.simple([_shown(entry) for entry in found])

    @resource.get(
        "/audit-log/export",
        summary="Export changes",
        response_class=StreamingResponse,
        responses={200: {"description": "The file.", "content": _CONTENT}},
    )
    @access(Scope.USERS_READ, Scope.USERS_FULL, Permission.MANAGE_ACCOUNT)
    async def export(wanted: Wanted, format: FormatOf = Format.CSV) -> StreamingResponse:
        """All that fit, as one file: CSV (RFC 4180), or a JSON object on each line."""
        name = f"audit-log-{api.clock.now():%Y-%m-%d}.{format}"
        return file_of(audit_log.export(api.database, wanted, format), name, TYPES[format])

    return resource


_CONTENT = {
    media_type: {
        "schema": {
            "type": "string",
            "maxLength": 2**40,
            "description": "A line for each entry.",
            "examples": [example],
        }
    }
    for media_type, example in (
        ("text/csv", "id,created_at,actor_kind,actor_id,actor_name,..."),
        ("application/x-ndjson", '{"id": "0195f0c2a7d1000001a2b3c4", "action": "webhook.updated"}'),
    )
}


def _shown(entry: Entry) -> EntryOut:
    return EntryOut(**audit_log.shown(entry))
