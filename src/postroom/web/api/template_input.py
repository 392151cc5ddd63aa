"""Bodies that make and change templates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from postroom.tenancy.template_rules import LONGEST_SUBJECT, LONGEST_TAG, MOST_LANGUAGES, MOST_TAGS
from postroom.tenancy.templates import LONGEST_CATEGORY, LONGEST_NAME, MOST_CATEGORIES, TemplateChange
from postroom.types.template import TemplateContent, Wording
from postroom.web.api.domain_object import BodyDomainId
from postroom.web.api.fields import Flag, Input
from postroom.web.api.words import REQUIRED
from postroom.wire.html_text import html_text

LONGEST_TEXT = 2 * 1024 * 1024
_HTML, _TEXT = "<p>Dear {{ name }}, thank you.</p>", "Dear {{ name }}, thank you."

Subject = Annotated[
    str,
    Field(
        max_length=LONGEST_SUBJECT, description="Of messages that have none.", examples=["Order {{ number }}"]
    ),
]
Html = Annotated[str, Field(max_length=LONGEST_TEXT, description="At most 2 MB.", examples=[_HTML])]
Text = Annotated[str, Field(max_length=LONGEST_TEXT, description="At most 2 MB.", examples=[_TEXT])]
Name = Annotated[str, Field(max_length=LONGEST_NAME, description="For people.", examples=["Order"])]
Categories = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=LONGEST_CATEGORY)]],
    Field(max_length=MOST_CATEGORIES, description="Words; `[]` takes them away.", examples=[["orders"]]),
]
Tags = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=LONGEST_TAG)]],
    Field(max_length=MOST_TAGS, description="Of messages that bring none.", examples=[["order"]]),
]


class Sender(Input):
    """Of messages that name none."""

    email: str = Field(max_length=320, description="The address.", examples=["shop@example.com"])
    name: str = Field("", max_length=255, description="Beside the address.", examples=["The shop"])


class Translation(Input):
    """What it does not say is said by the template itself."""

    subject: Subject | None = None
    text: Text | None = None
    html: Html | None = None


class TemplateUpdate(Input):
    """What is absent stays as it is."""

    html: Html | None = None
    text: Text | None = None
    auto_generate: Flag = Field(False, description="Make the text from the HTML.", examples=[False])
    subject: Subject | None = None
    from_: Sender | None = Field(None, alias="from", description="Of messages that name none.")
    name: Name | None = None
    domain_id: BodyDomainId | None = Field(None, description="The only domain that may use it; null: all.")
    categories: Categories | None = None
    tags: Tags | None = None
    translations: (
        Annotated[dict[Annotated[str, Field(max_length=20)], Translation], Field(max_length=MOST_LANGUAGES)]
        | None
    ) = Field(None, description="By language, like `de` or `pt-BR`; all of them at once.")

    def change(self, html: str | None) -> TemplateChange:
        """`html` is what it says now. May take long: see `html_text`."""
        text = html_text(self.html or html or "") if self.auto_generate else self.text
        sender, translations = self.from_, self.translations
        return TemplateChange(
            name=self.name,
            domain=self.domain_id,
            categories=self.categories,
            subject=self.subject,
            text=text,
            html=self.html,
            from_email=None if sender is None else sender.email,
            from_name=None if sender is None else sender.name,
            tags=self.tags,
            translations=None if translations is None else _wordings(translations),
        )


class TemplateInput(TemplateUpdate):
    """`text` is needed unless `auto_generate` is true."""

    html: Html

    def missing(self) -> dict[str, list[str]]:
        if self.text is None and not self.auto_generate:
            return {"text": [REQUIRED.format(field="text")]}
        return {}

    def content(self) -> TemplateContent:
        """May take long: see `html_text`."""
        return self.change(None).applied(TemplateContent(Wording()))


def _wordings(translations: Mapping[str, Translation]) -> dict[str, Wording]:
    return {code: Wording(one.subject, one.text, one.html) for code, one in translations.items()}
