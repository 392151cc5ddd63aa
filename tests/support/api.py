"""The HTTP API in process: the real application on a real database, without a socket."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import httpx

from postroom.accept.api import ApiEdge
from postroom.accept.commit import GroupCommit
from postroom.accept.refused import RefusalLog
from postroom.compose import KeyMaterial
from postroom.config import Config
from postroom.deliver.destination import Destinations
from postroom.notify import MemorySystemMail
from postroom.runtime.blobs import MemoryBlobs
from postroom.runtime.clock import Clock
from postroom.runtime.dns import FakeResolver
from postroom.runtime.http_client import MemoryHttpClient
from postroom.runtime.secrets import SecretBox
from postroom.store.accounts import Account
from postroom.store.database import Database
from postroom.store.domains import Domain
from postroom.tenancy import accounts, domains, keys, tokens
from postroom.tenancy.directory import Directory
from postroom.tenancy.grants import Grant
from postroom.tenancy.persons import Persons
from postroom.tenancy.template_library import TemplateLibrary
from postroom.types.actor import SYSTEM
from postroom.types.scopes import Scope
from postroom.web.api.api import Api
from postroom.web.api.app import RESOURCES, build
from postroom.web.api.quota import RequestQuota
from postroom.web.app import Split
from postroom.web.console.app import RESOURCES as CONSOLE
from postroom.web.console.app import build as build_console
from postroom.web.preflight import Parts as PreflightParts
from postroom.web.preflight import Preflight
from support import api_probe, console_probe, people
from support.shared_routes import asked, shared

UNLIMITED = {f"{area}_per_minute": 0 for area in ("email", "bulk", "activity", "verification", "other")}

_numbers = count(1)


class Client:
    """Calls paths below /v1 with one token. Methods as those of httpx; answers are `httpx.Response`."""

    def __init__(self, http: httpx.AsyncClient, secret: str | None) -> None:
        self.http = http
        self.secret = secret

    async def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = httpx.Headers(options.pop("headers", None))
        if self.secret is not None:
            headers.setdefault("authorization", f"Bearer {self.secret}")
        return await self.http.request(method, f"/v1{path}", headers=headers, **options)

    async def get(self, path: str, **options: Any) -> httpx.Response:
        return await self.request("GET", path, **options)

    async def post(self, path: str, **options: Any) -> httpx.Response:
        return await self.request("POST", path, **options)

    async def put(self, path: str, **options: Any) -> httpx.Response:
        return await self.request("PUT", path, **options)

    async def delete(self, path: str, **options: Any) -> httpx.Response:
        return await self.request("DELETE", path, **options)


class Tenant(Client):
    """An account with a verified sandbox domain and a token, by default for everything."""

    def __init__(self, world: ApiWorld, account: Account, domain: Domain, token: tokens.NewToken) -> None:
        super().__init__(world.http, token.secret)
        self._world = world
        self.account = account
        self.domain = domain
        self.token = token.token

    async def with_token(self, *scopes: Scope, **options: Any) -> Client:
        """The same account with another token; options as of `tokens.add`."""
        made = await tokens.add(
            self._world.database,
            self.account.id,
            name="another",
            scopes=scopes or Scope,
            by=SYSTEM,
            **options,
        )
        return Client(self._world.http, made.secret)


class ApiWorld(Client):
    """`api.get(...)` and so on call as the first tenant; `anonymous` has no token."""

    def __init__(self, database: Database, config: Config, box: SecretBox, clock: Clock) -> None:
        self.database = database
        self.config = config
        self.box = box
        self.clock = clock
        self.directory = Directory(database, clock)
        self.refusals = RefusalLog(database, clock)
        self.quota = RequestQuota(database, clock)
        self.blobs = MemoryBlobs(clock)
        self.commit = GroupCommit(
            database,
            clock,
            lifetime=config.delivery.lifetime,
            owner_for=lambda _: 0,
            handed=lambda _: None,
            counted=lambda _day, _used: None,
        )
        accept = ApiEdge(config, clock, database, self.blobs, self.commit)
        self.zones = FakeResolver()
        self.preflight = self._preflight()
        self.mail = MemorySystemMail()
        self.hooks = MemoryHttpClient(config.outgoing)
        self.persons = Persons(database, clock, config.sessions, self.directory)
        self.api = Api(
            config=config,
            database=database,
            blobs=self.blobs,
            directory=self.directory,
            persons=self.persons,
            clock=clock,
            refusals=self.refusals,
            accept=accept,
            templates=TemplateLibrary(database, self.directory),
            preflight=self.preflight,
            quota=self.quota,
            mail=self.mail,
            http=self.hooks,
            secrets=box,
            resolver=self.zones,
            hostname="mail.example.com",
        )
        self.bulk = self.api.bulk
        split = Split(
            build(self.api, shared((*RESOURCES, api_probe.router))),
            build_console(self.api, shared((*CONSOLE, console_probe.router))),
            _no_pages,
        )
        self.app = asked(self.api, split)
        self.http = self.client_at("127.0.0.1")
        self.anonymous = Client(self.http, None)

    def _preflight(self) -> Preflight:
        destinations = Destinations(self.zones, self.config.delivery, self.config.dns, frozenset())
        return Preflight(
            PreflightParts(
                config=self.config,
                clock=self.clock,
                database=self.database,
                blobs=self.blobs,
                resolver=self.zones,
                signing_key=self._signing_key,
                find=destinations.find,
                hostname="mail.example.com",
            )
        )

    async def _signing_key(self, domain: str) -> KeyMaterial | None:
        found = await keys.private_key(self.database, self.box, domain)
        return KeyMaterial(*found) if found is not None else None

    @classmethod
    async def start(
        cls, database: Database, directory: Path, *, clock: Clock | None = None, **settings: Any
    ) -> ApiWorld:
        """`settings` are sections of the configuration; limits per minute are off unless given."""
        settings["api"] = UNLIMITED | settings.get("api", {})
        box = SecretBox.load(directory / "secret.key", create=True)
        world = cls(database, Config(data=directory, **settings), box, clock or Clock())
        await world.directory.refresh()
        world.first = await world.tenant()
        super(ApiWorld, world).__init__(world.http, world.first.secret)
        return world

    first: Tenant

    def client_at(self, address: str, scheme: str = "http") -> httpx.AsyncClient:
        """An HTTP client that seems to connect from this address."""
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=(address, 50000))
        return httpx.AsyncClient(transport=transport, base_url=f"{scheme}://api.test")

    async def tenant(
        self,
        *,
        name: str = "",
        approved: bool = True,
        scopes: Iterable[str] = Scope,
        allowed_addresses: Sequence[str] = (),
    ) -> Tenant:
        """A new account with a domain of its own."""
        name = name or f"tenant{next(_numbers)}"
        account = await accounts.add(self.database, name, approved=approved, by=SYSTEM)
        domain = await domains.add(
            self.database, self.box, f"{name}.test", account_id=account.id, mode=domains.SANDBOX, by=SYSTEM
        )
        token = await tokens.add(
            self.database,
            account.id,
            name="all",
            scopes=scopes,
            allowed_addresses=allowed_addresses,
            by=SYSTEM,
        )
        return Tenant(self, account, domain, token)

    async def person(
        self, tenant: Tenant | None = None, grant: Grant | None = None, *, operator: bool = False
    ) -> people.SignedIn:
        """Somebody of the first tenant or another one, an Admin unless told, who is signed in."""
        account_id = (tenant or self.first).account.id
        user = await people.make(self.database, account_id, grant, operator=operator)
        return await people.sign_in(self.database, self.http, user, self.clock.now_ms())

    async def changed(self) -> None:
        """Let the caches see at once what was changed; a node looks twice a second."""
        await self.directory.refresh()

    async def stop(self) -> None:
        await self.http.aclose()
        await self.refusals.stop()


async def _no_pages(scope: Any, _receive: Any, _send: Any) -> None:
    raise AssertionError(f"{scope['path']} is neither below /v1 nor below /console")
