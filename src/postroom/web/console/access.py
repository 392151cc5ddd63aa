"""Who may call an endpoint of the console, where that is not a member of an account."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request

from postroom.tenancy.persons import Person
from postroom.types.actor import Actor, ActorKind
from postroom.web.api.access import Access
from postroom.web.api.call import Call, call_of

F = TypeVar("F", bound=Callable[..., Any])


class Who(StrEnum):
    """EITHER: the session counts if there is one, and is checked like any other; ANYBODY: it does not matter."""

    ANYBODY = "anybody"
    EITHER = "either"
    PERSON = "person"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class OpenTo(Access):
    """Access without an account."""

    who: Who = Who.PERSON


def open_to(who: Who) -> Callable[[F], F]:
    """Below the decorator of the route, in the place of `@access(...)`."""

    def mark(endpoint: F) -> F:
        endpoint.__dict__["access"] = OpenTo((), who=who)
        return endpoint

    return mark


async def _call(request: Request) -> Call:
    return call_of(request.scope)


async def _person(request: Request) -> Person:
    person = call_of(request.scope).person
    assert person is not None, "the gate let somebody in who is not signed in"
    return person


async def _actor(request: Request) -> Actor:
    person = await _person(request)
    return Actor(ActorKind.USER, person.user_id, person.email, call_of(request.scope).client)


CurrentCall = Annotated[Call, Depends(_call)]
CurrentPerson = Annotated[Person, Depends(_person)]
"""The type of a parameter that is given who is signed in."""
CurrentActor = Annotated[Actor, Depends(_actor)]
"""The same for the audit log."""
