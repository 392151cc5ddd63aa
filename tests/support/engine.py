"""The delivery engine on a real database with a carrier that answers as told: everything but the network."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from postroom.accept.commit import GroupCommit, Member
from postroom.compose import Composer, KeyMaterial, Keys
from postroom.compose.compose import Stored
from postroom.config import Config
from postroom.deliver.courier import OneRecipient
from postroom.deliver.delivery import Delivery, Tools
from postroom.deliver.destination import Destination, Destinations
from postroom.deliver.lease import Lease
from postroom.deliver.loader import Loader
from postroom.deliver.scheduler import Scheduler
from postroom.deliver.suppressed import SuppressionCheck
from postroom.deliver.ticker import Ticker
from postroom.runtime.blobs import MemoryBlobs
from postroom.runtime.clock import Clock
from postroom.runtime.dns import FakeResolver
from postroom.runtime.ids import mail_id
from postroom.runtime.secrets import SecretBox
from postroom.store.database import Database
from postroom.tenancy import accounts, domains, keys
from postroom.tenancy.directory import Directory
from postroom.types.actor import SYSTEM
from postroom.types.composed import Composed
from postroom.types.draft import Content, Draft, Stream
from postroom.types.envelope import Address, Envelope, Recipient
from postroom.types.outcome import Outcome, Result
from postroom.types.reply import Reply

BODY = b"From: shop@sender.test\r\nTo: you@x.test\r\nSubject: hi\r\n\r\nbody\r\n"
HEADER = BODY.index(b"\r\n\r\n") + 2
ZONES = {
    "x.test": {"MX": ["10 mx.x.test."]},
    "mx.x.test": {"A": ["127.0.0.9"]},
    "y.test": {"MX": ["10 mx.y.test."]},
    "mx.y.test": {"A": ["127.0.0.8"]},
    "null.test": {"MX": ["0 ."]},
}

DELIVERED = Outcome(Result.DELIVERED, Reply.of(250, "2.0.0", "taken"), "mx.x.test", "127.0.0.9", reached=True)
GREYLISTED = Outcome(Result.DEFERRED, Reply.of(451, "4.7.1", "later"), "mx.x.test", "127.0.0.9", reached=True)
FULL = Outcome(Result.FAILED, Reply.of(552, "5.2.2", "full"), "mx.x.test", "127.0.0.9", reached=True)
UNKNOWN_USER = Outcome(
    Result.FAILED, Reply.of(550, "5.1.1", "no such user"), "mx.x.test", "127.0.0.9", reached=True
)


@dataclass
class Post:
    """What carriers were given, and what they answer: by recipient, else `answer`. `gate` holds them back; with
    `sent_before_gate` content has gone out by then."""

    answer: Outcome = DELIVERED
    answers: dict[str, list[Outcome]] = field(default_factory=dict)
    delivered: list[tuple[OneRecipient, Composed]] = field(default_factory=list)
    refused_by_us: list[str] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    connected: int = 0
    explode: bool = False
    sent_before_gate: bool = False

    def recipients(self) -> list[str]:
        return [str(envelope.recipient) for envelope, _ in self.delivered]


class FakeCarrier:
    def __init__(self, post: Post) -> None:
        self._post = post
        post.connected += 1

    async def deliver(
        self, envelope: OneRecipient, composed: Composed, before_dot: Callable[[], Awaitable[bool]]
    ) -> Outcome:
        post = self._post
        if post.sent_before_gate:
            await before_dot()
        await post.gate.wait()
        if post.explode:
            raise ZeroDivisionError
        if not await before_dot():
            post.refused_by_us.append(str(envelope.recipient))
            return Outcome(Result.DEFERRED, Reply.of(451, "4.3.0", "not ours any more"))
        post.delivered.append((envelope, composed))
        left = post.answers.get(str(envelope.recipient))
        return left.pop(0) if left else post.answer

    async def close(self) -> None:
        pass


class Engine:
    """`await Engine.start(database, tmp_path)`, then `accept(...)`, `settled()`, `stop()`."""

    def __init__(self, database: Database, post: Post, config: Config, box: SecretBox) -> None:
        self.database, self.post, self.config, self.box = database, post, config, box
        self.clock = Clock()
        self.directory = Directory(database, self.clock)
        self.loader = Loader(database, hostname="relay.test")
        self.composer = Composer(Keys(self._key), MemoryBlobs().open, self.clock, lifetime=3600)
        self.lease = Lease(database, self.clock, name="test", seconds=config.delivery.lease)
        self.soft_bounced: list[tuple[str, str]] = []
        self.ticker = Ticker(
            database,
            lambda: self.lease.incarnation,
            lambda account_id, email_id: self.soft_bounced.append((account_id, email_id)),
        )
        tools = Tools(
            config=config,
            clock=self.clock,
            directory=self.directory,
            loader=self.loader,
            composer=self.composer,
            ticker=self.ticker,
            suppressions=SuppressionCheck(database, self.clock),
            lease_held=lambda: self.lease.held,
            verp_key=b"k" * 32,
            chance=random.Random(1),
        )
        resolver = FakeResolver(ZONES)
        destinations = Destinations(resolver, config.delivery, config.dns, frozenset(), "relay.test")
        self.scheduler = Scheduler(config, database, self.clock, Delivery(tools), destinations, self._connect)
        self.commit = GroupCommit(
            database,
            self.clock,
            lifetime=config.delivery.lifetime,
            owner_for=self.scheduler.owner_for,
            handed=self._hand_over,
            counted=lambda *_: None,
        )
        self.account = self.domain = ""

    @classmethod
    async def start(
        cls,
        database: Database,
        directory: Path,
        post: Post | None = None,
        *,
        running: bool = True,
        **delivery: object,
    ) -> Engine:
        settings = {"allow_private": True, "idle_timeout": 0.05, "retry": [0.05], **delivery}
        box = SecretBox.load(directory / "secret.key", create=True)
        engine = cls(database, post or Post(), Config(delivery=settings), box)  # type: ignore[arg-type]
        account = await accounts.add(database, "Shop", approved=True, by=SYSTEM)
        domain = await domains.add(
            database, box, "sender.test", account_id=account.id, trusted=True, by=SYSTEM
        )
        engine.account, engine.domain = account.id, domain.id
        engine.post.gate.set()
        if running:
            await engine.run()
        return engine

    async def run(self) -> None:
        await self.directory.refresh()
        await self.lease.start(lost=self.scheduler.restart, regained=self.scheduler.start)
        self.ticker.start()
        await self.scheduler.start(self.lease.incarnation)

    async def stop(self, seconds: float = 2) -> None:
        await self.commit.stop()
        await self.scheduler.stop(seconds)
        await self.ticker.stop(2)
        await self.lease.stop()
        await self.composer.close()

    async def accept(
        self, *recipients: str, stream: Stream = Stream.TRANSACTIONAL, account: str = "", **changes: Any
    ) -> str:
        draft = self.draft(*recipients, stream=stream, account=account, **changes)
        answer = await self.commit.submit(draft, quota=None, hold_over_quota=False)
        assert answer == draft.id
        return draft.id

    def draft(
        self, *recipients: str, stream: Stream = Stream.TRANSACTIONAL, account: str = "", **changes: Any
    ) -> Draft:
        """`changes` are fields of the draft."""
        now = self.clock.now_ms()
        draft = Draft(
            id=mail_id(now),
            account_id=account or self.account,
            domain_id=self.domain,
            credential_id="c" * 16,
            envelope=Envelope(
                Address("shop", "sender.test"), [Recipient(Address(*to.split("@"))) for to in recipients]
            ),
            content=Content(BODY, len(BODY), HEADER),
            signing_domain="sender.test",
            header_from="shop@sender.test",
            subject="hi",
            message_id="<1@sender.test>",
            received_at=now,
            stream=stream,
        )
        return replace(draft, **changes)

    async def _key(self, domain: str) -> KeyMaterial | None:
        found = await keys.private_key(self.database, self.box, domain)
        return KeyMaterial(*found) if found else None

    def _connect(self, _: Destination) -> FakeCarrier:
        return FakeCarrier(self.post)

    def _hand_over(self, members: list[Member]) -> None:
        for member in members:
            if member.owner:
                stored = Stored.from_draft(member.draft, "relay.test")
                self.loader.remember(stored, member.layout.personalizations)
                self.scheduler.take(member.entries, member.owner)
