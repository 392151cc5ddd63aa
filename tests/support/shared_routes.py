"""The routes of the API, made once for a process: making them is most of what an `ApiWorld` costs.

They ask for the parts of whichever world a request is sent to. A router that asks for a part, or begins to count
something, while it is made is made for each world anew.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any, cast
from unittest.mock import patch

from fastapi import APIRouter
from starlette.types import ASGIApp, Receive, Scope, Send

from postroom.web.api.api import Api
from postroom.web.api.rates import Windows

Router = Callable[[Api], APIRouter]

_asked: ContextVar[Api] = ContextVar("asked")


class _OfTheOneAsked:
    def __getattr__(self, name: str) -> Any:
        return getattr(_asked.get(), name)


def shared(routers: Sequence[Router]) -> list[Router]:
    """In the same order, for `build`; what it makes has to be wrapped by `asked`."""
    return [functools.partial(_made, router) for router in routers]


def asked(api: Api, app: ASGIApp) -> ASGIApp:
    """`app`, whose routes get the parts of `api`."""

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        token = _asked.set(api)
        try:
            await app(scope, receive, send)
        finally:
            _asked.reset(token)

    return call


def _made(router: Router, api: Api) -> APIRouter:
    return _once(router) or router(api)


@functools.cache
def _once(router: Router) -> APIRouter | None:
    """None where it cannot be shared."""
    try:
        with patch.object(Windows, "__init__", side_effect=LookupError):
            return router(cast(Api, _OfTheOneAsked()))
    except LookupError:
        return None
