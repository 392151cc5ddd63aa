"""`/v1/email/{id}/content` and beside it: what an email says, where its content is kept."""

# No postponed annotations here: they name loaders that only `router` knows.

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, Field

from postroom.store.emails import EmailDetails
from postroom.types import refusals
from postroom.types.permissions import Permission
from postroom.types.refusals import Refused
from postroom.web.api import email_preview
from postroom.web.api.access import access
from postroom.web.api.api import Api
from postroom.web.api.body import off_loop
from postroom.web.api.email_object import HeaderOut
from postroom.web.api.emails import SCOPES, loader
from postroom.web.api.errors import not_found, refused
from postroom.web.api.fields import Flag
from postroom.web.api.json_out import Data, Timestamp
from postroom.web.api.kept import download, message_of, source_of
from postroom.web.api.route import routes
from postroom.web.api.shown import ConfigId, Content, Count, Sentence, Word, limited
from postroom.wire.mime.encoded_words import display
from postroom.wire.mime.reading import MOST_PARTS, Part, Taken, content, take_apart, text_of

MOST_CHARACTERS = 1024 * 1024
"""Of each text in the answer."""
MOST_HEADERS, LONGEST_HEADER = 1000, 10_000

KEPT_BY = "track_content"
"""The setting of a domain that keeps content."""
GONE = "The content was deleted after the email was delivered or given up, as its domain does not keep it."


class AttachmentOut(BaseModel):
    id: ConfigId = Field(description="Of the attachment, within the email.", examples=["0000000000000003"])
    filename: Word = Field(description='As the message says; "" if it does not.', examples=["invoice.pdf"])
    type: Word = Field(description="As the message says; it may lie.", examples=["application/pdf"])
    size: Count = Field(description="In octets, decoded.", examples=[48213])
    disposition: Word = Field(description='`attachment`, `inline`, or "".', examples=["attachment"])
    content_id: Word = Field(description="What `cid:` in the HTML names.", examples=[""])


class FieldOut(HeaderOut):
    value: Sentence = Field(description="Decoded, on one line.", examples=["Your order"])


class ContentOut(BaseModel):
    """As this recipient got it, before our own header fields and signature."""

    content_kept: bool = Field(
        description="Whether there is anything; else the rest is empty.", examples=[True]
    )
    reason: Sentence | None = Field(description="Why it is not kept; null when it is.", examples=[None])
    setting: Word | None = Field(
        description="The setting of the domain that keeps it, for emails sent from then on; null when it is kept.",
        examples=[None],
    )
    kept_until: Timestamp | None = Field(
        description="When it will be deleted; null when that is not known yet, or it is gone.",
        examples=[None],
    )
    size: Count = Field(description="Of the whole message when it was accepted, in octets.", examples=[51870])
    text: Content | None = Field(description="The plain text; null if there is none.", examples=["Hello."])
    html: Content | None = Field(
        description="The HTML as it is; null if there is none. Never show it as it is: see the preview.",
        examples=["<p>Hello.</p>"],
    )
    cut: bool = Field(
        description=f"A text is longer than {MOST_CHARACTERS} characters; the source has all of it.",
        examples=[False],
    )
    headers: Annotated[list[FieldOut], limited(maxItems=MOST_HEADERS)] = Field(
        description="All header fields, in their order."
    )
    attachments: Annotated[list[AttachmentOut], limited(maxItems=MOST_PARTS)] = Field(
        description="All parts that are neither the text nor the HTML; also the pictures in the HTML."
    )


_FILE = {"schema": {"type": "string", "format": "binary"}}
_HTML = {"schema": {"type": "string", "maxLength": 50 * 1024 * 1024}, "example": "<p>Hello.</p>"}


