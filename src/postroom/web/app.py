"""The web application: every router in one place."""

from __future__ import annotations

from fastapi import FastAPI, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.types import ASGIApp, Receive, Scope, Send

from postroom import __version__
from postroom.runtime.metrics import REGISTRY
from postroom.web import health, public, public_confirmation
from postroom.web.api.api import Api
from postroom.web.api.app import build as build_api
from postroom.web.asked import asked
from postroom.web.console.app import build as build_console
from postroom.web.dashboard import files as dashboard


def build(checks: dict[str, health.Check], api: Api) -> ASGIApp:
    """`checks` are the parts that `/health` asks, `api` is what the endpoints below /v1 are given."""
    return Split(build_api(api), build_console(api), _pages(checks, api))


def _pages(checks: dict[str, health.Check], api: Api) -> FastAPI:
    app = FastAPI(title="Postroom", version=__version__, docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(health.router(__version__, checks))
    app.include_router(public.router())
    app.include_router(public_confirmation.router(api))

    @app.get("/metrics", include_in_schema=False)
    async def metrics(request: Request) -> Response:
        """Only on `http.listen`: listeners with TLS are for the world."""
        if request.url.scheme == "https":
            return Response(status_code=404)
        return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)

    app.include_router(dashboard.router(dashboard.Built()))
    return app


class Split:
    """What is below /v1 goes to the API, what is below /console to what the dashboard needs beside it, the rest to the
    pages, the dashboard's among them. Quicker than a mount, for the API is the hot path."""

    def __init__(self, api: ASGIApp, console: ASGIApp, pages: ASGIApp) -> None:
        self._api = api
        self._console = console
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if path.startswith("/v1/") or _misses_api(path):
            scope["root_path"] = "/v1"
            await self._api(scope, receive, send)
        elif path.startswith("/console/"):
            scope["root_path"] = "/console"
            await self._console(scope, receive, send)
        elif scope["type"] == "http":
            await self._pages(asked(scope), receive, send)
        else:
            await self._pages(scope, receive, send)


def _misses_api(path: str) -> bool:
    """`/v1` and `//v1//messages`: whoever asks for these wants the API, and an answer of its kind."""
    return path.lstrip("/").partition("/")[0] == "v1"
