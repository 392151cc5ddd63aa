"""The body of a send request, field by field (mailersend-api, section 2.1)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, WithJsonSchema, model_validator

from postroom.types.addresses import AddressError, parse_mailbox
from postroom.types.draft import Stream
from postroom.types.envelope import Address
from postroom.types.parts import Disposition
from postroom.web.api.fields import Flag, Input, Object
from postroom.web.api.words import EMAIL, STRING
from postroom.wire.json import LongText

MOST_TO, MOST_CC, MOST_BCC = 50, 10, 10
LONGEST_TEXT = 2 * 1024 * 1024
MOST_PERSONALIZED = 2 * MOST_TO + MOST_CC + MOST_BCC
MOST_FILES, MOST_HEADERS, MOST_REFERENCES, MOST_SUBSTITUTIONS = 100, 50, 100, 500
MOST_REPLY_TO, MOST_TAGS = 10, 5

_NONE: Any = ()
"""The default of lists: pydantic would copy an empty list for each request, and that takes longer than to check one."""


def _address(value: Any) -> Address:
    if not isinstance(value, str):
        raise ValueError(STRING)  # noqa: TRY004 - pydantic wants it so
    try:
        return parse_mailbox(value.strip(" "))
    except AddressError:
        raise ValueError(EMAIL) from None


def _listable(name: str) -> str:
    if ";" in name or "," in name:
        raise ValueError("The {field} must not contain semicolons or commas.")
    return name


TOO_MANY = "The {field} recipients limit of {most} was exceeded. #MS42205"
_TOO_LONG = "The {field} must not be greater than 2 MB."


def _at_most(most: int) -> BeforeValidator:
    """Looked at before the items are, so that a million of them cost nothing."""

    def limited(value: Any) -> Any:
        if isinstance(value, list) and len(value) > most:
            raise ValueError(TOO_MANY.format(most=most, field="{field}"))
        return value

    return BeforeValidator(limited)


def _not_too_long(value: Any) -> Any:
    """In octets of UTF-8; so 2 MB of any text are less than what a JSON reader leaves as LongText."""
    if isinstance(value, LongText) or (isinstance(value, str) and _octets(value) > LONGEST_TEXT):
        raise ValueError(_TOO_LONG)
    return value


def _octets(text: str) -> int:
    short = text.isascii() or 4 * len(text) <= LONGEST_TEXT
    return len(text) if short else len(text.encode("utf-8"))


def _blank(value: Any) -> bool:
    """White space alone is as good as nothing."""
    return value is None or (isinstance(value, str) and (not value or value.isspace()))


def _trimmed(text: Any) -> Any:
    return text.strip(" ") if isinstance(text, str) else text


def _lines_not_allowed(tag: str) -> str:
    if not tag.isprintable():
        raise ValueError("The {field} must not contain control characters.")
    return tag


def _each_once(tags: list[str]) -> list[str]:
    tags = [tag for tag in dict.fromkeys(tags) if tag]
    if len(tags) > MOST_TAGS:
        raise ValueError(f"The {{field}} must not have more than {MOST_TAGS} items.")
    return tags


def _as_list(value: Any) -> Any:
    """One object where several may be; zero structs of Go and empty lists of PHP are none."""
    if isinstance(value, dict):
        return None if all(map(_blank, value.values())) else [value]
    return None if value == [] else value


def _one_too(schema: dict[str, Any]) -> None:
    """What `_as_list` takes, as JSON Schema."""
    schema["anyOf"].insert(0, schema["anyOf"][0]["items"])


def _object(value: Any) -> Any:
    """Text in place of the sender is reported as a sender without an address, as the contract's server does it."""
    return value if isinstance(value, dict) else None