def router(api: Api) -> APIRouter:
    resource = routes("Emails")
    email = loader(api)

    @resource.get("/email/{email_id}/content", summary="Get the content of an email")
    @access(*SCOPES, Permission.READ_EMAIL)
    async def show(found: Annotated[EmailDetails, Depends(email)]) -> Data[ContentOut]:
        """What the email says, as long as that is kept: while it waits, for a day after that, and longer where the
        domain keeps content (`track_content`) or is a sandbox."""
        return Data(data=await content_out(api, found))

    @resource.get(
        "/email/{email_id}/preview",
        summary="Preview an email",
        response_class=Response,
        responses={200: {"description": "The page.", "content": {"text/html": _HTML}}},
    )
    @access(*SCOPES, Permission.READ_EMAIL)
    async def preview(
        found: Annotated[EmailDetails, Depends(email)],
        images: Annotated[
            Flag,
            Query(
                description="Also load pictures from elsewhere; who sent the email may see that.",
                examples=[False],
            ),
        ] = False,
    ) -> Response:
        """The HTML (else the text) as a page that can do nothing: no script runs, nothing is loaded from elsewhere.

        Its Content-Security-Policy is a sandbox, so that holds wherever the page is opened. Pictures of the message
        itself are part of the page.
        """
        page = await off_loop(email_preview.page, await source_of(api, found))
        if page is None:
            raise refused(Refused(refusals.NO_SUCH_CONTENT, {"what": "text"}))
        return Response(
            page, headers=email_preview.headers(images=images), media_type="text/html; charset=utf-8"
        )

    _add_downloads(api, resource, email)
    return resource


def _add_downloads(api: Api, resource: APIRouter, email: Any) -> None:
    @resource.get(
        "/email/{email_id}/source",
        summary="Download the source of an email",
        response_class=Response,
        responses={200: {"description": "The message.", "content": {"message/rfc822": _FILE}}},
    )
    @access(*SCOPES, Permission.READ_EMAIL)
    async def source(found: Annotated[EmailDetails, Depends(email)]) -> Response:
        """The message as this recipient got it, before our own header fields and signature."""
        return download([await source_of(api, found)], f"{found.subject[:60]}.eml", "message/rfc822")

    @resource.get(
        "/email/{email_id}/attachments/{attachment_id}",
        summary="Download an attachment",
        response_class=Response,
        responses={200: {"description": "The file.", "content": {"application/octet-stream": _FILE}}},
    )
    @access(*SCOPES, Permission.READ_EMAIL)
    async def attachment(found: Annotated[EmailDetails, Depends(email)], attachment_id: str) -> Response:
        """Always as `application/octet-stream`: what a message says of a file is not trusted."""
        message = await source_of(api, found)
        taken = await off_loop(take_apart, message)
        part = next((one for one in taken.attachments if _id(one) == attachment_id), None)
        if part is None:
            raise not_found()
        return download(content(message, part), _filename(part), "application/octet-stream")


async def content_out(api: Api, email: EmailDetails) -> ContentOut:
    """Raises ApiError (422) for an email that cannot be made of its template."""
    message = await message_of(api, email)
    if message is None or message.content_gone:
        size = 0 if message is None else message.size
        return ContentOut(content_kept=False, reason=GONE, setting=KEPT_BY, **_NOTHING, size=size)
    read = await off_loop(_read, await source_of(api, email))
    return ContentOut(
        content_kept=True,
        reason=None,
        setting=None,
        kept_until=message.content_expires_at,
        size=message.size,
        **read,
    )


_NOTHING: dict[str, Any] = {
    "kept_until": None,
    "text": None,
    "html": None,
    "cut": False,
    "headers": [],
    "attachments": [],
}


def _read(message: bytes) -> dict[str, Any]:
    """In a thread."""
    taken = take_apart(message)
    text, whole_text = _text(message, taken.text)
    html, whole_html = _text(message, taken.html)
    return {
        "text": text,
        "html": html,
        "cut": not (whole_text and whole_html),
        "headers": _headers(taken),
        "attachments": [_attachment(message, part) for part in taken.attachments],
    }


def _text(message: bytes, part: Part | None) -> tuple[str | None, bool]:
    return (None, True) if part is None else text_of(message, part, MOST_CHARACTERS)


def _headers(taken: Taken) -> list[FieldOut]:
    return [
        FieldOut(name=field.name.decode("ascii", "replace"), value=display(field.value, LONGEST_HEADER))
        for field in taken.header.fields[:MOST_HEADERS]
    ]


def _attachment(message: bytes, part: Part) -> AttachmentOut:
    return AttachmentOut(
        id=_id(part),
        filename=part.filename,
        type=part.type,
        size=sum(map(len, content(message, part))),
        disposition=part.disposition,
        content_id=part.content_id,
    )


def _id(part: Part) -> str:
    """Its place in the message, in the shape that all ids have."""
    return f"{part.number:016d}"


def _filename(part: Part) -> str:
    return part.filename or ("message.eml" if part.type == "message/rfc822" else f"part-{part.number}")
