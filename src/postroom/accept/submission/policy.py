"""What the submission edge asks of whoever decides."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Protocol, TypeVar

from postroom.accept.rate import Pace
from postroom.types.draft import Content
from postroom.types.envelope import Envelope, Recipient
from postroom.types.refusals import Refused

LoginT = TypeVar("LoginT")

# The id of a message that is on stable storage, or why it is not.
Answer = str | Refused


class Policy(Protocol[LoginT]):
    """`LoginT` is whatever a login comes to; the edge only hands it back. `client` is the address as text.

    Whatever can be answered from memory should be answered at once, not with an awaitable. An exception is logged and
    answered with a 4xx.
    """

    def login(
        self, username: str, password: str, client: str
    ) -> LoginT | Refused | Awaitable[LoginT | Refused]: ...

    def mail(
        self, login: LoginT, envelope: Envelope, client: str
    ) -> Refused | Pace | Awaitable[Refused | Pace]:
        """May this login send now? A pace holds the reply back for that long, then says yes."""

    def rcpt(
        self, login: LoginT, envelope: Envelope, recipient: Recipient, client: str
    ) -> Refused | Awaitable[Refused | None] | None:
        """Whether this recipient may join those that `envelope` has; None: yes."""

    def message(
        self, login: LoginT, envelope: Envelope, content: Content, client: str
    ) -> Refused | Awaitable[Answer]:
        """Keep the message. The id is given only after it is durable."""

    def refused(
        self,
        refused: Refused,
        *,
        login: LoginT | None,
        username: str,
        client: str,
        envelope: Envelope | None,
        header: bytes,
    ) -> None:
        """Somebody was refused: by this policy, by the protocol or by a limit. `username` is what a failed login gave,
        `header` what is known of the message."""
