"""The doctor's checks: what each finds, and what it says to mend it."""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
from collections import namedtuple
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from postroom.cli import certificate, checks
from postroom.config import Config, Delivery, Route, Tls
from postroom.runtime import local_ca
from postroom.runtime.clock import Clock, FakeClock
from postroom.runtime.dns import FakeResolver
from postroom.runtime.secrets import SecretBox
from postroom.store.database import Database
from postroom.tenancy import accounts, domains, network_checks
from postroom.tenancy.dns_records import Hosts
from postroom.tenancy.verification import Verifier
from postroom.types.actor import SYSTEM
from postroom.types.check import FAIL, OK, WARN, Check
from support.cli import Cli
from support.cli import cli as cli

DAY = 86400


async def test_resolver() -> None:
    assert (
        await network_checks.resolver(FakeResolver({"gmail.com": {"MX": ["10 mx.gmail.com."]}}))
    ).result == OK
    failed = await network_checks.resolver(FakeResolver({"gmail.com": "SERVFAIL"}))
    assert (failed.result, failed.fix) == (FAIL, network_checks.MEND_RESOLVER)


@pytest.mark.parametrize(
    ("hostname", "ptr", "result", "said"),
    [
        ("mail.example.com", "mail.example.com.", OK, "points back"),
        ("mail.example.com", "host7.isp.example.", WARN, "host7.isp.example"),
        ("mail.example.org", "mail.example.com.", WARN, "mail.example.org"),
        ("localhost", "mail.example.com.", WARN, "no full name"),
    ],
)
async def test_d17_host_name_and_ptr(hostname: str, ptr: str, result: str, said: str) -> None:
    zones = {"mail.example.com": {"A": ["192.0.2.1"]}, "1.2.0.192.in-addr.arpa": {"PTR": [ptr]}}
    check = await network_checks.host_name(hostname, FakeResolver(zones))
    assert check.result == result
    assert said in check.detail
    assert bool(check.fix) == (result != OK)


@asynccontextmanager
async def _peer(greeting: bytes) -> AsyncIterator[int]:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize(
    ("greeting", "result"),
    [(b"220 hello\r\n", OK), (b"554 go away\r\n", FAIL), (b"", FAIL)],
)
async def test_port_25_by_the_route_for_all_mail(greeting: bytes, result: str) -> None:
    async with _peer(greeting) as port:
        config = Config(delivery=Delivery(routes=[Route(domain="*", host="127.0.0.1", port=port)]))
        assert (await network_checks.port_25(config, FakeResolver({}))).result == result


async def test_port_25_is_not_tried_on_private_networks() -> None:
    check = await network_checks.port_25(Config(delivery=Delivery(allow_private=True)), FakeResolver({}))
    assert (check.result, "not tried" in check.detail) == (OK, True)


async def test_port_25_without_names_is_not_tried() -> None:
    assert (await network_checks.port_25(Config(), FakeResolver({}))).result == WARN


async def test_a_check_that_hangs_fails() -> None:
    async def hangs() -> Check:
        await asyncio.sleep(60)
        raise AssertionError

    check = await network_checks.within("x", hangs(), "mend it", seconds=0.01)
    assert (check.result, check.fix) == (FAIL, "mend it")


@pytest.mark.parametrize(("state", "result"), [(0, OK), (checks.TIME_ERROR, WARN)])
def test_clock(monkeypatch: pytest.MonkeyPatch, state: int, result: str) -> None:
    library = namedtuple("Library", "adjtimex")(lambda buffer: state)
    monkeypatch.setattr(ctypes, "CDLL", lambda name: library)
    assert checks.clock().result == result


def test_disk_is_written_and_left_as_it_was(tmp_path: Path) -> None:
    assert checks.disk(tmp_path).name == "disk"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("free", "result"),
    [(50 * checks.MIB, FAIL), (500 * checks.MIB, WARN), (5 * checks.GIB, OK)],
)
def test_disk_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, result: str) -> None:
    usage = namedtuple("Usage", "free")(free)
    monkeypatch.setattr(checks.shutil, "disk_usage", lambda path: usage)
    monkeypatch.setattr(checks, "SLOW_FSYNC", 60.0)
    assert checks.disk(tmp_path).result == result


def test_disk_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(checks.files, "write_file", full)
    check = checks.disk(tmp_path)
    assert (check.result, "No space left" in check.detail) == (FAIL, True)


async def test_durability(database: Database) -> None:
    assert (await checks.durability(database)).result == OK


