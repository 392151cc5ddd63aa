"""What holds for every endpoint there is, now and later: generated from the OpenAPI document (H01, H02)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from support.api import ApiWorld

IDS = ("a" * 16, "0" * 24)
"""They look like ids, and there is nothing behind them."""


async def operations(api: ApiWorld) -> Iterator[tuple[str, str, dict[str, Any]]]:
    document = (await api.anonymous.get("/openapi.json")).json()
    return (
        (verb.upper(), path, one) for path, verbs in document["paths"].items() for verb, one in verbs.items()
    )


def with_id(path: str, value: str) -> str:
    return re.sub(r"\{\w+\}", value, path)


async def test_h02_nobody_comes_in_without_a_token(api: ApiWorld) -> None:
    for verb, path, _ in await operations(api):
        answer = await api.anonymous.request(verb, with_id(path, IDS[0]), json={})
        assert (answer.status_code, answer.text) == (401, '{"message":"Unauthenticated."}'), (verb, path)


async def test_h02_a_token_opens_what_its_scopes_say(api: ApiWorld) -> None:
    for verb, path, operation in await operations(api):
        scopes = operation["x-scopes"]
        if not scopes:
            continue
        others = set(api.first.token.scopes.split()) - set(scopes)
        client = await api.first.with_token(*sorted(others))
        answer = await client.request(verb, with_id(path, IDS[0]), json={})
        assert answer.status_code == 403, (verb, path)
        assert answer.json()["message"].endswith("#MS40301"), (verb, path)


async def test_h01_what_is_not_there_is_404_whatever_else_is_wrong_with_the_request(api: ApiWorld) -> None:
    for verb, path, operation in await operations(api):
        names = [one["name"] for one in operation.get("parameters", ()) if one["in"] == "path"]
        if not any(name.endswith("_id") for name in names):
            continue
        for value in (*IDS, "no-id"):
            for body in ({}, {"nonsense": 1}):
                answer = await api.request(verb, with_id(path, value), json=body)
                assert answer.status_code == 404, (verb, path, value, answer.text)
                assert answer.headers["content-type"] == "application/json", (verb, path)


async def test_an_empty_body_is_never_our_fault(api: ApiWorld) -> None:
    for verb, path, _ in await operations(api):
        for body in (b"", b"null", b"[]", b"{}", b"[[]]", b"5", b'"a"'):
            answer = await api.request(
                verb, with_id(path, IDS[1]), content=body, headers={"content-type": "application/json"}
            )
            assert answer.status_code < 500, (verb, path, body, answer.text)
