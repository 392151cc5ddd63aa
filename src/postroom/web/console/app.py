"""All resources of the console as one application."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fastapi import APIRouter
from starlette.types import ASGIApp

from postroom.web.api.api import Api
from postroom.web.api.app import application, at_the_edge
from postroom.web.console import (
    account_requests,
    accounts,
    approvals,
    email_changes,
    first_run,
    home,
    invites,
    own_accounts,
    password_resets,
    plans,
    previews,
    profile,
    relay,
    sandbox,
    second_factor,
    senders,
    session,
    sessions,
    sign_up,
)
from postroom.web.console.gate import ConsoleGate

RESOURCES: tuple[Callable[[Api], APIRouter], ...] = (
    home.router,
    senders.router,
    relay.router,
    sandbox.router,
    previews.router,
    session.router,
    sessions.router,
    second_factor.router,
    profile.router,
    email_changes.router,
    password_resets.router,
    sign_up.router,
    own_accounts.router,
    invites.router,
    first_run.router,
    approvals.router,
    accounts.router,
    account_requests.router,
    plans.router,
)


def build(api: Api, resources: Sequence[Callable[[Api], APIRouter]] = RESOURCES) -> ASGIApp:
    """What is served below /console; `root_path` in the scope is /console."""
    return at_the_edge(application("Postroom console", api, ConsoleGate(api), resources), api)
