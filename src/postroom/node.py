"""The wiring diagram: builds every part, hands each its section of the settings, starts and stops them in order.

This is the only place that knows everybody. Parts that need each other across stages meet here as callables: the
group commit hands what it stored to the scheduler, the scheduler says under which number rows are owned.
"""

from __future__ import annotations

import asyncio
import os
import random
import ssl
from collections.abc import Awaitable, Callable
from functools import cached_property, partial

import structlog

from postroom.accept.api import ApiEdge, letters
from postroom.accept.commit import GroupCommit, Member
from postroom.accept.refused import RefusalLog
from postroom.accept.submission import SubmissionServer
from postroom.accept.submitted import SubmissionPolicy
from postroom.accept.suppressed import SuppressedRecipients
from postroom.accept.usage import Usage
from postroom.compose import Composer, KeyMaterial, Keys
from postroom.compose.compose import Stored
from postroom.config import Config
from postroom.deliver import census
from postroom.deliver.courier import Courier
from postroom.deliver.delivery import Delivery, Tools
from postroom.deliver.destination import Destination, Destinations
from postroom.deliver.lease import Lease
from postroom.deliver.loader import Loader
from postroom.deliver.scheduler import Scheduler
from postroom.deliver.suppressed import SuppressionCheck
from postroom.deliver.ticker import Ticker
from postroom.deliver.tls import tls_contexts
from postroom.errors import ConfigError, StorageUnavailableError
from postroom.events.on_hold import EVERY as ON_HOLD_EVERY
from postroom.events.on_hold import OnHold
from postroom.events.recipients import EVERY as GATHERING_EVERY
from postroom.events.recipients import Gathering
from postroom.events.retention import Retention
from postroom.notify import SystemMailer
from postroom.runtime import interpreter, logs, metrics
from postroom.runtime.blobs import FileBlobs
from postroom.runtime.clock import Clock
from postroom.runtime.dns import Resolver
from postroom.runtime.every import Every
from postroom.runtime.files import make_directory
from postroom.runtime.hostname import own_hostname
from postroom.runtime.http_client import HttpClient
from postroom.runtime.interfaces import check_source, own_addresses
from postroom.runtime.killpoints import reach
from postroom.runtime.loop import LoopLag
from postroom.runtime.secrets import SecretBox
from postroom.runtime.tls import Certificates, certificate_files
from postroom.store import durability, installation, migrate, queue, timescale
from postroom.store.checkpoint import Checkpointer
from postroom.store.database import Database
from postroom.tenancy import (
    account_letters,
    domain_removal,
    domain_watch,
    holds,
    identity_watch,
    keys,
    quota_watch,
)
from postroom.tenancy.account_letters import AccountLetters
from postroom.tenancy.directory import Directory
from postroom.tenancy.domain_watch import DomainWatch
from postroom.tenancy.identity_watch import IdentityWatch
from postroom.tenancy.persons import FLUSH as SESSIONS_SECONDS
from postroom.tenancy.persons import Persons
from postroom.tenancy.quota_watch import QuotaWatch
from postroom.tenancy.template_library import TemplateLibrary
from postroom.tenancy.verification import Verifier
from postroom.web.api.api import Api
from postroom.web.api.quota import RequestQuota
from postroom.web.app import build
from postroom.web.preflight import Parts as PreflightParts
from postroom.web.preflight import Preflight
from postroom.web.server import WebServer

log = structlog.get_logger()

