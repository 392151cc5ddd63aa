"""Content: small in memory, large in the blob store, and nothing left of what was not accepted (S16, S32)."""

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest

from postroom.accept.admit import shown_from
from postroom.errors import StorageUnavailableError
from postroom.runtime.blobs import FileBlobs, MemoryBlobs
from postroom.types.refusals import FROM_NOT_VERIFIED, STORAGE_UNAVAILABLE, Refused
from support.submission import MESSAGE_ID, FakePolicy, relay, until

HEADER = b"Subject: large\r\n\r\n"
LINE = b"x" * 76 + b"\r\n"
LARGE = HEADER + LINE * 10_000  # 780 kB


class SlowBlobs(MemoryBlobs):
    """Writes wait for `go`; `fault` is what they end in."""

    def __init__(self) -> None:
        super().__init__()
        self.go = asyncio.Event()
        self.fault: Exception | None = None
        self.aborted = 0

    def writer(self) -> Any:
        writer = super().writer()
        write, abort = writer.write, writer.abort

        async def slow_write(data: bytes) -> None:
            await self.go.wait()
            if self.fault is not None:
                raise self.fault
            await write(data)

        async def counted_abort() -> None:
            self.aborted += 1
            await abort()

        writer.write, writer.abort = slow_write, counted_abort  # type: ignore[method-assign]
        return writer


async def test_large_content_goes_to_the_blob_store():
    async with relay(spool_above=64 * 1024) as one, await one.log_in() as client:
        assert (await client.message(LARGE)).startswith("250 ")
        content = one.policy.messages[0][2]
        assert content.blob is not None
        assert content.size == len(LARGE)
        assert content.header == b"Subject: large\r\n"
        assert one.blobs.content[content.blob][0] == LARGE
        assert content.data == LARGE[: len(content.data)]
        assert len(content.data) < len(LARGE)


async def test_the_header_is_in_memory_however_large():
    header = b"A: b\r\n" + b" folded text\r\n" * 9000 + b"\r\n"
    async with relay(spool_above=64 * 1024) as one, await one.log_in() as client:
        assert (await client.message(header + LINE * 5000)).startswith("250 ")
        content = one.policy.messages[0][2]
        assert content.blob is not None
        assert content.header == header[:-2]


async def test_s16_reading_stops_while_the_disk_is_behind():
    blobs = SlowBlobs()
    async with relay(blobs=blobs, spool_above=64 * 1024) as one, await one.log_in() as client:
        await client.envelope()
        client.send(HEADER + LINE * 200_000 + b".\r\n")  # 15 MB
        connection = next(iter(one.server._context.connections))
        await until(lambda: connection._paused)
        await asyncio.sleep(0.02)
        assert connection._spool._waiting_size < 2 * 1024 * 1024
        blobs.go.set()
        assert (await client.reply()).startswith("250 ")
        assert one.policy.messages[0][2].size == len(HEADER) + len(LINE) * 200_000


@pytest.mark.parametrize("fault", [StorageUnavailableError("disk full"), ValueError("bug")])
async def test_a_fault_of_the_disk_is_a_4xx(fault: Exception):
    blobs = SlowBlobs()
    blobs.go.set()
    blobs.fault = fault
    async with relay(blobs=blobs) as one, await one.log_in() as client:
        assert (await client.message(LARGE)).startswith("451 4.3.0 ")
        assert one.policy.messages == []
        assert blobs.aborted == 1
        blobs.fault = None
        assert (await client.message(LARGE)).startswith("250 ")


@pytest.mark.parametrize(
    ("refused", "left"), [(Refused(FROM_NOT_VERIFIED), 0), (Refused(STORAGE_UNAVAILABLE), 1)]
)
async def test_refused_large_content_is_deleted_only_when_that_is_certain(refused: Refused, left: int):
    async with relay(FakePolicy(message_answer=refused)) as one, await one.log_in() as client:
        assert (await client.message(LARGE)).startswith(str(refused.rule.code))
        assert len(one.blobs.content) == left


