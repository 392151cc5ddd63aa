"""The client for URLs that customers give: what it refuses to call, and how it calls the rest."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from postroom.config import Outgoing
from postroom.runtime.clock import Clock
from postroom.runtime.dns import FakeResolver
from postroom.runtime.http_client import (
    Answer,
    Fault,
    HttpClient,
    MemoryHttpClient,
    NoAnswer,
    Target,
    UrlError,
    parse_url,
)
from postroom.runtime.local_ca import ensure_certificate
from postroom.runtime.tls import server_context
from support.http_sink import HttpSink, http_sink

NAME = "hooks.example.com"

# -- URLs -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://example.com", Target("https", "example.com", 443, "/", False)),
        ("HTTPS://Example.COM./a?b=c", Target("https", "example.com", 443, "/a?b=c", False)),
        ("https://example.com?a=%20b", Target("https", "example.com", 443, "/?a=%20b", False)),
        ("https://a_b.example.com:8443/", Target("https", "a_b.example.com", 8443, "/", False)),
        ("https://bücher.example/ä", Target("https", "xn--bcher-kva.example", 443, "/%C3%A4", False)),
        ("https://ex\u3002ample\uff0ecom/", Target("https", "ex.ample.com", 443, "/", False)),
        ("http://8.8.8.8/x", Target("http", "8.8.8.8", 80, "/x", True)),
        ("https://[2600::0:1]:443/", Target("https", "2600::1", 443, "/", True)),
        ("https://0x7f.example/", Target("https", "0x7f.example", 443, "/", False)),
    ],
)
def test_urls_are_read(url: str, target: Target) -> None:
    assert parse_url(url) == target


@pytest.mark.parametrize(
    "url",
    [
        "", "example.com", "//example.com/", "https:example.com", "https:/example.com", "https://", "https:///x",
        "ftp://example.com/", "file:///etc/passwd", "gopher://127.0.0.1:6379/_", "unix:///run/x.sock", "javascript:x",
        "https://user@example.com/", "https://user:pw@example.com/", "https://8.8.8.8@127.0.0.1/", "https://@example.com/",
        "https://example.com\\@127.0.0.1/", "https:\\\\example.com/", "https://example.com/#@127.0.0.1", "https://a#b.test/",
        "https://exa mple.com/", "https://example.com/\r\nHost: x", "https://example.com/\0", "https://example.com/\u2028",
        "https://0x7f.1/", "https://127.1/", "https://2130706433/", "https://0x7f000001/", "https://017700000001/",
        "https://0177.0.0.1/", "https://127.0.0.01/", "https://0x7f.0x0.0x0.0x1/", "https://127.0.0.256/", "https://1.2.3.4.5/",
        "https://example.0x/", "https://\uff11\uff12\uff17.1/", "https://127\u30020\u30021/",
        "https://[::1/", "https://::1/", "https://[fe80::1%25eth0]/", "https://[127.0.0.1]/", "https://[example.com]/",
        "https://%31%32%37.0.0.1/", "https://exam%70le.com/", "https://-a.example/", "https://a..example/", "https://.example/",
        "https://example.com../", "https://example.com:/", "https://example.com:0/", "https://example.com:65536/",
        "https://example.com:443:443/", "https://example.com:x/", "https://" + "a" * 64 + ".example/",
        "https://example.com/" + "a" * 2048,
    ],
)  # fmt: skip
def test_h09_urls_that_others_might_read_differently(url: str) -> None:
    with pytest.raises(UrlError):
        parse_url(url)


def test_the_host_field_has_the_port_only_if_it_is_an_odd_one() -> None:
    written = [
        "https://example.com:443/",
        "http://example.com/",
        "https://example.com:80/",
        "https://[2600::1]:8443/",
    ]
    authorities = [parse_url(url).authority for url in written]
    assert authorities == ["example.com", "example.com", "example.com:80", "[2600::1]:8443"]


# -- where a URL leads ----------------------------------------------------------------------------------------------

INSIDE = [
    "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.0.1", "100.64.0.1", "169.254.169.254", "0.0.0.0", "224.0.0.1",
    "::1", "::", "fc00::1", "fe80::1", "ff02::1", "::ffff:7f00:1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::",
    "::7f00:1", "9.9.9.9",
]  # fmt: skip
OURS = frozenset({"9.9.9.9"})


class Spy(HttpClient):
    """Notes where it would connect."""

    def __init__(self, config: Outgoing, zones: dict[str, dict[str, list[str]] | str]) -> None:
        self.resolver = FakeResolver(zones)
        super().__init__(config, self.resolver, OURS, Clock())
        self.connected: list[list[str]] = []

    async def _exchange(self, target: Target, addresses: list[str], *_: object) -> Answer:
        self.connected.append(addresses)
        return Answer(200)


async def refused(client: Spy, url: str) -> NoAnswer:
    answer = await client.request("GET", url)
    assert isinstance(answer, NoAnswer)
    assert client.connected == []
    return answer


@pytest.mark.parametrize("address", INSIDE)
async def test_h09_nothing_is_connected_inside(address: str) -> None:
    kind, literal = ("AAAA", f"[{address}]") if ":" in address else ("A", address)
    client = Spy(Outgoing(), {NAME: {kind: [address]}})
    for host in (NAME, literal):
        answer = await refused(client, f"https://{host}/")
        assert answer.fault is Fault.FORBIDDEN
        assert answer.reason.startswith("leads to ")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.", "a.localhost"])
async def test_h09_localhost_is_not_asked_for(host: str) -> None:
    client = Spy(Outgoing(), {"localhost": {"A": ["8.8.8.8"]}, "a.localhost": {"A": ["8.8.8.8"]}})
    assert (await refused(client, f"https://{host}/")).fault is Fault.FORBIDDEN
    assert client.resolver.asked == []


@pytest.mark.parametrize(
    "records",
    [
        {"A": ["8.8.8.8", "127.0.0.1"]},
        {"A": ["8.8.8.8"], "AAAA": ["::1"]},
        {"A": ["10.0.0.1"], "AAAA": ["2600::1"]},
    ],
)
async def test_h10_one_forbidden_address_among_good_ones_is_enough(records: dict[str, list[str]]) -> None:
    assert (await refused(Spy(Outgoing(), {NAME: records}), f"https://{NAME}/")).fault is Fault.FORBIDDEN


@pytest.mark.parametrize("port", [22, 25, 6379, 8025])
async def test_h09_other_ports_are_refused(port: int) -> None:
    answer = await refused(Spy(Outgoing(), {NAME: {"A": ["8.8.8.8"]}}), f"https://{NAME}:{port}/")
    assert answer.reason == f"has the port {port}; allowed are 443, 80, 8443"


async def test_plain_http_only_by_setting() -> None:
    zones = {NAME: {"A": ["8.8.8.8"]}}
    assert (await refused(Spy(Outgoing(), zones), f"http://{NAME}/")).reason == "must begin with https://"
    open_to_all = Spy(Outgoing(allow_http=True, ports=[]), zones)
    assert isinstance(await open_to_all.request("GET", f"http://{NAME}:3000/"), Answer)


async def test_the_operator_may_allow_what_is_inside() -> None:
    client = Spy(
        Outgoing(allow=["127.0.0.1", "10.1.0.0/16", "fd00::/8"]),
        {NAME: {"A": ["10.1.2.3"], "AAAA": ["fd00::1"]}},
    )
    for host in (NAME, "127.0.0.1", "localhost"):
        assert isinstance(await client.request("GET", f"https://{host}/"), Answer)
    assert client.connected == [["10.1.2.3", "fd00::1"], ["127.0.0.1"], ["127.0.0.1"]]
    client.connected.clear()
    for host in ("127.0.0.2", "10.2.0.1", "[::1]"):
        assert (await refused(client, f"https://{host}/")).fault is Fault.FORBIDDEN


async def test_h10_what_was_public_and_is_private_now_is_refused() -> None:
    client = Spy(Outgoing(), {NAME: {"A": ["8.8.8.8"]}})
    assert isinstance(await client.request("GET", f"https://{NAME}/"), Answer)
    client.connected.clear()
    client.resolver.zones[NAME] = {"A": ["127.0.0.1"]}
    assert (await refused(client, f"https://{NAME}/")).fault is Fault.FORBIDDEN


async def test_names_that_cannot_be_looked_up() -> None:
    client = Spy(Outgoing(), {"broken.example": "SERVFAIL", "empty.example": {"TXT": ["x"]}})
    faults = [
        (await refused(client, f"https://{host}.example/")).fault for host in ("none", "empty", "broken")
    ]
    assert faults == [Fault.NO_HOST, Fault.NO_HOST, Fault.UNREACHABLE]


# -- the conversation -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("tls")
    ensure_certificate(directory, [NAME], Clock())
    return directory


@pytest.fixture
def sink(certificates: Path) -> Iterator[HttpSink]:
    with http_sink(server_context(certificates / "server.crt", certificates / "server.key")) as sink:
        sink.host = NAME
        yield sink


def client_for(
    port: int, certificates: Path | None = None, *, timeout: float = 5.0, **settings: object
) -> HttpClient:
    config = Outgoing(allow=["127.0.0.1"], allow_http=True, ports=[port], timeout=timeout, **settings)
    zones = {name: {"A": ["127.0.0.1"]} for name in (NAME, "other.example.com")}
    trust = None if certificates is None else ssl.create_default_context(cafile=certificates / "ca.crt")
    return HttpClient(config, FakeResolver(zones), frozenset(), Clock(), trust)


async def answered(client: HttpClient, url: str, **options: object) -> Answer:
    answer = await client.request("GET", url, **options)  # type: ignore[arg-type]
    assert isinstance(answer, Answer), answer
    return answer


async def unanswered(client: HttpClient, url: str) -> NoAnswer:
    answer = await client.request("GET", url)
    assert isinstance(answer, NoAnswer), answer
    return answer


async def test_h10_the_checked_address_is_called_by_its_name(sink: HttpSink, certificates: Path) -> None:
    client = client_for(sink.port, certificates)
    sink.status, sink.body, sink.headers = 201, b"thanks", {"X-Answer": "yes"}
    answer = await client.post(
        sink.url + "?a=b", b'{"x":1}', {"content-type": "application/json", "signature": "abc"}
    )
    assert isinstance(answer, Answer)
    assert (answer.status, answer.succeeded, answer.body, answer.complete) == (201, True, b"thanks", True)
    assert (answer.address, dict(answer.headers)["x-answer"]) == ("127.0.0.1", "yes")
    [call] = sink.calls
    assert (call.method, call.path, call.body) == ("POST", "/hook?a=b", b'{"x":1}')
    assert sink.names == [NAME]
    assert call.headers["host"] == f"{NAME}:{sink.port}"
    assert call.headers["user-agent"].startswith("Postroom/")
    assert (call.headers["signature"], call.headers["content-length"]) == ("abc", "7")


async def test_h10_nothing_is_looked_up_twice(sink: HttpSink, certificates: Path) -> None:
    resolver = FakeResolver({NAME: {"A": ["127.0.0.1"]}})
    config = Outgoing(allow=["127.0.0.1"], ports=[sink.port])
    trust = ssl.create_default_context(cafile=certificates / "ca.crt")
    await answered(HttpClient(config, resolver, frozenset(), Clock(), trust), sink.url)
    assert sorted(resolver.asked) == [(NAME, "A"), (NAME, "AAAA")]


async def test_the_next_address_is_tried(sink: HttpSink, certificates: Path) -> None:
    resolver = FakeResolver({NAME: {"A": ["127.0.0.2", "127.0.0.1"]}})
    config = Outgoing(allow=["127.0.0.0/8"], ports=[sink.port])
    trust = ssl.create_default_context(cafile=certificates / "ca.crt")
    answer = await answered(HttpClient(config, resolver, frozenset(), Clock(), trust), sink.url)
    assert answer.address == "127.0.0.1"


async def test_certificates_are_looked_at(sink: HttpSink, certificates: Path) -> None:
    stranger = await unanswered(client_for(sink.port), sink.url)
    assert stranger.fault is Fault.UNREACHABLE
    assert "certificate is not good" in stranger.reason
    other = sink.url.replace(NAME, "other.example.com")
    assert "certificate is not good" in (await unanswered(client_for(sink.port, certificates), other)).reason
    assert sink.calls == []


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_h09_redirects_are_not_followed(status: int, sink: HttpSink, certificates: Path) -> None:
    with http_sink() as inside:
        sink.status, sink.headers = status, {"Location": inside.url}
        answer = await answered(client_for(sink.port, certificates), sink.url)
        assert (answer.status, answer.succeeded) == (status, False)
        assert inside.calls == []


async def test_nothing_comes_from_the_environment_or_from_answers_before(
    sink: HttpSink, certificates: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with http_sink() as proxy:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        client = client_for(sink.port, certificates)
        sink.headers = {"Set-Cookie": "a=b"}
        for _ in range(2):
            await answered(client, sink.url)
        assert proxy.calls == []
    assert all("cookie" not in call.headers for call in sink.calls)


async def test_a_bomb_stays_packed(sink: HttpSink, certificates: Path) -> None:
    bomb = gzip.compress(b"\0" * 10_000_000)
    sink.body, sink.headers = bomb, {"Content-Encoding": "gzip"}
    answer = await answered(client_for(sink.port, certificates), sink.url)
    assert answer.body == bomb
    assert sink.calls[0].headers["accept-encoding"] == "identity"


async def test_no_more_is_read_than_was_asked_for(sink: HttpSink, certificates: Path) -> None:
    sink.body = b"x" * 100_000
    client = client_for(sink.port, certificates, max_answer=2048)
    for wanted, expected in ((1000, 1000), (None, 2048), (5000, 2048)):
        answer = await answered(client, sink.url, at_most=wanted)
        assert (len(answer.body), answer.complete) == (expected, False)
    sink.body = b"x" * 2048
    assert (await answered(client, sink.url)).complete


# -- servers that do not do as they should ------------------------------------------------------------------------

ENDLESS = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n"


@contextlib.asynccontextmanager
async def server(
    says: bytes, *, closes: bool = True, then: bytes = b""
) -> AsyncIterator[tuple[int, asyncio.Event]]:
    """Says something to whoever connects, then closes, or says `then` again and again, or is silent until the client
    leaves. Yields its port, and what is set when the last client is gone."""
    gone = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            writer.write(says)
            while then:
                writer.write(then)
                await writer.drain()
                await asyncio.sleep(0.001)
            await writer.drain()
            while not closes and await reader.read(65536):
                pass
        gone.set()
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield listening.sockets[0].getsockname()[1], gone
    finally:
        listening.close()
        await listening.wait_closed()


@pytest.mark.parametrize(
    "says",
    [b"", b"220 mx.example.com ESMTP\r\n", b"-ERR unknown command\r\n", b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000, b"HTTP/1.1 200"],
)  # fmt: skip
async def test_answers_that_are_none(says: bytes) -> None:
    async with server(says) as (port, _):
        answer = await unanswered(client_for(port), f"http://127.0.0.1:{port}/")
    assert answer.fault is Fault.UNREACHABLE
    assert answer.reason.startswith("could not be reached: ")


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_silence_ends_in_time_and_leaves_nothing_open(scheme: str) -> None:
    async with server(b"", closes=False) as (port, gone):
        answer = await unanswered(client_for(port, timeout=0.2), f"{scheme}://127.0.0.1:{port}/")
        await asyncio.wait_for(gone.wait(), 10)
    assert (answer.fault, answer.reason) == (Fault.TIMEOUT, "did not answer within 0.2 s")
    assert answer.duration > 0


@pytest.mark.parametrize(
    ("says", "then"),
    [(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), (ENDLESS, b"x"), (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n")],
)  # fmt: skip
async def test_dripping_ends_in_time(says: bytes, then: bytes) -> None:
    async with server(says, then=then) as (port, gone):
        answer = await unanswered(client_for(port, timeout=0.3), f"http://127.0.0.1:{port}/")
        await asyncio.wait_for(gone.wait(), 10)
    assert answer.fault in (Fault.TIMEOUT, Fault.UNREACHABLE)


async def test_an_endless_answer_is_cut() -> None:
    async with server(ENDLESS, then=b"x" * 1000) as (port, gone):
        answer = await answered(client_for(port), f"http://127.0.0.1:{port}/", at_most=1000)
        await asyncio.wait_for(gone.wait(), 10)
    assert (answer.status, len(answer.body), answer.complete) == (200, 1000, False)


async def test_nobody_listens() -> None:
    async with server(b"") as (port, _):
        pass
    answer = await unanswered(client_for(port), f"http://127.0.0.1:{port}/")
    assert (answer.fault, answer.reason) == (Fault.UNREACHABLE, "could not be reached: Connection refused")


# -- the twin -------------------------------------------------------------------------------------------------------


async def test_the_twin_has_the_same_rules_and_no_network() -> None:
    client = MemoryHttpClient()
    client.answers["https://bad.example/"] = Answer(500, body=b"broken")
    client.zones.zones["inside.example"] = {"A": ["10.0.0.1"]}
    assert (await answered(client, "https://good.example/x", headers={"a": "b"})).succeeded
    assert (await answered(client, "https://bad.example/", at_most=3)).body == b"bro"
    assert (await unanswered(client, "https://inside.example/")).fault is Fault.FORBIDDEN
    assert (await unanswered(client, "http://good.example/")).fault is Fault.FORBIDDEN
    client.answers["https://slow.example/"] = TimeoutError()
    assert (await unanswered(client, "https://slow.example/")).fault is Fault.TIMEOUT
    assert [request.url for request in client.requests] == [
        "https://good.example/x", "https://bad.example/", "https://slow.example/",
    ]  # fmt: skip
