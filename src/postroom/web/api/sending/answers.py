"""What a send request is answered when nothing is wrong with it (mailersend-api, section 2.1)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from fastapi import Response
from pydantic import BaseModel, Field

from postroom.accept.api import Accepted
from postroom.types import refusals
from postroom.types.parts import Mailbox
from postroom.web.api.json_out import Json, empty
from postroom.web.api.shown import AddressText, Sentence, Word, limited

MESSAGE = "There are some warnings for your request."
SOME = "Some of the recipients have been suppressed."


class SuppressedRecipient(BaseModel):
    email: AddressText = Field(description="The address.", examples=["carla@example.com"])
    name: Word | None = Field(description="As in the request.", examples=["Carla"])
    reasons: Annotated[list[Word], limited(maxItems=5)] = Field(
        description="blocklisted, hard_bounced, spam_complaint, unsubscribed, on_hold.",
        examples=[["hard_bounced"]],
    )


class Warned(BaseModel):
    type: Word = Field(description="SOME_SUPPRESSED or ALL_SUPPRESSED.", examples=["SOME_SUPPRESSED"])
    warning: Sentence = Field(description="For people.", examples=[SOME])
    recipients: Annotated[list[SuppressedRecipient], limited(maxItems=120)] = Field(
        description="Who is sent nothing."
    )


class Warnings(BaseModel):
    """Only when some or all recipients are suppressed; else the body is empty."""

    message: Sentence = Field(description="For people.", examples=[MESSAGE])
    warnings: Annotated[list[Warned], limited(maxItems=1)] = Field(description="One for now.")


def answer(accepted: Accepted, recipients: Iterable[Mailbox]) -> Response:
    """202. `x-message-id` unless there is no message, `x-send-paused` if it waits for that; JSON only when there is something to tell.

    `recipients` are those of the request, each once.
    """
    headers = {"x-message-id": accepted.message_id} if accepted.message_id else {}
    if accepted.paused:
        headers["x-send-paused"] = "true"
    if not accepted.suppressed:
        return empty(202, headers)
    return Json(warnings(accepted, recipients), 202, headers)


def warnings(accepted: Accepted, recipients: Iterable[Mailbox]) -> dict[str, Any]:
    """Who gets nothing, and why, in the order of the recipients."""
    some = bool(accepted.message_id)
    suppressed = [
        {
            "email": str(mailbox.address),
            "name": mailbox.name or None,
            "reasons": [listed.reason for listed in accepted.suppressed[str(mailbox.address)]],
        }
        for mailbox in recipients
        if str(mailbox.address) in accepted.suppressed
    ]
    warned = {
        "type": "SOME_SUPPRESSED" if some else "ALL_SUPPRESSED",
        "warning": SOME if some else refusals.ALL_SUPPRESSED.text,
        "recipients": suppressed,
    }
    return {"message": MESSAGE, "warnings": [warned]}
