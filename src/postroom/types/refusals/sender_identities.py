"""Refusals about sender identities: addresses of domains that the account has not verified."""

from __future__ import annotations

from postroom.types.refusals.rule import Rule

IDENTITY_FREE_MAIL = Rule(
    "identity-free-mail",
    0,
    "",
    422,
    "Nobody else can send for {domain}: it is a provider where everybody can have an address.",
    what="Receivers take mail from addresses of large mail providers from those providers only.",
    fix="Send from a domain of your own, and put the address into Reply-To.",
)
IDENTITY_FOREIGN = Rule(
    "identity-foreign",
    0,
    "",
    422,
    "Another account has verified {domain}.",
    what="Mail from a verified domain is sent by the account that has proved it, and by nobody else.",
    fix="Ask whoever looks after that account to send, or to give the domain up.",
)
IDENTITY_DMARC = Rule(
    "identity-dmarc",
    0,
    "",
    422,
    "{name} publishes the DMARC policy {policy}, so receivers would not deliver mail that you send for it.",
    what="The owner of the domain asks receivers to reject or hide mail that the domain itself has not signed. Yours "
    "would be signed with your domain.",
    fix="Add the domain itself and publish its DKIM record, or send from your domain with the address in Reply-To.",
)
IDENTITY_POLICY_UNKNOWN = Rule(
    "identity-policy-unknown",
    0,
    "",
    422,
    "The DNS does not say whether {domain} has a DMARC policy. Try again later.",
    what="The name servers of the domain did not answer, so nobody knows whether receivers would take the mail.",
    fix="Try again in some minutes. If it lasts, the name servers of the domain do not work.",
)
IDENTITY_LIMIT = Rule(
    "identity-limit",
    0,
    "",
    429,
    "Too many confirmation mails were sent. Try again in {minutes} minutes.",
    what="An account may ask a limited number of people an hour, and the same person a few times a day only.",
    fix="Wait, or ask the person whether the first mail arrived.",
)
IDENTITY_CONFIRMED = Rule(
    "identity-confirmed",
    0,
    "",
    422,
    "The owner of {address} has confirmed already.",
    what="A confirmation mail is for an address whose owner has not answered yet.",
    fix="Nothing: the address can be used.",
)
IDENTITY_LINK = Rule(
    "identity-link",
    0,
    "",
    410,
    "This link is not valid any more.",
    what="The link was used, replaced by a newer one, or is older than seven days.",
    fix="Ask whoever wants to send from your address for another mail.",
)
TOO_MANY_IDENTITIES = Rule(
    "too-many-identities",
    0,
    "",
    422,
    "An account may have at most {most} sender identities.",
    what="All verified addresses of an account are kept at hand while it sends.",
    fix="Delete those that are not used. Whoever sends for many people verifies domains, or uses Reply-To.",
)
