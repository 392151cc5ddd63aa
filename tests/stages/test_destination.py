"""deliver.destination: routes, MX records, and whom we never connect to (D01-D04)."""

import random

import pytest

from postroom.config import Delivery, Dns, Route
from postroom.deliver.destination import SITE_CHARACTERS, Destination, Destinations
from postroom.runtime.addresses import OWN, forbidden
from postroom.runtime.dns import FakeResolver
from postroom.types.outcome import Outcome, Result
from postroom.wire.smtp.client_commands import Login

OURS = frozenset({"9.9.9.9"})
ZONES = {
    "good.test": {"MX": ["20 mx2.good.test.", "10 mx1.good.test."]},
    "mx1.good.test": {"A": ["8.1.1.1", "8.1.1.2"], "AAAA": ["2600::1"]},
    "mx2.good.test": {"A": ["8.2.2.2"]},
    "sister.test": {"MX": ["5 mx1.good.test.", "5 mx2.good.test."]},
    "plain.test": {"A": ["8.3.3.3"]},
    "empty.test": {"TXT": ["nothing here"]},
    "null.test": {"MX": ["0 ."]},
    "nearly-null.test": {"MX": ["0 .", "10 mx1.good.test."]},
    "broken.test": "SERVFAIL",
    "broken-mx.test": {"MX": ["10 broken.test."]},
    "half-broken.test": {"MX": ["10 broken.test.", "20 mx1.good.test."]},
    "gone-mx.test": {"MX": ["10 nowhere.test."]},
    "bare-mx.test": {"MX": ["10 empty.test."]},
    "literal.test": {"MX": ["10 8.8.8.8.", "20 mx2.good.test."]},
    "8.8.8.8": {"A": ["8.8.8.8"]},
    "only-literal.test": {"MX": ["10 8.8.8.8."]},
    "ours.test": {"MX": ["10 mx1.good.test.", "20 self.test.", "20 mx2.good.test.", "30 plain.test."]},
    "only-ours.test": {"MX": ["10 self.test.", "20 mx2.good.test."]},
    "self.test": {"A": ["9.9.9.9"]},
    "by-name.test": {"MX": ["10 me.test."]},
    "me.test": {"A": ["8.4.4.4"]},
    "inward.test": {"MX": ["10 inside.test."]},
    "mixed.test": {"MX": ["10 inside.test.", "20 both.test."]},
    "inside.test": {"A": ["10.0.0.1"]},
    "both.test": {"A": ["127.0.0.1", "8.5.5.5", "192.168.1.1"]},
    "many.test": {"MX": [f"{preference} mx1.good.test." for preference in range(200)]},
}


def destinations(*routes: Route, chance: int = 1, **settings: object) -> Destinations:
    delivery = Delivery(routes=list(routes), **settings)
    return Destinations(
        FakeResolver(ZONES), delivery, Dns(mx_port=2525), OURS, "Me.test", random.Random(chance)
    )


async def find(domain: str, *routes: Route, chance: int = 1, **settings: object) -> Destination:
    found = await destinations(*routes, chance=chance, **settings).find(domain)
    assert isinstance(found, Destination), found
    return found


def names(destination: Destination) -> list[str]:
    return [host.name for host in destination.hosts]


async def test_mx_hosts_in_their_order_with_their_addresses() -> None:
    found = await find("good.test")
    assert [(host.name, host.addresses) for host in found.hosts] == [
        ("mx1.good.test", ("8.1.1.1", "8.1.1.2")), ("mx2.good.test", ("8.2.2.2",)),
    ]  # fmt: skip
    assert (found.port, found.tls, found.is_route, found.login) == (2525, "opportunistic", False, None)
    assert (found.connections, found.messages_per_connection) == (3, 20)


async def test_domains_with_the_same_servers_are_one_site() -> None:
    assert (await find("good.test")).site == (await find("sister.test")).site == "mx1.good.test,mx2.good.test"
    assert (await find("plain.test")).site == "plain.test"


async def test_equal_preferences_are_shuffled() -> None:
    orders = {tuple(names(await find("sister.test", chance=seed))) for seed in range(20)}
    assert orders == {("mx1.good.test", "mx2.good.test"), ("mx2.good.test", "mx1.good.test")}


async def test_ipv6_only_when_switched_on() -> None:
    assert (await find("good.test", ipv6=True)).hosts[0].addresses == ("8.1.1.1", "8.1.1.2", "2600::1")


async def test_d03_no_mx_means_the_domain_itself() -> None:
    found = await find("plain.test")
    assert [(host.name, host.addresses) for host in found.hosts] == [("plain.test", ("8.3.3.3",))]


async def test_d03_at_most_five_hosts_and_a_short_site() -> None:
    found = await find("many.test")
    assert len(found.hosts) == 5
    assert len(found.site) == SITE_CHARACTERS


OUTCOMES = [
    ("nowhere.test", Result.FAILED, 550, "5.1.2"),
    ("empty.test", Result.FAILED, 550, "5.1.2"),
    ("null.test", Result.FAILED, 556, "5.1.10"),
    ("broken.test", Result.DEFERRED, 451, "4.4.3"),
    ("broken-mx.test", Result.DEFERRED, 451, "4.4.3"),
    ("gone-mx.test", Result.FAILED, 550, "5.4.4"),
    ("bare-mx.test", Result.FAILED, 550, "5.4.4"),
    ("only-literal.test", Result.FAILED, 550, "5.4.4"),
    ("only-ours.test", Result.FAILED, 550, "5.4.6"),
    ("self.test", Result.FAILED, 550, "5.4.6"),
    ("by-name.test", Result.FAILED, 550, "5.4.6"),
    ("inward.test", Result.FAILED, 550, "5.4.4"),
    ("inside.test", Result.FAILED, 550, "5.4.4"),
]


