"""Does a permanent refusal say that the ADDRESS is gone? Only then may it go onto the suppression list (D09).

A block, a policy, spam, a failed authentication or a full mailbox says something about us or about today. Whoever
takes such a refusal for a dead address soon sends nothing to anybody. So the answer is no unless the reply is clear:
by its enhanced code (RFC 3463 section 3.2), or, if that says nothing, by words that mean nothing else.
"""

from __future__ import annotations

import re

from postroom.types.reply import Reply

GONE = frozenset(
    {
        "5.1.1",  # no such mailbox
        "5.1.2",  # no such system
        "5.1.3",  # not an address
        "5.1.6",  # mailbox has moved, no forwarding address
        "5.1.10",  # null MX (RFC 7505)
        "5.2.1",  # mailbox disabled
    }
)

SAY_NOTHING = frozenset({"", "5.0.0", "5.5.0"})
"""Codes that servers give when they have nothing special to say: the words decide."""

_SOMETHING_ELSE = (
    r"\bblock", r"\bblack\W?list", r"\bdeny\W?list", r"\bdnsbl\b", r"\brbl\b", r"\bspam", r"\bpolicy\b",
    r"\bpolicies\b", r"\breputation\b", r"\babus", r"\bspf\b", r"\bdkim\b", r"\bdmarc\b", r"\bauthenticat",
    r"\brelay", r"\bquota\b", r"\bfull\b", r"\bstorage\b", r"\btoo (?:many|much|large|big|fast|quickly)\b",
    r"\brate\b", r"\bgr[ea]ylist", r"\btry (?:again|later)\b", r"\btemporar", r"\bvirus\b", r"\bcontent\b",
    r"\bsender\b", r"\breverse dns\b", r"\bptr\b", r"\bbanned\b", r"\blisted\b",
)  # fmt: skip

_GONE_WORDS = (
    r"\b(?:unknown|invalid|no such|non-?existent|nonexisting) (?:local )?(?:user|recipient|mailbox|address|account|person)\b",
    r"\b(?:user|recipient|mailbox|address|account)(?: name)?(?: is)? (?:unknown|invalid|not found|not known|inactive|disabled)\b",
    r"\b(?:user|recipient|mailbox|address|account)\b.{0,40}\b(?:does not|doesn'?t|did not) exist\b",
    r"\bno (?:mailbox|user|account|person)\b.{0,20}\b(?:here|by that name|with that name)\b",
    r"\buser doesn'?t have an?\b.{0,30}\baccount\b",
    r"\bno longer (?:valid|available|exists?|active|in use)\b",
    r"\brecipient (?:address )?(?:does not|doesn'?t) exist\b",
    r"\bnot a (?:known|valid) (?:user|recipient|mailbox|address)\b",
    r"\bmailbox unavailable\b",
    r"\bunrouteable address\b",
)  # fmt: skip

_VETO = re.compile("|".join(_SOMETHING_ELSE), re.IGNORECASE)
_GONE = re.compile("|".join(_GONE_WORDS), re.IGNORECASE)
_NAMES = re.compile(r"\S*@\S*|https?://\S*|[\w-]+(?:\.[\w-]+)+")  # addresses, links, hosts hold any word


def hard(reply: Reply) -> bool:
    """Whether the reply to RCPT (or a finding of our own) means that the address does not exist any more."""
    if reply.code < 500 or (reply.enhanced not in GONE and reply.enhanced not in SAY_NOTHING):
        return False
    words = _NAMES.sub(" ", reply.text)
    if _VETO.search(words):
        return False
    return reply.enhanced in GONE or _GONE.search(words) is not None
