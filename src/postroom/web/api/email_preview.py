"""The HTML of an email as a page that can do nothing (U02, M10): no script, no form, no frame, nothing from elsewhere.

The Content-Security-Policy is the wall: a sandbox without any rights, for the page itself, so that it also holds when
the page is opened by itself. Pictures that the message brings along are put into the page. Beside the wall elements
that no preview needs are disarmed, since a policy says nothing about some of what they do (a `<link>` connects to a
host before anything is loaded from there).
"""

from __future__ import annotations

import re
from base64 import b64encode
from html import escape
from urllib.parse import unquote

from postroom.web.api.kept import INERT, SAFE_HEADERS
from postroom.wire.mime.reading import Part, Taken, content, take_apart, text_of

MOST_CHARACTERS = 4 * 1024 * 1024
MOST_PICTURES = 12 * 1024 * 1024
"""Octets of pictures in the page, in all."""
PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp"})
"""SVG is a document that may hold scripts; it is not among them."""

_DISARMED = re.compile(
    r"<(/?)(link|meta|base|iframe|frame|frameset|object|embed|applet|portal|form)\b", re.IGNORECASE
)
"""Scripts are not among them: they do not run, and with another name their source would be shown as text."""
_CID = re.compile(r"cid:([^\"'\s)>&;]{1,255})", re.IGNORECASE)
_TEXT_PAGE = (
    '<!doctype html><meta charset="utf-8"><title>Text</title><pre style="white-space:pre-wrap">{text}</pre>'
)


def headers(*, images: bool) -> dict[str, str]:
    """Of the page. `images`: also those from elsewhere, whose servers then know that somebody looks."""
    sources = "data: https: http:" if images else "data:"
    policy = f"{INERT}; img-src {sources}; style-src 'unsafe-inline'"
    return SAFE_HEADERS | {"content-security-policy": policy}


def page(message: bytes) -> bytes | None:
    """The HTML of a message, else its text; None if it has neither. Takes long: not for the event loop."""
    taken = take_apart(message)
    if taken.html is not None:
        source, _ = text_of(message, taken.html, MOST_CHARACTERS)
        return disarmed(_with_pictures(message, taken, source)).encode("utf-8", "replace")
    if taken.text is not None:
        source, _ = text_of(message, taken.text, MOST_CHARACTERS)
        return _TEXT_PAGE.format(text=escape(source)).encode("utf-8", "replace")
    return None


def written(html: str) -> bytes:
    """The page of HTML that is in no message yet; it has no pictures of its own. In a thread, if it is long."""
    return disarmed(html[:MOST_CHARACTERS]).encode("utf-8", "replace")


def disarmed(source: str) -> str:
    """These elements get names that mean nothing. Letters are only added, so none of them can come to be."""
    return _DISARMED.sub(r"<\1x-\2", source)


def _with_pictures(message: bytes, taken: Taken, source: str) -> str:
    """Each `cid:` that names a picture becomes that picture, until they are too many."""
    named = {part.content_id: part for part in taken.attachments if part.type in PICTURES and part.content_id}
    made: dict[str, str] = {}
    room = MOST_PICTURES

    def picture(match: re.Match[str]) -> str:
        nonlocal room
        part = named.get(unquote(match[1]))
        if part is None:
            return match[0]
        if part.content_id not in made:
            made[part.content_id] = _data_url(message, part)
        room -= len(made[part.content_id])
        return made[part.content_id] if room >= 0 else match[0]

    return _CID.sub(picture, source) if named else source


def _data_url(message: bytes, part: Part) -> str:
    if part.end - part.start > MOST_PICTURES:
        return f"cid:{part.content_id}"
    return f"data:{part.type};base64,{b64encode(b''.join(content(message, part))).decode()}"
