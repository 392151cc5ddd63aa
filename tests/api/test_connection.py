"""The web server on real sockets: limits of time and size, broken and ambiguous requests, TLS, the end."""

from __future__ import annotations

import asyncio
import shutil
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from postroom.config import Http, Listen
from postroom.errors import ConfigError
from postroom.runtime.clock import Clock
from postroom.runtime.local_ca import ensure_certificate
from postroom.runtime.tls import Certificates
from postroom.web import connection
from postroom.web.server import WebServer
from support.api import ApiWorld
from support.raw import RawClient

Serve = Callable[..., Awaitable[WebServer]]
HEAD = b"Host: x\r\nAuthorization: Bearer %b\r\nContent-Type: application/json\r\n"


@pytest.fixture
async def serve(api: ApiWorld, tmp_path: Path) -> AsyncIterator[Serve]:
    """Starts the web server with these settings of `http`; stopped at the end."""
    running: list[WebServer] = []
    ensure_certificate(tmp_path / "tls", [], Clock())
    certificates = Certificates(tmp_path / "tls" / "server.crt", tmp_path / "tls" / "server.key")

    async def start(**settings: Any) -> WebServer:
        http = Http(**{"listen": "127.0.0.1:0", **settings})
        server = WebServer(api.app, http, certificates.listening_context, Clock())
        server.certificates = certificates  # type: ignore[attr-defined]
        await server.start()
        running.append(server)
        return server

    yield start
    for server in running:
        await server.stop()


async def dial(server: WebServer, **options: Any) -> RawClient:
    host, port, _ = server.addresses[0]
    return await RawClient.connect(host, port, **options)


async def answer(client: RawClient) -> tuple[int, str]:
    """(status, body) of one answer; (0, "") when the connection was closed."""
    try:
        async with asyncio.timeout(5):
            head = (await client.reader.readuntil(b"\r\n\r\n")).decode()
            length = next(
                int(line.split(":")[1])
                for line in head.lower().split("\r\n")
                if line.startswith("content-length:")
            )
            return int(head.split(" ")[1]), (await client.reader.readexactly(length)).decode()
    except (asyncio.IncompleteReadError, ConnectionError):
        return 0, ""


def request(
    api: ApiWorld, line: bytes = b"GET /v1/me HTTP/1.1", extra: bytes = b"", body: bytes = b""
) -> bytes:
    assert api.secret is not None
    return line + b"\r\n" + HEAD % api.secret.encode() + extra + b"\r\n" + body


async def test_requests_follow_each_other_on_one_connection(api: ApiWorld, serve: Serve) -> None:
    async with await dial(await serve()) as client:
        client.send(request(api) * 3)
        assert [(await answer(client))[0] for _ in range(3)] == [200, 200, 200]


async def test_head_is_answered_without_the_body_of_get(api: ApiWorld, serve: Serve) -> None:
    async with await dial(await serve()) as client:
        client.send(request(api, b"HEAD /v1/me HTTP/1.1") + request(api))
        async with asyncio.timeout(5):
            head = (await client.reader.readuntil(b"\r\n\r\n")).lower()
        status, body = await answer(client)
        assert head.startswith(b"http/1.1 200 ")
        assert b"\r\ncontent-length: %d\r\n" % len(body) in head
        assert status == 200


@pytest.mark.parametrize(
    "raw",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"EHLO client\r\n",
        b"GET /v1/me HTTP/9.9\r\n\r\n",
        b"GET \xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /v1/me HTTP/1.1\r\nHost x\r\n\r\n",
    ],
)
async def test_h08_what_is_no_request_is_400_and_the_end(serve: Serve, raw: bytes) -> None:
    async with await dial(await serve()) as client:
        client.send(raw)
        status, body = await answer(client)
        assert status == 400
        assert body.startswith('{"message": ')
        assert await client.closed()


