"""`mailersend` from PyPI: the client that blocks, and the asynchronous one."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Awaitable
from typing import Any

from mailersend import AsyncMailerSendClient, EmailBuilder, MailerSendClient
from mailersend.models.base import APIResponse
from mailersend.models.email import EmailAttachment, EmailRequest

from support.sdk import File, Mail

CANNOT = frozenset({"rcpt_to", "list_unsubscribe"})
TIMEOUT = 30


class PythonSdk:
    """`client` is the library's own. It does not retry: that would hide what the relay answers."""

    def __init__(self, url: str, token: str) -> None:
        self.client = MailerSendClient(api_key=token, base_url=f"{url}/", timeout=TIMEOUT, max_retries=0)

    def send(self, mail: Mail) -> str:
        return str(self.client.emails.send(request(mail))["id"])


class AsyncPythonSdk:
    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._token = token

    def send(self, mail: Mail) -> str:
        async def do(client: AsyncMailerSendClient) -> APIResponse:
            return await client.emails.send(request(mail))  # type: ignore[misc]

        return str(self.run(do)["id"])

    def run(self, work: Any) -> Any:
        """What `work(client)` comes to."""

        async def do() -> Any:
            options = {"timeout": TIMEOUT, "max_retries": 0}
            async with AsyncMailerSendClient(self._token, f"{self._url}/", **options) as client:
                result: Awaitable[Any] = work(client)
                return await result

        return asyncio.run(do())


def request(mail: Mail) -> EmailRequest:
    """As the library's users build it."""
    builder = EmailBuilder()
    if mail.sender is not None:
        builder.from_email(mail.sender.email, mail.sender.name or None)
    for contact in mail.to:
        builder.to(contact.email, contact.name or None)
    for contact in mail.cc:
        builder.cc(contact.email, contact.name or None)
    for contact in mail.bcc:
        builder.bcc(contact.email, contact.name or None)
    if mail.reply_to is not None:
        builder.reply_to(mail.reply_to.email, mail.reply_to.name or None)
    builder.subject(mail.subject)
    for given, say in (
        (mail.text, builder.text),
        (mail.html, builder.html),
        (mail.template_id, builder.template),
        (mail.language, builder.language),
        (mail.send_at, builder.send_at),
        (mail.in_reply_to, builder.in_reply_to),
        (mail.bulk, builder.bulk_mode),
    ):
        if given:
            say(given)
    builder.reference(*mail.references).tag(*mail.tags)
    for name, value in mail.headers.items():
        builder.header(name, value)
    for address, data in mail.data.items():
        builder.personalize(address, **data)
    for file in mail.files:
        if not file.cid:
            builder.attach_content(file.content, file.name)
    built = builder.build()
    inline = [_inline(file) for file in mail.files if file.cid]  # the builder cannot give them an id
    built.attachments = [*(built.attachments or ()), *inline] or None
    return built


def _inline(file: File) -> EmailAttachment:
    content = b64encode(file.content).decode("ascii")
    return EmailAttachment(content=content, filename=file.name, disposition="inline", id=file.cid)
