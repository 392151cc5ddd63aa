"""The twin of `HttpClient`: the same rules about URLs and addresses, and no network behind them."""

from __future__ import annotations

from dataclasses import dataclass

from postroom.config import Outgoing
from postroom.runtime.clock import Clock
from postroom.runtime.dns import FakeResolver
from postroom.runtime.http_client.client import Answer, HttpClient
from postroom.runtime.http_client.url import Target

SOMEWHERE = "8.8.8.8"
"""The address of every host that a test does not care about."""


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    url: str
    headers: dict[str, str]
    content: bytes


class MemoryHttpClient(HttpClient):
    """`answers` are by URL, an exception among them is raised; what is not there answers 200. `requests` were made."""

    def __init__(self, config: Outgoing | None = None, resolver: FakeResolver | None = None) -> None:
        self.zones = resolver or _Everywhere()
        super().__init__(config or Outgoing(), self.zones, frozenset(), Clock())
        self.answers: dict[str, Answer | Exception] = {}
        self.requests: list[Request] = []

    async def _exchange(
        self,
        target: Target,
        addresses: list[str],
        method: str,
        headers: dict[str, str],
        content: bytes,
        most: int,
    ) -> Answer:
        url = f"{target.scheme}://{target.authority}{target.path}"
        self.requests.append(Request(method, url, headers, content))
        answer = self.answers.get(url, Answer(200))
        if isinstance(answer, Exception):
            raise answer
        body = answer.body[:most]
        return Answer(answer.status, answer.headers, body, body == answer.body, address=addresses[0])


class _Everywhere(FakeResolver):
    async def addresses(self, name: str, *, ipv6: bool) -> list[str]:
        return await super().addresses(name, ipv6=ipv6) if name in self.zones else [SOMEWHERE]
