"""`HttpClient`: one request, one answer, both bounded."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import httpcore

from postroom import __version__
from postroom.config import Outgoing
from postroom.runtime.clock import Clock
from postroom.runtime.dns import DnsUnavailableError, NoSuchDomainError, Resolver
from postroom.runtime.http_client.guard import Guard
from postroom.runtime.http_client.url import Target, UrlError, parse_url

USER_AGENT = f"Postroom/{__version__}"
MOST_ADDRESSES = 3
"""Of one host that are tried."""

Headers = tuple[tuple[str, str], ...]


class Fault(StrEnum):
    """Why there is no answer."""

    FORBIDDEN = "forbidden"  # the URL is wrong or leads where nobody may go; nothing was connected
    NO_HOST = "no_host"  # the name does not exist
    UNREACHABLE = "unreachable"  # no connection, no TLS, or it broke off
    TIMEOUT = "timeout"


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` is at most as long as was asked for; not `complete` if there was more. Header names are in lower case.

    `duration` is in milliseconds, `address` the one that answered.
    """

    status: int
    headers: Headers = ()
    body: bytes = field(default=b"", repr=False)
    complete: bool = True
    duration: int = 0
    address: str = ""

    @property
    def succeeded(self) -> bool:
        """Only 2xx: a redirect is not followed, so nothing was delivered."""
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """`reason` is the rest of a sentence that begins with "The url"."""

    fault: Fault
    reason: str
    duration: int = 0


class HttpClient:
    """`trust` decides which certificates are good; None: the system's authorities."""

    def __init__(
        self,
        config: Outgoing,
        resolver: Resolver,
        own_addresses: frozenset[str],
        clock: Clock,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self._config = config
        self._guard = Guard(config, resolver, own_addresses)
        self._clock = clock
        self._trust = trust or ssl.create_default_context()
        self._trust.minimum_version = ssl.TLSVersion.TLSv1_2

    def check(self, url: str) -> Target:
        """The target of a URL that may be called as far as can be told without a look-up. Raises UrlError."""
        target = parse_url(url)
        self._guard.check(target)
        return target

    async def post(
        self, url: str, content: bytes, headers: Mapping[str, str], *, at_most: int | None = None
    ) -> Answer | NoAnswer:
        return await self.request("POST", url, content=content, headers=headers, at_most=at_most)

    async def request(
        self,
        method: str,
        url: str,
        *,
        content: bytes = b"",
        headers: Mapping[str, str] | None = None,
        at_most: int | None = None,
    ) -> Answer | NoAnswer:
        """What came back; nothing that goes wrong on the way is an exception.

        `at_most`: octets of the answer's body that are wanted, if fewer than `outgoing.max_answer`.
        """
        began = self._clock.monotonic()
        most = min(self._config.max_answer, at_most if at_most is not None else self._config.max_answer)
        answer: Answer | NoAnswer
        try:
            async with asyncio.timeout(self._config.timeout):
                target = self.check(url)
                addresses = await self._guard.addresses(target)
                answer = await self._exchange(target, addresses, method, dict(headers or {}), content, most)
        except UrlError as error:
            answer = NoAnswer(Fault.FORBIDDEN, str(error))
        except NoSuchDomainError:
            answer = NoAnswer(Fault.NO_HOST, "has a host that does not exist")
        except DnsUnavailableError:
            answer = NoAnswer(Fault.UNREACHABLE, "has a host that cannot be looked up now")
        except (TimeoutError, httpcore.TimeoutException):
            answer = NoAnswer(Fault.TIMEOUT, f"did not answer within {self._config.timeout:g} s")
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            answer = NoAnswer(Fault.UNREACHABLE, f"could not be reached: {_reason(error)}")
        return _timed(answer, round((self._clock.monotonic() - began) * 1000))

    async def _exchange(
        self,
        target: Target,
        addresses: list[str],
        method: str,
        headers: dict[str, str],
        content: bytes,
        most: int,
    ) -> Answer:
        url = httpcore.URL(scheme=target.scheme, host=target.host, port=target.port, target=target.path)
        ours = {"host": target.authority, "user-agent": USER_AGENT, "accept-encoding": "identity"}
        async with (
            _Checked(addresses[:MOST_ADDRESSES], self._config.timeout) as network,
            httpcore.AsyncHTTPConnection(
                url.origin, ssl_context=self._trust, network_backend=network
            ) as connection,
            connection.stream(
                method, url, headers=[*ours.items(), *headers.items()], content=content
            ) as response,
        ):
            body, complete = await _read(response, most)
            answered = tuple(
                (name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in response.headers
            )
            return Answer(response.status, answered, body, complete, address=network.connected)


class _Checked(httpcore.AsyncNetworkBackend):
    """Connects to the addresses that were checked and to nothing else, whatever it is asked for.

    It closes what it opened: a handshake that is cancelled leaves its connection to nobody.
    """

    def __init__(self, addresses: list[str], timeout: float) -> None:
        self._addresses = addresses
        self._share = timeout / len(addresses)
        self._network = httpcore.AnyIOBackend()
        self._opened: httpcore.AsyncNetworkStream | None = None
        self.connected = ""

    async def __aenter__(self) -> _Checked:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._opened is not None:
            await self._opened.aclose()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the interface
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        del host, timeout
        for address in self._addresses:
            try:
                stream = await self._network.connect_tcp(
                    address, port, self._share, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if address == self._addresses[-1]:
                    raise
            else:
                self._opened = stream
                self.connected = str(stream.get_extra_info("server_addr")[0])
                return stream
        raise httpcore.ConnectError("there is no address")


async def _read(response: httpcore.Response, most: int) -> tuple[bytes, bool]:
    """The body's first octets, and whether that is all of it. What is longer is not waited for."""
    body = bytearray()
    async for chunk in response.aiter_stream():
        body += chunk
        if len(body) > most:
            return bytes(body[:most]), False
    return bytes(body), True


def _timed(answer: Answer | NoAnswer, duration: int) -> Answer | NoAnswer:
    if isinstance(answer, NoAnswer):
        return NoAnswer(answer.fault, answer.reason, duration)
    return Answer(answer.status, answer.headers, answer.body, answer.complete, duration, answer.address)


def _reason(error: Exception) -> str:
    """A few words, from what the library's exception was made of."""
    causes = [error]
    while isinstance(causes[-1].__cause__, Exception):
        causes.append(causes[-1].__cause__)
    for cause in reversed(causes):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not good: {cause.verify_message}"
        if isinstance(cause, ssl.SSLError):
            return f"TLS failed: {cause.reason or cause}"
        if isinstance(cause, OSError) and cause.errno:
            return os.strerror(cause.errno)
    return str(error) or type(error).__name__
