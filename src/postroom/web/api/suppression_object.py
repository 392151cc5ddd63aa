"""Entries of suppression lists as the API shows them: each list has a shape of its own (contract, section 11)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.store import domains, recipients
from postroom.store.domains import Domain
from postroom.store.recipients import recipient_id
from postroom.store.suppressions import Suppression
from postroom.web.api.domain_object import DomainShort, short
from postroom.web.api.email_object import RecipientOut
from postroom.web.api.json_out import Timestamp, timestamp
from postroom.web.api.shown import AddressText, CreatedAt, MailId, Sentence, UpdatedAt

UNKNOWN_REASON = "Unknown reason"
_ID = "0195f0c2a7d1000001a2b3c4"

READABLE = {"option_3": "I get too many emails"}
"""What a choice on the page to unsubscribe says. Whoever unsubscribed in another way may have said why in words."""


class AddedPattern(BaseModel):
    id: MailId = Field(description="Of the entry.", examples=[_ID])
    type: Literal["exact", "pattern"] = Field(
        description="Whether `*` stands for anything.", examples=["exact"]
    )
    pattern: AddressText = Field(description="The address or the pattern.", examples=["ada@example.org"])
    created_at: CreatedAt
    updated_at: UpdatedAt


class BlockedOut(AddedPattern):
    domain: DomainShort | None = Field(description="Null: for the whole account.")


class DomainRecipient(RecipientOut):
    domain: DomainShort | None = Field(description="Null: for the whole account.")


class ComplainedOut(BaseModel):
    id: MailId = Field(description="Of the entry.", examples=[_ID])
    recipient: DomainRecipient = Field(description="Who it is about.")
    created_at: CreatedAt


class BouncedOut(ComplainedOut):
    reason: Sentence = Field(
        description="What the recipient's server said.", examples=["550 5.1.1 no such user"]
    )


class UnsubscribedOut(ComplainedOut):
    reason: Sentence | None = Field(description="What was chosen or said; null: nothing.", examples=[None])
    readable_reason: Sentence | None = Field(description="The same in words.", examples=[None])


class OnHoldOut(UnsubscribedOut):
    on_hold_until: Timestamp | None = Field(description="When it goes away by itself; null: never.")


Row = BlockedOut | BouncedOut | ComplainedOut | UnsubscribedOut | OnHoldOut


def added_pattern(entry: Suppression) -> AddedPattern:
    return AddedPattern(
        id=entry.id,
        type="pattern" if entry.pattern else "exact",
        pattern=entry.address,
        created_at=entry.created_at,
        updated_at=entry.created_at,
    )


class Rows:
    """Makes the rows of entries of one account."""

    def __init__(self, owned: dict[str, Domain], known: dict[str, recipients.Recipient]) -> None:
        self._domains = owned
        self._known = known

    @classmethod
    async def load(cls, connection: AsyncConnection, account_id: str, entries: Sequence[Suppression]) -> Rows:
        """With what their rows need beside them."""
        if not entries:
            return cls({}, {})
        owned = {domain.id: domain for domain in await domains.list_all(connection, account_id)}
        ids = {_recipient_id(entry) for entry in entries if not entry.pattern}
        return cls(owned, await recipients.load(connection, account_id, ids))

    def blocked(self, entry: Suppression) -> BlockedOut:
        return BlockedOut(**dict(added_pattern(entry)), domain=self._domain(entry))

    def bounced(self, entry: Suppression) -> BouncedOut:
        return BouncedOut(reason=entry.reason or UNKNOWN_REASON, **self._about(entry))

    def complained(self, entry: Suppression) -> ComplainedOut:
        return ComplainedOut(**self._about(entry))

    def unsubscribed(self, entry: Suppression) -> UnsubscribedOut:
        return UnsubscribedOut(**self._about(entry), **_reasons(entry))

    def on_hold(self, entry: Suppression) -> OnHoldOut:
        return OnHoldOut(**self._about(entry), **_reasons(entry), on_hold_until=entry.expires_at)

    def _domain(self, entry: Suppression) -> DomainShort | None:
        domain = self._domains.get(entry.domain_id or "")
        return None if domain is None else short(domain)

    def _about(self, entry: Suppression) -> dict[str, object]:
        """Somebody who has been written to is shown as their own endpoint does."""
        id_ = _recipient_id(entry)
        known = self._known.get(id_)
        shown = DomainRecipient(
            id=id_,
            email=entry.address,
            created_at=known.created_at if known else entry.created_at,
            updated_at=known.updated_at if known else entry.created_at,
            deleted_at=timestamp(known.deleted_at) if known and known.deleted_at else "",
            domain=self._domain(entry),
        )
        return {"id": entry.id, "recipient": shown, "created_at": entry.created_at}


def _recipient_id(entry: Suppression) -> str:
    return recipient_id(entry.account_id, entry.domain_id or "", entry.address)


def _reasons(entry: Suppression) -> dict[str, str | None]:
    said = entry.reason or None
    return {"reason": said, "readable_reason": READABLE.get(entry.reason, said)}
