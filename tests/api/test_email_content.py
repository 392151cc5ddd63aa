"""What an email says: content, preview, source and attachments."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from sqlalchemy import delete, update

from postroom.store.schema import contents, messages
from postroom.tenancy.grants import Grant
from postroom.types.permissions import Permission, Role
from postroom.web.api import email_preview
from postroom.web.api.email_preview import disarmed
from postroom.web.api.json_out import timestamp
from postroom.web.api.kept import safe_name
from support.api import ApiWorld
from support.email_api import body, kept
from support.messages import MESSAGE, PDF, PIXEL, message
from support.sent import sent

POLICY = (
    "sandbox; default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; "
    "img-src {images}; style-src 'unsafe-inline'"
)


async def _email(api: ApiWorld, content: bytes = MESSAGE, **fields: Any) -> str:
    """The path of an email with this content."""
    mail = await sent(api, api.first, content=content, **fields)
    return f"/email/{mail.emails[0].id}"


async def _content(api: ApiWorld, path: str) -> dict[str, Any]:
    answer = await api.get(f"{path}/content")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["data"]
    return found


async def test_texts_headers_and_attachments(api: ApiWorld) -> None:
    found = await _content(api, await _email(api))
    assert found.pop("headers")[:3] == [
        {"name": "From", "value": "Shop <shop@example.com>"},
        {"name": "To", "value": "ada@example.org"},
        {"name": "Subject", "value": "Grüße"},
    ]
    assert found == {
        "content_kept": True,
        "reason": None,
        "setting": None,
        "kept_until": None,
        "size": len(MESSAGE),
        "text": "Grüße, and a line that goes on",
        "html": "<p>Hello <img src='cid:logo@shop'></p>",
        "cut": False,
        "attachments": [
            {
                "id": "0000000000000003",
                "filename": "logo.png",
                "type": "image/png",
                "size": 70,
                "disposition": "inline",
                "content_id": "logo@shop",
            },
            {
                "id": PDF,
                "filename": "Rechnung ü.pdf",
                "type": "application/pdf",
                "size": 9,
                "disposition": "attachment",
                "content_id": "",
            },
        ],
    }


async def test_content_that_is_gone_says_why_and_what_keeps_it(api: ApiWorld) -> None:
    path = await _email(api)
    async with api.database.write() as connection:
        await connection.execute(update(messages).values(content_expires_at=9000))
    assert (await _content(api, path))["kept_until"] == timestamp(9000)
    async with api.database.write() as connection:
        await connection.execute(delete(contents))
        await connection.execute(update(messages).values(content_gone=True, content_expires_at=None))
    found = await _content(api, path)
    assert (found["content_kept"], found["setting"], found["html"]) == (False, "track_content", None)
    assert found["reason"]
    for rest in ("preview", "source", f"attachments/{PDF}"):
        answer = await api.get(f"{path}/{rest}")
        assert answer.status_code == 404
        assert answer.json() == {"message": "The content of this email is not kept any more."}


async def test_what_the_api_took_is_shown_as_each_recipient_got_it(api: ApiWorld) -> None:
    wanted = body(
        api,
        subject="For {{ name }}",
        text="Hello {{ name }}.",
        html="<p>{{ name }}</p>",
        personalization=[{"email": "bob@x.test", "data": {"name": "Böb"}}],
    )
    found = await kept(api, await api.post("/email", json=wanted))
    path = f"/email/{found.emails['bob@x.test'].id}"
    shown = await _content(api, path)
    assert (shown["text"].strip(), shown["html"].strip()) == ("Hello Böb.", "<p>Böb</p>")
    assert {"name": "Subject", "value": "For Böb"} in shown["headers"]
    assert "Böb" in (await api.get(f"{path}/preview")).text


async def test_large_content_is_read_from_the_blob_store(api: ApiWorld) -> None:
    large = "x" * 400_000
    found = await kept(api, await api.post("/email", json=body(api, html=f"<p>{large}</p>")))
    assert found.message.blob
    path = f"/email/{found.emails['bob@x.test'].id}"
    assert large in (await _content(api, path))["html"]
    assert len((await api.get(f"{path}/source")).content) == found.message.size
    await api.blobs.delete(found.message.blob)
    assert (await api.get(f"{path}/source")).status_code == 404


async def test_u02_the_preview_is_a_sandbox_wherever_it_is_opened(api: ApiWorld) -> None:
    path = await _email(api)
    answer = await api.get(f"{path}/preview")
    assert answer.headers["content-security-policy"] == POLICY.format(images="data:")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    for name, value in (
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("x-dns-prefetch-control", "off"),
        ("cache-control", "no-cache, private"),
    ):
        assert answer.headers[name] == value
    assert answer.text == f"<p>Hello <img src='data:image/png;base64,{PIXEL.decode()}'></p>"
    answer = await api.get(f"{path}/preview?images=1")
    assert answer.headers["content-security-policy"] == POLICY.format(images="data: https: http:")
    assert (await api.get(f"{path}/preview?images=perhaps")).status_code == 422


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("<p>a</p>", "<p>a</p>"),
        ("<a href='https://x.test'>a</a>", "<a href='https://x.test'>a</a>"),
        ("<LINK rel=preconnect href=//t.test>", "<x-LINK rel=preconnect href=//t.test>"),
        (
            "<meta http-equiv=refresh content='0;//t.test'>",
            "<x-meta http-equiv=refresh content='0;//t.test'>",
        ),
        ("<base href=//t.test>", "<x-base href=//t.test>"),
        ("<iframe/src=//t.test></iframe>", "<x-iframe/src=//t.test></x-iframe>"),
        ("<form><input></form>", "<x-form><input></x-form>"),
        ("<lin<link>", "<lin<x-link>"),
        ("<embed\n>", "<x-embed\n>"),
        ("<links>", "<links>"),
    ],
)
def test_u02_elements_that_do_something_are_disarmed(source: str, shown: str) -> None:
    assert disarmed(source) == shown


@pytest.mark.parametrize(
    ("html", "shown"),
    [
        ("<img src=cid:logo%40shop>", f"<img src=data:image/png;base64,{PIXEL.decode()}>"),
        (
            "<p style='background:url(CID:logo@shop)'>",
            f"<p style='background:url(data:image/png;base64,{PIXEL.decode()})'>",
        ),
        ("<img src=cid:unknown>", "<img src=cid:unknown>"),
        ("<img src='cid:'>", "<img src='cid:'>"),
    ],
)
async def test_m10_pictures_of_the_message_are_part_of_the_page(api: ApiWorld, html: str, shown: str) -> None:
    assert (await api.get(f"{await _email(api, message(html))}/preview")).text == shown


async def test_m10_pictures_in_the_page_have_a_limit(api: ApiWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(email_preview, "MOST_PICTURES", 300)
    page = (await api.get(f"{await _email(api, message('<img src=cid:logo@shop>' * 9))}/preview")).text
    assert (page.count("data:image"), page.count("cid:")) == (2, 7)


async def test_m10_svg_is_no_picture(api: ApiWorld) -> None:
    content = message().replace(b"image/png", b"image/svg+xml")
    assert "cid:logo@shop" in (await api.get(f"{await _email(api, content)}/preview")).text


async def test_u02_text_is_escaped_and_nothing_at_all_is_404(api: ApiWorld) -> None:
    plain = b"Subject: a\r\n\r\n<script>alert(1)</script>\r\n"
    page = await api.get(f"{await _email(api, plain)}/preview")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.text
    assert page.headers["content-security-policy"].startswith("sandbox;")
    picture = b"Content-Type: image/png\r\n\r\nx\r\n"
    answer = await api.get(f"{await _email(api, picture)}/preview")
    assert (answer.status_code, answer.json()) == (404, {"message": "The email has no text."})


def _download(answer: httpx.Response) -> tuple[str, str]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    return answer.headers["content-type"], answer.headers["content-disposition"]


async def test_the_source_is_what_was_accepted(api: ApiWorld) -> None:
    answer = await api.get(f"{await _email(api, subject='../Grüße')}/source")
    assert answer.content == MESSAGE
    assert _download(answer) == (
        "message/rfc822",
        "attachment; filename=\"Gr__e.eml\"; filename*=UTF-8''Gr%C3%BC%C3%9Fe.eml",
    )


async def test_an_attachment_is_never_what_it_says_it_is(api: ApiWorld) -> None:
    path = await _email(api, MESSAGE.replace(b"application/pdf", b"text/html"))
    answer = await api.get(f"{path}/attachments/{PDF}")
    assert answer.content == b"%PDF-1.7\n"
    assert _download(answer) == (
        "application/octet-stream",
        "attachment; filename=\"Rechnung _.pdf\"; filename*=UTF-8''Rechnung%20%C3%BC.pdf",
    )
    for number in ("0000000000000001", "9" * 16, "x"):
        assert (await api.get(f"{path}/attachments/{number}")).status_code == 404


@pytest.mark.parametrize(
    ("given", "safe"),
    [
        ("a.pdf", "a.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\x\\a b.exe", "a b.exe"),
        ('a"b;c\r\n.pdf', "a_b_c__.pdf"),
        (".bashrc", "bashrc"),
        ("", "file"),
        ("...", "file"),
        ("ü.txt", "ü.txt"),
        ("x" * 300 + ".pdf", "x" * 96 + ".pdf"),
    ],
)
def test_names_of_files_are_safe(given: str, safe: str) -> None:
    assert safe_name(given) == safe


async def test_people_need_the_permission_to_read_emails(api: ApiWorld) -> None:
    path = await _email(api)
    for permission, status in ((Permission.READ_EMAIL, 200), (Permission.READ_ACTIVITY, 403)):
        person = await api.person(grant=Grant(Role.CUSTOM_USER, frozenset({permission})))
        for rest in ("content", "preview", "source", f"attachments/{PDF}"):
            assert (await person.get(f"/v1{path}/{rest}")).status_code == status, (permission, rest)
        assert (await person.get(f"/v1{path}/timeline")).status_code == 200
