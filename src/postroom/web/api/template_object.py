"""A template as the API shows it, and what may be said of one (contract, section 12)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from postroom.store.templates import Template, TemplateStats
from postroom.tenancy.template_rules import MOST_LANGUAGES, MOST_TAGS
from postroom.tenancy.templates import MOST_CATEGORIES, StoredTemplate, categories_of
from postroom.types.template import TemplateContent, Wording
from postroom.web.api.domain_object import DomainShort
from postroom.web.api.json_out import Timestamp
from postroom.web.api.shown import (
    AddressText,
    ConfigId,
    Content,
    Count,
    CreatedAt,
    Line,
    UpdatedAt,
    Word,
    limited,
)

MOST_COUNTED = 10_000
"""Messages of a template that are counted: a count of all of them would be a long read."""
_ID = "7nxe3yjmeq28vp0k"

Tags = Annotated[list[Word], limited(maxItems=MOST_TAGS)]


class CategoryOut(BaseModel):
    id: Word = Field(description="The category itself: it is a word.", examples=["orders"])
    name: Word = Field(description="The same.", examples=["orders"])


class VariablesOut(BaseModel):
    variables: Annotated[list[Word], limited(maxItems=0)] = Field(
        description="Those of the older syntax `{$name}`, which templates do not have.", examples=[[]]
    )
    personalization: (
        Annotated[dict[str, Annotated[str, limited(maxLength=0)]], limited(maxProperties=10_000)]
        | Annotated[list[Annotated[str, limited(maxLength=0)]], limited(maxItems=0)]
    ) = Field(
        description='What personalization has to bring, each with "" as its value; `[]` if there is nothing.',
        examples=[{"name": "", "number": ""}],
    )


class TemplateRow(BaseModel):
    id: ConfigId = Field(description="Of the template.", examples=[_ID])
    name: Word = Field(description="For people.", examples=["Order"])
    description: Word | None = Field(None, description="Always null.", examples=[None])
    type: Annotated[str, limited(maxLength=8)] = Field(
        description="How it was made: `api`, or `dd`, `rt`, `gh` in the dashboard.", examples=["api"]
    )
    image_path: Word | None = Field(None, description="Always null.", examples=[None])
    variables: VariablesOut = Field(description="What may be filled in.")
    created_at: CreatedAt
    category: CategoryOut | None = Field(description="The first of its categories.")
    categories: Annotated[list[CategoryOut], limited(maxItems=MOST_CATEGORIES)] = Field(
        description="What it is for, in its owner's words."
    )


class StatsOut(BaseModel):
    """Of its newest emails: opens and so on are 0 as long as nothing counts them."""

    total: Count = Field(description="Emails.", examples=[12])
    queued: Count = Field(description="That wait for their first attempt.", examples=[0])
    sent: Count = Field(description="That have been tried.", examples=[1])
    rejected: Count = Field(description="That ended without being delivered.", examples=[1])
    delivered: Count = Field(description="That were delivered.", examples=[10])
    opened: Count = Field(0, description="That were opened.", examples=[0])
    open_rate: Count = Field(0, description="In percent of those delivered.", examples=[0])
    clicked: Count = Field(0, description="With a click.", examples=[0])
    click_rate: Count = Field(0, description="In percent of those delivered.", examples=[0])
    unsubscribed: Count = Field(0, description="Whose recipient unsubscribed.", examples=[0])
    unsubscribe_rate: Count = Field(0, description="In percent of those delivered.", examples=[0])
    complained: Count = Field(0, description="Whose recipient called it spam.", examples=[0])
    complain_rate: Count = Field(0, description="In percent of those delivered.", examples=[0])
    last_email_sent_at: Timestamp | None = Field(description="When the newest was accepted; null: never.")


class FromOut(BaseModel):
    email: AddressText = Field(description="The address.", examples=["shop@example.com"])
    name: Word = Field(description='"" if there is none.', examples=["The shop"])


class WordingOut(BaseModel):
    subject: Line | None = Field(description="Null: none.", examples=["Order {{ number }}"])
    text: Content | None = Field(description="Null: none.", examples=["Dear {{ name }}, thank you."])
    html: Content | None = Field(description="Null: none.", examples=["<p>Dear {{ name }}, thank you.</p>"])


class TemplateOut(TemplateRow, WordingOut):
    model_config = ConfigDict(populate_by_name=True)

    from_: FromOut | None = Field(alias="from", description="The sender of messages that name none.")
    tags: Tags = Field(description="Of messages that bring none.", examples=[["order"]])
    translations: Annotated[dict[str, WordingOut], limited(maxProperties=MOST_LANGUAGES)] = Field(
        description="By language. What one does not say is said by the template itself."
    )
    version: Count = Field(description="Raised by every change of what it says.", examples=[1])
    updated_at: UpdatedAt
    domain: DomainShort | None = Field(description="The only one that may use it; null: all.")
    template_stats: StatsOut = Field(
        description=f"What became of the emails of its newest {MOST_COUNTED} messages, as long as they are kept."
    )


def row_fields(template: Template) -> dict[str, Any]:
    """Those of `TemplateRow`."""
    categories = [CategoryOut(id=name, name=name) for name in categories_of(template)]
    names = template.variables.splitlines()
    return {
        "id": template.id,
        "name": template.name,
        "type": template.type,
        "variables": VariablesOut(variables=[], personalization=dict.fromkeys(names, "") or []),
        "created_at": template.created_at,
        "category": categories[0] if categories else None,
        "categories": categories,
    }


def template_out(
    template: Template, stored: StoredTemplate, domain: DomainShort | None, stats: TemplateStats
) -> TemplateOut:
    content = stored.content
    return TemplateOut(
        **row_fields(template),
        **content.wording._asdict(),
        from_=_sender(content),
        tags=list(content.tags),
        translations={code: _wording(said) for code, said in content.translations.items()},
        version=stored.version,
        updated_at=stored.updated_at,
        domain=domain,
        template_stats=StatsOut(
            total=sum(stats.counts.values()),
            **{word: stats.counts.get(word, 0) for word in ("queued", "sent", "rejected", "delivered")},
            last_email_sent_at=stats.last_at,
        ),
    )


def _sender(content: TemplateContent) -> FromOut | None:
    return FromOut(email=content.from_email, name=content.from_name) if content.from_email else None


def _wording(said: Wording) -> WordingOut:
    return WordingOut(**said._asdict())
