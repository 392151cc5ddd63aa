"""Personalization and the legacy variables: whose they are, what they hold, and whether the templates compile."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from postroom.accept.api import SendRequest
from postroom.types.envelope import Address
from postroom.types.parts import Personalization
from postroom.web.api.sending.context import Context, Findings
from postroom.web.api.sending.request import EmailRequest
from postroom.web.api.words import shown
from postroom.wire.template import ReservedName, TemplateCache, TemplateProblem, check

COMPILED_AT_ONCE = 2 * 1024
"""Characters of templates compiled on the event loop: 10 ms, if they are nothing but tags."""
LOOKED_UP_AT_ONCE = 64 * 1024
"""Characters that are looked for in the cache there, whose digest is taken for that."""


class Source(NamedTuple):
    """What is rendered for each recipient, by the name of its field."""

    field: str
    text: str

    def syntax(self, request: SendRequest) -> dict[str, bool]:
        """As `TemplateCache` wants to know it."""
        shape = {"html": self.field == "html", "one_line": self.field == "subject"}
        return shape | {"twig": request.twig, "simple": request.simple}


def personalizations(body: EmailRequest, findings: Findings) -> dict[Address, bytes]:
    """By recipient, as they are stored; who has none is not in it.

    Encoded here, where a large body is read in a thread: 120 times 256 KB take a third of a second.
    """
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
    return {} if findings else {address: one.encode() for address, one in given.items()}


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
    for source in _sources(request):
        # What the request does not say itself is the template's.
        path = source.field if getattr(body, source.field) is not None else "template_id"
        try:
            context.cache.compile(source.text, **source.syntax(request))
        except ReservedName as problem:
            text = f"The {shown(path)} uses an app-reserved variable: {problem.message}. #MS42214"
            findings.add(path, text)
        except TemplateProblem as problem:
            findings.add(path, f"The value in {shown(path)} failed to compile: {problem}. #MS42213")


def take_long(request: SendRequest, cache: TemplateCache) -> bool:
    """Whether compiling the templates of a personalised request takes too long for the event loop. What was compiled
    before takes no time."""
    characters = sum(len(source.text) for source in _sources(request))
    if characters <= COMPILED_AT_ONCE:
        return False
    if characters > LOOKED_UP_AT_ONCE:
        return True
    return not all(cache.holds(source.text, **source.syntax(request)) for source in _sources(request))


def _sources(request: SendRequest) -> Iterator[Source]:
    for field in ("subject", "text", "html"):
        text = getattr(request, field)
        if text is not None:
            yield Source(field, text)
