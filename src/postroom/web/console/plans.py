"""`/console/operator/plans`: what each plan of the configuration allows."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from postroom.tenancy.entitlements import Area, of_plan
from postroom.web.api.api import Api
from postroom.web.api.json_out import Data
from postroom.web.api.route import routes
from postroom.web.console.access import Who, open_to


class PlanOut(BaseModel):
    """What holds for accounts on it, with what it leaves to the settings; null: no limit. The plan "" is that of accounts
    without one. Fields are as `tenancy.entitlements` has them; limits per minute are by area of the API."""

    name: str
    daily_quota: int | None
    over_quota: Literal["refuse", "hold"]
    messages_per_minute: int | None
    requests_per_day: int | None
    per_minute: dict[Area, int | None]
    bulk_emails: int
    recipients: int | None
    domains: int | None
    users: int | None
    tokens: int | None
    templates: int | None
    inbound_routes: int | None
    sender_identities: int | None
    smtp_users: int | None
    webhooks: int | None
    custom_headers: bool
    track_content: bool
    suppressed_filter: bool


def router(api: Api) -> APIRouter:
    resource = routes("Plans")

    @resource.get("/operator/plans", summary="List plans")
    @open_to(Who.OPERATOR)
    async def index() -> Data[list[PlanOut]]:
        """No plan first, then in the order of the configuration."""
        return Data(data=[plan_out(api, name) for name in ("", *api.config.plans)])

    return resource


def plan_out(api: Api, name: str) -> PlanOut:
    allowed = of_plan(name, api.config)
    named = {field: getattr(allowed, field) for field in PlanOut.model_fields if field != "name"}
    return PlanOut(name=name, **named)
