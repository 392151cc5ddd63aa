"""runtime.interfaces: which addresses are ours."""

from __future__ import annotations

import socket
from ipaddress import ip_address
from pathlib import Path

import pytest

from postroom.errors import ConfigError
from postroom.runtime import interfaces
from postroom.runtime.interfaces import check_source, own_addresses, read_ipv4, read_ipv6

FIB_TRIE = """\
Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 127.0.0.0/8 2 0 2
        +-- 127.0.0.0/31 1 0 0
           |-- 127.0.0.0
              /8 host LOCAL
           |-- 127.0.0.1
              /32 host LOCAL
        |-- 127.255.255.255
           /32 link BROADCAST
     +-- 198.51.100.0/24 2 0 2
        +-- 198.51.100.0/29 2 0 2
           |-- 198.51.100.0
              /32 link BROADCAST
              /24 link UNICAST
           |-- 198.51.100.7
              /32 link UNICAST
              /32 host LOCAL
     |-- 203.0.113.9
        /32 universe UNICAST
Local:
  +-- 172.17.0.0/16 2 0 2
     |-- 172.17.0.1
        /32 host LOCAL
"""
IF_INET6 = """\
20010db8000000000000000000000007 02 40 00 80     eth1
00000000000000000000000000000001 01 80 10 80       lo
fe8000000000000000fc00fffe000001 04 40 20 80     eth0
"""


def test_d01_addresses_of_all_interfaces_are_read_from_the_kernel() -> None:
    assert list(read_ipv4(FIB_TRIE)) == ["127.0.0.1", "198.51.100.7", "172.17.0.1"]
    assert list(read_ipv6(IF_INET6)) == ["2001:db8::7", "::1", "fe80::fc:ff:fe00:1"]
    assert list(read_ipv4("")) == list(read_ipv6("")) == []


def test_d01_addresses_of_all_interfaces_are_ours(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "fib_trie").write_text(FIB_TRIE)
    (tmp_path / "if_inet6").write_text(IF_INET6)
    monkeypatch.setattr(interfaces, "_IPV4", tmp_path / "fib_trie")
    monkeypatch.setattr(interfaces, "_IPV6", tmp_path / "if_inet6")
    assert {"198.51.100.7", "172.17.0.1", "2001:db8::7", "fe80::fc:ff:fe00:1"} <= own_addresses()


def test_other_systems_have_no_such_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(interfaces, "_IPV4", tmp_path / "missing")
    monkeypatch.setattr(interfaces, "_IPV6", tmp_path / "missing")
    assert "198.51.100.7" in own_addresses("198.51.100.7")


@pytest.mark.skipif(not interfaces._IPV4.exists(), reason="only Linux has this file")
def test_this_machines_own_addresses_are_among_them() -> None:
    own = own_addresses()
    for address in {*read_ipv4(Path("/proc/net/fib_trie").read_text())}:
        with socket.socket() as sock:
            sock.bind((address, 0))  # nobody else's address can be bound
        assert address in own or ip_address(address).is_loopback


def test_configured_addresses_are_ours_in_canonical_form() -> None:
    assert {"198.51.100.7", "2001:db8::7"} <= own_addresses("198.51.100.7", "2001:DB8:0::7", "")


def test_loopback_is_everybodys() -> None:
    assert not any(ip_address(address).is_loopback for address in own_addresses("127.0.0.1", "::1"))


@pytest.mark.parametrize("address", ["", "127.0.0.1"])
def test_mail_can_leave_from_an_address_of_this_machine(address: str) -> None:
    check_source(address)


def test_mail_cannot_leave_from_the_address_of_another_machine() -> None:
    with pytest.raises(
        ConfigError, match=r"^delivery\.ipv4_source: 203\.0\.113\.9 is no address of this machine$"
    ):
        check_source("203.0.113.9")