Email = Annotated[
    Address,
    PlainValidator(_address),
    WithJsonSchema(
        {
            "type": "string",
            "format": "email",
            "maxLength": 254,
            "description": "The address.",
            "examples": ["anna@example.com"],
        }
    ),
]
"""An address; around it white space does not matter."""
Name = Annotated[str, Field(max_length=255, description="Shown to people.", examples=["Anna"])]
Text = Annotated[
    str,
    BeforeValidator(_not_too_long),
    WithJsonSchema({"type": "string", "maxLength": LONGEST_TEXT, "examples": ["Hello"]}),
]
Tag = Annotated[
    str,
    Field(max_length=191),
    AfterValidator(_lines_not_allowed),
    BeforeValidator(lambda tag: "" if tag is None else _trimmed(tag)),
]
Encoded = Annotated[
    Any,
    WithJsonSchema(
        {
            "type": "string",
            "contentEncoding": "base64",
            "maxLength": 50 * 1024 * 1024,
            "examples": ["JVBERi0xLjcK"],
        }
    ),
]
"""Of any length; read in slices later."""


class _Object(Input):
    """As every body's, but that white space alone counts as absent, too. Nothing in the place of an object is an empty
    one, anything else is wrong."""

    @model_validator(mode="before")
    @classmethod
    def _without_blanks(cls, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: inner for name, inner in value.items() if not _blank(inner)}
        if value == [] or _blank(value):
            return {}
        raise ValueError("The {field} must be an object.")


class ReplyTo(_Object):
    email: Email
    name: Name = ""


class Recipient(_Object):
    email: Email
    name: Annotated[Name, AfterValidator(_listable)] = ""


class From(_Object):
    email: Email | None = Field(
        None, description="Under a verified domain. Required, unless the template has a default sender."
    )
    name: Name = ""


class Attachment(_Object):
    content: Encoded = Field(description="Base64; all attachments together at most 25 MB decoded.")
    filename: Annotated[str, BeforeValidator(_trimmed)] = Field(
        max_length=255, description="Its extension says what type the file is.", examples=["invoice.pdf"]
    )
    disposition: Disposition = Field(
        Disposition.ATTACHMENT,
        description="`inline` for pictures that the HTML shows.",
        examples=["attachment"],
    )
    id: str = Field("", max_length=256, description="What `cid:` in the HTML refers to.", examples=["logo"])


class Personalization(_Object):
    email: Email
    data: Object = Field(
        description="Values for the variables. Keys must not contain dots.", examples=[{"name": "Anna"}]
    )


class Substitution(_Object):
    var: str = Field(max_length=255, description="The variable's name.", examples=["name"])
    value: Text = Field("", description="Its value.", examples=["Anna"])


class Variables(_Object):
    email: Email
    substitutions: list[Substitution] = Field(
        max_length=MOST_SUBSTITUTIONS, description="Values for the variables."
    )


class Header(_Object):
    name: str = Field(max_length=70, description="Letters, digits and hyphens.", examples=["X-Campaign"])
    value: str = Field("", max_length=998, description="Its value.", examples=["spring"])


class Settings(_Object):
    track_clicks: Flag | None = Field(None, description="Count clicks.", examples=[True])
    track_opens: Flag | None = Field(None, description="Count opens.", examples=[True])
    track_content: Flag | None = Field(None, description="Keep the content.", examples=[False])


