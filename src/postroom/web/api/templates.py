"""`/v1/templates`: what messages can be made from."""

# No postponed annotations here: they name loaders that only `router` knows.

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response

from postroom.store import domains
from postroom.store import templates as store
from postroom.store.templates import Template, TemplateFilter
from postroom.tenancy import templates
from postroom.tenancy.entitlements import entitlements
from postroom.tenancy.template_rules import ContentError, Problem
from postroom.types.permissions import Permission
from postroom.types.scopes import Scope
from postroom.web.api.access import access
from postroom.web.api.api import Api
from postroom.web.api.body import off_loop
from postroom.web.api.call import Caller, CurrentCaller
from postroom.web.api.domain_object import UNKNOWN_DOMAIN, DomainId, own_domain, short
from postroom.web.api.errors import ApiError, invalid, not_found
from postroom.web.api.json_out import Data, empty
from postroom.web.api.pages import CurrentPage, Simple
from postroom.web.api.route import routes
from postroom.web.api.template_input import TemplateInput, TemplateUpdate
from postroom.web.api.template_object import (
    MOST_COUNTED,
    TemplateOut,
    TemplateRow,
    row_fields,
    template_out,
)
from postroom.web.api.words import EMAIL, REQUIRED

READERS = (Scope.TEMPLATES_FULL, Permission.READ_ALL_TEMPLATES, Permission.READ_OWN_TEMPLATES)

GONE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "It is deleted; there is no body.",
        "content": {
            "text/html": {
                "schema": {"type": "string", "maxLength": 0, "description": "Empty.", "example": ""}
            }
        },
    }
}


def router(api: Api) -> APIRouter:
    resource = routes("Templates")
    add_reading(api, resource)
    add_changing(api, resource)
    return resource


def loader(api: Api) -> Any:
    """The dependency that finds the template of the path, if the caller may see it."""

    async def template(template_id: str, caller: CurrentCaller) -> Template:
        async with api.database.read() as connection:
            found = await store.load(connection, caller.account_id, [template_id])
        if not found or not _visible(caller, found[0]):
            raise not_found()
        return found[0]

    return template


def add_reading(api: Api, resource: APIRouter) -> None:
    template = loader(api)

    @resource.get("/templates", summary="List templates", response_model=Simple[TemplateRow])
    @access(*READERS)
    async def index(caller: CurrentCaller, page: CurrentPage, domain_id: DomainId | None = None) -> Any:
        """The newest first. Who may see some templates only gets those; with `domain_id` those of that domain."""
        if domain_id is not None and await own_domain(api, caller, domain_id) is None:
            raise invalid(UNKNOWN_DOMAIN)
        of = caller.domains if domain_id is None else {domain_id}
        wanted = TemplateFilter(caller.account_id, of, shared=domain_id is None, ids=caller.templates)
        async with api.database.read() as connection:
            found = await store.page(connection, wanted, offset=page.offset, limit=page.limit + 1)
        return page.simple([TemplateRow(**row_fields(one)) for one in found])

    @resource.get("/templates/{template_id}", summary="Get a template")
    @access(*READERS)
    async def show(found: Annotated[Template, Depends(template)]) -> Data[TemplateOut]:
        """A template in its newest version, with what became of its emails."""
        return await _answer(api, found)


