"""Whole answers of the HTTP API as text that is the same in every run, and the files that hold them."""

from __future__ import annotations

import os
import re
from pathlib import Path

import httpx

from support.api import Tenant

WRITE = "POSTROOM_WRITE_GOLDENS"
"""With this in the environment the files are written anew; read what changed before you keep it."""

_MAIL_ID = re.compile(r"\b[0-9a-f]{24}\b")
_LEFT_OUT = ("content-length",)
"""It depends on what is replaced; an empty answer shows itself."""


class Golden:
    """A file of answers. Ids are numbered in the order in which they come, so what belongs together still shows."""

    def __init__(self, path: Path, tenant: Tenant) -> None:
        self._path = path
        self._names = {tenant.domain.id: "{domain id}", tenant.domain.name: "example.test"}
        self._parts: list[str] = []

    def call(self, text: str, shown: str) -> None:
        """Show it so from now on: what is random and no mail id, as a secret."""
        self._names[text] = shown

    def add(self, title: str, answer: httpx.Response) -> None:
        request = answer.request
        headers = sorted(
            f"{name}: {value}" for name, value in answer.headers.items() if name not in _LEFT_OUT
        )
        lines = (
            f"### {title}",
            f"{request.method} {request.url.raw_path.decode()}",
            "",
            str(answer.status_code),
            *headers,
            "",
            answer.text or "(empty)",
        )
        self._parts.append(self._same("\n".join(lines)))

    def check(self) -> None:
        text = "\n\n".join(self._parts) + "\n"
        if WRITE in os.environ:
            self._path.write_text(text)
        kept = self._path.read_text() if self._path.exists() else ""
        assert text == kept, f"{self._path} holds something else; {WRITE}=1 writes it anew"

    def _same(self, text: str) -> str:
        for found in _MAIL_ID.findall(text):
            self._names.setdefault(found, f"{{id {len(self._names) - 1}}}")
        for name, shown in self._names.items():
            text = text.replace(name, shown)
        return text
