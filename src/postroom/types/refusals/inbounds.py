"""Refusals about inbound routes."""

from __future__ import annotations

from postroom.types.refusals.rule import Rule

INBOUND_HOST_MISSING = Rule(
    "inbound-host-missing",
    0,
    "",
    422,
    "This installation has no host for inbound mail yet.",
    what="An inbound route gets an address at the host that takes inbound mail, and MX records lead there. The operator "
    "has not named one.",
    fix="Ask the operator. Operator: set server.inbound_host to the name of this machine in MX records, like "
    "inbound.example.com, and restart.",
)
INBOUND_DOMAIN_ELSEWHERE = Rule(
    "inbound-domain-elsewhere",
    0,
    "",
    422,
    "The inbound domain must be {domain} or a name below it.",
    what="An inbound route belongs to a domain of the account, and takes mail to that domain or to what lies below it.",
    fix="Choose a name below the domain, like inbound.{domain}, or add the other domain to the account first.",
)
INBOUND_DOMAIN_UNVERIFIED = Rule(
    "inbound-domain-unverified",
    0,
    "",
    422,
    "The inbound domain can be used once {domain} is verified.",
    what="Several accounts may have added a domain, but its mail goes to the one that has verified it.",
    fix="Publish the domain's DNS records and verify it, then set the inbound domain.",
)
INBOUND_DOMAIN_TAKEN = Rule(
    "inbound-domain-taken",
    0,
    "",
    422,
    "The inbound domain has already been taken.",
    what="Routes of another domain, perhaps of another account, take the mail of this name. Only routes of one domain may "
    "share a name; their priorities say which is asked first.",
    fix="Choose another name below the domain.",
)
TOO_MANY_INBOUNDS = Rule(
    "too-many-inbounds",
    0,
    "",
    422,
    "The account has {most} inbound routes already; there cannot be more.",
    what="An account may have a limited number of inbound routes.",
    fix="Delete a route that is not used, or give one route several forwards.",
)