def add_changing(api: Api, resource: APIRouter) -> None:
    template = loader(api)

    async def changeable(caller: CurrentCaller, found: Annotated[Template, Depends(template)]) -> Template:
        """Who is kept to some domains changes nothing that others use, too."""
        if caller.domains is not None and found.domain_id is None:
            raise not_found()
        return found

    async def from_api(found: Annotated[Template, Depends(changeable)]) -> Template:
        if found.type != templates.API:
            raise not_found()
        return found

    @resource.post("/templates", summary="Create a template", status_code=201)
    @access(Scope.TEMPLATES_FULL, Permission.MANAGE_TEMPLATE, large_body=True)
    async def create(body: TemplateInput, caller: CurrentCaller) -> Data[TemplateOut]:
        """`html` and `text` are in the template language; with `auto_generate` the text is made from the HTML."""
        await _check(api, caller, body, body.missing())
        try:
            made = await templates.create(
                api.database,
                caller.account_id,
                await off_loop(body.content),
                name=body.name or "Template",
                domain=body.domain_id,
                categories=body.categories or (),
                most=entitlements(caller.account, api.config).templates,
                by=caller.actor,
            )
        except ContentError as error:
            raise _refused(error) from None
        return await _answer(api, await _load(api, caller.account_id, made.id))

    @resource.put("/templates/{template_id}", summary="Update a template")
    @access(Scope.TEMPLATES_FULL, Permission.MANAGE_TEMPLATE, large_body=True)
    async def update(
        body: TemplateUpdate, caller: CurrentCaller, found: Annotated[Template, Depends(from_api)]
    ) -> Data[TemplateOut]:
        """What is absent stays as it is. Other content makes a new version: messages that were accepted before, and
        bulk emails, go on with the one they began with. Only templates made by the API can be updated."""
        await _check(api, caller, body, {})
        html = None
        if body.auto_generate and body.html is None:
            html = (await templates.get(api.database, found.account_id, found.id)).content.wording.html
        change = await off_loop(body.change, html)
        try:
            await templates.update(api.database, found.account_id, found.id, change, by=caller.actor)
        except ContentError as error:
            raise _refused(error) from None
        return await _answer(api, await _load(api, found.account_id, found.id))

    @resource.delete(
        "/templates/{template_id}", summary="Delete a template", response_class=Response, responses=GONE
    )
    @access(Scope.TEMPLATES_FULL, Permission.MANAGE_TEMPLATE)
    async def delete(caller: CurrentCaller, found: Annotated[Template, Depends(changeable)]) -> Response:
        """Messages that are scheduled with it are not sent; others that were accepted are."""
        await templates.delete(api.database, found.account_id, found.id, by=caller.actor)
        return empty(200)


def _visible(caller: Caller, template: Template) -> bool:
    """What is for all domains may be used by all of them."""
    chosen = caller.templates is None or template.id in caller.templates
    return chosen and (template.domain_id is None or caller.may_use(template.domain_id))


async def _check(api: Api, caller: Caller, body: TemplateUpdate, wrong: dict[str, list[str]]) -> None:
    """Raises ApiError (422) for this, and for a domain that is not the caller's."""
    if body.domain_id is not None and await own_domain(api, caller, body.domain_id) is None:
        wrong |= UNKNOWN_DOMAIN
    elif body.domain_id is None and caller.domains is not None and isinstance(body, TemplateInput):
        wrong |= {"domain_id": [REQUIRED.format(field="domain id")]}
    if wrong:
        raise invalid(wrong)


def _refused(error: ContentError) -> ApiError:
    fields: dict[str, list[str]] = {}
    for problem in error.problems:
        fields.setdefault(problem.field, []).append(_text(problem))
    return invalid(fields)


def _text(problem: Problem) -> str:
    if problem.code == 42213:
        return f"The value in {problem.field} failed to compile: {problem.text}. #MS42213"
    if problem.code == 42208:
        return EMAIL.format(field=problem.field)
    number = f" #MS{problem.code}" if problem.code else ""
    return f"The {problem.field} is invalid: {problem.text}.{number}"


async def _load(api: Api, account_id: str, template_id: str) -> Template:
    async with api.database.read() as connection:
        found = await store.load(connection, account_id, [template_id])
    if not found:
        raise not_found()  # deleted this moment
    return found[0]


async def _answer(api: Api, template: Template) -> Data[TemplateOut]:
    stored = await templates.get(api.database, template.account_id, template.id)
    async with api.database.read() as connection:
        stats = await store.stats(connection, template.account_id, template.id, MOST_COUNTED)
        domain = await domains.get(connection, template.domain_id) if template.domain_id else None
    shown = None if domain is None else short(domain)
    return Data(data=template_out(template, stored, shown, stats))
