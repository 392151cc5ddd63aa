"""Large send requests: read and built in threads, kept in the blob store (rule 10, H07)."""

from __future__ import annotations

import asyncio
import os
from base64 import b64encode
from email import message_from_bytes
from threading import current_thread
from typing import Any

import pytest

from postroom.tenancy import suppressions, templates
from postroom.types.actor import SYSTEM
from postroom.types.parts import Personalization
from postroom.types.template import TemplateContent, Wording
from postroom.web.api.sending import attachments, endpoint
from postroom.wire.json import LongText
from postroom.wire.template import Template, cache, compile
from support.api import ApiWorld
from support.email_api import body, kept, raw


def files(*contents: bytes) -> dict[str, object]:
    return {
        "attachments": [
            {"content": b64encode(content).decode(), "filename": f"{number}.zip"}
            for number, content in enumerate(contents)
        ]
    }


def attached(message: bytes) -> list[bytes]:
    parts = message_from_bytes(message).walk()
    return [part.get_payload(decode=True) for part in parts if part.get_filename()]  # type: ignore[misc]


@pytest.mark.parametrize("size", [40_000, 100_000, 300_000, 9_000_000])
async def test_what_was_attached_arrives(api: ApiWorld, size: int) -> None:
    content = b"PK\x05\x06" + os.urandom(size)
    answer = await api.post("/email", json=body(api, **files(content, b"PK\x05\x06 small")))
    assert answer.status_code == 202, answer.text
    found = await kept(api, answer)
    assert bool(found.message.blob) == (size > 200_000)
    whole = await raw(api, answer)
    assert len(whole) == found.message.size
    assert attached(whole) == [content, b"PK\x05\x06 small"]


async def test_attachments_of_a_personalised_message_are_kept_once(api: ApiWorld) -> None:
    content = b"PK\x05\x06" + os.urandom(400_000)
    people = [{"email": "bob@x.test"}, {"email": "carla@x.test"}]
    data = [{**person, "data": {"who": person["email"][:3]}} for person in people]
    answer = await api.post(
        "/email", json=body(api, to=people, text="Dear {{ who }}", personalization=data, **files(content))
    )
    assert answer.status_code == 202, answer.text
    for address in ("bob@x.test", "carla@x.test"):
        source = await raw(api, answer, address)
        assert attached(source) == [content]
        assert f"Dear {address[:3]}".encode() in source
    assert len(api.blobs.content) == 1


async def test_what_is_not_kept_leaves_no_blob(api: ApiWorld) -> None:
    await suppressions.add(api.database, api.first.account.id, "bob@x.test", by=SYSTEM)
    answer = await api.post("/email", json=body(api, **files(b"PK\x05\x06" + os.urandom(400_000))))
    assert answer.json()["warnings"][0]["type"] == "ALL_SUPPRESSED"
    assert api.blobs.content == {}


async def test_the_loop_goes_on_meanwhile(api: ApiWorld) -> None:
    """While 8 MB are read and built, other work has its turn many times."""
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0.001)

    asked = body(api, **files(b"PK\x05\x06" + os.urandom(8_000_000)))
    task = asyncio.create_task(other())
    answer = await api.post("/email", json=asked)
    task.cancel()
    assert answer.status_code == 202
    assert turns > 20


async def test_much_personalization_is_encoded_off_the_loop(
    api: ApiWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: set[str] = set()
    encode = Personalization.encode

    def noted(one: Personalization) -> bytes:
        threads.add(current_thread().name.partition("_")[0])
        return encode(one)

    monkeypatch.setattr(Personalization, "encode", noted)
    people = [{"email": f"bob{number}@x.test"} for number in range(3)]
    data = [{**person, "data": {"who": "x" * 100_000}} for person in people]
    answer = await api.post("/email", json=body(api, to=people, text="{{ who }}", personalization=data))
    assert answer.status_code == 202, answer.text
    assert threads == {"body"}
    assert await raw(api, answer, "bob2@x.test")


# -- templates ------------------------------------------------------------------------------------------------------

LONG = "{% if a %}x{% endif %}" * 200
"""Some 4 KB that take long for their size."""


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the threads in which templates are compiled."""
    threads: list[str] = []

    def noted(source: str, **options: bool) -> Template:
        threads.append(current_thread().name.partition("_")[0])
        return compile(source, **options)

    monkeypatch.setattr(cache, "compile", noted)
    return threads


def personal(api: ApiWorld, **changes: Any) -> dict[str, Any]:
    return body(api, personalization=[{"email": "bob@x.test", "data": {"a": 1}}], **changes)


async def test_p02_small_requests_with_long_templates_do_not_stop_the_loop(
    api: ApiWorld, compiled: list[str]
) -> None:
    for changes in ({"text": LONG}, {"html": LONG}, {"text": "{% if %}" + LONG}):
        compiled.clear()
        await api.post("/email", json=personal(api, **changes))
        assert set(compiled) == {"body"}, changes


@pytest.mark.parametrize("path", ["/email", "/preflight"])
async def test_p02_nor_does_a_tiny_request_that_names_a_long_template(
    api: ApiWorld, compiled: list[str], path: str
) -> None:
    content = TemplateContent(Wording("S", LONG + path, LONG + path))  # no other test has compiled it
    stored = await templates.create(api.database, api.first.account.id, content, by=SYSTEM)
    compiled.clear()
    answer = await api.post(path, json=body(api, text=None, template_id=stored.id))
    assert answer.status_code < 300, answer.text
    assert set(compiled) == {"body"}


async def test_short_templates_and_those_compiled_before_are_not_handed_over(
    api: ApiWorld, compiled: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    await api.post("/email", json=personal(api, text="{{ a }}"))
    assert set(compiled) == {"MainThread"}
    assert (await api.post("/email", json=personal(api, text=LONG))).status_code == 202
    monkeypatch.setattr(endpoint, "off_loop", None)
    compiled.clear()
    assert (await api.post("/email", json=personal(api, text=LONG))).status_code == 202
    assert (await api.post("/email", json=body(api, text="Long. " * 5000))).status_code == 202
    assert compiled == []


@pytest.mark.parametrize("width", [76, 10_000_000])
def test_base64_in_slices(width: int) -> None:
    content = os.urandom(1_000_003)
    text = b64encode(content).decode()
    lines = "\r\n".join(text[at : at + width] for at in range(0, len(text), width))
    assert attachments.decoded(lines, 2_000_000) == content
    long = f'"{lines}"'.replace("\r\n", "\\r\\n").encode()
    assert attachments.decoded(LongText(long, 1, len(long) - 1), 2_000_000) == content


@pytest.mark.parametrize("text", ["YQ=", "YQ", "YWI", "YQ==", " YQ = = "])
def test_base64_with_its_padding_or_without(text: str) -> None:
    assert attachments.decoded(text, 100) in (b"a", b"ab")


@pytest.mark.parametrize(
    "text", ["Y", "YQ==YQ==", "Y-_Q", "Y\u00e9==", "=", "YQ==" + "A" * 300_000, "data:a;base64,YQ=="]
)
def test_what_is_no_base64(text: str) -> None:
    assert isinstance(attachments.decoded(text, 1_000_000), str)
