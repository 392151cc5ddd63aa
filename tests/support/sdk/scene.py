"""A live relay for the clients: HTTPS with the test's authority, and a net in which every recipient can be reached.

The names are of example.com and example.net, because the Python SDK refuses addresses under `.test`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from postroom.tenancy import domains, tokens
from postroom.types.actor import SYSTEM
from postroom.types.scopes import Scope
from support.net import Net, small_internet
from support.process import Relay, starting
from support.world import Tenant, World

DOMAIN = "shop.example.com"
INBOUND_HOST = "inbound.example.net"
ACTIVITY_PER_MINUTE = 60
SETTINGS = {
    "POSTROOM_HTTP__TLS_LISTEN": '["127.0.0.1:0"]',
    "POSTROOM_API__EMAIL_PER_MINUTE": "0",
    "POSTROOM_API__BULK_PER_MINUTE": "0",
    "POSTROOM_API__ACTIVITY_PER_MINUTE": str(ACTIVITY_PER_MINUTE),
    "POSTROOM_API__OTHER_PER_MINUTE": "0",
    "POSTROOM_SERVER__INBOUND_HOST": INBOUND_HOST,
    "POSTROOM_OUTGOING__ALLOW": "127.0.0.1",
    "POSTROOM_OUTGOING__ALLOW_HTTP": "true",
    "POSTROOM_OUTGOING__PORTS": "[]",
}


@dataclass(frozen=True, slots=True)
class Account:
    """One with a verified domain, and a token that may do everything."""

    tenant: Tenant
    domain_id: str
    token: str


@dataclass(frozen=True, slots=True)
class Scene:
    """`account` has the domain `DOMAIN`."""

    net: Net
    relay: Relay
    world: World
    account: Account

    @property
    def url(self) -> str:
        """Of the API, over HTTPS."""
        return f"https://localhost:{self.relay.addresses['http']['tls'][0]['port']}/v1"

    @property
    def plain_url(self) -> str:
        """Of the API, without TLS; for clients on this machine."""
        return f"http://127.0.0.1:{self.relay.addresses['http']['port']}/v1"

    @property
    def trust(self) -> dict[str, str]:
        """The environment in which requests, httpx, curl and Node believe the relay's certificate."""
        names = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
        return dict.fromkeys(names, str(self.relay.authority))


def add_account(world: World, domain: str) -> Account:
    """With a domain that is live."""
    tenant = world.tenant(domain, mode="live")
    found = world.run(lambda database: domains.find(database, domain))
    return Account(tenant, found.id, add_token(world, tenant, *Scope))


def add_token(world: World, tenant: Tenant, *scopes: Scope) -> str:
    """Its secret."""
    made = world.run(
        lambda database: tokens.add(database, tenant.account_id, name="test", scopes=scopes, by=SYSTEM)
    )
    return made.secret


@contextmanager
def running(data: Path) -> Iterator[Scene]:
    """Until the block ends."""
    with small_internet() as net, starting(data, "--first-run", settings=net.settings | SETTINGS) as relay:
        world = World.of(data)
        yield Scene(net, relay, world, add_account(world, DOMAIN))


@contextmanager
def trusting(scene: Scene) -> Iterator[None]:
    """Clients in this process believe the relay's certificate."""
    before = {name: os.environ.get(name) for name in scene.trust}
    os.environ |= scene.trust
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value
