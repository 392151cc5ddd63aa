"""Endpoints that FastAPI describes and does not run.

Its middleware, its search for the route and for what each parameter wants take longer than a small message needs from
its first rule to its commit. So what is asked for thousands of times a second is marked `@direct`: the OpenAPI document
is printed from its declaration as from any other, and the gate, the body and the errors are those of every route
(`route`); it is only found by its path at once, and called with what it wants.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import FastAPI, Request
from fastapi.routing import APIRoute
from starlette.types import Receive, Scope, Send

F = TypeVar("F", bound=Callable[..., Any])

PARAMETERS = ["request", "caller", "body"]
"""Of a direct endpoint. What more it declares is for the reference, and has a default."""


def direct(endpoint: F) -> F:
    """Below `@access(...)`, for a path without parameters and query: `await endpoint(request, caller, body)`, with the
    decoded body, gives the Response."""
    if list(inspect.signature(endpoint).parameters)[: len(PARAMETERS)] != PARAMETERS:
        raise TypeError(f"{endpoint.__module__}.{endpoint.__qualname__}: not ({', '.join(PARAMETERS)}, ...)")
    endpoint.__dict__["direct"] = True
    return endpoint


def is_direct(endpoint: Callable[..., Any]) -> bool:
    return getattr(endpoint, "direct", False)


class Direct:
    """In front of the application: runs its direct endpoints, and leaves everything else to it."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._endpoints = {
            (method, route.path): route.get_route_handler()
            for route in app.routes
            if isinstance(route, APIRoute) and is_direct(route.endpoint)
            for method in route.methods or ()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        endpoint = self._endpoints.get((scope["method"], path.removeprefix(scope["root_path"])))
        if endpoint is None:
            await self._app(scope, receive, send)
            return
        scope["app"] = self._app
        response = await endpoint(Request(scope, receive))
        await response(scope, receive, send)
