"""`GET /console/senders`: what may stand in From, and what stands against the rest: for who composes a message."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from postroom.store import domains, sender_identities
from postroom.store.domains import Domain, DomainFilter
from postroom.store.sender_identities import IdentityFilter, SenderIdentity
from postroom.types.permissions import Permission
from postroom.web.api.access import access
from postroom.web.api.api import Api
from postroom.web.api.call import CurrentCaller
from postroom.web.api.json_out import Data
from postroom.web.api.route import routes

MOST = 500
"""Domains, and sender identities."""


class State(StrEnum):
    READY = "ready"
    SANDBOX = "sandbox"  # it is accepted, and stays in the inbox
    PAUSED = "paused"  # it is accepted, and waits
    FAILING = "failing"  # it is sent, and its signature may not verify
    UNVERIFIED = "unverified"


NOTES = {
    State.READY: "",
    State.SANDBOX: "A sandbox: the message stays in the sandbox inbox.",
    State.PAUSED: "Sending is paused: the message waits until it is resumed.",
    State.FAILING: "Its DNS records are gone: recipients may refuse the message.",
    State.UNVERIFIED: "Not verified yet: the message would be refused.",
}


class SenderOut(BaseModel):
    """`value` is a domain, under which any address will do, or the address of a sender identity. `usable`: a message
    would be accepted. `note` says what to expect, "" when all is well. `name` goes before the address unless another is
    given."""

    kind: Literal["domain", "identity"]
    id: str
    domain_id: str
    value: str
    name: str
    state: State
    usable: bool
    note: str


def router(api: Api) -> APIRouter:
    resource = routes("Senders")

    @resource.get("/senders", summary="What may stand in From")
    @access(Permission.CONTROL_SENDINGS)
    async def index(caller: CurrentCaller) -> Data[list[SenderOut]]:
        """What can be used first; domains before identities."""
        async with api.database.read() as connection:
            wanted = DomainFilter(caller.account_id, caller.domains)
            owned = await domains.page(connection, wanted, offset=0, limit=MOST)
            known = IdentityFilter(caller.account_id, caller.domains)
            identities = await sender_identities.page(connection, known, offset=0, limit=MOST)
        by_id = {domain.id: domain for domain in owned}
        shown = [*map(_domain, owned), *(_identity(one, by_id.get(one.domain_id)) for one in identities)]
        return Data(data=sorted(shown, key=lambda one: not one.usable))

    return resource


def state_of(domain: Domain) -> State:
    if domain.verified_at is None:
        return State.UNVERIFIED
    if domain.send_paused:
        return State.PAUSED
    if domain.failing_since is not None:
        return State.FAILING
    return State.SANDBOX if domain.mode == "sandbox" else State.READY


def _domain(domain: Domain) -> SenderOut:
    return _shown("domain", domain.id, domain.id, domain.name, "", state_of(domain))


def _identity(identity: SenderIdentity, domain: Domain | None) -> SenderOut:
    """It is signed by a domain, so that one has to be usable, too."""
    state = State.UNVERIFIED if identity.verified_at is None or domain is None else state_of(domain)
    return _shown("identity", identity.id, identity.domain_id, identity.email, identity.name, state)


def _shown(
    kind: Literal["domain", "identity"], id_: str, domain_id: str, value: str, name: str, state: State
) -> SenderOut:
    return SenderOut(
        kind=kind,
        id=id_,
        domain_id=domain_id,
        value=value,
        name=name,
        state=state,
        usable=state is not State.UNVERIFIED,
        note=NOTES[state],
    )