@pytest.mark.parametrize(
    "extra",
    [
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        b"Content-Length: 5\r\nContent-Length: 6\r\n",
        b"Content-Length: 5, 6\r\n",
        b"Content-Length: +5\r\n",
        b"Content-Length: 0x5\r\n",
        b"Content-Length: -1\r\n",
        b"Content-Length : 5\r\n",
        b"Transfer-Encoding : chunked\r\n",
        b"Transfer-Encoding: chunked, identity\r\n",
        b"Transfer-Encoding: xchunked\r\n",
        b"X: a\r\n b\r\nContent-Length\r\n",
        b"X: a\rContent-Length: 5\r\n",
        b"X: a\x00b\r\n",
    ],
)
async def test_h08_ambiguous_framing_never_yields_a_second_request(
    api: ApiWorld, serve: Serve, extra: bytes
) -> None:
    async with await dial(await serve()) as client:
        smuggled = request(api, b"GET /v1/api-quota HTTP/1.1")
        client.send(request(api, b"POST /v1/echo HTTP/1.1", extra, b"0\r\n\r\n" + smuggled))
        status, _ = await answer(client)
        assert status in (0, 400)
        assert await client.closed()


@pytest.mark.parametrize(
    "chunks",
    [
        b"5\n12345\r\n0\r\n\r\n",
        b"5;\x00\r\n12345\r\n0\r\n\r\n",
        b"-1\r\n\r\n",
        b"FFFFFFFFFFFFFFFFF\r\n",
        b"5\r\n1234567\r\n",
    ],
)
async def test_h08_broken_chunks(api: ApiWorld, serve: Serve, chunks: bytes) -> None:
    async with await dial(await serve()) as client:
        client.send(request(api, b"POST /v1/echo HTTP/1.1", b"Transfer-Encoding: chunked\r\n", chunks))
        assert (await answer(client))[0] in (0, 400)
        assert await client.closed()


@pytest.mark.parametrize(
    "extra",
    [
        b"X: " + b"a" * 5000 + b"\r\n",
        b"".join(b"X-%d: a\r\n" % number for number in range(101)),
        b"X: " + b"a" * 100_000,
    ],
    ids=["one long field", "many fields", "no end"],
)
async def test_the_header_has_a_limit(api: ApiWorld, serve: Serve, extra: bytes) -> None:
    async with await dial(await serve(max_header=4096)) as client:
        client.send(request(api, extra=extra))
        status, body = await answer(client)
        assert (status, body) == (431, '{"message": "The header is larger than 4096 bytes or 100 fields."}')
        assert await client.closed()


async def test_the_limit_of_the_header_is_not_for_the_body(api: ApiWorld, serve: Serve) -> None:
    body = b'["' + b"a" * 50_000 + b'"]'
    async with await dial(await serve(max_header=4096)) as client:
        for _ in range(2):
            client.send(request(api, b"POST /v1/echo HTTP/1.1", b"Content-Length: %d\r\n" % len(body), body))
            assert (await answer(client))[0] == 200


async def test_a_long_address_is_too_large(api: ApiWorld, serve: Serve) -> None:
    async with await dial(await serve(max_header=4096)) as client:
        client.send(request(api, b"GET /v1/" + b"a" * 5000 + b" HTTP/1.1"))
        assert (await answer(client))[0] == 431


async def test_s17_a_header_that_takes_too_long_is_408(api: ApiWorld, serve: Serve) -> None:
    server = await serve(header_timeout=0.2)
    for raw in (b"", b"GET /v1/me HTTP/1.1\r\nHost: x\r\n"):
        async with await dial(server) as client:
            client.send(raw)
            assert (await answer(client))[0] == 408
            assert await client.closed()
    async with await dial(server) as client:  # the second request of a connection, too
        client.send(request(api))
        assert (await answer(client))[0] == 200
        client.send(b"GET ")
        assert (await answer(client))[0] == 408


