"""All resources of the API as one application."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import ASGIApp

from postroom import __version__
from postroom.tenancy.entitlements import Area, per_minute
from postroom.web.api import (
    activity,
    analytics,
    api_quota,
    audit_log,
    bulk_email,
    domain_records,
    domains,
    email,
    email_actions,
    email_content,
    email_find,
    email_timeline,
    emails,
    inbounds,
    inbox,
    installation,
    invites,
    message_schedules,
    messages,
    openapi,
    preflight,
    recipients,
    reference,
    refusals,
    sender_identities,
    smtp_users,
    suppressions,
    templates,
    tokens,
    users,
    webhooks,
)
from postroom.web.api.api import Api
from postroom.web.api.body import off_loop
from postroom.web.api.call import call_of
from postroom.web.api.direct import Direct
from postroom.web.api.edge import Edge
from postroom.web.api.errors import ApiError, failed, not_found
from postroom.web.api.gate import Gate
from postroom.web.api.json_out import Json, dumps
from postroom.web.api.route import Door
from postroom.web.proxies import Proxies

RESOURCES: tuple[Callable[[Api], APIRouter], ...] = (
    email.router,
    bulk_email.router,
    preflight.router,
    messages.router,
    message_schedules.router,
    emails.router,
    email_find.router,
    email_timeline.router,
    email_content.router,
    email_actions.router,
    activity.router,
    refusals.router,
    inbox.router,
    analytics.router,
    recipients.router,
    suppressions.router,
    templates.router,
    domains.router,
    domain_records.router,
    smtp_users.router,
    sender_identities.router,
    tokens.router,
    webhooks.router,
    inbounds.router,
    users.router,
    invites.router,
    audit_log.router,
    installation.router,
    api_quota.router,
)
"""In the order of the reference, which is also that of the search: what is called most comes first."""


def build(api: Api, resources: Sequence[Callable[[Api], APIRouter]] = RESOURCES) -> ASGIApp:
    """What is served below /v1; `root_path` in the scope is /v1."""
    app = application("Postroom API", api, Gate(api), resources)
    _describe(app, per_minute(api.config.api))
    return at_the_edge(app, api)


def application(title: str, api: Api, door: Door, resources: Sequence[Callable[[Api], APIRouter]]) -> FastAPI:
    """Resources whose endpoints are `ApiRoute`s; `door` lets callers in."""
    app = FastAPI(
        title=title,
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        exception_handlers={HTTPException: _unrouted, Exception: _failed},
    )
    app.state.gate = door
    for router in resources:
        # Their own list would be searched after ours; in one list a route is found quicker.
        app.router.routes += router(api).routes
    return app


def at_the_edge(app: FastAPI, api: Api) -> ASGIApp:
    """With ids, clients and the log around it."""
    proxies = Proxies(api.config.http.trusted_proxies)
    return Edge(Direct(app), api.clock, proxies, access_log=api.config.http.access_log)


def _describe(app: FastAPI, limits: Mapping[Area, int | None]) -> None:
    """The OpenAPI document and the reference; made when somebody asks first. Everybody may read them."""
    made = functools.cache(lambda: openapi.document(app, limits))
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


def _methods(request: Request) -> list[str]:
    """Those of all routes with this path; Starlette names those of the first only."""
    scope = {name: request.scope[name] for name in ("type", "path", "root_path", "method")}
    found = [route for route in request.app.routes if route.matches(scope)[0] is not Match.NONE]
    methods = {method for route in found for method in route.methods or ()}
    return sorted(methods | {"HEAD"} if "GET" in methods else methods)


async def _unrouted(request: Request, error: Exception) -> Response:
    """No such path, or not with this method."""
    assert isinstance(error, HTTPException)
    if error.status_code != 405:
        return not_found().response()
    allowed = ", ".join(_methods(request))
    message = f"The {request.method} method is not supported for this route. Supported methods: {allowed}."
    return ApiError(405, message, headers={"allow": allowed}).response()
