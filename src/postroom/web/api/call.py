"""One request from its arrival to its line in the log, and who makes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request
from starlette.types import Scope as AsgiScope

from postroom.tenancy.entries import AccountState
from postroom.tenancy.grants import Grant
from postroom.tenancy.persons import Person
from postroom.types.actor import Actor, ActorKind
from postroom.types.permissions import Permission, Role
from postroom.types.scopes import Scope

KEY = "postroom.call"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, for one account: a token, or a person who is signed in (`person` says who, None for a token).

    `credential_id` and `name` are the token's, or the person's id and address. `domains` are the only ones they may
    touch, None: all of the account. `scopes` are a token's. `client` is the address of the client, behind a trusted
    proxy the one that proxy names.
    """

    account: AccountState
    credential_id: str
    name: str
    domains: frozenset[str] | None
    scopes: frozenset[Scope]
    client: str
    person: Person | None = None

    @property
    def account_id(self) -> str:
        return self.account.id

    @property
    def actor(self) -> Actor:
        """For the audit log."""
        kind = ActorKind.TOKEN if self.person is None else ActorKind.USER
        return Actor(kind, self.credential_id, self.name, self.client)

    @property
    def grant(self) -> Grant:
        """What they have in the account, and so may hand out. A token that makes people was made by an Admin
        (`token_reach`)."""
        if self.person is not None:
            return self.person.grant
        if self.domains is None:
            return Grant(Role.ADMIN)
        return Grant(Role.CUSTOM_USER, frozenset(Permission), self.domains)

    @property
    def templates(self) -> frozenset[str] | None:
        """The only templates they may see; None: all of the account."""
        return None if self.person is None else self.person.grant.visible_templates

    def may_use(self, domain_id: str) -> bool:
        """Whether they may touch this domain of the account."""
        return self.domains is None or domain_id in self.domains

    def has(self, permission: Permission) -> bool:
        """Whether a person has this permission; of a token the scopes were asked before."""
        return self.person is None or permission in self.person.permissions


@dataclass(slots=True)
class Call:
    """`headers` go into the answer, whatever it is; `route` is the template of the path, once one matched.

    `secure` and `encrypted` are as `Proxies.client` tells. `person` is who is signed in, with an account or without.
    """

    id: str
    client: str
    secure: bool
    encrypted: bool
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    route: str = ""
    caller: Caller | None = None
    person: Person | None = None


def call_of(scope: AsgiScope) -> Call:
    call: Call = scope[KEY]
    return call


def header(scope: AsgiScope, name: bytes) -> str | None:
    """The value of the first field of this name (lower case), None if there is none. Starlette's own look-up costs ten
    times as much."""
    for field_name, value in scope["headers"]:
        if field_name == name:
            return str(value, "latin-1")
    return None


async def _caller(request: Request) -> Caller:
    caller = call_of(request.scope).caller
    assert caller is not None, "the route let somebody in without an account"
    return caller


CurrentCaller = Annotated[Caller, Depends(_caller)]
"""The type of an endpoint's parameter that is given the caller."""
