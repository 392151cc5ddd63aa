"""runtime.interfaces: which addresses are ours."""

from ipaddress import ip_address

from postroom.runtime.interfaces import own_addresses


def test_configured_addresses_are_ours_in_canonical_form() -> None:
    assert {"198.51.100.7", "2001:db8::7"} <= own_addresses("198.51.100.7", "2001:DB8:0::7", "")


def test_loopback_is_everybodys() -> None:
    assert not any(ip_address(address).is_loopback for address in own_addresses("127.0.0.1", "::1"))
