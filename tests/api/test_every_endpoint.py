"""What holds for every endpoint there is, now and later: generated from the OpenAPI document (H01, H02)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from postroom.types.scopes import Scope
from postroom.web.api.body import SMALL_BODY
from support.api import ApiWorld
from support.objects import objects

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


WRONG_QUERIES = (
    "event=wrong&status=wrong&limit=x&page=0&date_from=never&images=x&search=a&domain_id=longer-than-any-id",  # one plain value where a list is wanted
    "event[]=%ff&date_from=0",
    "a=%00",
    "&".join(["a=b"] * 1001),
)
WRONG_BODIES = (
    (b"{", {"content-type": "application/json"}),
    (b'{"a": 1, "a": 2}', {"content-type": "application/json"}),
    (b"a=b", {"content-type": "text/plain"}),
    (b"", {"content-type": "application/json", "content-encoding": "gzip"}),
    (b"[" + b" " * SMALL_BODY, {"content-type": "application/json"}),
)


def named(path: str, ids: dict[str, list[str]]) -> str:
    return re.sub(r"\{(\w+)\}", lambda match: ids[match[1]][0], path)


def wrong_requests(operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Query and options; all that can be wrong with what the operation takes."""
    takes_query = any(one["in"] == "query" for one in operation.get("parameters", ()))
    for query in WRONG_QUERIES if takes_query else ():
        yield f"?{query}", {}
    for content, headers in WRONG_BODIES if "requestBody" in operation else ():
        yield "", {"content": content, "headers": headers}


async def test_h01_who_may_come_in_then_what_there_is_then_what_is_wrong(api: ApiWorld) -> None:
    """401 before 403 before 404 before 422 (and 413, 415): what is told first tells nothing of what comes later."""
    other = await api.tenant()
    mine, foreign = await objects(api, api.first), await objects(api, other)
    for verb, path, operation in await operations(api):
        blind = await api.first.with_token(*(set(Scope) - set(operation["x-scopes"])))
        own, theirs = named(path, mine), named(path, foreign)
        missing = await api.request(verb, with_id(path, IDS[1]))
        for query, options in wrong_requests(operation):
            case = (verb, path, query[:40], options)
            assert (await api.anonymous.request(verb, theirs + query, **options)).status_code == 401, case
            if operation["x-scopes"]:
                assert (await blind.request(verb, theirs + query, **options)).status_code == 403, case
            if theirs != path:
                answer = await api.request(verb, theirs + query, **options)
                assert (answer.status_code, answer.content) == (404, missing.content), case
            assert (await api.request(verb, own + query, **options)).status_code in (413, 415, 422), case


async def test_h01_a_foreign_object_is_like_one_that_does_not_exist(api: ApiWorld) -> None:
    foreign = await objects(api, await api.tenant())
    for verb, path, _ in await operations(api):
        if "{" in path:
            answer = await api.request(verb, named(path, foreign))
            missing = await api.request(verb, with_id(path, IDS[1]))
            assert (answer.status_code, answer.content) == (404, missing.content), (verb, path)


async def test_an_empty_body_is_never_our_fault(api: ApiWorld) -> None:
    for verb, path, _ in await operations(api):
        for body in (b"", b"null", b"[]", b"{}", b"[[]]", b"5", b'"a"'):
            answer = await api.request(
                verb, with_id(path, IDS[1]), content=body, headers={"content-type": "application/json"}
            )
            assert answer.status_code < 500, (verb, path, body, answer.text)
