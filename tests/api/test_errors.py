"""Every kind of error in the contract's words, all fields at once (contract section 1.5, H15)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs

from postroom.errors import StorageUnavailableError
from support.api import ApiWorld

GOOD: dict[str, Any] = {"title": "Hello", "owner": {"email": "a@x.test"}}


@pytest.mark.parametrize(
    ("change", "field", "text"),
    [
        ({"title": None}, "title", "The title field is required. #MS42209"),
        ({"title": ""}, "title", "The title field is required. #MS42209"),
        ({"title": 5}, "title", "The title must be a string. #MS42221"),
        ({"title": ["a"]}, "title", "The title must be a string. #MS42221"),
        ({"title": "x" * 11}, "title", "The title must not be greater than 10 characters."),
        ({"title": "no"}, "title", "The title {may} not be no}."),
        ({"owner": None}, "owner", "The owner field is required. #MS42209"),
        ({"owner": {}}, "owner.email", "The owner.email field is required. #MS42209"),
        ({"owner": []}, "owner.email", "The owner.email field is required. #MS42209"),
        ({"owner": {"name": "N"}}, "owner.email", "The owner.email field is required. #MS42209"),
        ({"owner": "a@x.test"}, "owner", "The owner must be an array."),
        ({"readers": "a@x.test"}, "readers", "The readers must be an array."),
        ({"readers": {"email": "a"}}, "readers", "The readers must be an array."),
        (
            {"readers": [{"email": "a"}, {}]},
            "readers.1.email",
            "The readers.1.email field is required. #MS42209",
        ),
        ({"readers": [{"email": "a"}] * 4}, "readers", "The readers must not have more than 3 items."),
        ({"domain_id": 7}, "domain_id", "The domain id must be a string. #MS42221"),
        ({"number": "x"}, "number", "The number must be an integer."),
        ({"number": 2.5}, "number", "The number must be an integer."),
        ({"number": True}, "number", "The number must be at least 2."),
        ({"number": 1}, "number", "The number must be at least 2."),
        ({"number": 10}, "number", "The number must not be greater than 9."),
        ({"urgent": "maybe"}, "urgent", "The urgent field must be true or false."),
        ({"urgent": "yes"}, "urgent", "The urgent field must be true or false."),
        ({"urgent": 2}, "urgent", "The urgent field must be true or false."),
        ({"data": "x"}, "data", "The data must be an array."),
    ],
)
async def test_one_wrong_field(api: ApiWorld, change: dict[str, Any], field: str, text: str) -> None:
    answer = await api.post("/notes", json=GOOD | change)
    assert answer.status_code == 422
    assert answer.json() == {"message": text, "errors": {field: [text]}}


@pytest.mark.parametrize(
    ("wrong", "more"), [(1, ""), (2, " (and 1 more error)"), (3, " (and 2 more errors)")]
)
async def test_all_wrong_fields_at_once(api: ApiWorld, wrong: int, more: str) -> None:
    change = dict(list({"title": 5, "owner": {}, "number": 1}.items())[:wrong])
    body = (await api.post("/notes", json=GOOD | change)).json()
    assert body["message"] == f"The title must be a string. #MS42221{more}"
    assert list(body["errors"]) == ["title", "owner.email", "number"][:wrong]


async def test_blanks_are_absent_unknown_fields_ignored_and_read_only_ones_without_effect(
    api: ApiWorld,
) -> None:
    blanks = {"readers": None, "domain_id": "", "number": None, "urgent": "", "data": [], "more": 1}
    answer = await api.post("/notes", json=GOOD | blanks | {"created_at": 5})
    assert answer.status_code == 201
    data = answer.json()["data"]
    assert data["data"] == {}
    assert data["urgent"] is False
    assert data["created_at"] == "2023-11-14T22:13:20.123000Z"


@pytest.mark.parametrize(
    ("value", "flag"), [(True, True), (1, True), ("1", True), ("true", True), (0, False), ("false", False)]
)
async def test_booleans_in_all_spellings(api: ApiWorld, value: Any, flag: bool) -> None:
    assert (await api.post("/notes", json=GOOD | {"urgent": value})).json()["data"]["urgent"] is flag


async def test_unknown_path_and_wrong_method(api: ApiWorld) -> None:
    answer = await api.get("/nowhere")
    assert (answer.status_code, answer.text) == (404, '{\n    "message": "Resource not found."\n}')
    answer = await api.put("/notes", json={})
    assert answer.status_code == 405
    assert answer.json()["message"].startswith(
        "The PUT method is not supported for this route. Supported methods: "
    )
    assert answer.headers["allow"]
    for found in (answer, await api.get("/me/")):
        assert found.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("kind", "status", "message"),
    [
        ("storage", 503, "The database does not answer. Nothing was changed; try again later."),
        ("missing", 404, "Resource not found."),
        ("conflict", 422, "There is one already."),
    ],
)
async def test_exceptions_of_ours(api: ApiWorld, kind: str, status: int, message: str) -> None:
    answer = await api.get(f"/faults/{kind}")
    assert (answer.status_code, answer.json()["message"]) == (status, message)


async def test_h15_a_bug_is_a_500_with_the_request_id_and_nothing_else(api: ApiWorld) -> None:
    with capture_logs() as logged:
        answer = await api.get("/faults/bug", headers={"x-request-id": "mine-1"})
    assert (logged[0]["event"], logged[0]["request"]) == ("a request failed", "mine-1")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {
        "message": "An internal error happened. Try again later. The request's id is mine-1."
    }
    assert answer.headers["x-request-id"] == "mine-1"


async def test_h15_the_database_s_words_stay_inside(api: ApiWorld) -> None:
    answer = await api.get("/faults/storage")
    assert "secret" not in answer.text
    assert answer.headers["retry-after"] == "5"


async def test_the_database_away_is_503_also_for_a_token_that_is_not_cached(
    api: ApiWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    @asynccontextmanager
    async def away() -> AsyncIterator[None]:
        raise StorageUnavailableError("connection refused at 10.0.0.5")
        yield

    monkeypatch.setattr(api.database, "read", away)
    answer = await api.get("/me")
    assert answer.status_code == 503
    assert "10.0.0.5" not in answer.text
