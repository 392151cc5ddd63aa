"""What fields mean together, and for the account that sends them."""

from __future__ import annotations

from postroom.types.addresses import parse_mailbox
from postroom.types.envelope import Address
from postroom.types.parts import Mailbox
from postroom.types.template import Wording
from postroom.web.api.sending.context import Context, Findings
from postroom.web.api.sending.request import TOO_MANY, EmailRequest, From
from postroom.web.api.words import REQUIRED, SELECTED

UNAPPROVED = {"to": 10, "cc": 1, "bcc": 1, "rcpt_to": 1}
"""How many recipients an account may name that is not approved yet (mailersend-api, section 2.1)."""
NOBODY = Mailbox("", Address("nobody", "invalid"))
"""Stands for a sender that is missing, until that is said."""
NOT_VERIFIED = "The from.email domain must be verified in your account to send emails. #MS42207"
DEFAULT_NOT_VERIFIED = (
    "The template's default domain must be verified in your account to send emails. #MS42226"
)


def sender(body: EmailRequest, context: Context, findings: Findings) -> Mailbox:
    """The sender, of the request or the template's default, under a domain that may be used."""
    if findings.wrong("from"):
        return NOBODY
    default = context.template.content if context.template is not None else None
    given = body.from_ or From()
    name = given.name.strip(" ") or (default.from_name if default is not None else "")
    if given.email is not None:
        found, path, text = Mailbox(name, given.email), "from.email", NOT_VERIFIED
    elif default is not None and default.from_email:
        address = parse_mailbox(default.from_email)
        found, path, text = Mailbox(name, address), "template_id", DEFAULT_NOT_VERIFIED
    else:
        findings.add("from.email", REQUIRED.format(field="from.email"))
        return NOBODY
    domain = context.sender.sending_domain(found.address)
    if domain is None:
        findings.add(path, text)
    elif context.template is not None and context.template.domain_id not in (None, domain.id):
        findings.add("template_id", SELECTED.format(field="template id"))
    return found if found.name else _named(found, context)


def _named(author: Mailbox, context: Context) -> Mailbox:
    """With the name of the sender identity, if it is one that has a name."""
    identity = context.sender.account.identity(author.address)
    return author if identity is None else author._replace(name=identity.name)


def recipients(body: EmailRequest, context: Context, findings: Findings, *, repeated: bool) -> None:
    """At least one, few of an account that is not approved, and nobody twice in one list unless addresses may be
    `repeated`."""
    for field, most in UNAPPROVED.items() if context.sender.account.state == "unapproved" else ():
        if len(getattr(body, field)) > most:
            findings.add(field, TOO_MANY.format(most=most, field=field))
    if not body.to and not body.rcpt_to and not findings.wrong("to") and not findings.wrong("rcpt_to"):
        findings.add("to", REQUIRED.format(field="to"))
    for field in ("to", "cc", "bcc"):
        seen: set[Address] = set()
        for number, person in enumerate(getattr(body, field)):
            if person.email in seen and not repeated:
                text = f"{person.email} is duplicated in the {field} recipients list. #MS42201"
                findings.add(f"{field}.{number}.email", text)
            seen.add(person.email)


def content(body: EmailRequest, context: Context, findings: Findings) -> Wording:
    """Subject and texts: the template's, in its language, where the request says nothing itself."""
    wording = Wording(body.subject, body.text, body.html)
    if body.template_id is not None and context.template is None:
        findings.add("template_id", SELECTED.format(field="template id"))
        return wording
    if context.template is not None:
        stored = context.template.content.in_language(body.language)
        pairs = zip(wording, stored, strict=True)
        wording = Wording(*(theirs if ours is None else ours for ours, theirs in pairs))
    if not wording.subject and not findings.wrong("subject"):
        findings.add("subject", REQUIRED.format(field="subject"))
    texts = ("text", "html", "template_id")
    if wording.text is None and wording.html is None and not any(map(findings.wrong, texts)):
        findings.add("text", "You must provide one of the following: html, text or template_id. #MS42211")
    return wording


def default_tags(context: Context) -> tuple[str, ...]:
    return context.template.content.tags if context.template is not None else ()
