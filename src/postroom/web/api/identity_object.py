"""A sender identity as the API takes and shows it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field, ValidationInfo, field_validator, model_validator

from postroom.store.domains import Domain
from postroom.store.sender_identities import SenderIdentity
from postroom.tenancy.sender_identities import NewIdentity
from postroom.types.addresses import AddressError, parse_mailbox
from postroom.web.api.domain_object import BodyDomainId, DomainShort, short
from postroom.web.api.fields import Flag, Input
from postroom.web.api.json_out import Timestamp
from postroom.web.api.shown import AddressText, ConfigId, Count, CreatedAt, Sentence, UpdatedAt, Word, limited
from postroom.web.api.words import EMAIL, REQUIRED

LONGEST_NOTE = 250
NEEDS_ADDRESS = REQUIRED.replace("{field}", "reply to email")


def _address(written: str) -> str:
    try:
        return str(parse_mailbox(written.strip()))
    except AddressError:
        raise ValueError(EMAIL) from None


def _address_or_none(written: str) -> str:
    return _address(written) if written else ""


def _line(name: str) -> str:
    name = name.strip()
    if not name.isprintable():
        raise ValueError("The {field} must not contain control characters.")
    return name


def _note(note: str) -> str:
    note = "\n".join(line.rstrip() for line in note.strip().splitlines())
    if not note.replace("\n", "").isprintable():
        raise ValueError("The {field} must not contain control characters.")
    return note


Email = Annotated[
    str,
    AfterValidator(_address),
    Field(max_length=320, description="Exactly this address is sent from.", examples=["ben@client.example"]),
]
Name = Annotated[
    str,
    AfterValidator(_line),
    Field(
        max_length=191, description="Stands beside the address where a request has no name.", examples=["Ben"]
    ),
]
ReplyToEmail = Annotated[
    str,
    AfterValidator(_address),
    Field(
        max_length=320,
        description="Where answers go, unless a request says so.",
        examples=["ben@client.example"],
    ),
]
NewReplyTo = Annotated[
    str,
    AfterValidator(_address_or_none),
    Field(
        max_length=320,
        description="Where answers go, unless a request says so.",
        examples=["ben@client.example"],
    ),
]
ReplyToName = Annotated[
    str,
    AfterValidator(_line),
    Field(max_length=191, description="Stands beside that address.", examples=["Ben"]),
]
Note = Annotated[
    str,
    AfterValidator(_note),
    Field(max_length=LONGEST_NOTE, description="To the owner, in the mail.", examples=["As we said."]),
]


class IdentityIn(Input):
    domain_id: BodyDomainId
    email: Email
    name: Name = ""
    reply_to_email: ReplyToEmail | None = None
    reply_to_name: ReplyToName = ""
    personal_note: Note | None = None
    add_note: (
        Annotated[Flag, Field(description="Whether the note is in the mail; absent: it is.", examples=[True])]
        | None
    ) = None

    @field_validator("reply_to_name")
    @classmethod
    def _with_an_address(cls, name: str, info: ValidationInfo) -> str:
        if name and "reply_to_email" in info.data and info.data["reply_to_email"] is None:
            raise ValueError(NEEDS_ADDRESS)
        return name

    def new(self) -> NewIdentity:
        return NewIdentity(
            domain_id=self.domain_id,
            email=self.email,
            name=self.name,
            reply_to_email=self.reply_to_email or "",
            reply_to_name=self.reply_to_name,
            add_note=bool(self.personal_note) if self.add_note is None else self.add_note,
            personal_note=self.personal_note or "",
        )


class IdentityChange(Input):
    """What is absent stays as it is; null and "" take it away."""

    name: Name | None = None
    reply_to_email: NewReplyTo | None = None
    reply_to_name: ReplyToName | None = None

    @model_validator(mode="before")
    @classmethod
    def _without_blanks(cls, value: Any) -> Any:
        """Blanks mean something here."""
        if isinstance(value, dict):
            return {name: "" if given is None else given for name, given in value.items()}
        return {} if value is None or value == [] else value

    def changes(self, before: SenderIdentity) -> dict[str, str]:
        """What to set. Without an address there is no name beside it.

        Raises ValueError when a name is wanted without one.
        """
        new: dict[str, str] = self.model_dump(exclude_none=True)
        if new.get("reply_to_email", before.reply_to_email):
            return new
        if new.get("reply_to_name"):
            raise ValueError(NEEDS_ADDRESS)
        return new | {"reply_to_name": ""}


class IdentityOut(BaseModel):
    id: ConfigId = Field(description="Of the identity.", examples=["7nxe3yjmeq28vp0k"])
    email: AddressText = Field(
        description="Exactly this address is sent from.", examples=["ben@client.example"]
    )
    name: Word = Field(description="Empty if there is none.", examples=["Ben"])
    reply_to_email: AddressText | None = Field(description="Where answers go.", examples=[None])
    reply_to_name: Word | None = Field(description="Stands beside that address.", examples=[None])
    is_verified: bool = Field(description="Its owner has agreed.", examples=[False])
    resends: Count = Field(description="How often the mail was sent again.", examples=[0])
    add_note: bool = Field(description="Whether the note is in the mail.", examples=[False])
    personal_note: Annotated[str, limited(maxLength=LONGEST_NOTE)] | None = Field(
        description="To the owner.", examples=[None]
    )
    domain: DomainShort = Field(description="Signs what is sent from the address.")
    verified_at: Timestamp | None = Field(description="When its owner agreed; null: not yet.")
    problem: Sentence | None = Field(
        description="Why receivers would not take mail from it any more; null: nothing is known.",
        examples=[None],
    )
    created_at: CreatedAt
    updated_at: UpdatedAt


def identity_out(identity: SenderIdentity, domain: Domain) -> IdentityOut:
    return IdentityOut(
        id=identity.id,
        email=identity.email,
        name=identity.name,
        reply_to_email=identity.reply_to_email or None,
        reply_to_name=identity.reply_to_name or None,
        is_verified=identity.verified_at is not None,
        resends=identity.resends,
        add_note=identity.add_note,
        personal_note=identity.personal_note or None,
        domain=short(domain),
        verified_at=identity.verified_at,
        problem=identity.problem or None,
        created_at=identity.created_at,
        updated_at=identity.updated_at,
    )
