"""An email as several resources show it, and the recipient inside."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from postroom.store.emails import EmailDetails
from postroom.store.recipients import recipient_id
from postroom.types.status import EmailStatus
from postroom.web.api.shown import (
    AddressText,
    ConfigId,
    Content,
    CreatedAt,
    Line,
    MailId,
    UpdatedAt,
    Word,
    limited,
)

Status = Literal["queued", "sent", "delivered", "rejected"]

_ID = "0195f0c2a7d1000001a2b3c4"


class HeaderOut(BaseModel):
    name: Word = Field(description="Its name.", examples=["X-Order"])
    value: Line = Field(description="Its value.", examples=["4711"])


class RecipientOut(BaseModel):
    id: MailId = Field(description="The same whenever this domain writes to this address.", examples=[_ID])
    email: AddressText = Field(description="The address.", examples=["ada@example.org"])
    created_at: CreatedAt
    updated_at: UpdatedAt
    deleted_at: Word = Field("", description='"": it is not deleted.', examples=[""])


class EmailOut(BaseModel):
    """One recipient's copy of a message."""

    model_config = ConfigDict(populate_by_name=True)

    id: MailId = Field(description="Of the email; each recipient has one of his own.", examples=[_ID])
    from_: AddressText = Field(
        alias="from", description="The sender's address.", examples=["shop@example.com"]
    )
    subject: Word = Field(description="Decoded, its first 255 characters.", examples=["Your order"])
    text: Content | None = Field(None, description="Null unless content tracking is on.", examples=[None])
    html: Content | None = Field(None, description="Null unless content tracking is on.", examples=[None])
    template_id: ConfigId = Field(description='"" if there was none.', examples=[""])
    status: Status = Field(description="Where it stands.", examples=["delivered"])
    tags: Annotated[list[Word], limited(maxItems=100)] | None = Field(
        description="Null if there are none.", examples=[["order"]]
    )
    created_at: CreatedAt
    updated_at: UpdatedAt
    headers: Annotated[list[HeaderOut], limited(maxItems=100)] | None = Field(
        description="The custom ones; null if there are none."
    )


class AddressedEmail(EmailOut):
    recipient: RecipientOut = Field(description="Whose copy it is.")


def email_fields(email: EmailDetails) -> dict[str, Any]:
    """Those of `EmailOut`. An email changes last when it becomes final; what happens before that is in its events."""
    return {
        "id": email.id,
        "from_": email.header_from,
        "subject": email.subject,
        "template_id": email.template_id or "",
        "status": EmailStatus(email.status).api_word(attempted=email.sent),
        "tags": email.tags.splitlines() or None,
        "created_at": email.created_at,
        "updated_at": email.final_at or email.created_at,
        "headers": json.loads(email.headers or "null") or None,
    }


def addressed_fields(email: EmailDetails) -> dict[str, Any]:
    """Those of `AddressedEmail`."""
    return email_fields(email) | {"recipient": recipient_out(email)}


def recipient_out(email: EmailDetails) -> RecipientOut:
    return RecipientOut(
        id=recipient_id(email.account_id, email.domain_id, email.recipient),
        email=email.recipient,
        created_at=email.created_at,
        updated_at=email.created_at,
    )
