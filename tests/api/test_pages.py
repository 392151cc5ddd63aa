"""Both shapes of lists, with their quirks (contract section 1.4, H13)."""

from __future__ import annotations

from typing import Any

import pytest

from postroom.web.api.pages import Page
from support.api import ApiWorld

BASE = "http://api.test/v1/notes"


async def test_the_first_page_of_a_counted_list(api: ApiWorld) -> None:
    answer = (await api.get("/notes?total=60")).json()
    assert answer["data"] == list(range(25))
    assert answer["links"] == {
        "first": f"{BASE}?page=1",
        "last": f"{BASE}?page=3",
        "prev": None,
        "next": f"{BASE}?page=2",
    }
    assert answer["meta"] == {
        "current_page": 1,
        "from": 1,
        "last_page": 3,
        "links": [
            {"url": None, "label": "&laquo; Previous", "active": False},
            {"url": f"{BASE}?page=1", "label": "1", "active": True},
            {"url": f"{BASE}?page=2", "label": "2", "active": False},
            {"url": f"{BASE}?page=3", "label": "3", "active": False},
            {"url": f"{BASE}?page=2", "label": "Next &raquo;", "active": False},
        ],
        "path": BASE,
        "per_page": 25,
        "to": 25,
        "total": 60,
    }


async def test_links_carry_the_page_and_nothing_else(api: ApiWorld) -> None:
    answer = (await api.get("/notes?total=60&limit=10&page=2")).json()
    assert answer["links"]["next"] == f"{BASE}?page=3"
    assert answer["meta"]["per_page"] == 10
    assert (answer["meta"]["from"], answer["meta"]["to"], answer["meta"]["last_page"]) == (11, 20, 6)


@pytest.mark.parametrize(("total", "number"), [(0, 1), (60, 99)])
async def test_an_empty_page_is_from_null_to_null(api: ApiWorld, total: int, number: int) -> None:
    for path in ("/notes", "/notes/simple"):
        number = min(number, 5) if path.endswith("simple") else number
        answer = (
            (await api.get(f"{path}?total={total}&page={number + total // 10}")).json()
            if path == "/notes"
            else (await api.get(f"{path}?total={total}&page={number if total == 0 else 5}&limit=100")).json()
        )
        assert answer["data"] == []
        assert (answer["meta"]["from"], answer["meta"]["to"], answer["links"]["next"]) == (None, None, None)


async def test_a_simple_list_knows_only_the_next_page(api: ApiWorld) -> None:
    answer = (await api.get("/notes/simple?total=11")).json()
    assert answer["data"] == list(range(10))  # its own default
    assert answer["links"] == {
        "first": f"{BASE}/simple?page=1",
        "last": None,
        "prev": None,
        "next": f"{BASE}/simple?page=2",
    }
    assert answer["meta"] == {
        "current_page": 1,
        "from": 1,
        "path": f"{BASE}/simple",
        "per_page": 10,
        "to": 10,
    }
    last = (await api.get("/notes/simple?total=11&page=2")).json()
    assert (last["data"], last["links"]["next"], last["links"]["prev"]) == (
        [10],
        None,
        f"{BASE}/simple?page=1",
    )


async def test_some_lists_write_the_limit_as_text_when_it_was_given(api: ApiWorld) -> None:
    assert (await api.get("/notes/simple?limit=10")).json()["meta"]["per_page"] == "10"


@pytest.mark.parametrize(
    ("query", "field", "text"),
    [
        ("limit=9", "limit", "The limit must be at least 10."),
        ("limit=101", "limit", "The limit must not be greater than 100."),
        ("limit=-1", "limit", "The limit must be at least 10."),
        ("limit=ten", "limit", "The limit must be an integer."),
        ("limit=1e2", "limit", "The limit must be an integer."),
        ("page=0", "page", "The page must be at least 1."),
        ("page=100001", "page", "The page must not be greater than 100000."),
        ("page=99999999999999999999999999", "page", "The page must not be greater than 100000."),
        ("page=1;--", "page", "The page must be an integer."),
    ],
)
async def test_h13_bounds(api: ApiWorld, query: str, field: str, text: str) -> None:
    answer = await api.get(f"/notes?{query}")
    assert answer.status_code == 422
    assert answer.json()["errors"] == {field: [text]}


async def test_a_list_may_have_bounds_of_its_own(api: ApiWorld) -> None:
    assert (await api.get("/notes/simple?page=6")).json()["message"] == "The page must not be greater than 5."


@pytest.mark.parametrize("query", ["page=&limit=", "page=", "limit="])
async def test_blank_numbers_are_absent(api: ApiWorld, query: str) -> None:
    assert (await api.get(f"/notes?{query}")).json()["meta"]["per_page"] == 25


@pytest.mark.parametrize(
    ("number", "last", "labels"),
    [
        (1, 1, ["1"]),
        (5, 10, ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"]),
        (1, 20, ["1", "2", "3", "4", "...", "19", "20"]),
        (10, 20, ["1", "2", "...", "7", "8", "9", "10", "11", "12", "13", "...", "19", "20"]),
    ],
)
def test_the_buttons_of_many_pages(number: int, last: int, labels: list[str]) -> None:
    made: dict[str, Any] = Page(number, 10, "B").counted([1], last * 10)
    buttons = made["meta"]["links"]
    assert [button["label"] for button in buttons[1:-1]] == labels
    assert [button["label"] for button in buttons if button["active"]] == [str(number)]
    assert all((button["url"] is None) == (button["label"] == "...") for button in buttons[1:-1])
