"""A resource for tests of what all resources share: it echoes what came in."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field, field_validator

from postroom.errors import ConflictError, NotFoundError, StorageUnavailableError
from postroom.tenancy import tokens
from postroom.tenancy.entitlements import Area
from postroom.types.scopes import Scope
from postroom.web.api.access import access
from postroom.web.api.api import Api
from postroom.web.api.call import CurrentCaller
from postroom.web.api.fields import Flag, Input, Object
from postroom.web.api.json_out import Data, Timestamp, empty
from postroom.web.api.pages import Counted, CurrentPage, Page, Simple, page
from postroom.web.api.route import routes
from postroom.wire.json import LongText


class Person(Input):
    email: str = Field(max_length=20)
    name: str | None = None


class Note(Input):
    """`owner` is required, so an empty body has an error; the rest shows the kinds of errors there are."""

    title: str = Field(max_length=10, description="What it is called.", examples=["Hello"])
    owner: Person
    readers: list[Person] = Field(default=[], max_length=3)
    domain_id: str | None = None
    number: int | None = Field(None, ge=2, le=9)
    urgent: Flag = False
    data: Object = {}

    @field_validator("title")
    @classmethod
    def _polite(cls, title: str) -> str:
        if title == "no":
            raise ValueError("The {field} {may} not be no}.")
        return title


class NoteOut(Note):
    created_at: Timestamp = 0


FAULTS = {
    "storage": StorageUnavailableError("disk full at /secret/path"),
    "missing": NotFoundError("there is no such thing"),
    "conflict": ConflictError("there is one already"),
    "bug": ZeroDivisionError("Traceback SELECT secret FROM tokens"),
}


def router(api: Api) -> APIRouter:
    resource = routes("Probe")

    async def token(token_id: str, caller: CurrentCaller) -> str:
        return (await tokens.get(api.database, token_id, account_id=caller.account_id)).name

    @resource.post("/notes", status_code=201, summary="Make a note")
    @access(Scope.EMAIL_FULL, area=Area.EMAIL)
    async def make(body: Note) -> Data[NoteOut]:
        return Data(data=NoteOut(**body.model_dump(), created_at=1_700_000_000_123))

    @resource.post("/echo", summary="Echo", include_in_schema=False)
    @access(large_body=True)
    async def echo(body: list[Any] | dict[str, Any]) -> Any:
        return _shown(body)

    @resource.put("/tokens/{token_id}", summary="Rename")
    @access(Scope.TOKENS_FULL)
    async def rename(body: Note, name: str = Depends(token)) -> Any:
        return {"data": {"was": name, "title": body.title}}

    @resource.delete("/notes", summary="Delete all", status_code=204)
    @access(Scope.EMAIL_FULL)
    async def delete() -> Response:
        return empty(204)

    @resource.get("/notes", summary="List notes")
    @access(Scope.EMAIL_FULL, Scope.ACTIVITY_READ, area=Area.ACTIVITY)
    async def notes(page: CurrentPage, total: int = 60) -> Counted[int]:
        return page.counted(list(range(total))[page.offset :][: page.limit], total)  # type: ignore[return-value]

    @resource.get("/notes/simple", summary="List notes, not counted")
    @access(Scope.EMAIL_FULL)
    async def simple(
        page: Annotated[Page, page(default=10, pages=5, text=True)], total: int = 60
    ) -> Simple[int]:
        return page.simple(list(range(total))[page.offset :][: page.limit + 1])  # type: ignore[return-value]

    _small(resource)
    return resource


def _small(resource: APIRouter) -> None:
    """Those that need nothing of the node."""

    @resource.get("/search", summary="Search")
    @access()
    async def search(
        event: Annotated[list[str], Query(alias="event[]")],
        tag: Annotated[list[str], Query(alias="tag[]")] = [],  # noqa: B006
        verified: Flag | None = None,
    ) -> Any:
        return {"event": event, "tag": tag, "verified": verified}

    @resource.get("/faults/{kind}", summary="Fail", include_in_schema=False)
    @access()
    async def fault(kind: str) -> Any:
        raise FAULTS[kind]

    @resource.get("/me", summary="Who calls")
    @access(Scope.DOMAINS_READ, Scope.DOMAINS_FULL)
    async def me(caller: CurrentCaller) -> Any:
        return {
            "account": caller.account_id,
            "client": caller.client,
            "domain": min(caller.domains or [None]),
        }


def _shown(value: Any) -> Any:
    """LongText as its length and beginning."""
    if isinstance(value, LongText):
        return {"long": sum(map(len, value.pieces())), "begins": next(value.pieces())[:10]}
    if isinstance(value, dict):
        return {name: _shown(inner) for name, inner in value.items()}
    return [_shown(inner) for inner in value] if isinstance(value, list) else value