async def test_s32_large_content_refused_by_the_protocol_leaves_nothing():
    blobs = SlowBlobs()
    blobs.go.set()
    async with relay(blobs=blobs) as one, await one.log_in() as client:
        assert (await client.message(LARGE + b"\0\r\n")).startswith("550 5.5.2 ")
        await until(lambda: blobs.aborted)
        assert one.policy.refusals[-1] == ("nul-in-content", "user", b"Subject: large\r\n")


SHOWN = "Anna <a@example.com>"
FROM = b"From: Anna <a@example.com>\r\n"


@pytest.mark.parametrize(
    ("message", "rule"),
    [
        (FROM + b"\r\none\rtwo\r\n", "bare-cr"),
        (b"Subject: one\rtwo\r\n" + FROM + b"\r\nx\r\n", "bare-cr"),
        (FROM.replace(b"\r", b"") + b"\none\rtwo\n\r\n", "bare-cr"),
        (FROM + b"\r\none\0two\r\n", "nul-in-content"),
        (b"Subject: one\0two\r\n" + FROM + b"\r\nx\r\n", "nul-in-content"),
        (FROM + b"\r\n" + b"x" * 1000 + b"\r\n", "line-too-long"),
        (b"Subject: " + b"x" * 1000 + b"\r\n" + FROM + b"\r\nx\r\n", "line-too-long"),
        (FROM + b"X: y\r\n" * 20 + b"\r\nx\r\n", "header-too-big"),
        (FROM + b"X: y\r\n" * 20, "header-too-big"),
        (FROM + b"Received: x\r\n" * 6 + b"\r\nx\r\n", "too-many-hops"),
        (FROM + b"Received: x\r\n" * 6, "too-many-hops"),
        (FROM + b"\r\n" + LINE * 30, "message-too-big"),
    ],
)
async def test_who_wrote_a_message_that_the_scanner_refuses_is_known(message: bytes, rule: str):
    """In one chunk, and in two. What comes behind the chunk with the fault is thrown away, so nobody knows it."""
    limits = {"max_header_fields": 20, "max_hops": 5, "max_size": 2048}
    async with relay(**limits) as one, await one.log_in() as client:
        connection = next(iter(one.server._context.connections))
        for cut in (0, 5, len(FROM), len(FROM) + 2, len(FROM) + 6) if message.startswith(b"From") else (0, 5):
            await client.envelope()
            client.send(message[:cut])
            await until(lambda cut=cut: connection._deadlines._octets == cut)
            client.send(message[cut:] + b".\r\n")
            assert (await client.reply()).endswith(f"[{rule}]")
            refused, _, header = one.policy.refusals[-1]
            assert (refused, shown_from(header)) == (rule, SHOWN)


async def test_s32_a_client_that_leaves_before_the_dot_leaves_nothing(tmp_path: Path):
    chance = random.Random(32)
    sent = b"MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.net>\r\nDATA\r\n"
    async with relay(blobs=FileBlobs(tmp_path), spool_above=64 * 1024) as one:
        for _ in range(30):
            client = await one.log_in()
            if chance.random() < 0.7:
                await client.envelope()
                client.send(LARGE[: chance.randrange(len(LARGE))])
            else:
                client.send(sent[: chance.randrange(len(sent))])
            if chance.random() < 0.5:
                await asyncio.sleep(chance.random() / 200)
            client.writer.transport.abort()
        await until(lambda: one.server.connections == 0)
        await until(lambda: not [path for path in tmp_path.rglob("*") if path.is_file()])
        assert one.policy.messages == []
        assert one.server.accepted == 0


async def test_s32_after_the_dot_the_promise_holds_without_the_client():
    async with relay() as one:
        client = await one.log_in()
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        one.policy.message_answer = answer
        await client.envelope()
        client.send(b"x\r\n.\r\n")
        await until(lambda: one.policy.messages)
        client.writer.transport.abort()
        await until(lambda: one.server.connections == 0)
        assert not answer.cancelled()
        answer.set_result(MESSAGE_ID)
        await until(lambda: one.server.accepted == 1)


async def test_s16_the_limit_on_the_wire():
    async with relay(max_size=100_000) as one, await one.log_in() as client:
        assert (await client.say("MAIL FROM:<a@example.com> SIZE=100001")).startswith("552 5.3.4 ")
        assert (await client.message(LARGE)).startswith("552 5.3.4 ")
        assert (await client.message()).startswith("250 ")
