"""Messages that want in, for the rules of `accept.admit`: an account as the directory knows it, and a header."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from postroom.accept import admit
from postroom.config import Config
from postroom.tenancy.entries import AccountState, Credential, DomainInfo
from postroom.types.draft import Content, Stream
from postroom.types.envelope import Address, Envelope, Recipient
from postroom.types.refusals import Refused


def domain(name: str, *, mode: str = "live", strict: bool = False) -> DomainInfo:
    return DomainInfo(
        f"id-{name}", name, mode, strict_envelope=strict, keep_content=False, return_path_host=""
    )


def account(*domains: DomainInfo, others: Collection[str] = (), **changes: Any) -> AccountState:
    """Approved, with these verified domains. `others` are those of other accounts that may lie under them."""
    fields: dict[str, Any] = {
        "id": "a" * 16,
        "name": "Shop",
        "state": "approved",
        "reason": "",
        "daily_quota": None,
        "verified": {one.name: one for one in domains},
        "by_id": {one.id: one for one in domains},
        "suppresses": False,
        "others": frozenset(others),
    }
    return AccountState(**fields | changes)


def candidate(
    account: AccountState,
    header: bytes,
    *,
    sender: Address | None = None,
    recipients: int = 1,
    allowed: frozenset[str] | None = None,
    config: Config | None = None,
) -> admit.Candidate:
    """`allowed` are the ids of the domains that the SMTP user is limited to; no `sender` is the null reverse-path."""
    login = Credential("u" * 16, "app", account.id, "", Stream.TRANSACTIONAL, False, b"", allowed)
    to = [Recipient(Address(f"bob{number}", "x.test")) for number in range(recipients)]
    content = Content(header, len(header), len(header))
    return admit.Candidate(login, account, Envelope(sender, to), content, config or Config())


def decide(wants_in: admit.Candidate) -> tuple[str, str]:
    """What a message at the end of its data is answered: the rule's id and the reply; two empty texts for a yes."""
    refused = admit.run(admit.MESSAGE, wants_in)
    return said(refused) if refused is not None else ("", "")


def said(refused: Refused) -> tuple[str, str]:
    """The rule's id, and the reply as the client reads it."""
    return refused.rule.id, str(refused.reply())
