"""The wiring diagram: builds every part, hands each its section of the settings, starts and stops them in order.

This is the only place that knows everybody. Parts that need each other across stages meet here as callables: the
group commit hands what it stored to the scheduler, the scheduler says under which number rows are owned.
"""

from __future__ import annotations

import asyncio
import os
import random
import socket
from collections.abc import Awaitable, Callable

import structlog

from postroom.accept.commit import GroupCommit, Member
from postroom.accept.refused import RefusalLog
from postroom.accept.submission import SubmissionServer
from postroom.accept.submitted import SubmissionPolicy
from postroom.accept.usage import Usage
from postroom.compose import Composer, KeyMaterial, Keys
from postroom.compose.compose import Stored
from postroom.config import Config
from postroom.deliver.courier import Courier
from postroom.deliver.delivery import Delivery, Tools
from postroom.deliver.destination import Destination, Destinations
from postroom.deliver.lease import Lease
from postroom.deliver.loader import Loader
from postroom.deliver.scheduler import Scheduler
from postroom.deliver.ticker import Ticker
from postroom.deliver.tls import tls_contexts
from postroom.errors import ConfigError, StorageUnavailableError
from postroom.events.retention import Retention
from postroom.runtime import interpreter, metrics
from postroom.runtime.blobs import FileBlobs
from postroom.runtime.clock import Clock
from postroom.runtime.dns import Resolver
from postroom.runtime.every import Every
from postroom.runtime.files import make_directory
from postroom.runtime.interfaces import own_addresses
from postroom.runtime.killpoints import reach
from postroom.runtime.loop import LoopLag
from postroom.runtime.secrets import SecretBox
from postroom.runtime.tls import Certificates, certificate_files
from postroom.store import durability, installation, migrate, queue
from postroom.store.checkpoint import Checkpointer
from postroom.store.database import Database
from postroom.tenancy import keys
from postroom.tenancy.directory import Directory
from postroom.web.app import build
from postroom.web.server import WebServer
from postroom.wire.smtp.client_commands import InjectionError, hello_name

log = structlog.get_logger()

ROLES = ("submission", "delivery", "http")
DRAIN_SECONDS = 20.0  # for deliveries under way; the whole stop stays under 30 s
DRAIN_SUBMISSION = 5.0  # for messages whose data is under way
TICKER_SECONDS = 5.0
QUEUE_SIZE_SECONDS = 15.0
CERTIFICATE_SECONDS = 5.0


