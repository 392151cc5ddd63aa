"""A submission server on loopback with a policy that a test can drive."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from postroom.accept.rate import GO, Pace
from postroom.accept.submission import SubmissionServer
from postroom.config import Config, Listen, Server, Submission
from postroom.runtime.blobs import Blobs, MemoryBlobs
from postroom.runtime.clock import Clock
from postroom.types.draft import Content
from postroom.types.envelope import Envelope, Recipient
from postroom.types.refusals import AUTH_FAILED, Refused
from support.raw import RawClient
from support.tls import local_tls

MESSAGE_ID = "0123456789abcdef01234567"


@dataclass(frozen=True)
class User:
    username: str


@dataclass
class FakePolicy:
    """Says yes to `user` with `secret`. Set an answer to something else: a value, an awaitable or an exception."""

    login_answer: Any = None
    mail_answer: Any = GO
    rcpt_answer: Any = None
    message_answer: Any = MESSAGE_ID
    logins: list[tuple[str, str, str]] = field(default_factory=list)
    mails: list[str] = field(default_factory=list)
    rcpts: list[tuple[str, int, str]] = field(default_factory=list)
    messages: list[tuple[str, Envelope, Content]] = field(default_factory=list)
    refusals: list[tuple[str, str | None, bytes]] = field(default_factory=list)
    refused_envelopes: list[Envelope] = field(default_factory=list)
    strangers: list[tuple[str, str]] = field(default_factory=list)

    def login(self, username: str, password: str, client: str) -> Any:
        self.logins.append((username, password, client))
        if self.login_answer is not None:
            return answer(self.login_answer)
        right = password == "secret" and username.startswith("user")
        return User(username) if right else Refused(AUTH_FAILED)

    def mail(self, login: User, envelope: Envelope, client: str) -> Refused | Pace:
        self.mails.append(login.username)
        return answer(self.mail_answer)

    def rcpt(self, login: User, envelope: Envelope, recipient: Recipient, client: str) -> Any:
        self.rcpts.append((login.username, len(envelope.recipients), str(recipient.address)))
        return answer(self.rcpt_answer)

    def message(self, login: User, envelope: Envelope, content: Content, client: str) -> Any:
        self.messages.append((login.username, envelope, content))
        if isinstance(self.message_answer, str):
            future = asyncio.get_running_loop().create_future()
            asyncio.get_running_loop().call_soon(future.set_result, self.message_answer)
            return future
        return answer(self.message_answer)

    def refused(
        self,
        refused: Refused,
        *,
        login: User | None,
        username: str,
        client: str,
        envelope: Envelope | None,
        header: bytes,
    ) -> None:
        if envelope is not None:
            self.refused_envelopes.append(envelope)
        self.refusals.append((refused.rule.id, login.username if login else None, header))
        if login is None:
            self.strangers.append((client, username))

    @property
    def refused_rules(self) -> list[str]:
        return [rule for rule, _, _ in self.refusals]


def answer(value: Any) -> Any:
    if isinstance(value, Exception):
        raise value
    return value


@dataclass
class Relay:
    server: SubmissionServer
    policy: FakePolicy
    blobs: Blobs

    def port(self, tls: str = "starttls") -> int:
        return next(int(one["port"]) for one in self.server.addresses if one["tls"] == tls)

    async def connect(self, tls: str = "none", *, source: str | None = None) -> RawClient:
        """`tls`: "none" for the plain port, "implicit", or "starttls" (greeted, handshake done)."""
        context = local_tls().client
        if tls == "implicit":
            return await RawClient.connect("127.0.0.1", self.port("implicit"), context, source=source)
        client = await RawClient.connect("127.0.0.1", self.port(), source=source)
        if tls == "starttls":
            assert (await client.reply()).startswith("220 ")
            await client.start_tls(context)
        return client

    async def log_in(self, tls: str = "starttls", *, source: str | None = None) -> RawClient:
        client = await self.connect(tls, source=source)
        if tls == "implicit":
            await client.reply()
        assert (await client.log_in()).startswith("235 ")
        return client


@asynccontextmanager
async def relay(
    policy: FakePolicy | None = None, blobs: Blobs | None = None, **limits: Any
) -> AsyncIterator[Relay]:
    config = Config(
        server=Server(hostname="relay.example.com", http_url="https://relay.example.com"),
        submission=Submission(listen=[Listen(port=0)], implicit_tls_listen=[Listen(port=0)], **limits),
    )
    policy = policy or FakePolicy()
    blobs = blobs or MemoryBlobs()
    server = SubmissionServer(
        config, config.server.hostname, policy, blobs, lambda: local_tls().server, Clock().monotonic
    )
    await server.start()
    try:
        yield Relay(server, policy, blobs)
    finally:
        await server.drain(0)


async def until(condition: Any) -> None:
    """Wait for something that comes soon."""
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.001)
