"""`/console/previews`: HTML that somebody is writing, as a page that can do nothing (U02).

The dashboard shows it in a frame, and no frame of its own making will do: what a page writes into one is held to the
page's own policy, which forbids styles. So the HTML goes here and comes back as the preview of a stored email does, with
the same sandbox (`web.api.email_preview`). Only who wrote it can open it, and for a minute.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from postroom.runtime import ids
from postroom.store import previews as store
from postroom.types.permissions import Permission
from postroom.web.api import email_preview
from postroom.web.api.access import access
from postroom.web.api.api import Api
from postroom.web.api.body import off_loop
from postroom.web.api.call import CurrentCaller
from postroom.web.api.errors import not_found
from postroom.web.api.fields import Flag, Input
from postroom.web.api.json_out import Data
from postroom.web.api.route import routes

WRITERS = (Permission.CONTROL_SENDINGS, Permission.MANAGE_TEMPLATE)


class Written(Input):
    html: str


class PreviewOut(BaseModel):
    """`GET /console/previews/{id}` is the page."""

    id: str


def router(api: Api) -> APIRouter:
    resource = routes("Previews")

    @resource.post("/previews", status_code=201, summary="Look at HTML that is not sent yet")
    @access(*WRITERS)
    async def create(body: Written, caller: CurrentCaller) -> Data[PreviewOut]:
        """It takes the place of the one before."""
        made = ids.object_id()
        async with api.database.write() as connection:
            await store.put(connection, caller.credential_id, made, body.html, now=api.clock.now_ms())
        return Data(data=PreviewOut(id=made))

    @resource.get("/previews/{preview_id}", summary="The page", response_class=Response)
    @access(*WRITERS)
    async def show(
        preview_id: str,
        caller: CurrentCaller,
        images: Annotated[Flag, Query(description="Also load pictures from elsewhere.")] = False,
    ) -> Response:
        async with api.database.read() as connection:
            html = await store.get(connection, caller.credential_id, preview_id, now=api.clock.now_ms())
        if html is None:
            raise not_found()
        page = await off_loop(email_preview.written, html)
        return Response(
            page, headers=email_preview.headers(images=images), media_type="text/html; charset=utf-8"
        )

    return resource
