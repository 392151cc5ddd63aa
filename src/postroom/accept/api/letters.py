"""Letters: the mail that Postroom itself sends gets in as everybody else's does."""

from __future__ import annotations

from postroom.accept.api.edge import ApiEdge
from postroom.accept.api.request import Sender, SendRequest
from postroom.tenancy.entries import AccountState
from postroom.types.draft import CredentialKind
from postroom.types.notices import Letter
from postroom.types.refusals import Refused

HEADERS = (("Auto-Submitted", "auto-generated"),)
"""So that nobody's holiday answers it (RFC 3834 section 5)."""


async def keep(edge: ApiEdge, account: AccountState, letter: Letter) -> str | Refused:
    """The id of the message, "" when the recipient is suppressed."""
    request = SendRequest(
        from_=letter.from_,
        to=(letter.to,),
        subject=letter.subject,
        text=letter.text,
        html=letter.html,
        reply_to=() if letter.reply_to is None else (letter.reply_to,),
        headers=HEADERS,
    )
    answer = await edge.send(Sender(account, CredentialKind.SYSTEM, ""), request)
    return answer if isinstance(answer, Refused) else answer.message_id
