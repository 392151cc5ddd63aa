"""Whole messages, as accept keeps them: lines end in CRLF."""

from __future__ import annotations

PDF = "0000000000000004"
"""The id of the last attachment of MESSAGE."""

PIXEL = b"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
"""A PNG of one pixel, in base64."""


def message(html: str = "<p>Hello <img src='cid:logo@shop'></p>", *, header: str = "") -> bytes:
    """Text, HTML with a picture of its own, and an attachment; parts 1 to 4."""
    lines = [
        "From: Shop <shop@example.com>",
        "To: ada@example.org",
        "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=",
        "Message-ID: <first@example.com>",
        "Date: Mon, 01 Jun 2026 10:00:00 +0000",
        *header.splitlines(),
        'Content-Type: multipart/mixed; boundary="outer"',
        "",
        "not shown",
        "--outer",
        "Content-Type: multipart/related; boundary=outer-inner",
        "",
        "--outer-inner",
        "Content-Type: multipart/alternative; boundary=deep",
        "",
        "--deep",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: quoted-printable",
        "",
        "Gr=C3=BC=C3=9Fe, and a line that =",
        "goes on",
        "--deep",
        "Content-Type: text/html; charset=utf-8",
        "",
        html,
        "--deep--",
        "--outer-inner",
        "Content-Type: image/png; name=logo.png",
        "Content-ID: <logo@shop>",
        "Content-Transfer-Encoding: base64",
        "Content-Disposition: inline",
        "",
        PIXEL.decode(),
        "--outer-inner--",
        "--outer",
        "Content-Type: application/pdf",
        "Content-Disposition: attachment; filename*=utf-8''Rechnung%20%C3%BC.pdf",
        "Content-Transfer-Encoding: base64",
        "",
        "JVBERi0xLjcK",
        "--outer--",
        "",
    ]
    return "\r\n".join(lines).encode()


MESSAGE = message()
