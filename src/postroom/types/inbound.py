"""What an inbound route is made of: which mail it takes, and where that goes. The words are those of the API reference."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Comparer(StrEnum):
    EQUAL = "equal"
    NOT_EQUAL = "not-equal"
    CONTAINS = "contains"
    NOT_CONTAINS = "not-contains"
    STARTS_WITH = "starts-with"
    ENDS_WITH = "ends-with"
    NOT_STARTS_WITH = "not-starts-with"
    NOT_ENDS_WITH = "not-ends-with"


class CatchKind(StrEnum):
    """What of the envelope's recipient is looked at."""

    ALL = "catch_all"
    RECIPIENT = "catch_recipient"


class MatchKind(StrEnum):
    """What of the message is looked at."""

    ALL = "match_all"
    SENDER = "match_sender"
    DOMAIN = "match_domain"
    HEADER = "match_header"


class Needed(StrEnum):
    """How many conditions have to hold."""

    ALL = "all"
    ONE = "one"


class ForwardKind(StrEnum):
    EMAIL = "email"
    WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True)
class Condition:
    """`key` is the name of a header field, None where none is asked for."""

    comparer: Comparer
    value: str
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """`kind` is a CatchKind or a MatchKind; there are conditions unless it takes everything."""

    kind: str
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Forward:
    """Where a message goes. `secret` is sealed and signs what is sent to a webhook; None for email."""

    id: str
    kind: ForwardKind
    value: str
    secret: bytes | None = field(default=None, repr=False)
