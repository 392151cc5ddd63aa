"""All resources of the console as one application."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fastapi import APIRouter
from starlette.types import ASGIApp

from postroom.web.api.api import Api
from postroom.web.api.app import application, at_the_edge
from postroom.web.console import invites, session, sessions
from postroom.web.console.gate import ConsoleGate

RESOURCES: tuple[Callable[[Api], APIRouter], ...] = (
    session.router,
    sessions.router,
    invites.router,
)


def build(api: Api, resources: Sequence[Callable[[Api], APIRouter]] = RESOURCES) -> ASGIApp:
    """What is served below /console; `root_path` in the scope is /console."""
    return at_the_edge(application("Postroom console", api, ConsoleGate(api), resources), api)
