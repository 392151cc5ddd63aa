"""What a Message-ID must look like (RFC 5322 section 3.6.4)."""

from __future__ import annotations

import re

MAX_LENGTH = 900  # octets; it must stay on one line of somebody's References field

_MESSAGE_ID = re.compile(rb"<[!-;=?A-~]++@[!-;=?A-~]++>")


def valid_message_id(value: bytes) -> bool:
    """Whether an unfolded value is a Message-ID with its angle brackets.

    Looser than the grammar in what stands on either side of the "@" (many programs write two dots in a row), strict
    in what others rely on: one pair of brackets, one "@", printable ASCII, no white space.
    """
    return len(value) <= MAX_LENGTH and _MESSAGE_ID.fullmatch(value) is not None
