"""The mail Postroom itself sends: one typed notice for each kind, and what sends it (`notify` does).

Whoever has something to tell takes a `SystemMail` and needs to know neither templates nor how mail gets out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from postroom.types.parts import Mailbox


@dataclass(frozen=True, slots=True)
class Invitation:
    """To somebody who shall join an account. `inviter` is the name or address of who asks them to."""

    to: str
    account: str
    inviter: str
    link: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class IdentityConfirmation:
    """To the owner of an address an account wants to send from. `note` is what the account wrote to them, or ""."""

    to: str
    account: str
    link: str = field(repr=False)
    note: str = ""


@dataclass(frozen=True, slots=True)
class IdentityProblem:
    """Mail from `address`, a sender identity of the account, will not arrive any more; `problem` says why."""

    to: str
    account: str
    address: str
    problem: str


@dataclass(frozen=True, slots=True)
class QuotaNotice:
    """`percent` of the daily quota is used up: 80 or 100. `held`: what comes beyond it waits, else it is refused."""

    to: str
    account: str
    percent: int
    quota: int
    held: bool


@dataclass(frozen=True, slots=True)
class ApprovalRequest:
    """To the operator (`server.contact`): an account asks to be approved. `answers` are (question, answer) pairs."""

    account: str
    answers: tuple[tuple[str, str], ...]
    link: str


@dataclass(frozen=True, slots=True)
class ApprovalDecision:
    """`reason` is what the operator wrote, or ""."""

    to: str
    account: str
    approved: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class QuotaRequest:
    """To the operator: an account that may send `quota` emails a day (0: as many as it likes) asks for `wanted`. `reason`
    is what it wrote."""

    account: str
    quota: int
    wanted: int
    reason: str
    link: str


@dataclass(frozen=True, slots=True)
class QuotaDecision:
    """`quota` is what the account has from now on, in emails a day, 0: as many as it likes. `reason` is what the operator
    wrote, or ""."""

    to: str
    account: str
    approved: bool
    quota: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class DomainCheckFailed:
    """`problems` say one record each; `pauses_at`, in milliseconds: when sending stops if nothing is mended."""

    to: str
    account: str
    domain: str
    problems: tuple[str, ...]
    pauses_at: int
    link: str


@dataclass(frozen=True, slots=True)
class DomainRestored:
    """The records of a domain that failed its check are right again."""

    to: str
    account: str
    domain: str


@dataclass(frozen=True, slots=True)
class PasswordReset:
    """To somebody who has forgotten their password, or whose address somebody else has typed."""

    to: str
    link: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PasswordChanged:
    """`client` is the address it was changed from; `link` leads to a reset, for who did not do it."""

    to: str
    client: str
    link: str


@dataclass(frozen=True, slots=True)
class SecondStepLocked:
    """Somebody knows the password and has guessed at the codes. `client` and `link` as in `PasswordChanged`."""

    to: str
    client: str
    link: str


@dataclass(frozen=True, slots=True)
class SignUpConfirmation:
    """To somebody who wants to make an account here, or whose address somebody else has typed."""

    to: str
    link: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SignUpKnown:
    """The same where there is a user with this address: nothing is made. `link` leads to the page to sign in."""

    to: str
    link: str


@dataclass(frozen=True, slots=True)
class EmailChangeConfirmation:
    """To the address that somebody wants to sign in with from now on, or that they have typed."""

    to: str
    link: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class EmailChangeKnown:
    """The same where there is a user with this address: nothing changes. `link` leads to the page to sign in."""

    to: str
    link: str


@dataclass(frozen=True, slots=True)
class EmailChangeAsked:
    """To the address that somebody signs in with still: they want to use `address` instead. `client` and `link` as in
    `PasswordChanged`."""

    to: str
    address: str
    client: str
    link: str


@dataclass(frozen=True, slots=True)
class EmailChanged:
    """To the address that somebody signed in with until now. `client` is where the change was confirmed."""

    to: str
    address: str
    client: str


Notice = (
    Invitation
    | IdentityConfirmation
    | IdentityProblem
    | QuotaNotice
    | ApprovalRequest
    | ApprovalDecision
    | QuotaRequest
    | QuotaDecision
    | DomainCheckFailed
    | DomainRestored
    | PasswordReset
    | PasswordChanged
    | SecondStepLocked
    | SignUpConfirmation
    | SignUpKnown
    | EmailChangeConfirmation
    | EmailChangeKnown
    | EmailChangeAsked
    | EmailChanged
)


@dataclass(frozen=True, slots=True)
class Letter:
    """What a notice becomes: one message to one person. `reply_to` None: answers go to the sender. `once` as in
    `SystemMail.send`."""

    from_: Mailbox
    to: Mailbox
    subject: str
    text: str
    html: str
    reply_to: Mailbox | None = None
    once: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a notice. `message_id` "": nobody is told, for there is no address or it is suppressed.

    `leaves` False: it stays in the sandbox inbox, because no live verified domain is set for `system.from`. Then show
    the notice's link to whoever caused it.
    """

    message_id: str
    leaves: bool


class SystemMail(Protocol):
    async def send(self, notice: Notice, *, once: str = "") -> Sent:
        """On stable storage when this returns, and on its way. Never call it inside a transaction.

        With the same `once` the same person gets one letter in a month, whoever tries again. So who has to note that a
        thing was told does so behind this: a process that ends in between tells nothing twice, and loses nothing.

        Raises StorageUnavailableError, and PostroomError for an address that is none.
        """

    def link(self, path: str) -> str:
        """The whole URL of a page of this installation, like `/invites/...`."""
