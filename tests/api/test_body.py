"""Bodies: what is taken, what is refused with a small clear error, and how much memory it may take (H06, H07)."""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from postroom.store.database import Database
from postroom.types.refusals import api as rules
from postroom.web.api import body
from support.api import ApiWorld

JSON = {"content-type": "application/json"}
MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("raw", "code", "why"),
    [
        (b"{", "MS42227", "expecting property name enclosed in double quotes at line 1, column 2"),
        (b'{"a":1} x', "MS42227", "extra data at line 1, column 9"),
        ('{"a":1}'.encode("utf-16"), "MS42228", "octet 1 is not UTF-8"),
        (b'{"a":1,"a":1}', "MS42228", "the key 'a' is there twice in one object"),
        (b'{"a":NaN}', "MS42228", "NaN is no JSON number"),
        (b'{"a":1e999}', "MS42228", "a number is too large or too long"),
        (b'{"a":' + b"9" * 4400 + b"}", "MS42228", "an integer has more than 20 digits"),
        (b'{"a":"\\ud800"}', "MS42228", "a string holds half a surrogate pair"),
        (b'{"a":"\\u0000"}', "MS42228", "a string holds the character NUL"),
        (b"[" * 50_000, "MS42228", "nested deeper than 32 levels"),
        (b"[" * 100_000, "MS42228", "nested deeper than 32 levels"),
        (b'{"a":{' * 30_000, "MS42228", "nested deeper than 32 levels"),
        (b'["' + b"a" * 70_000 + b'",]', "MS42227", ""),
    ],
)
async def test_h06_json_that_is_not_taken(api: ApiWorld, raw: bytes, code: str, why: str) -> None:
    answer = await api.post("/echo", content=raw, headers=JSON)
    assert answer.status_code == 422
    (text,) = answer.json()["errors"]["body"]
    assert why in text
    assert text.endswith(f" #{code}")
    assert answer.json()["message"] == text
    assert len(text) < 300


@pytest.mark.parametrize("raw", ["5", '"text"', "true", "[1]"])
async def test_json_that_is_no_object(api: ApiWorld, raw: str) -> None:
    answer = await api.post("/notes", content=raw, headers=JSON)
    assert answer.status_code == 422
    assert answer.json()["errors"] == {"body": ["The body must be an array."]}


@pytest.mark.parametrize("raw", [None, b"", b"null", b"{}", b"[]"])
async def test_an_empty_body_lacks_every_field(api: ApiWorld, raw: bytes | None) -> None:
    answer = await api.post("/notes", content=raw, headers=JSON)
    assert list(answer.json()["errors"]) == ["title", "owner"]
    if not raw:
        assert (await api.post("/notes", content=raw)).json() == answer.json()


@pytest.mark.parametrize("raw", [None, b"", b"null", b"[]", b"{}", b"not JSON at all"])
async def test_a_delete_may_carry_any_body(api: ApiWorld, raw: bytes | None) -> None:
    for headers in (JSON, {}):
        answer = await api.request("DELETE", "/notes", content=raw, headers=headers)
        assert (answer.status_code, answer.content) == (204, b"")


@pytest.mark.parametrize(
    "kind", ["application/json", "Application/JSON; charset=utf-8", "application/vnd.api+json"]
)
async def test_content_types_that_are_json(api: ApiWorld, kind: str) -> None:
    assert (await api.post("/echo", content=b'{"a":1}', headers={"content-type": kind})).json() == {"a": 1}


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "json", "/", ""],
)
async def test_content_types_that_are_not(api: ApiWorld, kind: str) -> None:
    answer = await api.post("/echo", content=b'{"a":1}', headers={"content-type": kind})
    assert answer.status_code == 415
    assert "Content-Type: application/json" in answer.json()["message"]


async def test_a_body_without_a_content_type(api: ApiWorld) -> None:
    answer = await api.post("/echo", content=b'{"a":1}')
    assert answer.status_code == 415
    assert "not nothing" in answer.json()["message"]


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [("gzip", gzip.compress), ("deflate", zlib.compress), ("br", bytes), ("zstd", bytes), ("x, gzip", bytes)],
)
async def test_h06_compressed_bodies_are_not_unpacked(api: ApiWorld, encoding: str, pack: Any) -> None:
    answer = await api.post("/echo", content=pack(b'{"a":1}'), headers=JSON | {"content-encoding": encoding})
    assert answer.status_code == 415
    assert answer.json()["message"].startswith(f"The request body is compressed ({encoding})")


async def test_identity_is_no_compression(api: ApiWorld) -> None:
    answer = await api.post("/echo", content=b'{"a":1}', headers=JSON | {"content-encoding": "identity"})
    assert answer.status_code == 200


# -- size -------------------------------------------------------------------------------------------------------


