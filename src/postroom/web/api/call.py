"""One request from its arrival to its line in the log, and who makes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request
from starlette.types import Scope as AsgiScope

from postroom.tenancy.entries import AccountState
from postroom.types.scopes import Scope

KEY = "postroom.call"


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose token came with the request. `domain_id`: the only domain it may touch, or None for all of the account.

    `client` is the address of the client, behind a trusted proxy the one that proxy names.
    """

    account: AccountState
    token_id: str
    domain_id: str | None
    scopes: frozenset[Scope]
    client: str

    @property
    def account_id(self) -> str:
        return self.account.id

    def may_use(self, domain_id: str) -> bool:
        """Whether the token covers this domain of the account."""
        return self.domain_id is None or self.domain_id == domain_id


@dataclass(slots=True)
class Call:
    """`headers` go into the answer, whatever it is; `route` is the template of the path, once one matched."""

    id: str
    client: str
    secure: bool
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    route: str = ""
    caller: Caller | None = None


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
    assert caller is not None, "the route let somebody in without a token"
    return caller


CurrentCaller = Annotated[Caller, Depends(_caller)]
"""The type of an endpoint's parameter that is given the caller."""