async def test_s17_single_octets_do_not_prolong_the_time_for_the_header(serve: Serve) -> None:
    async with await dial(await serve(header_timeout=0.3)) as client:
        for octet in b"GET /v1/me HTTP/1.1\r\n" * 1000:
            client.send(bytes([octet]))
            await asyncio.sleep(0.02)
            if client.reader.at_eof() or client.reader._buffer:  # type: ignore[attr-defined]
                break
        assert (await answer(client))[0] == 408


async def test_s17_silence_within_a_body_is_408(api: ApiWorld, serve: Serve) -> None:
    async with await dial(await serve(body_timeout=0.2)) as client:
        client.send(request(api, b"POST /v1/echo HTTP/1.1", b"Content-Length: 10\r\n", b'{"a"'))
        assert (await answer(client))[0] == 408
        assert await client.closed()


async def test_s17_a_body_that_trickles_is_408(
    api: ApiWorld, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "RATE_AFTER", 0.1)
    async with await dial(await serve(body_timeout=2, min_data_rate=1000)) as client:
        client.send(request(api, b"POST /v1/echo HTTP/1.1", b"Content-Length: 1000\r\n"))
        sending = asyncio.create_task(trickle(client))
        status, body = await answer(client)
        sending.cancel()
        assert status == 408
        assert "less than 1000 bytes per second" in body


async def trickle(client: RawClient) -> None:
    while True:
        client.send(b" ")
        await asyncio.sleep(0.05)


async def test_an_idle_connection_is_closed_without_a_word(api: ApiWorld, serve: Serve) -> None:
    async with await dial(await serve(idle_timeout=1)) as client:
        client.send(request(api))
        assert (await answer(client))[0] == 200
        assert await client.closed()


async def test_s17_connections_of_one_address_are_limited(api: ApiWorld, serve: Serve) -> None:
    server = await serve(connections_per_address=2)
    async with await dial(server) as first, await dial(server):
        async with await dial(server) as third:
            status, body = await answer(third)
            assert status == 429
            assert "at most 2" in body
        async with await dial(server, source="127.0.0.2") as other:
            other.send(request(api))
            assert (await answer(other))[0] == 200
        first.send(request(api))
        assert (await answer(first))[0] == 200
    while True:  # the server has yet to hear that they are gone
        async with await dial(server) as again:
            again.send(request(api))
            if (await answer(again))[0] == 200:
                break


async def test_trusted_proxies_have_no_limit_of_their_own(api: ApiWorld, serve: Serve) -> None:
    server = await serve(connections_per_address=1, connections=1, trusted_proxies=["127.0.0.1"])
    async with await dial(server), await dial(server) as second:
        second.send(request(api))
        assert (await answer(second))[0] == 200


async def test_connections_in_all_are_limited(serve: Serve) -> None:
    server = await serve(connections=1)
    async with await dial(server), await dial(server, source="127.0.0.2") as second:
        assert (await answer(second))[0] == 503


async def test_h07_the_answer_comes_before_the_body_is_through_and_the_connection_stays(
    api: ApiWorld, serve: Serve
) -> None:
    size = 3 * 1024 * 1024
    async with await dial(await serve()) as client:
        client.send(request(api, b"POST /v1/notes HTTP/1.1", b"Content-Length: %d\r\n" % size))
        assert (await answer(client))[0] == 413
        client.send(b"a" * size)
        client.send(request(api))
        assert (await answer(client))[0] == 200


async def test_h07_nobody_is_listened_to_for_ever_after_the_answer(
    api: ApiWorld, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "UNWANTED", 100_000)
    async with await dial(await serve(header_timeout=0.2)) as client:
        client.send(request(api, b"POST /v1/notes HTTP/1.1", b"Content-Length: 9000000\r\n"))
        assert (await answer(client))[0] == 413
        client.send(b"a" * 200_000)
        assert await client.closed()


