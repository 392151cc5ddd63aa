"""Requests that offer another protocol (RFC 9110 section 7.8), on real sockets: they are answered as what they are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from postroom.config import Http
from postroom.runtime.clock import Clock
from postroom.web.server import WebServer
from support.api import ApiWorld
from support.raw import RawClient

H2C = b"Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\nUpgrade: h2c\r\n"
"""As Java's HttpClient sends it with every request that is not encrypted."""
WEBSOCKET = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
BODY = b'{"one": "two"}'
FRAMED = {
    "length": (b"Content-Length: 14\r\n", BODY),
    "chunks": (
        b"Transfer-Encoding: chunked\r\n",
        b"4\r\n" + BODY[:4] + b"\r\na\r\n" + BODY[4:] + b"\r\n0\r\n\r\n",
    ),
}


@pytest.fixture
async def client(api: ApiWorld) -> AsyncIterator[RawClient]:
    def no_tls() -> None:
        raise AssertionError

    server = WebServer(api.app, Http(listen="127.0.0.1:0"), no_tls, Clock())
    await server.start()
    host, port, _ = server.addresses[0]
    async with await RawClient.connect(host, port) as client:
        yield client
    await server.stop()


def head(api: ApiWorld, line: bytes, extra: bytes) -> bytes:
    assert api.secret is not None
    token = api.secret.encode()
    return (
        line
        + b" HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: Bearer "
        + token
        + b"\r\n"
        + extra
        + b"\r\n"
    )


async def everything(client: RawClient) -> bytes:
    """What comes until the server closes the connection."""
    async with asyncio.timeout(5):
        return await client.reader.read(-1)


@pytest.mark.parametrize("offer", [H2C, WEBSOCKET], ids=["h2c", "websocket"])
@pytest.mark.parametrize("framed", FRAMED)
@pytest.mark.parametrize("split", [0, 3, 1000], ids=["later", "in the middle", "at once"])
async def test_the_body_is_read_in_spite_of_an_upgrade(
    api: ApiWorld, client: RawClient, offer: bytes, framed: str, split: int
) -> None:
    extra, body = FRAMED[framed]
    raw = head(api, b"POST /v1/echo", offer + extra) + body
    at = len(raw) - len(body) + min(split, len(body))
    client.send(raw[:at])
    await asyncio.sleep(0.02)  # so that the rest comes in a read of its own
    client.send(raw[at:])
    answer = await everything(client)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b'{"one":"two"}')
    assert answer.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize("offer", [H2C, WEBSOCKET], ids=["h2c", "websocket"])
async def test_h08_nothing_behind_an_upgrade_is_a_request(
    api: ApiWorld, client: RawClient, offer: bytes
) -> None:
    smuggled = head(api, b"GET /v1/api-quota", b"")
    client.send(head(api, b"POST /v1/echo", offer + b"Content-Length: 14\r\n") + BODY + smuggled)
    await asyncio.sleep(0.02)
    client.send(smuggled)
    answer = await everything(client)
    assert answer.count(b"HTTP/1.1") == 1
    assert b"quota" not in answer.partition(b"\r\n\r\n")[2]


async def test_a_request_without_a_body_may_offer_an_upgrade(api: ApiWorld, client: RawClient) -> None:
    client.send(head(api, b"GET /v1/me", H2C))
    assert (await everything(client)).startswith(b"HTTP/1.1 200 ")
