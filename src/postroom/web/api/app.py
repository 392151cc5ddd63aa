"""All resources of the API as one application."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from postroom import __version__
from postroom.web.api import (
    activity,
    api_quota,
    bulk_email,
    email,
    emails,
    message_schedules,
    messages,
    openapi,
    preflight,
    reference,
)
from postroom.web.api.api import Api
from postroom.web.api.body import off_loop
from postroom.web.api.call import call_of
from postroom.web.api.direct import Direct
from postroom.web.api.edge import Edge
from postroom.web.api.errors import ApiError, failed, not_found
from postroom.web.api.gate import Gate
from postroom.web.api.json_out import Json, dumps
from postroom.web.proxies import Proxies

RESOURCES: tuple[Callable[[Api], APIRouter], ...] = (
    email.router,
    bulk_email.router,
    preflight.router,
    messages.router,
    message_schedules.router,
    emails.router,
    activity.router,
    api_quota.router,
)
"""In the order of the reference, which is also that of the search: what is called most comes first."""


def build(api: Api, resources: Sequence[Callable[[Api], APIRouter]] = RESOURCES) -> ASGIApp:
    """What is served below /v1; `root_path` in the scope is /v1."""
    app = FastAPI(
        title="Postroom API",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        exception_handlers={HTTPException: _unrouted, Exception: _failed},
    )
    app.state.gate = Gate(api)
    for router in resources:
        # Their own list would be searched after ours; in one list a route is found quicker.
        app.router.routes += router(api).routes
    _describe(app)
    proxies = Proxies(api.config.http.trusted_proxies)
    return Edge(Direct(app), api.clock, proxies, access_log=api.config.http.access_log)


def _describe(app: FastAPI) -> None:
    """The OpenAPI document and the reference; made when somebody asks first. Everybody may read them."""
    made = functools.cache(lambda: openapi.document(app))
    printed = functools.cache(lambda: dumps(made()))
    page = functools.cache(lambda: reference.page(made()))

    async def document(_: Request) -> Response:
        return Response(await off_loop(printed), media_type=Json.media_type)

    async def pages(_: Request) -> Response:
        return HTMLResponse(await off_loop(page))

    app.router.add_route("/openapi.json", document)
    app.router.add_route("/reference", pages)


async def _failed(request: Request, _: Exception) -> Response:
    """Of what is no endpoint: `route` has an answer for those. Starlette raises it again, and the edge logs it."""
    return failed(call_of(request.scope).id).response()


async def _unrouted(request: Request, error: Exception) -> Response:
    """No such path, or not with this method."""
    assert isinstance(error, HTTPException)
    if error.status_code != 405:
        return not_found().response()
    allowed = (error.headers or {}).get("Allow", "")
    message = f"The {request.method} method is not supported for this route. Supported methods: {allowed}."
    return ApiError(405, message, headers={"allow": allowed}).response()
