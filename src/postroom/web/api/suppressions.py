"""`/v1/suppressions/...`: the five lists of addresses that are not sent to."""

# No postponed annotations here: they name types that only `router` knows.

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import AfterValidator, BaseModel, Field

from postroom.errors import PostroomError
from postroom.store import suppressions as store
from postroom.store.suppressions import Listed, Suppression
from postroom.tenancy import suppression_export, suppressions
from postroom.tenancy.suppressions import Terms
from postroom.types.permissions import Permission
from postroom.types.scopes import Scope
from postroom.types.suppression import SuppressionList
from postroom.web.api.access import access
from postroom.web.api.api import Api
from postroom.web.api.call import Caller, CurrentCaller
from postroom.web.api.domain_object import UNKNOWN_DOMAIN, BodyDomainId, DomainId, own_domain
from postroom.web.api.errors import invalid
from postroom.web.api.export import file_of
from postroom.web.api.fields import Flag, Input
from postroom.web.api.json_out import Data
from postroom.web.api.pages import Page, Simple, page
from postroom.web.api.route import routes
from postroom.web.api.shown import limited
from postroom.web.api.suppression_object import (
    AddedPattern,
    BlockedOut,
    BouncedOut,
    ComplainedOut,
    OnHoldOut,
    Rows,
    UnsubscribedOut,
    added_pattern,
)
from postroom.web.api.words import EMAIL, REQUIRED, SELECTED

DEFAULT_LIMIT = 10
MOST = 1000
"""Addresses, patterns or ids of one request."""


def _address(value: str) -> str:
    try:
        return suppressions.folded_address(value)
    except PostroomError:
        raise ValueError(EMAIL) from None


def _pattern(value: str) -> str:
    try:
        return suppressions.folded_pattern(value)
    except PostroomError:
        raise ValueError("The {field} format is invalid.") from None


def _some(values: list[str]) -> list[str]:
    if not values:
        raise ValueError(REQUIRED)
    return values


Address = Annotated[str, Field(max_length=320), AfterValidator(_address)]
Pattern = Annotated[str, Field(max_length=320), AfterValidator(_pattern)]


class SuppressIn(Input):
    domain_id: BodyDomainId
    recipients: Annotated[
        list[Address],
        AfterValidator(_some),
        Field(max_length=MOST, description="Addresses.", examples=[["ada@example.org"]]),
    ]


class BlockIn(Input):
    """`recipients`, `patterns` or both."""

    domain_id: BodyDomainId | None = Field(None, description="Only for this domain; null: for all.")
    recipients: list[Address] = Field(
        default_factory=list, max_length=MOST, description="Addresses.", examples=[["ada@example.org"]]
    )
    patterns: list[Pattern] = Field(
        default_factory=list,
        max_length=MOST,
        description="`*` stands for anything; so does `.*`.",
        examples=[["*@example.org"]],
    )


class RemoveIn(Input):
    """`ids`, or `all`."""

    ids: list[Annotated[str, Field(max_length=24)]] = Field(
        default_factory=list,
        max_length=MOST,
        description="Of the entries.",
        examples=[["0195f0c2a7d1000001a2b3c4"]],
    )
    all: Flag = Field(False, description="Everything that is on the list.", examples=[False])
    domain_id: BodyDomainId | None = Field(None, description="Only what is for this domain.")


Search = Annotated[
    str, Query(max_length=320, description="A part of the address, in any case.", examples=["@example.org"])
]
Added = Annotated[list[AddedPattern], limited(maxItems=2 * MOST)]
Nothing = Annotated[list[int], limited(maxItems=0), Field(description="Always empty.", examples=[[]])]


@dataclass(frozen=True, slots=True)
class Kind:
    """A list as the API knows it. `title` as in "List the hard bounces"; `about` is told in the reference."""

    on: SuppressionList
    path: str
    title: str
    about: str
    row: type[BaseModel]
    shown: Callable[[Rows, Suppression], BaseModel]

    @property
    def name(self) -> str:
        """In ids of operations."""
        return self.path.replace("-", "_")


