"""Letters: the mail that Postroom itself sends gets in as everybody else's does."""

from __future__ import annotations

from hashlib import sha256

from postroom.accept.api.edge import ApiEdge
from postroom.accept.api.request import Sender, SendRequest
from postroom.tenancy.entries import AccountState
from postroom.types.draft import CredentialKind, Idempotency
from postroom.types.notices import Letter
from postroom.types.refusals import Refused

HEADERS = (("Auto-Submitted", "auto-generated"),)
"""So that nobody's holiday answers it (RFC 3834 section 5)."""
ONCE_MS = 30 * 24 * 3600 * 1000
"""For how long a letter that is sent once is known."""


async def keep(edge: ApiEdge, account: AccountState, letter: Letter) -> str | Refused:
    """The id of the message, "" when the recipient is suppressed. Of one that is sent once (`types.notices`) it is that of
    the first."""
    request = SendRequest(
        from_=letter.from_,
        to=(letter.to,),
        subject=letter.subject,
        text=letter.text,
        html=letter.html,
        reply_to=() if letter.reply_to is None else (letter.reply_to,),
        headers=HEADERS,
    )
    sender = Sender(account, CredentialKind.SYSTEM, "")
    if not letter.once:
        answer = await edge.send(sender, request)
        return answer if isinstance(answer, Refused) else answer.message_id
    return await _once(edge, sender, request, f"{letter.once} {letter.to.address}")


async def _once(edge: ApiEdge, sender: Sender, request: SendRequest, what: str) -> str | Refused:
    """Its key goes into the transaction that keeps the message."""
    idempotency = Idempotency(sha256(what.encode()).hexdigest(), b"letter", ONCE_MS)
    async with edge.keys.turn(sender.account.id, idempotency):
        answer = await edge.keys.answered(sender.account.id, idempotency)
        if answer is None:
            answer = await edge.send(sender, request, idempotency)
    return answer if isinstance(answer, Refused) else answer.message_id
