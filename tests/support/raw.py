"""A byte-exact SMTP client: sends what it is told, in the pieces it is told, and reads whole replies."""

import asyncio
import base64
import ssl
from types import TracebackType
from typing import Self

PATIENCE = 5.0


class RawClient:
    """`async with await RawClient.connect(...) as client`. Every wait ends after some seconds with an error."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def connect(
        cls, host: str, port: int, tls: ssl.SSLContext | None = None, *, source: str | None = None
    ) -> Self:
        name = "localhost" if tls is not None else None
        local = (source, 0) if source is not None else None
        async with asyncio.timeout(PATIENCE):
            streams = await asyncio.open_connection(
                host, port, ssl=tls, server_hostname=name, local_addr=local
            )
        return cls(*streams)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.writer.transport.abort()

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def reply(self) -> str:
        """All lines of one reply, joined by newlines; "" when the server has closed."""
        lines: list[str] = []
        while True:
            try:
                async with asyncio.timeout(PATIENCE):
                    line = await self.reader.readline()
            except (ConnectionError, ssl.SSLError):
                line = b""
            if not line:
                return "\n".join(lines)
            lines.append(line.decode().rstrip("\r\n"))
            if line[3:4] != b"-":
                return "\n".join(lines)

    async def say(self, line: str | bytes) -> str:
        """Send one line and read one reply."""
        self.send((line.encode() if isinstance(line, str) else line) + b"\r\n")
        return await self.reply()

    async def closed(self) -> bool:
        """Whether the server closes now, without another word."""
        return await self.reply() == ""

    async def start_tls(self, tls: ssl.SSLContext) -> None:
        """STARTTLS and the handshake; the greeting has been read."""
        assert (await self.say("STARTTLS")).startswith("220 ")
        async with asyncio.timeout(PATIENCE):
            await self.writer.start_tls(tls, server_hostname="localhost")

    async def log_in(self, username: str = "user", password: str = "secret") -> str:
        """EHLO and AUTH PLAIN; the reply to AUTH."""
        await self.say("EHLO client.example")
        token = base64.b64encode(f"\0{username}\0{password}".encode()).decode()
        return await self.say(f"AUTH PLAIN {token}")

    async def envelope(self, *recipients: str) -> None:
        """MAIL, RCPT and DATA, pipelined; all accepted."""
        wanted = recipients or ("b@example.net",)
        lines = ["MAIL FROM:<a@example.com>", *(f"RCPT TO:<{one}>" for one in wanted), "DATA"]
        self.send("".join(f"{line}\r\n" for line in lines).encode())
        replies = [await self.reply() for _ in lines]
        assert all(reply.startswith("250 ") for reply in replies[:-1]), replies
        assert replies[-1].startswith("354 "), replies

    async def message(self, content: bytes = b"Subject: x\r\n\r\nhello\r\n") -> str:
        """A whole transaction; the last reply. `content` is sent as it is, with the final dot."""
        await self.envelope()
        self.send(content + b".\r\n")
        return await self.reply()
