"""Is this node well? For load balancers, monitors and people in a hurry."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Response
from pydantic import BaseModel

Check = Callable[[], Awaitable[str]]
"""Answers "" when all is well, else one line that says what is not."""


class Health(BaseModel):
    """`status` is ok or degraded; `problems` names each part that is not well."""

    status: str
    version: str
    problems: dict[str, str]


def router(version: str, checks: dict[str, Check]) -> APIRouter:
    routes = APIRouter()

    @routes.get("/health", summary="Whether this node is well", responses={503: {"model": Health}})
    async def health(response: Response) -> Health:
        """200 when every part is well, 503 when one is not."""
        problems = {name: problem for name, check in checks.items() if (problem := await check())}
        if problems:
            response.status_code = 503
        return Health(status="degraded" if problems else "ok", version=version, problems=problems)

    return routes