async def endless(limit: int, seen: list[int]) -> AsyncIterator[bytes]:
    """A chunked body that goes on well beyond the limit."""
    yield b'["'
    for _ in range(limit // 65536 * 10):
        seen.append(65536)
        yield b"a" * 65536


async def test_h07_too_large_by_its_own_word_is_not_read(api: ApiWorld) -> None:
    answer = await api.post("/notes", content=b"x", headers=JSON | {"content-length": str(MIB + 1)})
    assert answer.status_code == 413
    assert answer.json() == {"message": f"The request body is larger than {MIB} bytes."}
    huge = {"content-length": "9" * 5000}
    assert (await api.post("/notes", content=b"x", headers=JSON | huge)).status_code == 413


async def test_h07_a_chunked_body_is_cut_off_at_the_limit(sqlite_database: Database, tmp_path: Path) -> None:
    api = await ApiWorld.start(sqlite_database, tmp_path, api={"max_body": 2 * MIB})
    call = _Raw(api)
    status, chunks = await call.post("/echo", endless(2 * MIB, []))
    assert status == 413
    assert 32 <= chunks <= 34


async def test_h07_nothing_is_read_of_who_may_not_come_in(api: ApiWorld) -> None:
    for secret, status in (
        ("mlsn." + "0" * 64, 401),
        ((await api.first.with_token("users_read")).secret, 403),
    ):
        call = _Raw(api, secret=secret or "")
        assert await call.post("/notes", endless(MIB, [])) == (status, 0)


async def test_h07_memory_for_bodies_is_bounded_in_all_and_by_account(
    sqlite_database: Database, tmp_path: Path
) -> None:
    api = await ApiWorld.start(sqlite_database, tmp_path, api={"max_body": 20 * MIB, "body_memory": 16 * MIB})
    other = await api.tenant()
    answer = await api.post("/echo", content=b'["' + b"a" * 9 * MIB + b'"]', headers=JSON)
    assert answer.status_code == 503
    assert answer.json()["message"] == "Too many large requests at once. Try again in 2 s."
    assert answer.headers["retry-after"] == "2"
    for tenant in (api, other):  # what was refused has been given back
        answer = await tenant.post("/echo", content=b'["' + b"a" * 7 * MIB + b'"]', headers=JSON)
        assert answer.status_code == 200


def test_memory_is_counted_by_account() -> None:
    memory = body.Memory(100)
    with memory.lease("a") as one, memory.lease("b") as two:
        one.grow_to(30)
        one.grow_to(50)
        with pytest.raises(Exception, match="large requests"):
            one.grow_to(51)
        two.grow_to(50)
        with memory.lease("c") as three, pytest.raises(Exception, match="large requests"):
            three.grow_to(1)
    with memory.lease("c") as three:
        three.grow_to(50)


async def test_the_memory_of_a_large_body_is_returned_after_the_answer() -> None:
    with body.Memory(2**30).lease("a") as lease:
        (text,) = await body.off_loop(lease.decode, [b'["', b"a" * 9 * MIB, b'"]'])
        assert text.text() == "a" * 9 * MIB
        pages = lease._raw
        assert pages is not None
        assert not pages.closed
    async with asyncio.timeout(10):
        while not pages.closed:  # in a thread
            await asyncio.sleep(0.01)


async def test_a_large_body_is_decoded_off_the_loop_and_the_loop_goes_on(api: ApiWorld) -> None:
    """47 MB in bulk: while it is decoded, others take many turns (design rule 10)."""
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0.001)
            turns += 1

    html = '<p class="x">Hello</p>\n' * 3700
    one = {"from": {"email": "a@x.test"}, "to": [{"email": "b@x.test"}], "html": html}
    raw = json.dumps([one] * 500).encode()
    assert 45 * MIB < len(raw) < 50 * MIB
    beside = asyncio.create_task(others())
    decoded = await body.off_loop(body.decode_large, raw)
    beside.cancel()
    assert decoded == [one] * 500
    assert turns > 20


async def test_an_attachment_arrives_as_long_text(api: ApiWorld) -> None:
    raw = b'{"attachments":[{"content":"' + b"QUJD" * (3 * MIB) + b'","filename":"a.pdf"}],"subject":"s"}'
    assert (await api.post("/echo", content=raw, headers=JSON)).json() == {
        "attachments": [{"content": {"long": 12 * MIB, "begins": "QUJDQUJDQU"}, "filename": "a.pdf"}],
        "subject": "s",
    }


def test_each_refusal_of_a_body_is_in_the_catalogue() -> None:
    assert {rules.BODY_TOO_BIG.status, rules.BODY_ENCODED.status, rules.JSON_SYNTAX.status} == {413, 415, 422}


class _Raw:
    """A request whose body is made as it is read: (status, chunks that were asked for)."""

    def __init__(self, api: ApiWorld, secret: str | None = None) -> None:
        self._app = api.app
        self._secret = secret or api.secret

    async def post(self, path: str, chunks: AsyncIterator[bytes]) -> tuple[int, int]:
        asked = 0
        status = 0

        async def receive() -> dict[str, Any]:
            nonlocal asked
            asked += 1
            chunk = await anext(chunks, None)
            return {"type": "http.request", "body": chunk or b"", "more_body": chunk is not None}

        async def send(message: dict[str, Any]) -> None:
            nonlocal status
            status = message.get("status", status)

        headers = [
            (b"authorization", f"Bearer {self._secret}".encode()),
            (b"content-type", b"application/json"),
        ]
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": "POST",
            "path": f"/v1{path}",
            "raw_path": f"/v1{path}".encode(),
            "query_string": b"",
            "headers": headers,
            "client": ("127.0.0.1", 1),
            "server": ("api.test", 80),
            "scheme": "http",
        }
        await self._app(scope, receive, send)
        return status, asked
