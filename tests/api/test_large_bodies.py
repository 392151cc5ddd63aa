"""Rule 10 of the design: while large bodies come in and are worked off, everybody else gets on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import httpx

from support.api import ApiWorld
from support.raw import RawClient
from support.submission import relay

MIB = 1024 * 1024
PROGRESS = 20
"""Messages meanwhile; a loop that decoded one of these bodies itself would hardly finish one."""
FILE = "QUJD" * (MIB // 4)


class Talk:
    """An SMTP client that sends one message after the other; `answered` counts those that were accepted."""

    def __init__(self, client: RawClient) -> None:
        self._client = client
        self.answered = 0

    async def go_on(self) -> None:
        while True:
            assert (await self._client.message()).startswith("250 ")
            self.answered += 1


class Body:
    """JSON in chunks; notes how much had been answered when the last one was taken."""

    def __init__(self, value: Any, talk: Talk) -> None:
        self.raw = json.dumps(value).encode()
        self._talk = talk
        self.answered_at_end = 0

    async def chunks(self) -> AsyncIterator[bytes]:
        for at in range(0, len(self.raw), 64 * 1024):
            yield self.raw[at : at + 64 * 1024]
        self.answered_at_end = self._talk.answered


def email(api: ApiWorld, *files: str) -> dict[str, Any]:
    return {
        "from": {"email": f"app@{api.first.domain.name}"},
        "to": [{"email": "anna@example.com"}],
        "subject": "Files",
        "text": "They are attached.",
        "attachments": [{"content": file, "filename": "a.txt"} for file in files],
    }


async def while_talking(run: Callable[[Talk], Coroutine[Any, Any, None]]) -> None:
    async with relay() as server:
        talk = Talk(await server.log_in())
        talking = asyncio.create_task(talk.go_on())
        try:
            await run(talk)
            assert not talking.done()
        finally:
            talking.cancel()
            await asyncio.gather(talking, return_exceptions=True)


async def post(api: ApiWorld, path: str, value: Any, talk: Talk) -> httpx.Response:
    body = Body(value, talk)
    headers = {"content-type": "application/json", "content-length": str(len(body.raw))}
    answer = await api.post(path, content=body.chunks(), headers=headers)
    assert answer.status_code == 202, answer.text
    assert talk.answered - body.answered_at_end >= PROGRESS
    return answer


async def test_25_mb_of_attachments(api: ApiWorld) -> None:
    async def run(talk: Talk) -> None:
        await post(api, "/email", email(api, FILE * 16, FILE * 8, FILE * 8), talk)

    await while_talking(run)


async def test_a_bulk_of_47_mb(api: ApiWorld) -> None:
    async def run(talk: Talk) -> None:
        objects = [email(api, FILE * 20), *(email(api, FILE) for _ in range(25)), email(api)]
        answer = await post(api, "/bulk-email", objects, talk)
        groups = 0
        before = talk.answered
        while await api.bulk.turn():
            groups += 1
            assert talk.answered - before >= 1
            before = talk.answered
        assert groups > 10
        status = await api.get(f"/bulk-email/{answer.json()['bulk_email_id']}")
        data = status.json()["data"]
        assert (data["state"], len(data["messages_id"]), data["validation_errors"]) == ("completed", 27, None)

    await while_talking(run)
