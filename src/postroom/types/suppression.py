"""Suppression: the five lists of addresses that an account does not send to, and whether an email is hit by one.

An entry counts for the whole account or for one domain, for all mail or for one stream, for ever or until its time
is over.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple


class SuppressionList(StrEnum):
    """The weightiest first: that one is named when somebody is on several."""

    BLOCKLIST = "blocklist"
    HARD_BOUNCES = "hard_bounces"
    SPAM_COMPLAINTS = "spam_complaints"
    UNSUBSCRIBES = "unsubscribes"
    ON_HOLD = "on_hold"

    @property
    def reason(self) -> str:
        """In the warnings of a send request (mailersend-api, section 2.1)."""
        return _REASONS[self]

    @property
    def activity_reason(self) -> str:
        """In activity and events, where one word is another (section 3.1)."""
        return "spam_complained" if self is SuppressionList.SPAM_COMPLAINTS else _REASONS[self]


_REASONS = {
    SuppressionList.BLOCKLIST: "blocklisted",
    SuppressionList.HARD_BOUNCES: "hard_bounced",
    SuppressionList.SPAM_COMPLAINTS: "spam_complaint",
    SuppressionList.UNSUBSCRIBES: "unsubscribed",
    SuppressionList.ON_HOLD: "on_hold",
}

Lists = tuple[SuppressionList, ...]
_WEIGHT = {listed: number for number, listed in enumerate(SuppressionList)}


class Suppressing(NamedTuple):
    """What matters of an entry. `address` may be a pattern in which `*` stands for anything; `domain_id` None: the
    whole account; `stream` "": all mail; `expires_at` in milliseconds, None: never."""

    account_id: str
    address: str
    pattern: bool
    list: str
    domain_id: str | None
    stream: str
    expires_at: int | None


class Suppressed:
    """Who is hit by these entries at the time `now`, in milliseconds. False when there are none."""

    def __init__(self, entries: Iterable[Suppressing], now: int) -> None:
        self._exact: dict[tuple[str, str], list[Suppressing]] = defaultdict(list)
        self._patterns: dict[str, list[Suppressing]] = defaultdict(list)
        for entry in entries:
            if entry.expires_at is not None and entry.expires_at <= now:
                continue
            if entry.pattern:
                self._patterns[entry.account_id].append(entry)
            else:
                self._exact[entry.account_id, entry.address].append(entry)

    def __bool__(self) -> bool:
        return bool(self._exact or self._patterns)

    def lists(self, account_id: str, address: str, domain_id: str, stream: str) -> Lists:
        """The lists for which this address of this account is not sent to, the weightiest first."""
        found = [
            *self._exact.get((account_id, address), ()),
            *(entry for entry in self._patterns.get(account_id, ()) if matches(entry.address, address)),
        ]
        hits = {
            SuppressionList(entry.list)
            for entry in found
            if entry.domain_id in (None, domain_id) and entry.stream in ("", stream)
        }
        return tuple(sorted(hits, key=_WEIGHT.__getitem__))


def detail(lists: Lists) -> dict[str, object]:
    """Of the event that an email ended this way."""
    return {"reason": lists[0].activity_reason, "lists": list(lists)}


def matches(pattern: str, address: str) -> bool:
    """Whether the whole address fits a pattern. Takes no more time than the two are long."""
    first, *rest = pattern.split("*")
    if not rest:
        return pattern == address
    *middle, last = rest
    if not address.startswith(first):
        return False
    at = len(first)
    for part in middle:
        found = address.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return address.endswith(last) and at + len(last) <= len(address)
