"""What may be in a stored template: sizes, syntax, defaults, languages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from postroom.errors import PostroomError
from postroom.types.addresses import AddressError, parse_mailbox
from postroom.types.template import TemplateContent
from postroom.wire.template import RESERVED, ReservedName, TemplateProblem, compile

LONGEST_SUBJECT = 998
MOST_TAGS, LONGEST_TAG = 5, 191
MOST_LANGUAGES = 50
MOST_OCTETS = 8 * 1024 * 1024
"""Of one version with all its translations."""

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")


class Problem(NamedTuple):
    """What is wrong with a field of the content. `code`: the API's number, where it has one."""

    field: str
    text: str
    code: int | None = None


class ContentError(PostroomError):
    """A template cannot say this."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(f"{problems[0].field}: {problems[0].text}")
        self.problems = problems


def check(content: TemplateContent) -> list[str]:
    """The variables that personalization has to bring, in all its sources and languages, in order of their names.

    Raises ContentError. Large content takes a while.
    """
    found = list(problems(content))
    if found:
        raise ContentError(found)
    return variables(content)


def variables(content: TemplateContent) -> list[str]:
    """As `check` says, for content that is right."""
    used = {name for field, source in content.sources() for name in _compiled(field, source)}
    return sorted(used - RESERVED)


def problems(content: TemplateContent) -> Iterator[Problem]:
    """Field by field."""
    if content.wording.text is None and content.wording.html is None:
        yield Problem("html", "one of html and text is needed")
    if sum(len(source) for _, source in content.sources()) > MOST_OCTETS:
        yield Problem("html", f"all translations together are longer than {MOST_OCTETS} characters")
        return
    for field, source in content.sources():
        if field.endswith("subject") and len(source) > LONGEST_SUBJECT:
            yield Problem(field, f"it is longer than {LONGEST_SUBJECT} characters")
        try:
            _compiled(field, source)
        except TemplateProblem as problem:
            yield Problem(field, str(problem), 42214 if isinstance(problem, ReservedName) else 42213)
    yield from _wrong_defaults(content)
    if len(content.translations) > MOST_LANGUAGES:
        yield Problem("translations", f"there may be at most {MOST_LANGUAGES} translations")
    for code in content.translations:
        if not _LANGUAGE.fullmatch(code):
            yield Problem(f"translations.{code[:20]}", "the language must be a code like de or pt-BR")


def _wrong_defaults(content: TemplateContent) -> Iterator[Problem]:
    if content.from_email:
        try:
            parse_mailbox(content.from_email)
        except AddressError as error:
            yield Problem("from.email", f"it is no email address: {error}", 42208)
    if len(content.tags) > MOST_TAGS:
        yield Problem("tags", f"there may be at most {MOST_TAGS} tags")
    for number, tag in enumerate(content.tags):
        if not tag or len(tag) > LONGEST_TAG:
            yield Problem(f"tags.{number}", f"a tag has 1 to {LONGEST_TAG} characters")


def _compiled(field: str, source: str) -> frozenset[str]:
    """The variables of a source. Raises TemplateProblem."""
    return compile(source, html=field.endswith("html")).variables
