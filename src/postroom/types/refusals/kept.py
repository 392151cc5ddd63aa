"""Refusals about what was accepted before: emails that wait, and content that is not kept any more."""

from __future__ import annotations

from postroom.types.refusals.rule import Rule

EMAIL_HELD = Rule(
    "email-held",
    0,
    "",
    422,
    "The email is held ({hold}) and cannot be tried before that ends.",
    what="An email waits for something else than its time: the daily quota, the end of a pause, an approved account, or an "
    "operator who looks at attempts that never end.",
    fix="paused: resume sending from the domain. quota: it goes on by itself after 00:00 UTC. Else ask the operator, "
    "who has `postroom queue retry`.",
)
CONTENT_NOT_KEPT = Rule(
    "content-not-kept",
    0,
    "",
    404,
    "The content of this email is not kept any more.",
    what="Content is deleted some time after an email was delivered or given up (retention.content), unless its domain keeps "
    "it.",
    fix="To have it longer for emails that are sent from now on, switch `track_content` on in the settings of the domain.",
)
NO_SUCH_CONTENT = Rule(
    "no-such-content",
    0,
    "",
    404,
    "The email has no {what}.",
    what="An attachment, or a text, was asked for that is not in the message.",
    fix="See the content of the email for what there is.",
)
CONTENT_UNMADE = Rule(
    "content-unmade",
    0,
    "",
    422,
    "The email cannot be made: {problem}",
    what="The email is made from a template for each recipient, and with the variables of this one that fails.",
    fix="Mend the template or the variables, and send the message again.",
)