class Node:
    """One process: `start` answers with the addresses of all listeners, `stop` drains and ends in under 30 s.

    `roles` says what it does: a delivery-only node takes nothing in, a submission-only node leaves its rows unowned.
    """

    def __init__(self, config: Config, *, roles: frozenset[str] = frozenset(ROLES)) -> None:
        unknown = roles - set(ROLES)
        if unknown:
            raise ConfigError(f"--role: {', '.join(sorted(unknown))}: unknown; roles are {', '.join(ROLES)}")
        self.config = config
        self.roles = roles
        self.clock = Clock()
        self._stops: list[tuple[str, Callable[[], Awaitable[object]]]] = []

    async def start(self) -> dict[str, object]:
        try:
            return await self._start()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop the parts in the reverse order of their start; one that fails does not keep the others running."""
        while self._stops:
            name, stop = self._stops.pop()
            try:
                await stop()
            except Exception:
                log.exception("part did not stop in order", part=name)
        reach("drain.end")

    def _started(self, name: str, stop: Callable[[], Awaitable[object]]) -> None:
        self._stops.append((name, stop))

    async def _start(self) -> dict[str, object]:
        interpreter.take_turns_often()
        self.hostname = _hostname(self.config)
        await self._open_storage()
        await self._build_core()
        if "delivery" in self.roles:
            await self._start_delivery()
        addresses: dict[str, object] = {
            "pid": os.getpid(),
            "roles": sorted(self.roles),
            "hostname": self.hostname,
        }
        if "submission" in self.roles:
            addresses["submission"] = await self._start_submission()
        if "http" in self.roles:
            addresses["http"] = await self._start_web()
        self.jobs.start()
        self._started("periodic jobs", self.jobs.stop)
        return addresses

    # -- storage and what everybody shares ------------------------------------------------------------------------

    async def _open_storage(self) -> None:
        config = self.config
        self.secrets = SecretBox.load(config.secret_key_file)
        self.database = await Database.open(
            config.database_url, timeout=config.database.timeout, pool=config.database.pool
        )
        self._started("database", self.database.close)
        await durability.check(self.database)
        for revision in await migrate.upgrade(self.database):
            log.info("database upgraded", revision=revision)
        if self.database.sqlite:
            checkpointer = Checkpointer(self.database)
            checkpointer.start()
            self._started("checkpoints", checkpointer.stop)
        self.blobs = FileBlobs(make_directory(config.data / "blobs"), self.clock)

    async def _build_core(self) -> None:
        self.directory = Directory(self.database, self.clock)
        await self.directory.refresh()
        watching = asyncio.create_task(self.directory.watch(), name="directory")
        self._started("directory", lambda: self._stop_directory(watching))
        self.resolver = Resolver(self.config.dns, self.clock)
        self._started("resolver", self.resolver.close)
        self.loader = Loader(self.database, hostname=self.hostname)
        lag = LoopLag(self.clock)
        lag.start()
        self._started("loop lag", lag.stop)
        self.jobs = Every(self.clock)
        retention = Retention(self.database, self.blobs, self.config, self.clock)
        self.jobs.add("retention", self.config.retention.every, retention.run_once)
        self.jobs.add("queue size", QUEUE_SIZE_SECONDS, self._measure_queue, at_once=True)

    async def _measure_queue(self) -> None:
        async with self.database.read() as connection:
            metrics.QUEUE_SIZE.set(await queue.size(connection))

    async def _stop_directory(self, watching: asyncio.Task[None]) -> None:
        watching.cancel()
        await self.directory.flush()

    # -- delivery -------------------------------------------------------------------------------------------------

    async def _start_delivery(self) -> None:
        config = self.config
        self.composer = Composer(
            Keys(self._signing_key), self.blobs.open, self.clock, lifetime=config.delivery.lifetime
        )
        self._started("composer", self.composer.close)
        self.directory.on_change(self.composer.invalidate)
        self.lease = Lease(self.database, self.clock, name=self.hostname, seconds=config.delivery.lease)
        self.ticker = Ticker(self.database, lambda: self.lease.incarnation)
        self.tls_contexts = tls_contexts()
        chance = random.SystemRandom()
        tools = Tools(
            config=config,
            clock=self.clock,
            directory=self.directory,
            loader=self.loader,
            composer=self.composer,
            ticker=self.ticker,
            lease_held=lambda: self.lease.held,
            verp_key=self.secrets.derive("return paths"),
            chance=chance,
        )
        own = await asyncio.to_thread(own_addresses, config.delivery.ipv4_source)
        destinations = Destinations(self.resolver, config.delivery, config.dns, own, self.hostname, chance)
        self.scheduler = Scheduler(
            config, self.database, self.clock, Delivery(tools), destinations, self._courier
        )
        await self.lease.start(lost=self.scheduler.restart, regained=self.scheduler.start)
        self._started("lease", self.lease.stop)
        self.ticker.start()
        self._started("ticker", lambda: self.ticker.stop(TICKER_SECONDS))
        await self.scheduler.start(self.lease.incarnation)
        self._started("scheduler", lambda: self.scheduler.stop(DRAIN_SECONDS))

    def _courier(self, destination: Destination) -> Courier:
        delivery = self.config.delivery
        return Courier(destination, delivery, self.tls_contexts, self.blobs, self.hostname, self.clock)

    async def _signing_key(self, domain: str) -> KeyMaterial | None:
        found = await keys.private_key(self.database, self.secrets, domain)
        return KeyMaterial(*found) if found is not None else None

    # -- the edges ------------------------------------------------------------------------------------------------

    async def _start_submission(self) -> list[dict[str, object]]:
        config = self.config
        certificates = Certificates(*certificate_files(config))
        self.jobs.add("certificates", CERTIFICATE_SECONDS, certificates.refresh)
        refusal_log = RefusalLog(self.database, self.clock)
        refusal_log.start()
        self._started("refusal log", refusal_log.stop)
        usage = Usage(self.database)
        delivering = "delivery" in self.roles
        commit = GroupCommit(
            self.database,
            self.clock,
            lifetime=config.delivery.lifetime,
            owner_for=self.scheduler.owner_for if delivering else lambda _: 0,
            handed=self._hand_over if delivering else lambda _: None,
            counted=usage.count,
        )
        self._started("group commit", commit.stop)
        policy = SubmissionPolicy(config, self.clock, self.directory, usage, commit, refusal_log)
        server = SubmissionServer(
            config, policy, self.blobs, lambda: certificates.context, self.clock.monotonic
        )
        await server.start()
        self._started("submission", lambda: server.drain(DRAIN_SUBMISSION))
        metrics.CONNECTIONS.labels("submission").set_function(lambda: server.connections)
        return server.addresses

    def _hand_over(self, members: list[Member]) -> None:
        """From the group commit straight to the delivery engine: what it holds need not be read again."""
        for member in members:
            if member.entries:
                self.loader.remember(Stored.from_draft(member.draft, self.hostname))
                self.scheduler.take(member.entries, member.owner)

    async def _start_web(self) -> dict[str, object]:
        web = WebServer(
            build({"database": self._database_problem, "durability": self._durability_problem}),
            self.config.http.listen,
        )
        await web.start()
        self._started("web", web.stop)
        return {"host": web.address[0], "port": web.address[1]}

    async def _database_problem(self) -> str:
        try:
            async with self.database.read() as connection:
                await installation.version(connection)
        except StorageUnavailableError as error:
            return str(error)
        return ""

    async def _durability_problem(self) -> str:
        """Somebody may have changed a setting since the start."""
        try:
            return await durability.weakness(self.database)
        except StorageUnavailableError:
            return ""  # the check of the database says so


def _hostname(config: Config) -> str:
    """The name in EHLO and Received. Raises ConfigError when it cannot be one."""
    name = config.server.hostname or socket.getfqdn()
    try:
        return hello_name(name)
    except InjectionError as error:
        raise ConfigError(f"server.hostname: {error}") from None
