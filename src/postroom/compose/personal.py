"""One recipient's message out of personalised content: templates rendered, the tail behind them as it was stored."""

from __future__ import annotations

from postroom.compose.compose import Message, Uncomposed
from postroom.types import refusals
from postroom.types.draft import Content
from postroom.types.parts import Personalization
from postroom.types.refusals import Refused
from postroom.types.reply import Reply
from postroom.wire.mime.build import Document, DocumentError, UnsafePartsError
from postroom.wire.template import TemplateCache, TemplateProblem


def personalise(content: Content, personalization: bytes, templates: TemplateCache) -> Message | Uncomposed:
    """The message for whom `personalization` (`types.parts`) belongs to; b"" for who has none.

    The same bytes each time: `now` in a template is the time at which the message was accepted. What cannot be
    rendered fails for good, for this recipient.
    """
    try:
        document = Document.decode(content.header)
        given = Personalization.decode(personalization)
    except (DocumentError, ValueError, TypeError) as error:
        return Uncomposed(Reply.of(451, "4.3.0", f"the stored content cannot be read: {error}"))
    try:
        top = _render(document, given, templates)
    except (_RenderError, UnsafePartsError) as error:
        return Uncomposed(Refused(refusals.RENDER_FAILED, {"problem": str(error)}).reply())
    header, _, body = top.partition(b"\r\n\r\n")
    header, eight_bit = header + b"\r\n", not header.isascii()
    if content.blob is None:
        return Message(header, body + content.data[content.header_size :], eight_bit=eight_bit)
    rest = content.size - content.header_size
    return Message(header, body, content.blob, rest=rest, eight_bit=eight_bit)


class _RenderError(ValueError):
    """Says where and why; never leaves this module."""


def _render(document: Document, given: Personalization, templates: TemplateCache) -> bytes:
    parts = document.parts

    def rendered(name: str, source: str, *, html: bool = False, one_line: bool = False) -> str:
        twig, simple = document.twig, document.simple
        try:
            template = templates.compile(source, html=html, one_line=one_line, twig=twig, simple=simple)
            return template.render(given.data, simple=given.simple, now=parts.date)
        except TemplateProblem as problem:
            raise _RenderError(f"{name}, {problem}") from problem

    return document.rendered(
        rendered("subject", parts.subject, one_line=True),
        rendered("text", parts.text) if parts.text is not None else None,
        rendered("html", parts.html, html=True) if parts.html is not None else None,
    )