async def test_nothing_of_a_body_is_asked_for_before_the_token_is_right(api: ApiWorld, serve: Serve) -> None:
    async with await dial(await serve()) as client:
        expecting = b"Content-Length: 2\r\nExpect: 100-continue\r\n"
        wrong = request(api, b"POST /v1/echo HTTP/1.1", expecting).replace(b"mlsn.", b"mlsx.")
        client.send(wrong)
        assert (await answer(client))[0] == 401
    async with await dial(await serve()) as client:
        client.send(request(api, b"POST /v1/echo HTTP/1.1", expecting))
        assert await client.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.send(b"{}")
        assert (await answer(client))[0] == 200


async def test_the_server_does_not_say_what_it_runs_on(api: ApiWorld, serve: Serve) -> None:
    host, port, _ = (await serve()).addresses[0]
    async with httpx.AsyncClient() as http:
        found = await http.get(
            f"http://{host}:{port}/v1/me", headers={"authorization": f"Bearer {api.secret}"}
        )
    assert "server" not in found.headers
    assert "date" in found.headers


# -- TLS --------------------------------------------------------------------------------------------------------


def trusting(directory: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(directory / "ca.crt"))


async def test_https_beside_http(api: ApiWorld, serve: Serve, tmp_path: Path) -> None:
    server = await serve(tls_listen=["127.0.0.1:0", "[::1]:0"])
    assert [scheme for _, _, scheme in server.addresses] == ["http", "https", "https"]
    async with httpx.AsyncClient(verify=trusting(tmp_path / "tls")) as http:
        for host, port, scheme in server.addresses:
            name = f"[{host}]" if ":" in host else host
            found = await http.get(
                f"{scheme}://{name}:{port}/v1/me", headers={"authorization": f"Bearer {api.secret}"}
            )
            assert found.status_code == 200


async def test_a_renewed_certificate_is_used_by_the_next_connection(serve: Serve, tmp_path: Path) -> None:
    server = await serve(tls_listen=["127.0.0.1:0"])
    host, port, _ = server.addresses[1]

    async def certificate() -> bytes:
        _, writer = await asyncio.open_connection(
            host, port, ssl=trusting(tmp_path / "tls"), server_hostname="localhost"
        )
        found: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        writer.close()
        return found

    first = await certificate()
    assert await certificate() == first
    shutil.rmtree(tmp_path / "tls")
    ensure_certificate(tmp_path / "tls", ["renewed.test"], Clock())
    assert await server.certificates.refresh()  # type: ignore[attr-defined]
    assert await certificate() != first


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
async def test_old_tls_is_refused(serve: Serve, tmp_path: Path) -> None:
    server = await serve(tls_listen=["127.0.0.1:0"])
    host, port, _ = server.addresses[1]
    old = trusting(tmp_path / "tls")
    old.minimum_version = ssl.TLSVersion.TLSv1
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await asyncio.open_connection(host, port, ssl=old, server_hostname="localhost")


# -- start and end ----------------------------------------------------------------------------------------------


async def test_an_address_that_is_taken_is_named_and_nothing_listens(serve: Serve) -> None:
    taken = (await serve()).addresses[0]
    with pytest.raises(ConfigError, match=rf"http\.tls_listen: 127\.0\.0\.1:{taken[1]} cannot be used"):
        await serve(tls_listen=[Listen(port=taken[1])])


async def test_requests_under_way_are_finished_and_idle_connections_closed(
    api: ApiWorld, serve: Serve
) -> None:
    server = await serve()
    idle, busy = await dial(server), await dial(server)
    async with idle, busy:
        idle.send(request(api))
        assert (await answer(idle))[0] == 200
        busy.send(request(api, b"POST /v1/echo HTTP/1.1", b"Content-Length: 7\r\n", b'{"a"'))
        await asyncio.sleep(0.05)
        stopping = asyncio.create_task(server.stop())
        assert await idle.closed()
        busy.send(b":1}")
        assert await answer(busy) == (200, '{"a":1}')
        await stopping
    with pytest.raises(OSError):
        await dial(server)
