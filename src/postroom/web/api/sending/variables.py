"""Personalization and the legacy variables: whose they are, what they hold, and whether the templates compile."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from postroom.accept.api import SendRequest
from postroom.types.envelope import Address
from postroom.types.parts import Personalization
from postroom.web.api.sending.context import Context, Findings
from postroom.web.api.sending.request import EmailRequest
from postroom.wire.template import ReservedName, TemplateProblem, check


class Source(NamedTuple):
    """Something that is rendered, and the field of the request it comes from."""

    path: str
    text: str
    html: bool = False
    one_line: bool = False


def personalizations(body: EmailRequest, findings: Findings) -> dict[Address, Personalization]:
    """By recipient; who has none is not in it."""
    if not body.personalization and not body.variables:
        return {}
    known = _Known(body)
    skip = any(map(findings.wrong, ("to", "cc", "bcc", "rcpt_to")))
    given: dict[Address, Personalization] = {}
    for number, one in enumerate(body.personalization):
        path = f"personalization.{number}"
        _check_data(one.data, f"{path}.data", findings)
        address = known.recipient(one.email)
        if address is not None:
            given[address] = Personalization(one.data)
        elif not skip:
            findings.add(f"{path}.email", f"The {path}.email is not one of the recipients. #MS42217")
    for number, legacy in enumerate(body.variables):
        path = f"variables.{number}.email"
        address = known.recipient(legacy.email)
        if address is not None:
            values = {substitution.var: substitution.value for substitution in legacy.substitutions}
            given[address] = Personalization(given.get(address, Personalization()).data, values)
        elif not skip:
            findings.add(path, f"The {path} is not one of the recipients. #MS42217")
    return given


class _Known:
    """The recipients, found by exactly their address, else whatever its case."""

    def __init__(self, body: EmailRequest) -> None:
        people = (*body.to, *body.cc, *body.bcc, *body.rcpt_to)
        self._exact = {person.email for person in people}
        self._folded = {str(person.email).casefold(): person.email for person in people}

    def recipient(self, address: Address) -> Address | None:
        return address if address in self._exact else self._folded.get(str(address).casefold())


def _check_data(data: dict[str, object], path: str, findings: Findings) -> None:
    problems = check(data)
    for text in problems.messages(path):
        findings.add(path, text + (" #MS42214" if "reserved variables" in text else ""))


def compiled(body: EmailRequest, request: SendRequest, context: Context, findings: Findings) -> None:
    """Every source is compiled once now; rendering finds it in the cache or compiles it again."""
    if not request.personalised:
        return
    for path, source, html, one_line in _sources(body, request):
        try:
            context.cache.compile(
                source, html=html, one_line=one_line, twig=request.twig, simple=request.simple
            )
        except ReservedName as problem:
            findings.add(path, f"The {path} uses an app-reserved variable: {problem.message}. #MS42214")
        except TemplateProblem as problem:
            findings.add(path, f"The value in {path} failed to compile: {problem}. #MS42213")


def _sources(body: EmailRequest, request: SendRequest) -> Iterator[Source]:
    """What the request does not say itself is the template's."""
    yield Source("subject" if body.subject is not None else "template_id", request.subject, one_line=True)
    if request.text is not None:
        yield Source("text" if body.text is not None else "template_id", request.text)
    if request.html is not None:
        yield Source("html" if body.html is not None else "template_id", request.html, html=True)
