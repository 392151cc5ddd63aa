"""Who changes something: what the audit log says of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ActorKind(StrEnum):
    USER = "user"
    TOKEN = "token"  # noqa: S105 - a word
    COMMAND = "command"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """`id` is that of the user or token, empty for others. `name` is for people: an address, the token's name, the
    login on the machine. `client` is the address a request came from, empty for what is done on the machine itself."""

    kind: ActorKind
    id: str = ""
    name: str = ""
    client: str = ""


SYSTEM = Actor(ActorKind.SYSTEM, name="Postroom")
"""What happens by itself: a daily check, an entry that ran out."""