class _Careless:
    """A database whose settings lose what was committed."""

    sqlite = False

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Any]:
        yield self

    read = write

    async def exec_driver_sql(self, statement: str) -> Any:
        value = "off" if statement == "SHOW fsync" else "on"
        return namedtuple("Result", "scalar scalars")(lambda: value, list)


async def test_durability_that_is_switched_off() -> None:
    check = await checks.durability(_Careless())  # type: ignore[arg-type]
    assert (check.result, check.detail) == (FAIL, "fsync is off")
    assert "fsync = on" in check.fix


@pytest.mark.parametrize(
    ("sender", "result", "said"),
    [
        ("", OK, "stays in the sandbox inbox: system.from is not set"),
        ("us@elsewhere.test", WARN, "elsewhere.test is no verified live domain"),
        ("us@new.test", WARN, "new.test is no verified live domain"),
        ("Us <us@mail.live.test>", OK, "comes from us@mail.live.test"),
    ],
)
async def test_system_mail(sender: str, result: str, said: str, database: Database, tmp_path: Path) -> None:
    box = SecretBox.load(tmp_path / "secret.key", create=True)
    account = await accounts.add(database, "Shop", by=SYSTEM)
    for name, trusted in (("live.test", True), ("new.test", False)):
        await domains.add(database, box, name, account_id=account.id, trusted=trusted, by=SYSTEM)
    check = await checks.system_mail(database, Config(system={"from": sender}))  # type: ignore[arg-type]
    assert (check.result, said in check.detail) == (result, True)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    local_ca.ensure_certificate(tmp_path / "tls", [], Clock())
    return tmp_path


def test_certificate_of_the_first_run(data: Path) -> None:
    check = certificate.check(Config(data=data), Clock())
    assert (check.result, "ca.crt" in check.detail) == (OK, True)


def test_certificate_is_missing(tmp_path: Path) -> None:
    assert certificate.check(Config(data=tmp_path), Clock()).result == WARN


@pytest.mark.parametrize(("days", "result"), [(-2, FAIL), (800, OK), (815, WARN), (830, FAIL)])
def test_certificate_in_time(data: Path, days: int, result: str) -> None:
    clock = FakeClock(Clock().now_ms() + days * DAY * 1000)
    assert certificate.check(Config(data=data), clock).result == result


def test_certificate_has_to_name_the_relay_host(data: Path) -> None:
    config = Config(data=data, server={"smtp_host": "smtp.example.com"})  # type: ignore[arg-type]
    check = certificate.check(config, Clock())
    assert (check.result, "smtp.example.com" in check.fix) == (WARN, True)


def test_certificate_and_key_have_to_fit(data: Path, tmp_path: Path) -> None:
    config = Config(tls=Tls(certificate=data / "tls" / "server.crt", key=data / "tls" / "ca.key"))
    assert certificate.check(config, Clock()).result == FAIL


def test_domain_records(cli: Cli) -> None:
    account = cli.json("account", "add", "Acme")["id"]
    domain = cli.json("domain", "add", "example.com", "--account", account)
    records = {record["name"]: {record["type"]: [record["value"]]} for record in domain["records"]}

    def check(zones: Any) -> Check:
        async def look(database: Database) -> Check:
            tools = Verifier(database, FakeResolver(zones), Hosts(), grace=0)
            return await checks.domain(tools, await domains.find(database, "example.com"), SYSTEM)

        return cli.store(look)

    missing = check({})
    assert (missing.result, "example.com" in missing.fix) == (FAIL, True)
    assert check(records).result in (OK, WARN)
    assert cli.json("domain", "show", "example.com")["verified"] is True


async def test_listeners() -> None:
    assert (await checks.listeners([])).result == WARN
    async with _peer(b"") as port:
        assert (await checks.listeners([("127.0.0.1", port)])).result == OK
    assert (await checks.listeners([("127.0.0.1", port)])).result == FAIL


def test_doctor_prints_every_check_and_fails_if_one_does(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("postroom.cli.doctor.Resolver", lambda config, clock: FakeResolver({}))
    monkeypatch.setenv("POSTROOM_DELIVERY__ALLOW_PRIVATE", "true")
    result = cli.run("doctor", "--quick", "--json")
    assert result.exit_code == 1  # the resolver
    names = [
        "relay", "resolver", "port 25 outbound", "host name and PTR", "clock", "disk", "TLS certificate",
        "database durability", "system mail",
    ]  # fmt: skip
    found = json.loads(result.stdout)
    assert [check["name"] for check in found] == names
    assert all(check["fix"] for check in found if check["result"] != "ok")
    assert "resolver" in cli.run("doctor", "--quick").stdout
