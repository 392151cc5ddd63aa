"""The SMTP envelope: who a message comes from and goes to, apart from what its headers say (RFC 5321 section 2.3.1)."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Address:
    """A mailbox. `local` keeps case and quoting byte for byte; `domain` is the lower-case A-label form.

    Two addresses are the same mailbox when `local` and `domain` are equal (the local part is compared exactly).
    """

    local: str
    domain: str

    def __str__(self) -> str:
        return f"{self.local}@{self.domain}" if self.domain else self.local


@dataclass(frozen=True, slots=True)
class Recipient:
    """One accepted RCPT. `notify` and `orcpt` are the DSN parameters as given (RFC 3461 section 4), or None."""

    address: Address
    notify: str | None = None
    orcpt: str | None = None


@dataclass(slots=True)
class Envelope:
    """`sender` is None for the null reverse-path `<>`. `size` is what the client declared, in octets."""

    sender: Address | None
    recipients: list[Recipient] = field(default_factory=list)
    size: int | None = None
    eight_bit: bool = False
    utf8: bool = False
    ret: str | None = None
    envid: str | None = None
