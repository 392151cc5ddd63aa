"""runtime/dns.py against a real server on loopback, and its twin."""

import asyncio

import pytest

from postroom.config import Dns
from postroom.runtime.clock import FakeClock
from postroom.runtime.dns import DnsUnavailableError, FakeResolver, NoSuchDomainError, Resolver
from support.dns import DnsServer

ZONES = {
    "example.test": {
        "MX": ["20 MX2.example.test.", "10 mx1.Example.Test."],
        "TXT": ["v=spf1 -all", '"v=DKIM1; p=" "AAAA"'],
    },
    "mx1.example.test": {"A": ["192.0.2.1", "192.0.2.2"], "AAAA": ["2001:db8::1"]},
    "alias.test": {"CNAME": ["example.test."]},
    "null.test": {"MX": ["0 ."]},
    "empty.test": {"A": ["192.0.2.9"]},
    "xn--bcher-kva.test": {"MX": ["5 mx.test."]},
    "broken.test": "SERVFAIL",
    "refused.test": "REFUSED",
    "silent.test": "DROP",
    "1.2.0.192.in-addr.arpa": {"PTR": ["mail.example.test."]},
    "loop.test": {"CNAME": ["loop2.test."]},
    "loop2.test": {"CNAME": ["loop.test."]},
}


@pytest.fixture
async def server():
    async with DnsServer(ZONES) as server:
        yield server


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
async def resolver(server, clock):
    resolver = Resolver(Dns(servers=[server.address], timeout=2), clock)
    yield resolver
    await resolver.close()


@pytest.fixture(params=["network", "twin"])
def either(request, resolver):
    return resolver if request.param == "network" else FakeResolver(ZONES)


async def test_mx_comes_in_order_of_preference(either):
    assert await either.mx("Example.TEST.") == [(10, "mx1.example.test"), (20, "mx2.example.test")]


async def test_d03_mx_through_an_alias(either):
    assert await either.mx("alias.test") == [(10, "mx1.example.test"), (20, "mx2.example.test")]
    assert await either.cname("alias.test") == ["example.test"]


async def test_d04_null_mx_keeps_its_dot(either):
    assert await either.mx("null.test") == [(0, ".")]


async def test_d03_a_name_without_mx_is_no_error(either):
    assert await either.mx("empty.test") == []


@pytest.mark.parametrize("name", ["missing.test", "a..b.test", "x" * 64 + ".test", "a." * 130 + "test"])
async def test_d03_names_that_do_not_exist(either, name):
    with pytest.raises(NoSuchDomainError):
        await either.mx(name)


async def test_international_names_are_asked_as_a_labels(either):
    assert await either.mx("Bücher.test") == [(5, "mx.test")]
    with pytest.raises(NoSuchDomainError):
        await either.mx("bü cher.test")


async def test_d03_servfail_is_unavailable(either):
    with pytest.raises(DnsUnavailableError):
        await either.mx("broken.test")


@pytest.mark.parametrize("name", ["refused.test", "loop.test"])
async def test_d03_refusals_and_loops_are_unavailable(resolver, name):
    with pytest.raises(DnsUnavailableError):
        await resolver.mx(name)


async def test_d03_silence_is_unavailable(server, clock):
    resolver = Resolver(Dns(servers=[server.address], timeout=0.05), clock)
    with pytest.raises(DnsUnavailableError):
        await resolver.mx("silent.test")


async def test_addresses_of_both_families(either):
    assert sorted(await either.addresses("mx1.example.test", ipv6=False)) == ["192.0.2.1", "192.0.2.2"]
    both = await either.addresses("mx1.example.test", ipv6=True)
    assert (sorted(both[:2]), both[2:]) == (["192.0.2.1", "192.0.2.2"], ["2001:db8::1"])


async def test_strings_of_a_txt_record_are_joined(either):
    assert sorted(await either.txt("example.test")) == ["v=DKIM1; p=AAAA", "v=spf1 -all"]


async def test_ptr(either):
    assert await either.ptr("192.0.2.1") == ["mail.example.test"]
    with pytest.raises(NoSuchDomainError):
        await either.ptr("2001:db8::1")
    with pytest.raises(ValueError, match="no IP address"):
        await either.ptr("example.test")


