"""What somebody asks the API to send."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from postroom.tenancy.entries import AccountState, DomainInfo
from postroom.types.draft import ApiDetails, CredentialKind, Stream
from postroom.types.envelope import Address
from postroom.types.parts import Attachment, Mailbox, Parts


@dataclass(frozen=True, slots=True)
class Sender:
    """Who asks: an account through one of its tokens or users, as `kind` says, or Postroom itself ("").

    `domains`: the only ones they may send from, None: all of the account.
    """

    account: AccountState
    kind: CredentialKind
    credential_id: str
    domains: frozenset[str] | None = None

    def sending_domain(self, address: Address) -> DomainInfo | None:
        """The verified domain of the account that signs what is sent from `address`, if they may send from it."""
        found = self.account.sending_domain(address)
        if found is None or self.domains is None or found.id in self.domains:
            return found
        return None


@dataclass(slots=True)  # frozen, it takes five times as long to make
class SendRequest:
    """Each field was checked by itself (`wire.mime.build.problems` finds nothing). Addresses may repeat.

    `hidden` get it and stand in no header. `personalizations` are by recipient address, as they are stored
    (`types.parts`); `twig` and `simple` say in which syntaxes subject and texts have variables, neither means that they
    are no templates. `in_reply_to` and `references` have their angle brackets. `send_at` is in milliseconds, None: at
    once.
    """

    from_: Mailbox
    to: tuple[Mailbox, ...]
    subject: str
    text: str | None = None
    html: str | None = None
    cc: tuple[Mailbox, ...] = ()
    hidden: tuple[Mailbox, ...] = ()
    reply_to: tuple[Mailbox, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    list_unsubscribe: tuple[str, ...] = ()
    precedence_bulk: bool = False
    personalizations: Mapping[Address, bytes] = field(default_factory=dict)
    twig: bool = False
    simple: bool = False
    tags: tuple[str, ...] = ()
    stream: Stream = Stream.TRANSACTIONAL
    send_at: int | None = None
    details: ApiDetails | None = None

    @property
    def personalised(self) -> bool:
        return self.twig or self.simple

    @property
    def recipients(self) -> dict[Address, Mailbox]:
        """Each address once, as it was written first."""
        found: dict[Address, Mailbox] = {}
        for mailbox in (*self.to, *self.cc, *self.hidden):
            found.setdefault(mailbox.address, mailbox)
        return found

    def parts(self, message_id: str, date: int) -> Parts:
        """As a message with this 24-hex id, dated `date` (milliseconds)."""
        return Parts(
            from_=self.from_,
            to=self.to,
            subject=self.subject,
            message_id=f"<{message_id}@{self.from_.address.domain}>",
            date=date,
            seed=message_id,
            text=self.text,
            html=self.html,
            cc=self.cc,
            reply_to=self.reply_to,
            attachments=self.attachments,
            headers=self.headers,
            in_reply_to=self.in_reply_to,
            references=self.references,
            list_unsubscribe=self.list_unsubscribe,
            precedence_bulk=self.precedence_bulk,
        )
