"""A notice as subject, text and HTML.

The templates are written in Postroom's own dialect. For HTML every value is escaped before it goes in, so that nothing
a customer wrote is ever markup.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files

from postroom.types.notices import (
    ApprovalDecision,
    ApprovalRequest,
    DomainCheckFailed,
    DomainRestored,
    EmailChangeAsked,
    EmailChangeConfirmation,
    EmailChanged,
    EmailChangeKnown,
    IdentityConfirmation,
    IdentityProblem,
    Invitation,
    Notice,
    PasswordChanged,
    PasswordReset,
    QuotaDecision,
    QuotaNotice,
    QuotaRequest,
    SecondStepLocked,
    SignUpConfirmation,
    SignUpKnown,
)
from postroom.wire import template
from postroom.wire.template import Template

LONGEST = {
    "to": 320,
    "address": 320,
    "domain": 253,
    "problem": 500,
    "problems": 500,
    "note": 2000,
    "reason": 2000,
    "answers": 2000,
}
"""Characters of a value in a letter, where it may have more than a name."""
LONGEST_NAME = 120
"""Nobody's name needs more, and advertisements do."""

FILES: dict[type[Notice], str] = {
    Invitation: "invitation",
    IdentityConfirmation: "identity_confirmation",
    IdentityProblem: "identity_problem",
    QuotaNotice: "quota_notice",
    ApprovalRequest: "approval_request",
    ApprovalDecision: "approval_decision",
    QuotaRequest: "quota_request",
    QuotaDecision: "quota_decision",
    DomainCheckFailed: "domain_check_failed",
    DomainRestored: "domain_restored",
    PasswordReset: "password_reset",
    PasswordChanged: "password_changed",
    SecondStepLocked: "second_step_locked",
    SignUpConfirmation: "sign_up_confirmation",
    SignUpKnown: "sign_up_known",
    EmailChangeConfirmation: "email_change_confirmation",
    EmailChangeKnown: "email_change_known",
    EmailChangeAsked: "email_change_asked",
    EmailChanged: "email_changed",
}
_NOTES = frozenset({"note", "reason", "answers"})
_BLANKS = re.compile(r"\s+")
_SUBJECT = "Subject: "


@dataclass(frozen=True, slots=True)
class Wording:
    subject: str
    text: str
    html: str


def render(notice: Notice) -> Wording:
    """The words of a notice. Raises TemplateProblem only for a fault in our own files."""
    subject, text, markup, frame = _templates(FILES[type(notice)])
    values = {field.name: _value(field.name, getattr(notice, field.name)) for field in fields(notice)}
    escaped = {name: _as_html(name, value) for name, value in values.items()}
    title = subject.render(values)
    inner = markup.render(escaped)
    return Wording(
        subject=title,
        text=text.render(values),
        html=frame.render({"title": html.escape(title), "content": inner}),
    )


@cache
def _templates(name: str) -> tuple[Template, Template, Template, Template]:
    """(subject, text, HTML, the frame around the HTML)"""
    first, _, text = _file(f"{name}.txt").partition("\n")
    subject = template.compile(first.removeprefix(_SUBJECT), html=False, one_line=True)
    return (
        subject,
        template.compile(text.lstrip("\n"), html=False),
        template.compile(_file(f"{name}.html"), html=True),
        template.compile(_file("frame.html"), html=True),
    )


def _file(name: str) -> str:
    return (files("postroom.notify") / "templates" / name).read_text("utf-8")


def _value(name: str, value: object) -> object:
    """Cut, and all on one line but for notes. The link is ours."""
    if name == "link":
        return value
    longest = LONGEST.get(name, LONGEST_NAME)
    return _each(value, lambda text: _cut(text if name in _NOTES else _BLANKS.sub(" ", text), longest))


def _each(value: object, change: Callable[[str], str]) -> object:
    """The texts in a value, which may be lists of lists of them, changed."""
    if isinstance(value, str):
        return change(value)
    return [_each(inner, change) for inner in value] if isinstance(value, tuple | list) else value


def _cut(text: str, longest: int) -> str:
    text = text.strip()
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


def _as_html(name: str, value: object) -> object:
    """Escaped; notes keep their lines."""
    escaped = _each(value, html.escape)
    return _each(escaped, lambda text: text.replace("\n", "<br>")) if name in _NOTES else escaped