async def test_truncated_answers_are_asked_again_by_tcp(server, resolver):
    server.zones["big.test"] = {"TXT": ["x" * 3000]}
    server.truncated.add("big.test")
    assert await resolver.txt("big.test") == ["x" * 3000]


async def test_answers_are_cached_for_their_ttl(server, resolver, clock):
    await resolver.mx("example.test")
    await resolver.mx("EXAMPLE.test.")
    assert server.asked.count(("example.test", "MX")) == 1
    clock.advance(61)  # the server's TTL is 60
    await resolver.mx("example.test")
    assert server.asked.count(("example.test", "MX")) == 2


async def test_failures_are_cached_for_seconds_only(server, resolver, clock):
    with pytest.raises(DnsUnavailableError):
        await resolver.mx("broken.test")
    asked = len(server.asked)
    server.zones["broken.test"] = {"MX": ["1 mx.test."]}
    with pytest.raises(DnsUnavailableError):
        await resolver.mx("broken.test")
    assert len(server.asked) == asked
    clock.advance(6)
    assert await resolver.mx("broken.test") == [(1, "mx.test")]


async def test_d03_a_missing_name_is_believed_at_least_30_s(server, resolver, clock):
    with pytest.raises(NoSuchDomainError):
        await resolver.mx("new.test")
    server.zones["new.test"] = {"MX": ["1 mx.test."]}
    clock.advance(29)
    with pytest.raises(NoSuchDomainError):
        await resolver.mx("new.test")
    clock.advance(300)
    assert await resolver.mx("new.test") == [(1, "mx.test")]


async def test_the_cache_is_bounded(server, resolver, monkeypatch):
    monkeypatch.setattr("postroom.runtime.dns.MAX_ENTRIES", 2)
    for name in ("a.test", "b.test", "c.test", "a.test"):
        with pytest.raises(NoSuchDomainError):
            await resolver.mx(name)
    assert server.asked.count(("a.test", "MX")) == 2


async def test_equal_questions_in_flight_are_asked_once(server, resolver):
    server.delays["example.test"] = 0.02
    answers = await asyncio.gather(*(resolver.mx("example.test") for _ in range(20)))
    assert len(answers) == 20
    assert server.asked == [("example.test", "MX")]


async def test_one_caller_who_gives_up_takes_the_answer_from_nobody(server, resolver):
    server.delays["example.test"] = 0.02
    first = asyncio.create_task(resolver.mx("example.test"))
    second = asyncio.create_task(resolver.mx("example.test"))
    await asyncio.sleep(0.005)
    first.cancel()
    assert len(await second) == 2


async def test_closing_gives_up_what_is_in_flight(server, resolver):
    question = asyncio.create_task(resolver.mx("silent.test"))
    await asyncio.sleep(0.005)
    await resolver.close()
    with pytest.raises(asyncio.CancelledError):
        await question


async def test_one_family_is_enough_when_the_other_fails(server, resolver, monkeypatch):
    look_up = resolver._look_up

    async def without_ipv6(name, kind):
        return await look_up("broken.test" if kind == "AAAA" else name, kind)

    monkeypatch.setattr(resolver, "_look_up", without_ipv6)
    assert sorted(await resolver.addresses("mx1.example.test", ipv6=True)) == ["192.0.2.1", "192.0.2.2"]


async def test_the_twin_lists_the_questions():
    twin = FakeResolver({"a.test": {}})
    assert await twin.mx("a.test") == []
    twin.zones["a.test"] = {"MX": ["1 mx.test."]}
    assert await twin.mx("a.test") == [(1, "mx.test")]
    assert twin.asked == [("a.test", "MX"), ("a.test", "MX")]


async def test_what_is_forgotten_is_asked_again() -> None:
    async with DnsServer({}) as server:
        resolver = Resolver(Dns(servers=[server.address]), FakeClock())
        for _ in range(2):
            with pytest.raises(NoSuchDomainError):
                await resolver.txt("new.test")
        server.zones["new.test"] = {"TXT": ["here"]}
        resolver.forget("NEW.test.", "other.test")
        assert await resolver.txt("new.test") == ["here"]
        assert server.asked == [("new.test", "TXT")] * 2
        await resolver.close()
