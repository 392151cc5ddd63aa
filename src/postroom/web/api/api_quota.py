"""`GET /v1/api-quota`: how many requests are left today."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from postroom.tenancy import quotas
from postroom.tenancy.entitlements import entitlements
from postroom.web.api.access import access
from postroom.web.api.api import Api
from postroom.web.api.call import CurrentCaller
from postroom.web.api.quota import quota_reset
from postroom.web.api.route import routes
from postroom.web.api.shown import limited

Quota = Annotated[int, limited(minimum=-1, maximum=2**53 - 1)]
Moment = Annotated[str, limited(format="date-time")]


class ApiQuota(BaseModel):
    quota: Quota = Field(description="Requests a day; -1: no limit.", examples=[100000])
    remaining: Quota = Field(description="How many are left today; -1: no limit.", examples=[99986])
    reset: Moment = Field(description="When it begins anew.", examples=["2026-01-31T00:00:00Z"])


def router(api: Api) -> APIRouter:
    resource = routes("API quota")

    @resource.get("/api-quota", summary="Get the API quota")
    @access(counted=False)
    async def api_quota(caller: CurrentCaller) -> ApiQuota:
        """The account's daily quota of API requests. Asking does not count. Any token may ask."""
        now = api.clock.now_ms()
        quota = entitlements(caller.account, api.config).requests_per_day
        reset = quota_reset(quotas.next_day_ms(now))
        if quota is None:
            return ApiQuota(quota=-1, remaining=-1, reset=reset)
        used = api.quota.used(caller.account_id) or 0
        return ApiQuota(quota=quota, remaining=max(quota - used, 0), reset=reset)

    return resource
