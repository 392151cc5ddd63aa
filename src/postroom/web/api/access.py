"""Who may call an endpoint and what it costs: one decorator, without which an endpoint cannot be added."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from postroom.tenancy.entitlements import Area
from postroom.types.permissions import Permission
from postroom.types.scopes import Scope

ID = re.compile(r"[0-9a-z]{16}|[0-9a-f]{24}")
"""What an id in a path looks like; anything else is none."""

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Access:
    """`scopes`: a token needs one of them; `permissions`: a person does. With neither any token and any person of the
    account may call; with scopes only, no person.

    `changes`: it is not only for reading, so a person needs the CSRF token; the method tells. `area`: whose limit per minute counts. `counted`: whether it uses up the daily quota of requests. `large_body`: up to `api.max_body` instead of 1 MB.
    """

    scopes: tuple[Scope, ...]
    permissions: tuple[Permission, ...] = ()
    area: Area = Area.OTHER
    counted: bool = True
    large_body: bool = False
    changes: bool = True


def access(
    *grants: Scope | Permission, area: Area = Area.OTHER, counted: bool = True, large_body: bool = False
) -> Callable[[F], F]:
    """Below the decorator of the route: `@routes.get(...)`, then `@access(Scope.WEBHOOKS_FULL, Permission.MANAGE_WEBHOOK)`."""
    scopes = tuple(grant for grant in grants if isinstance(grant, Scope))
    permissions = tuple(grant for grant in grants if isinstance(grant, Permission))
    granted = Access(scopes, permissions, area, counted, large_body)

    def mark(endpoint: F) -> F:
        endpoint.__dict__["access"] = granted
        return endpoint

    return mark


def access_of(endpoint: Callable[..., Any]) -> Access:
    """Raises TypeError for an endpoint that does not say who may call it."""
    granted = getattr(endpoint, "access", None)
    if not isinstance(granted, Access):
        raise TypeError(f"{endpoint.__module__}.{endpoint.__qualname__} lacks @access(...)")
    return granted
