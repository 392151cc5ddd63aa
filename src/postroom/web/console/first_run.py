"""`/console/first-run`: the steps from a fresh installation to a real message, for operators."""

from __future__ import annotations

import json
from typing import Literal

from fastapi import APIRouter, BackgroundTasks
from pydantic import BaseModel, ConfigDict, Field, field_validator

from postroom.config import Route
from postroom.config.load import FILE
from postroom.store.domains import Domain
from postroom.tenancy import first_run_steps, network_checks
from postroom.tenancy.first_run_steps import Progress, State, Step
from postroom.tenancy.network_checks import Run
from postroom.web.api.api import Api
from postroom.web.api.json_out import Data, Timestamp
from postroom.web.api.route import routes
from postroom.web.console.access import CurrentActor, CurrentPerson, Who, open_to
from postroom.web.console.strangers import afterwards

Method = Literal["SPF", "DKIM", "DMARC"]
SEEN_FROM_HERE: tuple[tuple[Method, str], ...] = (
    ("SPF", "return_path"),
    ("DKIM", "dkim"),
    ("DMARC", "dmarc"),
)
"""What receivers check, and the record of the domain that decides it."""


class StepOut(BaseModel):
    """`state`: `done`, `open` (still to be done), `problem` (done and not well). `skipped`: left out for now. `object_id` is
    the message, domain or SMTP user it is about, null for none; `fix` is empty when there is nothing to do."""

    step: Step
    state: State
    skipped: bool
    detail: str
    fix: str
    object_id: str | None


class CheckOut(BaseModel):
    name: str
    result: Literal["ok", "warn", "fail"]
    detail: str
    fix: str


class ChecksOut(BaseModel):
    """`under_way`: ask again in a second; `results` are then those of the run before. Null times: there was no run."""

    under_way: bool
    began_at: Timestamp | None
    ended_at: Timestamp | None
    results: list[CheckOut]


class AuthenticationOut(BaseModel):
    """What receivers will find: as far as the DNS tells, seen at the last check of the domain. `passes` null: not known."""

    name: Method
    passes: bool | None
    detail: str
    fix: str


class SmarthostOut(BaseModel):
    host: str
    port: int


class FirstRunOut(BaseModel):
    """`finished`: every step is done or left out. `closed`: an operator does not want to see it any more. `domain_id` is the
    live domain that the later steps and `authentication` are about, null without one. `smarthost` is where all mail goes,
    null: to each recipient's own server."""

    steps: list[StepOut]
    finished: bool
    closed: bool
    checks: ChecksOut
    smarthost: SmarthostOut | None
    domain_id: str | None
    authentication: list[AuthenticationOut]


class MarksInput(BaseModel):
    """`skipped` are all steps to leave out (none: come back to them); what is not given stays."""

    model_config = ConfigDict(extra="ignore")

    skipped: list[Step] | None = Field(None, max_length=len(Step))
    closed: bool | None = None


class SmarthostInput(BaseModel):
    """`domain` "*": mail to everybody goes there. Without a username it does not log in."""

    model_config = ConfigDict(extra="ignore")

    host: str = Field(min_length=1, max_length=253)
    port: int = Field(587, ge=1, le=65535)
    tls: Literal["none", "opportunistic", "required"] = "required"
    username: str = Field("", max_length=320)
    password: str = Field("", max_length=1024)
    domain: str = Field("*", min_length=1, max_length=253)

    @field_validator("host", "username", "password", "domain")
    @classmethod
    def _one_line(cls, value: str) -> str:
        if not all(char.isprintable() for char in value):
            raise ValueError("must not hold line ends or control characters")
        return value


class SmarthostLines(BaseModel):
    """`lines` go to the end of `file` (or of the file that `--config` names) as they are; then restart Postroom."""

    file: str
    lines: str