BLOCKLIST = Kind(
    SuppressionList.BLOCKLIST,
    "blocklist",
    "the blocklist",
    "Addresses and patterns that were put there on purpose.",
    BlockedOut,
    Rows.blocked,
)
BOUNCES = Kind(
    SuppressionList.HARD_BOUNCES,
    "hard-bounces",
    "the hard bounces",
    "Addresses that do not exist.",
    BouncedOut,
    Rows.bounced,
)
COMPLAINTS = Kind(
    SuppressionList.SPAM_COMPLAINTS,
    "spam-complaints",
    "the spam complaints",
    "Who called a message spam.",
    ComplainedOut,
    Rows.complained,
)
UNSUBSCRIBES = Kind(
    SuppressionList.UNSUBSCRIBES,
    "unsubscribes",
    "the unsubscribes",
    "Who wants no more messages of the stream `broadcast`; others are still sent.",
    UnsubscribedOut,
    Rows.unsubscribed,
)
ON_HOLD = Kind(
    SuppressionList.ON_HOLD,
    "on-hold-list",
    "the on-hold list",
    "Addresses that are left alone for a while. They come and go by themselves; they can be taken off.",
    OnHoldOut,
    Rows.on_hold,
)
KINDS = (BLOCKLIST, BOUNCES, COMPLAINTS, UNSUBSCRIBES, ON_HOLD)


def router(api: Api) -> APIRouter:
    resource = routes("Suppressions")
    for kind in KINDS:
        add_list(api, resource, kind)
        add_export(api, resource, kind)
    add_blocking(api, resource)
    for kind in (BOUNCES, COMPLAINTS, UNSUBSCRIBES):
        add_suppressing(api, resource, kind)
    for kind in KINDS:
        add_removing(api, resource, kind)
    return resource


def add_list(api: Api, resource: APIRouter, kind: Kind) -> None:
    @resource.get(
        f"/suppressions/{kind.path}",
        name=f"list_{kind.name}",
        summary=f"List {kind.title}",
        description=f"{kind.about} The newest come first.",
        response_model=Simple[kind.row],  # type: ignore[name-defined]
    )
    @access(Scope.SUPPRESSIONS_READ, Scope.SUPPRESSIONS_FULL, Permission.READ_SUPPRESSIONS)
    async def index(
        caller: CurrentCaller,
        page: Annotated[Page, page(default=DEFAULT_LIMIT)],
        domain_id: DomainId | None = None,
        search: Search = "",
    ) -> Any:
        listed = await _listed(api, caller, kind, domain_id)
        async with api.database.read() as connection:
            found = await store.newest(
                connection,
                listed,
                api.clock.now_ms(),
                search=search,
                offset=page.offset,
                limit=page.limit + 1,
            )
            rows = await Rows.load(connection, caller.account_id, found)
        return page.simple([kind.shown(rows, entry) for entry in found])


def add_export(api: Api, resource: APIRouter, kind: Kind) -> None:
    @resource.get(
        f"/suppressions/{kind.path}/export",
        name=f"export_{kind.name}",
        summary=f"Export {kind.title}",
        description="All that fit, as CSV (RFC 4180), the newest first. The audit log tells who has asked.",
        response_class=StreamingResponse,
        responses={200: {"description": "The file.", "content": {"text/csv": _CSV}}},
    )
    @access(Scope.SUPPRESSIONS_READ, Scope.SUPPRESSIONS_FULL, Permission.READ_SUPPRESSIONS)
    async def export(
        caller: CurrentCaller, domain_id: DomainId | None = None, search: Search = ""
    ) -> StreamingResponse:
        listed = await _listed(api, caller, kind, domain_id)
        pieces = await suppression_export.export(
            api.database, listed, search=search, now=api.clock.now_ms(), by=caller.actor
        )
        name = f"{kind.path}-{api.clock.now():%Y-%m-%d}.csv"
        return file_of(pieces, name, "text/csv; charset=utf-8")


