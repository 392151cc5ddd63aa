"""THE catalogue: everything Postroom ever refuses, once.

SMTP, the API, the dashboard, the log of refused attempts and docs/refusals.md all read it. A rule has a stable id,
an SMTP code with its enhanced code (RFC 5321, RFC 3463), an HTTP status, one line of text, what happened and how
to mend it. Permanent faults are 5xx; only what time or waiting can mend is 4xx.

`access` says who may send, `smtp_users` what one of them may do, `content` what and to whom, `protocol` is about the conversation and our own faults, `api`
has what only the HTTP API refuses, `people` what people are refused in the dashboard, `domains` is about sending domains, `sender_identities` about addresses outside of them, `webhooks` about URLs that we
call, `inbounds` about inbound routes, `kept` about what was accepted before.
"""

from __future__ import annotations

from postroom.types.refusals import (
    access,
    accounts,
    api,
    content,
    domains,
    inbounds,
    kept,
    people,
    protocol,
    sender_identities,
    smtp_users,
    webhooks,
)
from postroom.types.refusals.access import *  # noqa: F403 - a rule is written down once, in its module
from postroom.types.refusals.accounts import *  # noqa: F403
from postroom.types.refusals.api import *  # noqa: F403
from postroom.types.refusals.content import *  # noqa: F403
from postroom.types.refusals.domains import *  # noqa: F403
from postroom.types.refusals.inbounds import *  # noqa: F403
from postroom.types.refusals.kept import *  # noqa: F403
from postroom.types.refusals.people import *  # noqa: F403
from postroom.types.refusals.protocol import *  # noqa: F403
from postroom.types.refusals.rule import Refused as Refused
from postroom.types.refusals.rule import Rule as Rule
from postroom.types.refusals.sender_identities import *  # noqa: F403
from postroom.types.refusals.smtp_users import *  # noqa: F403
from postroom.types.refusals.webhooks import *  # noqa: F403

GROUPS: dict[str, tuple[Rule, ...]] = {
    title: tuple(rule for rule in vars(module).values() if isinstance(rule, Rule))
    for title, module in (
        ("Who may send", access),
        ("What an SMTP user may do", smtp_users),
        ("What is sent, and to whom", content),
        ("The conversation, and our own faults", protocol),
        ("Plans, and what accounts ask for", accounts),
        ("Only the HTTP API", api),
        ("People and the dashboard", people),
        ("Sending domains", domains),
        ("Sender identities", sender_identities),
        ("Webhooks", webhooks),
        ("Inbound routes", inbounds),
        ("What was accepted before", kept),
    )
}

CATALOGUE: dict[str, Rule] = {rule.id: rule for rules in GROUPS.values() for rule in rules}
