"""Refusals about sending domains: adding them, and changing what is set for them."""

from __future__ import annotations

from postroom.types.refusals.rule import Rule

PUBLIC_SUFFIX = Rule(
    "public-suffix",
    0,
    "",
    422,
    "The name {name} is a public suffix: everybody may register names below it.",
    what="A domain is verified for one account, and mail may then be sent from everything below it. Below a public "
    "suffix, like co.uk or github.io, are other people's domains.",
    fix="Add the domain that you have registered, like example.co.uk. Operator: postroom domain add --trusted.",
)
DOMAIN_SPACES = Rule(
    "domain-spaces",
    0,
    "",
    422,
    "There is no space for another domain: the account may have {most}.",
    what="An account may have a limited number of domains, verified or not.",
    fix="Delete a domain that is not used, or ask the operator for more. Operator: domains.spaces, or the account's plan.",
)
DOMAIN_RECORDS_GONE = Rule(
    "domain-records-gone",
    0,
    "",
    422,
    "Sending from {domain} is paused because its DNS records are gone; it goes on when they are back.",
    what="The DKIM record that proves the domain was missing for longer than the grace, so sending was paused. It "
    "cannot be resumed by hand.",
    fix="Publish the records of the domain again, then verify it.",
)
DOMAIN_LOST = Rule(
    "domain-lost",
    0,
    "",
    422,
    "Another account has verified {domain} after its records of this account were gone.",
    what="The DKIM record that proves the domain was missing for longer than the grace, and another account has proved "
    "since then that it controls the DNS of the domain.",
    fix="If the domain is yours, publish the records shown for it in place of the others and ask the operator.",
)
