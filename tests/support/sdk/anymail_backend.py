"""django-anymail's MailerSend backend: Django's own way to send, with a setting that names our address."""

from __future__ import annotations

from datetime import UTC, datetime
from email.mime.base import MIMEBase
from email.mime.image import MIMEImage
from functools import cache
from typing import Any

import django
from anymail.message import AnymailMessage
from django.conf import settings
from django.core import mail as django_mail

from support.sdk import Contact, File, Mail

CANNOT = frozenset({"rcpt_to", "language"})


class Anymail:
    def __init__(self, url: str, token: str, **options: Any) -> None:
        _configure()
        self._options = {"api_token": token, "api_url": f"{url}/"} | options

    def send(self, mail: Mail) -> str:
        return str(self.status(mail).message_id)

    def status(self, mail: Mail) -> Any:
        """`anymail_status`: the id of the message, and what became of each recipient."""
        message = self.message(mail)
        message.send()
        return message.anymail_status

    def message(self, mail: Mail) -> AnymailMessage:
        """As a user of Django writes it."""
        message = AnymailMessage(
            subject=mail.subject,
            body=mail.text,
            from_email=_named(mail.sender) if mail.sender is not None else "",
            to=[_named(contact) for contact in mail.to],
            cc=[_named(contact) for contact in mail.cc],
            bcc=[_named(contact) for contact in mail.bcc],
            reply_to=[_named(mail.reply_to)] if mail.reply_to is not None else None,
            headers=_headers(mail),
            connection=django_mail.get_connection(
                "anymail.backends.mailersend.EmailBackend", **self._options
            ),
        )
        if mail.sender is None:
            message.from_email = None  # that of the template, and not Django's default
        if mail.html:
            message.attach_alternative(mail.html, "text/html")
        for file in mail.files:
            message.attach(_part(file)) if file.cid else message.attach(file.name, file.content, file.type)
        message.tags = list(mail.tags)
        if mail.data:
            message.merge_data = {address: dict(data) for address, data in mail.data.items()}
        if mail.template_id:
            message.template_id = mail.template_id
        if mail.send_at is not None:
            message.send_at = datetime.fromtimestamp(mail.send_at, UTC)
        if mail.list_unsubscribe:
            message.esp_extra = {"list_unsubscribe": mail.list_unsubscribe}
        return message


@cache
def _configure() -> None:
    settings.configure(INSTALLED_APPS=["anymail"], USE_TZ=True, DEFAULT_CHARSET="utf-8")
    django.setup()


def _named(contact: Contact) -> str:
    name = contact.name.replace('"', r"\"")
    return f'"{name}" <{contact.email}>' if name else contact.email


def _headers(mail: Mail) -> dict[str, str]:
    headers = dict(mail.headers)
    if mail.in_reply_to:
        headers["In-Reply-To"] = f"<{mail.in_reply_to}>"
    if mail.references:
        headers["References"] = " ".join(f"<{reference}>" for reference in mail.references)
    if mail.bulk:
        headers["Precedence"] = "bulk"
    return headers


def _part(file: File) -> MIMEBase:
    """An inline picture."""
    part = MIMEImage(file.content, file.type.partition("/")[2])
    part["Content-Disposition"] = f'inline; filename="{file.name}"'
    part["Content-ID"] = f"<{file.cid}>"
    return part
