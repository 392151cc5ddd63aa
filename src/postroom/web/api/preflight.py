"""`POST /v1/preflight`: what would become of a message; nothing is kept or sent."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body
from pydantic import BaseModel, Field

from postroom.accept import admit
from postroom.tenancy.entitlements import Area
from postroom.types import refusals
from postroom.types.permissions import Permission
from postroom.types.scopes import Scope
from postroom.web.api.access import access
from postroom.web.api.api import Api
from postroom.web.api.body import off_loop
from postroom.web.api.call import Caller, CurrentCaller
from postroom.web.api.errors import ApiError
from postroom.web.api.json_out import Data
from postroom.web.api.route import routes
from postroom.web.api.sending.context import context_of
from postroom.web.api.sending.read import read
from postroom.web.api.sending.request import EmailRequest
from postroom.web.api.sending.schema import ShownAs
from postroom.web.api.shown import Sentence, Word, limited
from postroom.web.preflight.report import Finding, Report, Verdict
from postroom.wire.template import TemplateCache


class FindingOut(BaseModel):
    id: Word = Field(description="The check.", examples=["signature"])
    verdict: Verdict = Field(
        description="`fail`: refused, or it reaches nobody as it is; `warn`: it would go out, and this may hurt.",
        examples=["pass"],
    )
    evidence: Sentence = Field(
        description="What was seen.",
        examples=["Verified with the TXT record pr1._domainkey.example.com: good."],
    )
    fix: Sentence = Field(description="How to mend it; empty when there is nothing to mend.", examples=[""])
    rule: Word = Field(
        description="The entry of the catalogue of refusals, when this would refuse the message; else empty.",
        examples=[""],
    )


class PreflightOut(BaseModel):
    verdict: Verdict = Field(description="The worst of all.", examples=["pass"])
    accepted: bool = Field(description="Whether the message would be accepted now.", examples=[True])
    findings: Annotated[list[FindingOut], limited(maxItems=10_000)] = Field(
        description="What each check found."
    )


def router(api: Api) -> APIRouter:
    resource = routes("Email")
    cache = TemplateCache()

    @resource.post("/preflight", summary="Check an email without sending it")
    @access(Scope.EMAIL_FULL, Permission.CONTROL_SENDINGS, area=Area.EMAIL, large_body=True)
    async def preflight(
        caller: CurrentCaller, body: Annotated[Any, ShownAs(EmailRequest), Body()]
    ) -> Data[PreflightOut]:
        """The body is that of `POST /v1/email`; nothing is kept or sent.

        All rules of acceptance, quota and suppressions; the message rendered, built and signed, its signature verified
        with the key in the DNS; the DNS of the sender and of every recipient. Each check says what it found.
        """
        return Data(data=_shown(await _report(api, caller, body, cache)))

    return resource


async def _report(api: Api, caller: Caller, body: Any, cache: TemplateCache) -> Report:
    context = await context_of(caller, body, api.clock.now_ms(), api.templates, cache)
    try:
        request = await off_loop(read, body, context)
    except ApiError as error:
        return _unread(api, caller, error)
    return await api.preflight.request(api.accept, context.sender, request)


def _unread(api: Api, caller: Caller, error: ApiError) -> Report:
    """Fields that are wrong: there is no message to look at further."""
    rule = refusals.REQUEST_INVALID
    findings = [
        Finding("fields", Verdict.FAIL, text, rule.fix, rule.id)
        for texts in (error.fields or {}).values()
        for text in texts
    ]
    state = admit.account_state(caller.account, api.config)
    name = "account-may-send"
    account = Finding.passed(name, "") if state is None else Finding.refused(name, state)
    return Report([account, *findings])


def _shown(report: Report) -> PreflightOut:
    findings = [
        FindingOut(
            id=finding.id,
            verdict=finding.verdict,
            evidence=finding.evidence,
            fix=finding.fix,
            rule=finding.rule,
        )
        for finding in report.findings
    ]
    return PreflightOut(verdict=report.verdict, accepted=report.accepted, findings=findings)