def router(api: Api) -> APIRouter:
    resource = routes("First run")

    @resource.get("/first-run", summary="How far the first run has come")
    @open_to(Who.OPERATOR)
    async def show(person: CurrentPerson) -> Data[FirstRunOut]:
        """For the account the person works in, as things are now; the network as the last checks found it."""
        return await _shown(api, person.user_id, person.account_id)

    @resource.put("/first-run", summary="Leave steps out, come back, close it")
    @open_to(Who.OPERATOR)
    async def mark(body: MarksInput, person: CurrentPerson, by: CurrentActor) -> Data[FirstRunOut]:
        """It holds for the installation: for all operators."""
        await first_run_steps.mark(api.database, skipped=body.skipped, closed=body.closed, by=by)
        return await _shown(api, person.user_id, person.account_id)

    @resource.post("/first-run/checks", status_code=202, summary="Run the network checks")
    @open_to(Who.OPERATOR)
    async def check(person: CurrentPerson, by: CurrentActor, tasks: BackgroundTasks) -> Data[FirstRunOut]:
        """Resolver, port 25, host name and PTR, as `postroom doctor` looks at them. It takes some seconds: ask GET until
        `checks.under_way` is false. While one run is under way no other begins."""
        if await network_checks.begin(api.database, now=api.clock.now_ms(), by=by):
            afterwards(tasks, _check, api)
        return await _shown(api, person.user_id, person.account_id)

    @resource.post("/first-run/smarthost", summary="What to write for a smarthost")
    @open_to(Who.OPERATOR)
    async def smarthost(body: SmarthostInput) -> Data[SmarthostLines]:
        """Changes nothing: routes are in the configuration file only, and these are the lines to put there. Where port 25
        is closed, a smarthost on port 587 delivers instead."""
        return Data(data=SmarthostLines(file=str(api.config.data / FILE), lines=route_lines(body)))

    return resource


def route_lines(body: SmarthostInput) -> str:
    """A table of `delivery.routes` in TOML: its strings are those of JSON where nothing has to be escaped by number."""
    values = {"domain": body.domain, "host": body.host, "port": body.port, "tls": body.tls}
    if body.username:
        values |= {"username": body.username, "password": body.password}
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in values.items()]
    return "\n".join(["[[delivery.routes]]", *lines, ""])


async def _check(api: Api) -> None:
    found = await network_checks.look(api.config, api.resolver, api.hostname)
    await network_checks.end(api.database, found, now=api.clock.now_ms())


async def _shown(api: Api, user_id: str, account_id: str) -> Data[FirstRunOut]:
    progress = await first_run_steps.look(api.database, user_id, account_id)
    run = await network_checks.last(api.database)
    steps = _steps(progress)
    shown = FirstRunOut(
        steps=steps,
        finished=all(one.skipped or one.state is State.DONE for one in steps),
        closed=progress.marks.closed,
        checks=_checks(run, api.clock.now_ms()),
        smarthost=_smarthost(api.config.delivery.routes),
        domain_id=progress.domain.id if progress.domain is not None else None,
        authentication=_authentication(progress.domain),
    )
    return Data(data=shown)


def _steps(progress: Progress) -> list[StepOut]:
    return [
        StepOut(
            step=found.step,
            state=found.state,
            skipped=found.step in progress.marks.skipped,
            detail=found.detail,
            fix=found.fix,
            object_id=found.object_id or None,
        )
        for found in progress.steps
    ]


def _checks(run: Run | None, now: int) -> ChecksOut:
    if run is None:
        return ChecksOut(under_way=False, began_at=None, ended_at=None, results=[])
    results = [CheckOut.model_validate(check, from_attributes=True) for check in run.checks]
    return ChecksOut(
        under_way=run.under_way(now), began_at=run.began_at, ended_at=run.ended_at, results=results
    )


def _smarthost(configured: list[Route]) -> SmarthostOut | None:
    route = next((route for route in configured if route.domain == "*"), None)
    return None if route is None else SmarthostOut(host=route.host, port=route.port)


def _authentication(domain: Domain | None) -> list[AuthenticationOut]:
    """Our own signature is made with every message, so the records decide."""
    if domain is None:
        return []
    findings = {one["key"]: one for one in json.loads(domain.check_result or "[]")}
    shown = []
    for name, key in SEEN_FROM_HERE:
        found = findings.get(key)
        if found is None:
            detail, fix = "It was not looked at yet.", "Check the domain's records."
            shown.append(AuthenticationOut(name=name, passes=None, detail=detail, fix=fix))
            continue
        detail = f"{found['record']}: {found['found'] or 'not found'}"
        passes = None if found["unknown"] else found["ok"]
        shown.append(AuthenticationOut(name=name, passes=passes, detail=detail, fix=found["mend"]))
    return shown
