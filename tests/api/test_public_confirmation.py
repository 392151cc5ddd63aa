"""The page behind the link of a confirmation mail. Opening it confirms nothing; the button does, once."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import AsyncIterator
from hashlib import sha256

import httpx
import pytest
from fastapi import FastAPI

from postroom.errors import StorageUnavailableError
from postroom.store import audit
from postroom.tenancy import sender_identities
from postroom.tenancy.sender_identities import Asked, NewIdentity
from postroom.types.actor import SYSTEM
from postroom.web import public_confirmation
from postroom.web.public_confirmation import PATH
from support.api import ApiWorld

BEN = "ben@client.example"


@pytest.fixture
async def browser(api: ApiWorld) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    app.include_router(public_confirmation.router(api.api))
    transport = httpx.ASGITransport(app, client=("192.0.2.7", 5000))
    async with httpx.AsyncClient(transport=transport, base_url="https://mail.example.com") as client:
        yield client


async def asked(api: ApiWorld, email: str = BEN, **fields: object) -> Asked:
    new = NewIdentity(api.first.domain.id, email, **fields)  # type: ignore[arg-type]
    made = await sender_identities.add(api.database, api.zones, api.first.account.id, new, by=SYSTEM)
    assert isinstance(made, Asked)
    return made


async def verified(api: ApiWorld, one: Asked) -> bool:
    shown = (await api.get(f"/identities/{one.identity.id}")).json()["data"]
    return bool(shown["is_verified"])


async def test_a_scanner_that_opens_the_link_confirms_nothing(
    api: ApiWorld, browser: httpx.AsyncClient
) -> None:
    one = await asked(api)
    for _ in range(3):
        page = await browser.get(f"{PATH}/{one.secret}")
        assert page.status_code == 200
        assert BEN in page.text
        assert api.first.account.name in page.text
        assert '<form method="post"><button>' in page.text
    assert not await verified(api, one)


async def test_the_button_confirms_once(api: ApiWorld, browser: httpx.AsyncClient) -> None:
    one = await asked(api)
    done = await browser.post(f"{PATH}/{one.secret}")
    assert (done.status_code, "Thank you" in done.text) == (200, True)
    assert await verified(api, one)
    async with api.database.read() as connection:
        (entry,) = await audit.page(
            connection, api.first.account.id, action="sender_identity.verified", limit=9
        )
    assert (entry.actor_name, entry.client) == (BEN, "192.0.2.7")
    for again in (await browser.get(f"{PATH}/{one.secret}"), await browser.post(f"{PATH}/{one.secret}")):
        assert (again.status_code, "This link is not valid any more." in again.text) == (410, True)


@pytest.mark.parametrize("secret", ["x", "A" * 43, "é" * 43, "..%2F..", "A" * 5000])
async def test_what_is_no_link_of_ours(browser: httpx.AsyncClient, secret: str) -> None:
    for page in (await browser.get(f"{PATH}/{secret}"), await browser.post(f"{PATH}/{secret}")):
        assert page.status_code in (404, 410)


async def test_why_it_cannot_be_is_told_to_the_owner(api: ApiWorld, browser: httpx.AsyncClient) -> None:
    one = await asked(api)
    api.zones.zones["_dmarc.client.example"] = {"TXT": ["v=DMARC1; p=quarantine"]}
    page = await browser.post(f"{PATH}/{one.secret}")
    assert page.status_code == 422
    assert "_dmarc.client.example publishes the DMARC policy p=quarantine" in page.text
    assert not await verified(api, one)


async def test_u02_nothing_that_a_customer_wrote_is_markup_and_nothing_runs(
    api: ApiWorld, browser: httpx.AsyncClient
) -> None:
    nasty = "<script>alert(1)</script> {note} & </blockquote>"
    one = await asked(api, "a&b'<@client.example".replace("<", ""), add_note=True, personal_note=nasty)
    page = await browser.get(f"{PATH}/{one.secret}")
    assert "<script" not in page.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; {note} &amp; &lt;/blockquote&gt;" in page.text
    assert "a&amp;b&#x27;@client.example" in page.text
    policy = page.headers["content-security-policy"]
    (style,) = re.findall(r"<style>(.*?)</style>", page.text, re.DOTALL)
    digest = b64encode(sha256(style.encode()).digest()).decode()
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )
    assert "style=" not in page.text


async def test_the_secret_in_the_path_goes_nowhere(api: ApiWorld, browser: httpx.AsyncClient) -> None:
    one = await asked(api)
    for page in (await browser.get(f"{PATH}/{one.secret}"), await browser.post(f"{PATH}/{one.secret}")):
        assert page.headers["referrer-policy"] == "no-referrer"
        assert page.headers["cache-control"] == "no-store"
        assert one.secret not in page.text


async def test_without_the_database_one_can_come_back_later(
    browser: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object, **__: object) -> None:
        raise StorageUnavailableError("gone")

    monkeypatch.setattr(sender_identities, "look", fails)
    for page in (await browser.get(f"{PATH}/{'A' * 43}"), await browser.post(f"{PATH}/{'A' * 43}")):
        assert page.status_code == 503
