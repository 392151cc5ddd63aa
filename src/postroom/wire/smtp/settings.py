"""What a server session needs to know about the relay it speaks for."""

from __future__ import annotations

from dataclasses import dataclass

KIB, MIB = 1024, 1024 * 1024


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Sizes are octets. `link` is the page of the refusals catalogue, or "" (see Refused.reply)."""

    hostname: str
    link: str = ""
    max_size: int = 35 * MIB
    max_recipients: int = 1000
    max_line: int = 998
    max_command: int = 4096
    max_header_size: int = 128 * KIB
    max_header_fields: int = 1000
    max_hops: int = 30
    max_errors: int = 20