ROLES = ("submission", "delivery", "http")
STOP_SECONDS = 25.0  # for all parts; the whole stop stays under 30 s
PART_SECONDS = 6.0
LEAST_SECONDS = 0.2  # for each part when that time is over
DRAIN_SECONDS = 20.0  # for deliveries under way
DRAIN_SUBMISSION = 5.0  # for messages whose data is under way
DRAIN_BULK = 5.0  # for the group of a bulk email under way; it is done anew if cut off
TICKER_SECONDS = 5.0
QUEUE_SIZE_SECONDS = 15.0
CERTIFICATE_SECONDS = 5.0
REQUEST_QUOTA_SECONDS = 5.0


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
        self.web_port = 0
        self._stops: list[tuple[str, Callable[[], Awaitable[object]], float]] = []

    async def start(self) -> dict[str, object]:
        try:
            return await self._start()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop the parts in the reverse order of their start; one that fails does not keep the others running, and
        neither does one that waits for a database that does not answer."""
        until = self.clock.monotonic() + STOP_SECONDS
        while self._stops:
            name, stop, seconds = self._stops.pop()
            left = max(until - self.clock.monotonic(), LEAST_SECONDS)
            stopping = asyncio.ensure_future(stop())
            await asyncio.wait({stopping}, timeout=min(seconds, left))
            if not stopping.done():
                stopping.cancel()
                log.error("part did not stop in time", part=name)
            elif error := stopping.exception():
                log.error("part did not stop in order", part=name, exc_info=error)
        reach("drain.end")

    def _started(
        self, name: str, stop: Callable[[], Awaitable[object]], seconds: float = PART_SECONDS
    ) -> None:
        self._stops.append((name, stop, seconds))

    async def _start(self) -> dict[str, object]:
        interpreter.take_turns_often()
        self.hostname = own_hostname(self.config.server.hostname)
        if "delivery" in self.roles:
            check_source(self.config.delivery.ipv4_source)
        await self._open_storage()
        await self._build_core()
        if "delivery" in self.roles:
            await self._start_delivery()
        self._start_accept()
        self.preflight = self._build_preflight()
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
            config.database_url,
            timeout=config.database.timeout,
            pool=config.database.pool,
            cache=config.database.cache,
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
        self.timescale = timescale.Timescale(self.database, self.clock)
        await self.timescale.start()
        self._started("timescale", self.timescale.keep)

    async def _build_core(self) -> None:
        self.directory = Directory(self.database, self.clock)
        await self.directory.refresh()
        watching = asyncio.create_task(self.directory.watch(), name="directory")
        self._started("directory", lambda: self._stop_directory(watching))
        self.resolver = Resolver(self.config.dns, self.clock)
        self._started("resolver", self.resolver.close)
        self.own = await asyncio.to_thread(own_addresses, self.config.delivery.ipv4_source)
        self.http = HttpClient(self.config.outgoing, self.resolver, self.own, self.clock)
        self.loader = Loader(self.database, hostname=self.hostname)
        lag = LoopLag(self.clock)
        lag.start()
        self._started("loop lag", lag.stop)
        self.jobs = Every(self.clock)
        retention = Retention(
            self.database, self.blobs, self.config, self.clock, self.timescale.trusted_wall_ms
        )
        self.jobs.add("retention", self.config.retention.every, retention.run_once)
        self.jobs.add("recipients", GATHERING_EVERY, Gathering(self.database, self.clock).run_once)
        self.on_hold = OnHold(self.database, self.clock)
        self.jobs.add("on hold", ON_HOLD_EVERY, self.on_hold.run_once)
        self.jobs.add("timescale", timescale.EVERY, self.timescale.keep)
        self.jobs.add("ended holds", holds.EVERY, partial(holds.release_resumed, self.database))
        removal = partial(domain_removal.clean_up, self.database, self.config.retention.content)
        self.jobs.add("domains that go", domain_removal.EVERY, removal)
        self.jobs.add("queue size", QUEUE_SIZE_SECONDS, self._measure_queue, at_once=True)
        self.jobs.add("census", census.EVERY, census.Census(self.database, self.clock).run, at_once=True)

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
        self.timescale.on_step(lambda _: self.composer.invalidate())  # signatures say when they end
        self.lease = Lease(self.database, self.clock, name=self.hostname, seconds=config.delivery.lease)
        self.ticker = Ticker(self.database, lambda: self.lease.incarnation, self.on_hold.bounced)
        self.tls_contexts = tls_contexts()
        chance = random.SystemRandom()
        tools = Tools(
            config=config,
            clock=self.clock,
            directory=self.directory,
            loader=self.loader,
            composer=self.composer,
            ticker=self.ticker,
            suppressions=SuppressionCheck(self.database, self.clock),
            lease_held=lambda: self.lease.held,
            verp_key=self.secrets.derive("return paths"),
            chance=chance,
        )
        destinations = Destinations(
            self.resolver, config.delivery, config.dns, self.own, self.hostname, chance
        )
        self.scheduler = Scheduler(
            config, self.database, self.clock, Delivery(tools), destinations, self._courier
        )
        await self.lease.start(lost=self.scheduler.restart, regained=self.scheduler.start)
        self._started("lease", self.lease.stop)
        self.ticker.start()
        self._started("ticker", lambda: self.ticker.stop(TICKER_SECONDS))
        await self.scheduler.start(self.lease.incarnation)
        self._started("scheduler", lambda: self.scheduler.stop(DRAIN_SECONDS), DRAIN_SECONDS + 1)
        metrics.CONNECTIONS.labels("delivery").set_function(lambda: self.scheduler.connections)

    def _courier(self, destination: Destination) -> Courier:
        delivery = self.config.delivery
        return Courier(destination, delivery, self.tls_contexts, self.blobs, self.hostname, self.clock)

    async def _signing_key(self, domain: str) -> KeyMaterial | None:
        found = await keys.private_key(self.database, self.secrets, domain)
        return KeyMaterial(*found) if found is not None else None

    # -- the edges ------------------------------------------------------------------------------------------------

    def _start_accept(self) -> None:
        """What both edges, SMTP and HTTP, share."""
        self.refusal_log = RefusalLog(self.database, self.clock)
        self.refusal_log.start()
        self._started("refusal log", self.refusal_log.stop)
        self.usage = Usage(self.database)
        delivering = "delivery" in self.roles
        self.commit = GroupCommit(
            self.database,
            self.clock,
            lifetime=self.config.delivery.lifetime,
            owner_for=self.scheduler.owner_for if delivering else lambda _: 0,
            handed=self._hand_over if delivering else lambda _: None,
            counted=self.usage.count,
            capped=self.usage.count_capped,
            log_accepted=logs.shown("debug"),
        )
        self._started("group commit", self.commit.stop)
        self.api_edge = ApiEdge(self.config, self.clock, self.database, self.blobs, self.commit)
        self.mail = SystemMailer(
            self.config, self.database, self.secrets, partial(letters.keep, self.api_edge), self._base_url
        )
        verifier = Verifier.of(self.database, self.resolver, self.config)
        every = self.config.domains.check_every
        watch = DomainWatch(verifier, self.mail, self.clock, every=every)
        self.jobs.add("domain checks", min(domain_watch.EVERY, every), watch.run_once)
        identities = IdentityWatch(self.database, self.resolver, self.mail, self.clock, every=every)
        self.jobs.add("sender identities", min(identity_watch.EVERY, every), identities.run_once)
        requests = AccountLetters(self.database, self.mail, self.config, self.clock)
        self.jobs.add("account letters", account_letters.EVERY, requests.run_once)
        quotas = QuotaWatch(self.database, self.mail, self.config, self.clock)
        self.jobs.add("quota notices", quota_watch.EVERY, quotas.run_once)
        self.requests = RequestQuota(self.database, self.clock)
        self.jobs.add("request quota", REQUEST_QUOTA_SECONDS, self.requests.flush)
        self._started("request quota", self.requests.flush)

    def _build_preflight(self) -> Preflight:
        config = self.config
        destinations = Destinations(self.resolver, config.delivery, config.dns, self.own, self.hostname)
        return Preflight(
            PreflightParts(
                config=config,
                clock=self.clock,
                database=self.database,
                blobs=self.blobs,
                resolver=self.resolver,
                signing_key=self._signing_key,
                find=destinations.find,
                hostname=self.hostname,
            )
        )

    @cached_property
    def certificates(self) -> Certificates:
        """Those of all listeners with TLS; read when the first one needs them."""
        certificates = Certificates(*certificate_files(self.config))
        self.jobs.add("certificates", CERTIFICATE_SECONDS, certificates.refresh)
        return certificates

    async def _start_submission(self) -> list[dict[str, object]]:
        config = self.config
        policy = SubmissionPolicy(
            config,
            self.clock,
            self.directory,
            self.usage,
            self.commit,
            self.refusal_log,
            self.requests.count if config.api.count_smtp else lambda _: None,
            self.preflight.reply,
            SuppressedRecipients(self.database, self.clock).refusal,
        )
        certificates = self.certificates
        server = SubmissionServer(
            config, self.hostname, policy, self.blobs, lambda: certificates.context, self.clock.monotonic
        )
        await server.start()
        self._started("submission", lambda: server.drain(DRAIN_SUBMISSION))
        metrics.CONNECTIONS.labels("submission").set_function(lambda: server.connections)
        return server.addresses

    def _hand_over(self, members: list[Member]) -> None:
        """From the group commit straight to the delivery engine: what it holds need not be read again."""
        for member in members:
            if member.entries:
                stored = Stored.from_draft(member.draft, self.hostname)
                self.loader.remember(stored, member.layout.personalizations)
                self.scheduler.take(member.entries, member.owner)

    async def _start_web(self) -> dict[str, object]:
        api = Api(
            config=self.config,
            database=self.database,
            blobs=self.blobs,
            directory=self.directory,
            persons=self._persons(),
            clock=self.clock,
            refusals=self.refusal_log,
            accept=self.api_edge,
            templates=TemplateLibrary(self.database, self.directory),
            preflight=self.preflight,
            quota=self.requests,
            mail=self.mail,
            http=self.http,
            secrets=self.secrets,
            resolver=self.resolver,
            hostname=self.hostname,
        )
        await api.bulk.start()
        self._started("bulk emails", lambda: api.bulk.stop(DRAIN_BULK))
        web = WebServer(
            build({"database": self._database_problem, "durability": self._durability_problem}, api),
            self.config.http,
            self._https_context,
            self.clock,
        )
        await web.start()
        self._started("web", web.stop)
        metrics.CONNECTIONS.labels("http").set_function(lambda: web.connections)
        (host, port, _), *encrypted = web.addresses
        self.web_port = port
        tls = [{"host": host, "port": port} for host, port, _ in encrypted]
        return {"host": host, "port": port, "tls": tls}

    def _persons(self) -> Persons:
        persons = Persons(self.database, self.clock, self.config.sessions, self.directory)
        self.jobs.add("sessions", SESSIONS_SECONDS, persons.flush)
        self._started("sessions", persons.flush)
        return persons

    def _base_url(self) -> str:
        """Where people reach the web pages; without the setting that is on this machine only."""
        port = self.web_port or self.config.http.listen.port
        return self.config.server.http_url or f"http://localhost:{port}"

    def _https_context(self) -> ssl.SSLContext:
        return self.certificates.listening_context()

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
