"""Refusals about webhooks, and other URLs that we shall call."""

from __future__ import annotations

from postroom.types.refusals.rule import Rule

URL_REFUSED = Rule(
    "url-refused",
    0,
    "",
    422,
    "The url {problem}.",
    what="The URL is none that Postroom calls: it must be https, with a public host, one of the usual ports, and without "
    "user name and fragment.",
    fix="Give the URL of a public HTTPS server. Operator: the section [outgoing] of the settings says what else may be "
    "reached.",
)
WEBHOOK_PING_FAILED = Rule(
    "webhook-ping-failed",
    0,
    "",
    422,
    "The url must answer a test request with a status from 200 to 299, but it {problem}.",
    what="Before a webhook is saved, and when its URL changes, Postroom sends it a POST of the type webhook.test. The "
    "answer was no success, or did not come in time.",
    fix="Let the server at this URL answer such a request with 200, without a redirect, then save again.",
)
TOO_MANY_WEBHOOKS = Rule(
    "too-many-webhooks",
    0,
    "",
    422,
    "The domain has {most} webhooks already; there cannot be more.",
    what="Every event goes to every webhook that wants it, so there is a limit.",
    fix="Delete a webhook that is not used, or send several kinds of events to one.",
)
