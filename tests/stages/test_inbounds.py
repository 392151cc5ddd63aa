"""Inbound routes: whose mail a name is, also when two ask for it at the same time."""

from __future__ import annotations

import asyncio

from postroom.runtime.secrets import SecretBox
from postroom.store.database import Database
from postroom.store.domains import Domain
from postroom.store.inbounds import Inbound
from postroom.tenancy import accounts, domains, inbounds
from postroom.tenancy.inbounds import NewInbound, Target
from postroom.types import refusals
from postroom.types.actor import SYSTEM
from postroom.types.inbound import ForwardKind
from postroom.types.refusals import Refused

BOX = SecretBox(bytes(32))
NAME = "in.sub.example.com"
TARGETS = (Target(ForwardKind.EMAIL, "ann@example.org"),)


async def two_domains(database: Database) -> list[Domain]:
    """Of one account, so that it may use the name with either."""
    account_id = (await accounts.add(database, "Shop", approved=True, by=SYSTEM)).id
    return [
        await domains.add(database, BOX, name, account_id=account_id, trusted=True, by=SYSTEM)
        for name in ("example.com", "sub.example.com")
    ]


async def test_x06_of_two_who_want_a_name_at_the_same_time_one_gets_it(database: Database) -> None:
    found = await two_domains(database)
    made = await asyncio.gather(
        *(
            inbounds.add(
                database, BOX, domain.account_id, NewInbound(domain.id, "In", TARGETS, NAME), by=SYSTEM
            )
            for domain in found
            for _ in range(3)
        )
    )
    routes = [one for one in made if isinstance(one, Inbound)]
    assert len(routes) == 3
    assert len({one.domain_id for one in routes}) == 1
    refused = [one.rule for one in made if isinstance(one, Refused)]
    assert refused == [refusals.INBOUND_DOMAIN_TAKEN] * 3


async def test_x06_of_two_who_move_to_a_name_one_gets_it(database: Database) -> None:
    routes = []
    for domain in await two_domains(database):
        new = NewInbound(domain.id, "In", TARGETS)
        route = await inbounds.add(database, BOX, domain.account_id, new, by=SYSTEM)
        assert isinstance(route, Inbound)
        routes.append(route)
    moved = await asyncio.gather(
        *(inbounds.change(database, BOX, route, by=SYSTEM, inbound_domain=NAME) for route in routes)
    )
    assert sorted(isinstance(one, Refused) for one in moved) == [False, True]
