"""`[plans.NAME]`: what accounts on a plan may do that others may not, and the other way round.

What a plan does not say is as for everybody. `tenancy.entitlements` reads plans, and nobody else.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from postroom.config.values import Section

_NAME = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")
LONGEST_NAME = 50


def _valid_name(name: str) -> str:
    if not _NAME.fullmatch(name) or len(name) > LONGEST_NAME:
        raise ValueError(
            f"must be lower-case letters, digits and single hyphens, at most {LONGEST_NAME} characters"
        )
    return name


PlanName = Annotated[str, AfterValidator(_valid_name)]


class Plan(Section):
    """A plan of the name NAME, for accounts that are on it. What it leaves out is as for accounts without a plan.

    0 means no limit.
    """

    daily_quota: int | None = Field(
        None, ge=0, description="Emails a day, for accounts without a quota of their own."
    )
    over_quota: Literal["refuse", "hold"] | None = Field(
        None, description="What happens beyond the daily quota, as `limits.over_quota`."
    )
    messages_per_minute: int | None = Field(
        None, ge=0, description="Messages a minute by SMTP, on each node."
    )
    requests_per_day: int | None = Field(None, ge=0, description="API requests a day.")
    email_per_minute: int | None = Field(
        None, ge=0, description="`POST /v1/email`, as all below on each node."
    )
    bulk_per_minute: int | None = Field(None, ge=0, description="`POST /v1/bulk-email`.")
    activity_per_minute: int | None = Field(None, ge=0, description="Activity, and lists of emails.")
    other_per_minute: int | None = Field(None, ge=0, description="All other endpoints together.")
    bulk_emails: int | None = Field(None, ge=1, le=500, description="Emails in one bulk request.")
    recipients: int | None = Field(
        None, ge=1, description="Recipients of one message, over the API and by SMTP."
    )
    domains: int | None = Field(None, ge=0, description="Domains of an account.")
    users: int | None = Field(None, ge=0, description="Users of an account, with those who are invited.")
    tokens: int | None = Field(None, ge=0, description="API tokens of an account.")
    templates: int | None = Field(None, ge=0, description="Templates of an account.")
    inbound_routes: int | None = Field(None, ge=0, description="Inbound routes of an account.")
    sender_identities: int | None = Field(None, ge=0, description="Sender identities of an account.")
    smtp_users: int | None = Field(None, ge=0, description="SMTP users of each domain.")
    webhooks: int | None = Field(None, ge=0, description="Webhooks of each domain.")
    custom_headers: bool | None = Field(None, description="API requests may have `headers`.")
    track_content: bool | None = Field(
        None, description="Domains may keep the content of delivered messages."
    )
    suppressed_filter: bool | None = Field(None, description="As `api.suppressed_filter`.")