_CSV = {
    "schema": {
        "type": "string",
        "maxLength": 2**40,
        "description": "A line for each entry.",
        "examples": [",".join(suppression_export.COLUMNS)],
    }
}


def add_blocking(api: Api, resource: APIRouter) -> None:
    @resource.post("/suppressions/blocklist", summary="Add to the blocklist", status_code=201)
    @access(Scope.SUPPRESSIONS_FULL, Permission.MANAGE_SUPPRESSIONS)
    async def add_blocklist(body: BlockIn, caller: CurrentCaller) -> Data[Added]:
        """What is on the list already stays as it is, and is told as well."""
        wrong = {}
        if not body.recipients and not body.patterns:
            wrong["recipients"] = ["The recipients field is required when patterns is not present."]
        if body.domain_id is None and caller.domains is not None:
            wrong["domain_id"] = [REQUIRED.format(field="domain id")]
        if wrong:
            raise invalid(wrong)
        await _listed(api, caller, BLOCKLIST, body.domain_id)
        entries = await suppressions.put(
            api.database,
            caller.account_id,
            body.recipients,
            Terms(SuppressionList.BLOCKLIST, domain=body.domain_id),
            patterns=body.patterns,
            by=caller.actor,
        )
        return Data(data=[added_pattern(entry) for entry in entries])


def add_suppressing(api: Api, resource: APIRouter, kind: Kind) -> None:
    @resource.post(
        f"/suppressions/{kind.path}",
        name=f"add_{kind.name}",
        summary=f"Add to {kind.title}",
        description="Who is on the list already stays as they are, and is told as well.",
        status_code=201,
        response_model=Data[Annotated[list[kind.row], limited(maxItems=MOST)]],  # type: ignore[name-defined]
    )
    @access(Scope.SUPPRESSIONS_FULL, Permission.MANAGE_SUPPRESSIONS)
    async def add(body: SuppressIn, caller: CurrentCaller) -> Any:
        await _listed(api, caller, kind, body.domain_id)
        terms = Terms(kind.on, domain=body.domain_id)
        entries = await suppressions.put(
            api.database, caller.account_id, body.recipients, terms, by=caller.actor
        )
        async with api.database.read() as connection:
            rows = await Rows.load(connection, caller.account_id, entries)
        return Data(data=[kind.shown(rows, entry) for entry in entries])


def add_removing(api: Api, resource: APIRouter, kind: Kind) -> None:
    @resource.delete(
        f"/suppressions/{kind.path}",
        name=f"delete_{kind.name}",
        summary=f"Take off {kind.title}",
        description="They may be sent to again at once. With an id that is not on the list nothing is deleted.",
    )
    @access(Scope.SUPPRESSIONS_FULL, Permission.MANAGE_SUPPRESSIONS)
    async def delete(body: RemoveIn, caller: CurrentCaller) -> Nothing:
        if not body.ids and not body.all:
            raise invalid({"ids": ["The ids field is required when all is not present."]})
        listed = await _listed(api, caller, kind, body.domain_id)
        wanted = None if body.all else body.ids
        missing = await suppressions.clear(api.database, listed, wanted, by=caller.actor)
        if missing:
            fields = [f"ids.{number}" for number, id_ in enumerate(body.ids) if id_ in set(missing)]
            raise invalid({field: [SELECTED.format(field=field)] for field in fields})
        return []


async def _listed(api: Api, caller: Caller, kind: Kind, domain_id: str | None) -> Listed:
    """What the caller may see of a list. Raises ApiError (422) for a domain that is not theirs."""
    if domain_id is None:
        return Listed(caller.account_id, kind.on, caller.domains)
    if await own_domain(api, caller, domain_id) is None:
        raise invalid(UNKNOWN_DOMAIN)
    return Listed(caller.account_id, kind.on, {domain_id})
