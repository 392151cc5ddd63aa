"""THE catalogue: everything Postroom ever refuses, once.

SMTP, the API, the dashboard, the log of refused attempts and docs/refusals.md all read it. A rule has a stable id,
an SMTP code with its enhanced code (RFC 5321, RFC 3463), an HTTP status, one line of text, what happened and how
to mend it. Permanent faults are 5xx; only what time or waiting can mend is 4xx.

`access` says who may send, `content` what and to whom, `protocol` is about the conversation and our own faults, `api`
has what only the HTTP API refuses, `people` what people are refused in the dashboard, `domains` is about sending domains, `webhooks` about URLs that we
call.
"""

from __future__ import annotations

from postroom.types.refusals import access, api, content, domains, people, protocol, webhooks
from postroom.types.refusals.access import *  # noqa: F403 - a rule is written down once, in its module
from postroom.types.refusals.api import *  # noqa: F403
from postroom.types.refusals.content import *  # noqa: F403
from postroom.types.refusals.domains import *  # noqa: F403
from postroom.types.refusals.people import *  # noqa: F403
from postroom.types.refusals.protocol import *  # noqa: F403
from postroom.types.refusals.rule import Refused as Refused
from postroom.types.refusals.rule import Rule as Rule
from postroom.types.refusals.webhooks import *  # noqa: F403

GROUPS: dict[str, tuple[Rule, ...]] = {
    title: tuple(rule for rule in vars(module).values() if isinstance(rule, Rule))
    for title, module in (
        ("Who may send", access),
        ("What is sent, and to whom", content),
        ("The conversation, and our own faults", protocol),
        ("Only the HTTP API", api),
        ("People and the dashboard", people),
        ("Sending domains", domains),
        ("Webhooks", webhooks),
    )
}

CATALOGUE: dict[str, Rule] = {rule.id: rule for rules in GROUPS.values() for rule in rules}
