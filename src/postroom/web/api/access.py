"""Who may call an endpoint and what it costs: one decorator, without which an endpoint cannot be added."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from postroom.tenancy.entitlements import Area
from postroom.types.scopes import Scope

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Access:
    """`scopes`: one of them is enough; none: any token. `area`: whose limit per minute counts.

    `counted`: whether it uses up the daily quota of requests. `large_body`: up to `api.max_body` instead of 1 MB.
    """

    scopes: tuple[Scope, ...]
    area: Area = Area.OTHER
    counted: bool = True
    large_body: bool = False


def access(
    *scopes: Scope, area: Area = Area.OTHER, counted: bool = True, large_body: bool = False
) -> Callable[[F], F]:
    """Below the decorator of the route: `@routes.get(...)`, then `@access(Scope.DOMAINS_READ, Scope.DOMAINS_FULL)`."""
    granted = Access(scopes, area, counted, large_body)

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