@pytest.mark.parametrize(("domain", "result", "code", "enhanced"), OUTCOMES)
async def test_d02_d03_d04_no_place_to_go(domain: str, result: Result, code: int, enhanced: str) -> None:
    outcome = await destinations().find(domain)
    assert isinstance(outcome, Outcome)
    assert (outcome.result, outcome.reply.code, outcome.reply.enhanced) == (result, code, enhanced)
    assert not outcome.reached
    assert outcome.transcript[0].text.startswith("DNS: ")


@pytest.mark.parametrize(
    ("domain", "left"),
    [
        ("half-broken.test", ["mx1.good.test"]),
        ("nearly-null.test", ["mx1.good.test"]),
        ("literal.test", ["mx2.good.test"]),
        ("ours.test", ["mx1.good.test"]),
        ("mixed.test", ["both.test"]),
    ],
)
async def test_d01_d02_d03_what_is_left_of_the_hosts(domain: str, left: list[str]) -> None:
    assert names(await find(domain)) == left


async def test_d01_a_host_keeps_its_public_addresses_only() -> None:
    assert (await find("mixed.test")).hosts[0].addresses == ("8.5.5.5",)


async def test_allow_private_allows_all_but_ourselves() -> None:
    assert (await find("inside.test", allow_private=True)).hosts[0].addresses == ("10.0.0.1",)
    outcome = await destinations(allow_private=True).find("self.test")
    assert isinstance(outcome, Outcome)


# -- routes -------------------------------------------------------------------------------------------------------


async def test_the_first_route_that_matches_wins() -> None:
    exact = Route(domain="Good.test", host="127.0.0.1", port=26, tls="required", username="u", password="p")
    every = Route(domain="*", host="both.test", port=27, tls="none")
    found = await find("good.test", exact, every)
    assert (found.site, found.port, found.tls) == ("route:u@127.0.0.1:26", 26, "required")
    assert found.login == Login("u", "p")
    found = await find("null.test", exact, every)
    assert (found.site, found.port, found.tls, found.login) == ("route:both.test:27", 27, "none", None)
    assert found.hosts[0].addresses == ("127.0.0.1", "8.5.5.5", "192.168.1.1")
    assert (found.is_route, found.connections, found.messages_per_connection) == (True, 20, 1000)
    assert (await find("good.test", every, exact)).site == "route:both.test:27"


@pytest.mark.parametrize("host", ["nowhere.test", "broken.test", "empty.test"])
async def test_a_route_that_cannot_be_looked_up_is_never_a_bounce(host: str) -> None:
    outcome = await destinations(Route(domain="*", host=host)).find("good.test")
    assert isinstance(outcome, Outcome)
    assert (outcome.result, outcome.reply.enhanced) == (Result.DEFERRED, "4.4.3")


# -- the deny list ------------------------------------------------------------------------------------------------

FORBIDDEN = [
    "127.0.0.1", "127.255.255.254", "::1", "0.0.0.0", "0.1.2.3", "::", "10.0.0.1", "172.16.0.1", "172.31.255.255",
    "192.168.0.1", "100.64.0.1", "100.127.255.255", "169.254.169.254", "fc00::1", "fd12::1", "fe80::1", "fe80::1%eth0",
    "224.0.0.1", "239.1.1.1", "ff02::1", "ff0e::1", "::ffff:10.0.0.1", "::ffff:0:10.0.0.1", "64:ff9b::7f00:1",
    "64:ff9b::10.0.0.1", "64:ff9b:1::1", "2002:7f00:1::", "2002:a00:1::1", "::7f00:1", "::10.0.0.1", "fec0::1", "192.88.99.1",
    "192.0.0.8", "192.0.2.1", "198.51.100.1", "203.0.113.1", "198.18.0.1", "240.0.0.1", "255.255.255.255", "2001:db8::1",
    "2001::1", "100::1", "9.9.9.9", "::ffff:9.9.9.9", "64:ff9b::909:909", "2002:909:909::", "localhost", "127.1", "0x7f.1", "",
]  # fmt: skip
PUBLIC = [
    "8.8.8.8", "1.1.1.1", "172.15.255.255", "172.32.0.1", "100.63.255.255", "100.128.0.1", "11.0.0.1", "223.255.255.255",
    "2600::1", "2a00:1450:4001::1a", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::",
]  # fmt: skip


@pytest.mark.parametrize("address", FORBIDDEN)
def test_d01_never_connected_to(address: str) -> None:
    assert forbidden(address, OURS)


@pytest.mark.parametrize("address", PUBLIC)
def test_d01_public_addresses_pass(address: str) -> None:
    assert forbidden(address, OURS) is None


def test_d01_our_own_addresses_are_told_apart() -> None:
    assert forbidden("9.9.9.9", OURS) == forbidden("::ffff:9.9.9.9", OURS) == OWN
    assert forbidden("9.9.9.9", frozenset()) is None


IN_DNS = [address for address in FORBIDDEN[:-4] if "%" not in address]


@pytest.mark.parametrize("address", IN_DNS)
async def test_d01_an_mx_that_points_there_fails_before_any_connection(address: str) -> None:
    kind = "AAAA" if ":" in address else "A"
    zones = {"evil.test": {"MX": ["10 mx.evil.test."]}, "mx.evil.test": {kind: [address]}}
    found = await Destinations(FakeResolver(zones), Delivery(ipv6=True), Dns(), OURS).find("evil.test")
    assert isinstance(found, Outcome)
    assert (found.result, found.reply.enhanced) == (
        Result.FAILED,
        "5.4.6" if OWN in str(forbidden(address, OURS)) else "5.4.4",
    )