class EmailRequest(_Object):
    """Every field may be absent as far as this goes; `checks` says what is required."""

    from_: Annotated[From | None, BeforeValidator(_object)] = Field(
        None, alias="from", description="The sender."
    )
    to: Annotated[list[Recipient], _at_most(MOST_TO)] = Field(
        _NONE,
        description=f"1 to {MOST_TO} recipients; all of them see each other.",
        json_schema_extra={"maxItems": MOST_TO},
    )
    cc: Annotated[list[Recipient], _at_most(MOST_CC)] = Field(
        _NONE, description=f"At most {MOST_CC}.", json_schema_extra={"maxItems": MOST_CC}
    )
    bcc: Annotated[list[Recipient], _at_most(MOST_BCC)] = Field(
        _NONE, description=f"At most {MOST_BCC}; nobody sees them.", json_schema_extra={"maxItems": MOST_BCC}
    )
    rcpt_to: Annotated[list[Recipient], _at_most(MOST_TO)] = Field(
        _NONE,
        description=f"Further recipients that stand in no header, at most {MOST_TO}; also `rcptTo`.",
        json_schema_extra={"maxItems": MOST_TO},
    )
    reply_to: Annotated[list[ReplyTo] | None, BeforeValidator(_as_list)] = Field(
        None,
        max_length=MOST_REPLY_TO,
        description="Where answers go: one object, or a list of them.",
        json_schema_extra=_one_too,
    )
    subject: str | None = Field(
        None, max_length=998, description="Required, unless the template has one.", examples=["Hello"]
    )
    text: Text | None = Field(None, description="At most 2 MB. One of text, html and template_id is needed.")
    html: Text | None = Field(None, description="At most 2 MB.")
    template_id: str | None = Field(
        None,
        description="A stored template, in the version it has now.",
        examples=["0r83ql3jjz8lgwpo"],
        json_schema_extra={"maxLength": 16},
    )
    language: str | None = Field(
        None, max_length=20, description="Which translation of the template.", examples=["de"]
    )
    tags: Annotated[list[Tag], AfterValidator(_each_once)] = Field(
        _NONE,
        description=f"At most {MOST_TAGS}, each counts once; in place of those of the template.",
        examples=[["order"]],
        json_schema_extra={"maxItems": MOST_TAGS},
    )
    personalization: list[Personalization] = Field(
        _NONE, max_length=MOST_PERSONALIZED, description="Values for `{{ variables }}`, by recipient."
    )
    variables: list[Variables] = Field(
        _NONE, max_length=MOST_PERSONALIZED, description="The older form, for `{$variables}`."
    )
    attachments: list[Attachment] = Field(
        _NONE, max_length=MOST_FILES, description="Files, at most 25 MB together."
    )
    precedence_bulk: Flag | None = Field(
        None, description="Adds `Precedence: bulk`; absent: as set for the domain.", examples=[True]
    )
    send_at: Any = Field(
        None,
        description="When to send it, up to 72 hours ahead: seconds since 1970 like 1769850000, or ISO 8601 like "
        "`2026-01-31T09:00:00Z`. 0: at once.",
        json_schema_extra={
            "anyOf": [
                {"type": "integer", "maximum": 253_402_300_799},
                {"type": "string", "maxLength": 40},
                {"type": "null"},
            ],
            "examples": [0],
        },
    )
    in_reply_to: str | None = Field(
        None, max_length=998, description="The Message-ID it answers.", examples=["<1@example.com>"]
    )
    references: list[Annotated[str, Field(max_length=998)]] = Field(
        _NONE, max_length=MOST_REFERENCES, description="Message-IDs.", examples=[["<1@example.com>"]]
    )
    settings: Settings | None = Field(None, description="Tracking of this message.")
    headers: list[Header] = Field(_NONE, max_length=MOST_HEADERS, description="Custom headers.")
    list_unsubscribe: str | None = Field(
        None,
        max_length=990,
        description="URL or mailto:, several separated by commas (RFC 8058).",
        examples=["https://example.com/unsubscribe?id=1"],
    )
    stream: Stream = Field(
        Stream.TRANSACTIONAL,
        description="Postroom's own: transactional or broadcast.",
        examples=["broadcast"],
    )
    metadata: Object = Field(
        default_factory=dict,
        description="Postroom's own: up to 20 strings by which the email is found again.",
        examples=[{"order": "4711"}],
        json_schema_extra={"maxProperties": 20, "default": {}},
    )

    @model_validator(mode="before")
    @classmethod
    def _other_spellings(cls, value: Any) -> Any:
        """PHP and Java say `rcptTo`, Node `rcpt_to`."""
        if isinstance(value, dict) and value.get("rcptTo") and not value.get("rcpt_to"):
            return {**value, "rcpt_to": value["rcptTo"]}
        return value
