"""The reference: as OpenAPI, and as a page."""

from __future__ import annotations

import json
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter

from postroom.store.database import Database
from postroom.tenancy import domains
from postroom.types.actor import SYSTEM
from postroom.web.api.api import Api
from postroom.web.api.app import build
from postroom.web.api.route import routes
from postroom.web.api.sending.request import EmailRequest
from support.api import ApiWorld


@pytest.fixture
async def document(api: ApiWorld) -> dict[str, Any]:
    answer = await api.anonymous.get("/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    found: dict[str, Any] = answer.json()
    return found


def resolved(document: dict[str, Any], value: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in value:
        found: Any = document
        for part in value["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        value = found
    return value


def test_the_document_as_a_whole(document: dict[str, Any]) -> None:
    assert document["servers"] == [{"url": "/v1"}]
    assert document["security"] == [{"token": []}]
    assert "/api-quota" in document["paths"]
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    def check(value: Any) -> None:
        if isinstance(value, dict):
            if "$ref" in value:
                assert resolved(document, value)
            for inner in value.values():
                check(inner)
        elif isinstance(value, list):
            for inner in value:
                check(inner)

    check(document)


def test_every_endpoint_names_its_errors_with_their_shape(document: dict[str, Any]) -> None:
    operations = [one for path in document["paths"].values() for one in path.values()]
    assert len({one["operationId"] for one in operations}) == len(operations)
    for operation in operations:
        answers = operation["responses"]
        assert {"401", "403", "429", "500", "503"} <= set(answers)
        if "requestBody" in operation:
            assert {"413", "415", "422"} <= set(answers)
        for status, answer in answers.items():
            answer = resolved(document, answer)
            if status.startswith(("4", "5")):
                shape = answer["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
                assert shape == ("InvalidFields" if status == "422" else "Error")


def test_scopes_headers_and_parameters(document: dict[str, Any]) -> None:
    listing = document["paths"]["/notes"]["get"]
    assert listing["x-scopes"] == ["email_full", "activity_read"]
    assert listing["x-rate-limit"] == "activity"
    assert "404" not in listing["responses"]
    assert "404" in document["paths"]["/tokens/{token_id}"]["put"]["responses"]
    assert {"X-Request-Id", "x-apiquota-remaining"} <= set(listing["responses"]["200"]["headers"])
    limits = {one["name"]: one["schema"] for one in listing["parameters"]}
    assert (limits["limit"]["anyOf"][0]["minimum"], limits["limit"]["anyOf"][0]["maximum"]) == (10, 100)
    search = document["paths"]["/search"]["get"]["parameters"]
    assert [one["name"] for one in search][:2] == ["event[]", "tag[]"]


async def test_the_page_shows_every_endpoint_with_its_fields(api: ApiWorld, document: dict[str, Any]) -> None:
    answer = await api.anonymous.get("/reference")
    assert answer.headers["content-type"].startswith("text/html")
    page = answer.text
    for path, operations in document["paths"].items():
        assert f"/v1{path}</code>" in page
        for operation in operations.values():
            assert f'<section id="{operation["operationId"]}">' in page
    assert "<td><code>owner.email</code> *</td><td>string, at most 20</td>" in page
    assert "<td><code>readers.*.email</code> *</td>" in page
    assert "&quot;title&quot;: &quot;Hello&quot;" in page
    assert "//" not in page.split("</style>")[1].split("<nav>")[0]  # nothing is fetched from elsewhere
    assert "<script" not in page


async def test_the_page_names_limits_and_kinds(sqlite_database: Database, tmp_path: Path) -> None:
    api = await ApiWorld.start(sqlite_database, tmp_path, api={"email_per_minute": 120})
    page = (await api.anonymous.get("/reference")).text
    assert "Limit per minute: 120, shared by all of <code>email</code>.</p>" in page
    assert "Limit per minute: none.</p>" in page
    assert "<td>integer, to 253402300799 or string, at most 40 or null</td>" in page  # send_at
    assert "<td>object or list of object, at most 10 or null</td>" in page  # reply_to


async def test_the_example_of_a_send_request_can_be_sent(api: ApiWorld) -> None:
    await domains.add(
        api.database,
        api.box,
        "example.com",
        account_id=api.first.account.id,
        mode=domains.SANDBOX,
        by=SYSTEM,
    )
    await api.changed()
    page = (await api.anonymous.get("/reference")).text
    section = page.partition('<section id="email_send">')[2]
    shown = section.partition("<pre>")[2].partition("</pre>")[0]
    example = json.loads(unescape(shown))
    assert example.keys() == EmailRequest.model_json_schema()["properties"].keys()
    answer = await api.post("/email", json=example)
    assert answer.json()["errors"] == {"template_id": ["The selected template id is invalid."]}
    del example["template_id"]
    assert (await api.post("/email", json=example)).status_code == 202


def test_an_endpoint_that_does_not_say_who_may_call_it_cannot_be_added(api: ApiWorld) -> None:
    def router(_: Api) -> APIRouter:
        resource = routes("Open")

        @resource.get("/open")
        async def everybody() -> None: ...

        return resource

    with pytest.raises(TypeError, match=r"everybody lacks @access"):
        build(api.api, (router,))
