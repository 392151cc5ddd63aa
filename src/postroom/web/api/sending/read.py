"""From a decoded body to a request that can be sent. Runs on the loop for small bodies, in a thread for large ones, and
for small ones whose templates take long to compile (rule 10)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from postroom.accept.api import SendRequest
from postroom.tenancy.entries import DomainInfo
from postroom.types.draft import ApiDetails
from postroom.types.parts import Mailbox
from postroom.web.api.errors import invalid
from postroom.web.api.sending import attachments, checks, headers, send_time, variables
from postroom.web.api.sending.context import Context, Findings
from postroom.web.api.sending.request import EmailRequest, Recipient, ReplyTo
from postroom.web.api.words import fields_of, shown
from postroom.wire.mime.build import Problem, problems


def read(value: Any, context: Context) -> SendRequest:
    """Both steps. Raises ApiError with every field that is wrong."""
    return begin(value, context).finish()


@dataclass(slots=True)
class Reading:
    """A body between its two steps: every field is read, only the templates are not compiled yet."""

    body: EmailRequest
    request: SendRequest
    context: Context
    findings: Findings

    @property
    def takes_long(self) -> bool:
        """Whether `finish` belongs in a thread, whatever the size of the body: a stored template may have 2 MB."""
        return self.request.personalised and variables.take_long(self.request, self.context.cache)

    def finish(self) -> SendRequest:
        """Raises ApiError with every field that is wrong."""
        variables.compiled(self.body, self.request, self.context, self.findings)
        _unsafe(self.request, self.body, self.findings)
        if self.findings:
            raise invalid(_in_order(self.findings.fields))
        return self.request


def begin(value: Any, context: Context) -> Reading:
    """What is wrong with the fields is found, and told by `finish`."""
    findings = Findings()
    body = _fields(value, findings)
    wanted = checks.sender(body, context, findings)
    domain = context.sender.sending_domain(wanted.address)
    ignoring = domain is not None and domain.ignore_duplicated_recipients
    checks.recipients(body, context, findings, repeated=ignoring)
    content = checks.content(body, context, findings)
    metadata = headers.metadata(body.metadata, findings)
    request = SendRequest(
        from_=wanted,
        to=_mailboxes(_once(body.to)),
        subject=content.subject or "",
        text=content.text,
        html=content.html,
        cc=_mailboxes(_once(body.cc)),
        hidden=(*_mailboxes(body.bcc), *_mailboxes(body.rcpt_to)),
        reply_to=_mailboxes(body.reply_to or []) or _reply_to(wanted, context),
        attachments=attachments.read(body.attachments, findings),
        headers=tuple((header.name.strip(" "), header.value.strip(" ")) for header in body.headers),
        in_reply_to=headers.message_id(body.in_reply_to or ""),
        references=tuple(map(headers.message_id, body.references)),
        list_unsubscribe=headers.uris(body.list_unsubscribe or ""),
        precedence_bulk=_precedence(body, domain),
        personalizations=variables.personalizations(body, findings),
        twig=bool(body.personalization) or context.template is not None,
        simple=bool(body.variables),
        tags=tuple(body.tags) or checks.default_tags(context),
        stream=body.stream,
        send_at=send_time.read(body.send_at, context.now, findings),
        details=_details(body, context, metadata),
    )
    return Reading(body, request, context, findings)


def _reply_to(author: Mailbox, context: Context) -> tuple[Mailbox, ...]:
    """What is set for a sender identity."""
    identity = context.sender.account.identity(author.address)
    return () if identity is None or identity.reply_to is None else (identity.reply_to,)


def _precedence(body: EmailRequest, domain: DomainInfo | None) -> bool:
    """What the request says, else what is set for the domain."""
    if body.precedence_bulk is not None:
        return body.precedence_bulk
    return domain is not None and domain.precedence_bulk


def _in_order(found: dict[str, list[str]]) -> dict[str, list[str]]:
    """As the fields are listed in the reference, whoever found something wrong first."""
    return dict(sorted(found.items(), key=lambda one: _ORDER.get(one[0].partition(".")[0], len(_ORDER))))


_ORDER = {field.alias or name: at for at, (name, field) in enumerate(EmailRequest.model_fields.items())}


def recipients_of(value: Any) -> list[Mailbox]:
    """Of a body that was right before: each once, in the order of `SendRequest.recipients`."""
    body = EmailRequest.model_validate(value)
    everybody = _mailboxes([*body.to, *body.cc, *body.bcc, *body.rcpt_to])
    return list({mailbox.address: mailbox for mailbox in reversed(everybody)}.values())[::-1]


def _fields(value: Any, findings: Findings) -> EmailRequest:
    """Each field by itself. Those that are wrong are left out, so that the others can be checked further. What is no
    object has none."""
    value = value if isinstance(value, dict) else {}
    try:
        return EmailRequest.model_validate(value)
    except ValidationError as error:
        wrong = fields_of([{**one, "loc": ("body", *one["loc"])} for one in error.errors(include_url=False)])
    single = isinstance(value.get("reply_to"), dict)
    for path, texts in wrong.items():
        place = path.replace("reply_to.0.", "reply_to.", 1) if single else path
        for text in texts:
            findings.add(place, text.replace("reply to.0.", "reply to.", 1) if single else text)
    names = {path.partition(".")[0] for path in wrong}
    names |= {"rcptTo"} if "rcpt_to" in names else set()
    return EmailRequest.model_validate({name: inner for name, inner in value.items() if name not in names})


def _once(people: list[Recipient]) -> list[Recipient]:
    """Who stands in a list twice is named once in the header."""
    return list({person.email: person for person in reversed(people)}.values())[::-1]


def _mailboxes(people: list[Recipient] | list[ReplyTo]) -> tuple[Mailbox, ...]:
    return tuple(Mailbox(person.name.strip(" "), person.email) for person in people)


def _details(body: EmailRequest, context: Context, metadata: dict[str, str]) -> ApiDetails | None:
    template = context.template
    settings = body.settings.model_dump(exclude_none=True) if body.settings is not None else {}
    if template is None and not body.headers and not metadata and not settings:
        return None
    return ApiDetails(
        template_id=template.id if template is not None else "",
        template_version=template.version_id if template is not None else "",
        headers=tuple((header.name.strip(" "), header.value.strip(" ")) for header in body.headers),
        metadata=metadata,
        settings=settings,
    )


def _unsafe(request: SendRequest, body: EmailRequest, findings: Findings) -> None:
    """What must not stand in a header (S12, S25, H11)."""
    for path, problem in problems(request.parts("0" * 24, 0)):
        if path == "subject" and body.subject is None:
            path = "template_id"
        if path.startswith("reply_to.0.") and body.reply_to is not None and len(body.reply_to) == 1:
            path = path.replace("reply_to.0.", "reply_to.")
        text = _TEXTS.get(problem, f"The {{field}} {problem}.").replace("{field}", shown(path))
        if problem in (Problem.HEADER_OWNED, Problem.HEADER_TWICE):
            name, _ = request.headers[int(path.split(".")[1])]
            text = f"The {shown(path)} {problem}: {name}."
        findings.add(path, text)


_TEXTS = {
    Problem.HEADER_NAME: "The {field} may only contain alphanumeric characters and hyphens. #MS42220",
    Problem.ADDRESS: "The {field} must be a valid email address. #MS42208",
}
