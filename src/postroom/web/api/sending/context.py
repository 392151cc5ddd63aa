"""What reading a request needs from outside, gathered before; and what is found wrong meanwhile."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from postroom.accept.api import Sender
from postroom.tenancy.template_library import TemplateLibrary
from postroom.tenancy.templates import StoredTemplate
from postroom.types.draft import CredentialKind
from postroom.web.api.call import Caller
from postroom.wire.template import TemplateCache


@dataclass(frozen=True, slots=True)
class Context:
    """`template` is the one the request names, None if it names none or there is no such. `now` in milliseconds."""

    sender: Sender
    now: int
    cache: TemplateCache
    template: StoredTemplate | None = None


def template_named(value: Any) -> str:
    """The id of the template that a body names, or ""."""
    named = value.get("template_id") if isinstance(value, dict) else None
    return named if isinstance(named, str) else ""


def sender_of(caller: Caller) -> Sender:
    """The caller as somebody who sends."""
    kind = CredentialKind.TOKEN if caller.person is None else CredentialKind.USER
    return Sender(caller.account, kind, caller.credential_id, caller.domains)


async def context_of(
    caller: Caller, value: Any, now: int, templates: TemplateLibrary, cache: TemplateCache
) -> Context:
    """For a body that came now, with the template it names. Raises StorageUnavailableError."""
    named = template_named(value)
    template = await templates.get(caller.account_id, named) if named else None
    return Context(sender_of(caller), now, cache, template)


@dataclass(slots=True)
class Findings:
    """Dot path of a field -> what is wrong with it."""

    fields: dict[str, list[str]] = field(default_factory=dict)

    def add(self, path: str, text: str) -> None:
        texts = self.fields.setdefault(path, [])
        if text not in texts:
            texts.append(text)

    def wrong(self, name: str) -> bool:
        """Whether something is wrong with a field of the request, or within it."""
        return any(path == name or path.startswith(f"{name}.") for path in self.fields)

    def __bool__(self) -> bool:
        return bool(self.fields)
