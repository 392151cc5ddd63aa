"""What a delivery attempt came to. Values, not exceptions (design section 2, rule 2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from postroom.types.reply import Reply


class Result(StrEnum):
    DELIVERED = "delivered"
    DEFERRED = "deferred"
    FAILED = "failed"
    UNCERTAIN = "uncertain"  # the final dot was sent and the reply never came (RFC 1047)


@dataclass(frozen=True, slots=True)
class TranscriptLine:
    """`at` is milliseconds since the attempt began. `who` is "C" (us), "S" (them) or "*" (what happened between)."""

    at: int
    who: str
    text: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """One attempt at one recipient.

    `host` and `address` say which server answered last ("" when none was reached), `reached` whether any server
    took a MAIL command, `tls` is like "TLSv1.3 TLS_AES_256_GCM_SHA384 (not verified)" or "". `duration` is in
    milliseconds. `retry_after` is a wish of ours in seconds (D06: at least 15 minutes after a lost reply).
    """

    result: Result
    reply: Reply
    host: str = ""
    address: str = ""
    tls: str = ""
    reached: bool = False
    duration: int = 0
    transcript: tuple[TranscriptLine, ...] = field(default=())
    retry_after: float | None = None
