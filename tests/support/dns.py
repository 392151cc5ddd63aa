"""A small authoritative DNS server on loopback (UDP and TCP), for tests of the whole process.

`zones` maps a name to its records by type, as in a zone file, or to one of the words SERVFAIL, REFUSED,
NXDOMAIN or DROP (no answer at all):

    async with DnsServer({"example.test": {"MX": ["10 mx.example.test."]}, "broken.test": "SERVFAIL"}) as server:
        config = Dns(servers=[server.address])

A test may change `zones`, `delays` (name -> seconds) and `truncated` (names that come whole by TCP only) while it
runs; `asked` lists the questions.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import Mapping, Sequence

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from postroom.runtime.dns import parse_record

TTL = 60
_SOA = "ns.test. hostmaster.test. 1 3600 600 86400 60"


class DnsServer:
    def __init__(
        self, zones: Mapping[str, Mapping[str, Sequence[str]] | str], host: str = "127.0.0.1"
    ) -> None:
        self.zones = {name.rstrip(".").lower(): records for name, records in zones.items()}
        self.delays: dict[str, float] = {}
        self.truncated: set[str] = set()
        self.asked: list[tuple[str, str]] = []
        self.host, self.port = host, 0
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def address(self) -> str:
        """For `dns.servers`."""
        return f"{self.host}:{self.port}"

    async def __aenter__(self) -> DnsServer:
        loop = asyncio.get_running_loop()
        while True:  # one port for both, and UDP may find the one TCP got taken
            self._tcp = await asyncio.start_server(self._serve_tcp, self.host, 0)
            self.port = self._tcp.sockets[0].getsockname()[1]
            try:
                self._udp, _ = await loop.create_datagram_endpoint(
                    lambda: _Datagrams(self), local_addr=(self.host, self.port)
                )
            except OSError:
                self._tcp.close()
            else:
                return self

    async def __aexit__(self, *_: object) -> None:
        self._udp.close()
        self._tcp.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def spawn(self, data: bytes, address: tuple[str, int]) -> None:
        task = asyncio.create_task(self._answer_udp(data, address))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer_udp(self, data: bytes, address: tuple[str, int]) -> None:
        response = await self._respond(data, tcp=False)
        if response is not None and not self._udp.is_closing():
            self._udp.sendto(response.to_wire(max_size=65535), address)

    async def _serve_tcp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                (length,) = struct.unpack("!H", await reader.readexactly(2))
                response = await self._respond(await reader.readexactly(length), tcp=True)
                if response is None:
                    break
                wire = response.to_wire(max_size=65535)
                writer.write(struct.pack("!H", len(wire)) + wire)
                await writer.drain()
        writer.close()

    async def _respond(self, data: bytes, *, tcp: bool) -> dns.message.Message | None:
        try:
            query = dns.message.from_wire(data)
        except dns.exception.DNSException:
            return None
        question = query.question[0]
        name = question.name.to_text().rstrip(".").lower()
        kind = dns.rdatatype.to_text(question.rdtype)
        self.asked.append((name, kind))
        if delay := self.delays.get(name):
            await asyncio.sleep(delay)
        if self.zones.get(name) == "DROP":
            return None
        response = dns.message.make_response(query)
        response.flags |= dns.flags.AA | dns.flags.RA
        if name in self.truncated and not tcp:
            response.flags |= dns.flags.TC
            return response
        self._fill(response, name, kind)
        return response

    def _fill(self, response: dns.message.Message, name: str, kind: str) -> None:
        records = self.zones.get(name)
        seen: set[str] = set()
        while (
            isinstance(records, Mapping) and kind not in records and "CNAME" in records and name not in seen
        ):
            seen.add(name)
            _add(response, name, "CNAME", records["CNAME"])
            name = records["CNAME"][0].rstrip(".").lower()
            records = self.zones.get(name)
        if isinstance(records, str):
            response.set_rcode(dns.rcode.from_text(records))
        elif records is None:
            below = any(other.endswith(f".{name}") for other in self.zones)
            response.set_rcode(dns.rcode.NOERROR if below else dns.rcode.NXDOMAIN)
        elif kind in records:
            _add(response, name, kind, records[kind])
            return
        response.authority.append(dns.rrset.from_text(dns.name.root, TTL, "IN", "SOA", _SOA))


def _add(response: dns.message.Message, name: str, kind: str, texts: Sequence[str]) -> None:
    rrset = dns.rrset.from_rdata_list(
        dns.name.from_text(name), TTL, [parse_record(kind, text) for text in texts]
    )
    response.answer.append(rrset)


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: DnsServer) -> None:
        self._server = server

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._server.spawn(data, addr)
