"""What `GET /v1/emails` can be asked, beside domain and time."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import Depends, Query, Request


class Interaction(StrEnum):
    OPENED = "opened"
    CLICKED = "clicked"
    UNSUBSCRIBED = "unsubscribed"
    COMPLAINED = "complained"
    NO_INTERACTION = "no_interaction"


class StatusWord(StrEnum):
    QUEUED = "queued"
    SENT = "sent"
    REJECTED = "rejected"
    DELIVERED = "delivered"


@dataclass(frozen=True, slots=True)
class Search:
    """None and empty: whatever it is."""

    statuses: frozenset[str]
    interactions: frozenset[Interaction]
    recipient: str | None
    message_id: str | None
    template_id: str | None
    subject: str | None
    tag: str | None
    metadata: dict[str, str] = field(default_factory=dict)


_METADATA = re.compile(r"metadata\[(.+)\]")

METADATA: dict[str, Any] = {
    "name": "metadata",
    "in": "query",
    "style": "deepObject",
    "explode": True,
    "description": "Metadata that the request gave: `metadata[order]=4711`. All of them have to be equal.",
    "schema": {
        "type": "object",
        "additionalProperties": {"type": "string", "maxLength": 255},
        "example": {"order": "4711"},
    },
}
"""The parameter in the OpenAPI document: its names are not known beforehand."""


def _metadata(request: Request) -> dict[str, str]:
    """Not from `request.query_params`: to those a name in digits is the index of an array."""
    pairs = parse_qsl(request.scope["query_string"].decode("ascii"))
    matches = ((_METADATA.fullmatch(name), value) for name, value in pairs)
    return {match[1]: value for match, value in matches if match is not None}


async def _search(
    metadata: Annotated[dict[str, str], Depends(_metadata)],
    status: Annotated[
        list[StatusWord],
        Query(
            alias="status[]",
            default_factory=list,
            max_length=100,
            description="One of these.",
            examples=[["sent"]],
        ),
    ],
    interaction: Annotated[
        list[Interaction],
        Query(
            alias="interaction[]",
            default_factory=list,
            max_length=100,
            description="One of these.",
            examples=[["opened"]],
        ),
    ],
    recipient_email: Annotated[
        str | None, Query(max_length=320, description="Exactly this address.", examples=["ada@example.org"])
    ] = None,
    message_id: Annotated[
        str | None,
        Query(max_length=24, description="Of this message.", examples=["0195f0c2a7d1000001a2b3c4"]),
    ] = None,
    template_id: Annotated[
        str | None,
        Query(max_length=24, description="Made with this template.", examples=["0r83ql3jjz8lgwpo"]),
    ] = None,
    subject: Annotated[
        str | None,
        Query(
            min_length=3,
            max_length=255,
            description="Contained in the subject, in any case.",
            examples=["order"],
        ),
    ] = None,
    tag: Annotated[
        str | None, Query(max_length=191, description="Has exactly this tag.", examples=["order"])
    ] = None,
) -> Search:
    return Search(
        frozenset(map(str, status)),
        frozenset(interaction),
        recipient_email,
        message_id,
        template_id,
        subject,
        tag,
        metadata,
    )


CurrentSearch = Annotated[Search, Depends(_search)]
"""The type of the endpoint's parameter."""
