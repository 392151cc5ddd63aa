"""`SystemMailer`: a notice becomes a letter, and the letter a message that is kept like any other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog

from postroom.config import Config
from postroom.errors import PostroomError, StorageUnavailableError
from postroom.notify.letters import render
from postroom.runtime.secrets import SecretBox
from postroom.store.database import Database
from postroom.tenancy import system_account
from postroom.tenancy.entries import AccountState
from postroom.types import refusals
from postroom.types.addresses import AddressError, parse_mailbox
from postroom.types.envelope import Address
from postroom.types.notices import ApprovalRequest, Letter, Notice, QuotaRequest, Sent
from postroom.types.parts import Mailbox
from postroom.types.refusals import Refused

log = structlog.get_logger()

NAME, LOCAL_PART = "Postroom", "postroom"

Keep = Callable[[AccountState, Letter], Awaitable[str | Refused]]
"""What accept does: the id of the message, "" when its recipient is suppressed, or why it is not kept."""


class SystemMailer:
    """`base_url` says where people reach the web pages, once the listeners are there."""

    def __init__(
        self, config: Config, db: Database, box: SecretBox, keep: Keep, base_url: Callable[[], str]
    ) -> None:
        self._from = config.system.mailbox
        self._contact = config.server.operator
        self._db = db
        self._box = box
        self._keep = keep
        self._base_url = base_url

    async def send(self, notice: Notice, *, once: str = "") -> Sent:
        """See `types.notices.SystemMail`."""
        to = self._recipient(notice)
        if to is None:
            return Sent("", leaves=False)
        account, from_, leaves = await self._sender()
        wording = render(notice)
        letter = Letter(from_, to, wording.subject, wording.text, wording.html, self._contact, once)
        kept = await self._keep(account, letter)
        if isinstance(kept, Refused):
            if kept.rule is refusals.STORAGE_UNAVAILABLE:
                raise StorageUnavailableError(kept.text)
            raise PostroomError(kept.text)
        log.info("system mail", notice=type(notice).__name__, message_id=kept, leaves=leaves)
        return Sent(kept, leaves and bool(kept))

    def link(self, path: str) -> str:
        return f"{self._base_url().rstrip('/')}{path}"

    def _recipient(self, notice: Notice) -> Mailbox | None:
        """None: the operator has no address."""
        if isinstance(notice, ApprovalRequest | QuotaRequest):
            return self._contact
        try:
            return Mailbox("", parse_mailbox(notice.to))
        except AddressError as error:
            raise PostroomError(f"{notice.to!r} is no email address: {error}") from None

    async def _sender(self) -> tuple[AccountState, Mailbox, bool]:
        """The account, From, and whether the mail leaves."""
        if self._from is not None:
            account = await system_account.sending_from(self._db, self._box, self._from.address.domain)
            if account is not None:
                return account, self._from, True
        account, sandbox = await system_account.sending_to_inbox(self._db, self._box)
        return account, Mailbox(NAME, Address(LOCAL_PART, sandbox)), False
