"""The dashboard as files: what is sent for which address, what browsers are told about it, and without any."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from postroom.web import health, public
from postroom.web.dashboard.files import NONCE, Built, router
from postroom.web.dashboard.headers import page

BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8", "accept-encoding": "gzip, deflate, br"}
INDEX = (
    f'<!doctype html><meta name="csp-nonce" content="{NONCE}"><script src="/assets/index-abc.js"></script>'
)


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text(INDEX)
    (tmp_path / "icon.svg").write_text("<svg/>")
    (tmp_path / "assets/index-abc.js").write_text("plain")
    (tmp_path / "assets/index-abc.js.br").write_text("packed")
    (tmp_path / "assets/font-abc.woff2").write_text("font")
    return tmp_path


def serving(folder: Path) -> httpx.AsyncClient:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.include_router(health.router("1", {}))
    app.include_router(public.router())
    app.include_router(router(Built(folder)))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


@pytest.fixture
async def client(dist: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(dist) as made:
        yield made


@pytest.mark.parametrize("path", ["/", "/domains", "/domains/65qngkdovk8lwr12", "/sign-in?back=%2Fusers"])
async def test_every_page_of_the_dashboard_is_the_index(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path, headers=BROWSER)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["cache-control"] == "no-store"
    assert "/assets/index-abc.js" in answer.text


async def test_u02_the_policy_allows_our_own_scripts_and_styles_with_the_nonce_of_this_answer(
    client: httpx.AsyncClient,
) -> None:
    nonces = set()
    for _ in range(2):
        answer = await client.get("/", headers=BROWSER)
        policy = dict(
            part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";")
        )
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == "'self'"
        found = re.fullmatch(r"'self' 'nonce-([\w-]{22})'", policy["style-src"])
        assert found is not None
        assert f'content="{found[1]}"' in answer.text
        nonces.add(found[1])
    assert len(nonces) == 2
    assert "unsafe" not in str(page("x"))


async def test_u04_nobody_may_frame_the_dashboard(client: httpx.AsyncClient) -> None:
    answer = await client.get("/domains", headers=BROWSER)
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"


async def test_files_are_kept_for_a_year_and_sent_packed_where_that_is_understood(
    client: httpx.AsyncClient,
) -> None:
    packed = await client.get("/assets/index-abc.js", headers={"accept-encoding": "gzip, br;q=1.0"})
    assert packed.headers["content-encoding"] == "br"
    assert packed.headers["content-length"] == "6"
    plain = await client.get("/assets/index-abc.js", headers={"accept-encoding": "identity"})
    assert plain.text == "plain"
    for answer in (packed, plain):
        assert answer.headers["content-type"].startswith("text/javascript")
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["vary"] == "accept-encoding"
        assert answer.headers["x-content-type-options"] == "nosniff"
    font = await client.get("/assets/font-abc.woff2", headers=BROWSER)
    assert font.headers["content-type"] == "font/woff2"


async def test_a_file_without_a_hash_is_asked_for_anew(client: httpx.AsyncClient) -> None:
    answer = await client.get("/icon.svg", headers=BROWSER)
    assert answer.headers["content-type"].startswith("image/svg+xml")
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["etag"]


@pytest.mark.parametrize(
    ("path", "accept"),
    [
        ("/assets/index-old.js", "text/html,*/*"),  # of the version before
        ("/wp-login.php", "text/html"),
        ("/robots.txt", "text/html"),
        ("/domains", "application/json"),
        ("/assets/../files.py", "*/*"),
        ("/assets/%2e%2e/%2e%2e/files.py", "*/*"),
        ("//etc/passwd", "*/*"),
    ],
)
async def test_what_is_neither_a_file_nor_a_page_is_not_found(
    client: httpx.AsyncClient, path: str, accept: str
) -> None:
    assert (await client.get(path, headers={"accept": accept})).status_code == 404


async def test_other_pages_stay_what_they_are(client: httpx.AsyncClient) -> None:
    assert (await client.get("/health", headers=BROWSER)).json()["status"] == "ok"
    assert "Why a message was refused" in (await client.get("/refusals", headers=BROWSER)).text
    assert (await client.post("/domains", headers=BROWSER)).status_code == 405


async def test_without_a_built_dashboard_a_page_says_how_to_get_it(tmp_path: Path) -> None:
    async with serving(tmp_path) as client:
        answer = await client.get("/", headers=BROWSER)
        assert answer.status_code == 200
        assert "make ui" in answer.text
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert (await client.get("/assets/index.js")).status_code == 404
        (tmp_path / "index.html").write_text(INDEX)
        assert "/assets/index-abc.js" in (await client.get("/", headers=BROWSER)).text
