"""Python's own smtplib, and aiosmtplib."""

from __future__ import annotations

import asyncio
import re
import smtplib
import ssl

import aiosmtplib

from support.clients import ClientResult, Mail, Target

TIMEOUT = 20
_QUEUED_AS = re.compile(r"queued as (\w+)")


class _Smtp(smtplib.SMTP):
    """`sendmail` keeps the last reply to itself, but that has the queue id."""

    def data(self, msg: bytes | str) -> tuple[int, bytes]:  # type: ignore[override]
        self.answer = super().data(msg)
        return self.answer


class _SmtpSsl(_Smtp, smtplib.SMTP_SSL):
    pass


def smtplib_send(target: Target, mail: Mail) -> ClientResult:
    """As bytes: smtplib then changes nothing but the dots, so the lines have to end in CRLF."""
    try:
        with _connect(target) as client:
            if target.username:
                client.login(target.username, target.password)
            refused = client.sendmail(mail.sender, mail.recipients, _crlf(mail.raw()))
            return _accepted(client.answer[1].decode(), refused)
    except (smtplib.SMTPException, OSError) as error:
        return ClientResult("refused", _describe(error))


def _connect(target: Target) -> _Smtp:
    if target.encryption == "implicit":
        return _SmtpSsl(target.host, target.port, timeout=TIMEOUT, context=_context(target))
    client = _Smtp(target.host, target.port, timeout=TIMEOUT)
    if target.encryption == "starttls":
        client.starttls(context=_context(target))
    return client


def aiosmtplib_send(target: Target, mail: Mail) -> ClientResult:
    return asyncio.run(_send(target, mail))


async def _send(target: Target, mail: Mail) -> ClientResult:
    try:
        refused, text = await aiosmtplib.send(
            _crlf(mail.raw()),
            sender=mail.sender,
            recipients=list(mail.recipients),
            hostname=target.host,
            port=target.port,
            username=target.username or None,
            password=target.password or None,
            use_tls=target.encryption == "implicit",
            start_tls=target.encryption == "starttls",
            tls_context=None if target.encryption == "none" else _context(target),
            timeout=TIMEOUT,
        )
    except (aiosmtplib.SMTPException, OSError) as error:
        return ClientResult("refused", _describe(error))
    return _accepted(text, refused)


def _accepted(text: str, refused: object) -> ClientResult:
    queue_id = _QUEUED_AS.search(text)
    outcome, shown = ("in part", f"returns {refused!r}") if refused else ("accepted", text)
    return ClientResult(outcome, shown, queue_id[1] if queue_id else "")


def _describe(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _context(target: Target) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(target.authority) if target.authority else None)


def _crlf(raw: bytes) -> bytes:
    return raw.replace(b"\n", b"\r\n")
