"""What became of a message that was taken in, as the edge tells its client, now and when the request comes again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from postroom.types.draft import Draft
from postroom.types.suppression import Lists, SuppressionList


@dataclass(frozen=True, slots=True)
class Accepted:
    """`message_id` is "" when every recipient is suppressed: then there is no message. `suppressed` are the recipients
    that nothing is sent to, with the lists they are on. `paused`: it waits until sending from its domain is resumed."""

    message_id: str
    suppressed: Mapping[str, Lists] = field(default_factory=dict)
    paused: bool = False

    @classmethod
    def of(cls, draft: Draft) -> Accepted:
        return cls(draft.id, draft.suppressed, draft.paused)

    def encode(self) -> str:
        """As it is kept with an idempotency key."""
        suppressed = {address: list(lists) for address, lists in self.suppressed.items()}
        answer = {"message_id": self.message_id, "suppressed": suppressed}
        return json.dumps(answer | ({"paused": True} if self.paused else {}), separators=(",", ":"))

    @classmethod
    def decode(cls, stored: str) -> Accepted:
        answer = json.loads(stored)
        suppressed = {
            address: tuple(map(SuppressionList, lists)) for address, lists in answer["suppressed"].items()
        }
        return cls(answer["message_id"], suppressed, answer.get("paused", False))
