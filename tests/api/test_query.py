"""Query strings in all spellings that clients have (contract section 1.2)."""

from __future__ import annotations

from typing import Any

import pytest

from support.api import ApiWorld


@pytest.mark.parametrize(
    ("query", "event", "tag"),
    [
        ("event[]=a&event[]=b", ["a", "b"], []),
        ("event[0]=a&event[1]=b", ["a", "b"], []),
        ("event%5B0%5D=a&event%5B%5D=b", ["a", "b"], []),
        ("event=a,b", ["a", "b"], []),
        ("event=a%2Cb&tag[]=x", ["a", "b"], ["x"]),
        ("event[]=a", ["a"], []),
        ("event[]=a,b", ["a,b"], []),
        ("event[]=a&tag=", ["a"], []),
        ("event[]=a&tag[]=", ["a"], []),
        ("event[]=a&unknown[]=b&unknown=c&other", ["a"], []),
    ],
)
async def test_lists(api: ApiWorld, query: str, event: list[str], tag: list[str]) -> None:
    answer = (await api.get(f"/search?{query}")).json()
    assert (answer["event"], answer["tag"]) == (event, tag)


@pytest.mark.parametrize("query", ["", "event=a", "event=", "event[]="])
async def test_no_list(api: ApiWorld, query: str) -> None:
    answer = await api.get(f"/search?{query}")
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == ["event"]
    if query == "event=a":
        assert answer.json()["message"] == "The event must be an array."


async def test_a_plain_value_is_told_with_everything_else_that_is_wrong(api: ApiWorld) -> None:
    answer = await api.get("/search?event=a&verified=maybe&tag=b")
    assert answer.json()["errors"] == {
        "event": ["The event must be an array."],
        "tag": ["The tag must be an array."],
        "verified": ["The verified field must be true or false."],
    }


@pytest.mark.parametrize(
    ("value", "flag"), [("true", True), ("1", True), ("false", False), ("0", False), ("", None)]
)
async def test_flags(api: ApiWorld, value: str, flag: bool | None) -> None:
    assert (await api.get(f"/search?event[]=a&verified={value}")).json()["verified"] is flag


@pytest.mark.parametrize("value", ["yes", "2", "null", "TRUE"])
async def test_no_flags(api: ApiWorld, value: str) -> None:
    answer = await api.get(f"/search?event[]=a&verified={value}")
    assert answer.json()["errors"] == {"verified": ["The verified field must be true or false."]}


@pytest.mark.parametrize(
    "query", ["event[]=%ff", "event[]=%ed%a0%80", "&".join(["event[]=a"] * 1001), "event[]=%00"]
)
async def test_queries_that_cannot_be_read(api: ApiWorld, query: str) -> None:
    answer = await api.get(f"/search?{query}")
    assert answer.status_code == 422
    assert answer.json()["errors"] == {"query": ["The query string cannot be read."]}


async def test_octets_beyond_ascii(api: ApiWorld) -> None:
    scope_query: Any = "event[]=é"
    assert (await api.get(f"/search?{scope_query}")).json()["event"] == ["é"]
