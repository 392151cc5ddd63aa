"""The web application: every router in one place."""

from __future__ import annotations

from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from postroom import __version__
from postroom.runtime.metrics import REGISTRY
from postroom.web import health, public


def build(checks: dict[str, health.Check]) -> FastAPI:
    """`checks` are the parts that `/health` asks."""
    app = FastAPI(title="Postroom", version=__version__, docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(health.router(__version__, checks))
    app.include_router(public.router())

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)

    return app
