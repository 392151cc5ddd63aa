"""runtime.hostname: what a machine without the setting calls itself."""

from __future__ import annotations

import socket

import pytest

from postroom.errors import ConfigError
from postroom.runtime.hostname import own_hostname


def called(monkeypatch: pytest.MonkeyPatch, full: str, short: str) -> None:
    monkeypatch.setattr(socket, "getfqdn", lambda: full)
    monkeypatch.setattr(socket, "gethostname", lambda: short)


@pytest.mark.parametrize(
    ("full", "name"),
    [
        ("vm.example.com", "vm.example.com"),
        ("vm", "vm"),
        ("localhost", "vm"),
        ("LocalHost.LocalDomain", "vm"),
        ("localhost6.localdomain6", "vm"),
        ("ip6-localhost", "vm"),
        ("1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa", "vm"),
        ("localhost.example.com", "localhost.example.com"),
    ],
)
def test_a_name_that_every_machine_has_is_none(monkeypatch: pytest.MonkeyPatch, full: str, name: str) -> None:
    called(monkeypatch, full, "vm")
    assert own_hostname("") == name


def test_the_setting_counts_first(monkeypatch: pytest.MonkeyPatch) -> None:
    called(monkeypatch, "vm.example.com", "vm")
    assert own_hostname("mail.example.com") == "mail.example.com"


def test_a_machine_that_has_no_other_name(monkeypatch: pytest.MonkeyPatch) -> None:
    called(monkeypatch, "localhost", "localhost")
    assert own_hostname("") == "localhost"


def test_a_machine_whose_name_cannot_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    called(monkeypatch, "localhost", "Ann's laptop")
    with pytest.raises(ConfigError, match=r'^server\.hostname: must be set.*"Ann\'s laptop"$'):
        own_hostname("")
