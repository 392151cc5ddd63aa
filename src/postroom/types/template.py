"""What a stored template says: content for a message, with defaults and translations. Subject, text and html are
sources in the template language (`wire.template`)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class Wording(NamedTuple):
    """In one language. None: not said here."""

    subject: str | None = None
    text: str | None = None
    html: str | None = None


@dataclass(frozen=True, slots=True)
class TemplateContent:
    """`from_email` and `from_name` are the default sender ("" for none), `tags` those of messages that bring none.

    `translations` are by language code, like `de` or `pt-BR`.
    """

    wording: Wording
    from_email: str = ""
    from_name: str = ""
    tags: tuple[str, ...] = ()
    translations: Mapping[str, Wording] = field(default_factory=dict)

    def in_language(self, language: str | None) -> Wording:
        """The wording in that language, in whatever case its code is; what it does not say is said by the base."""
        wanted = (language or "").lower()
        for code, translation in self.translations.items():
            if code.lower() == wanted:
                pairs = zip(translation, self.wording, strict=True)
                return Wording(*(base if said is None else said for said, base in pairs))
        return self.wording

    def sources(self) -> Iterator[tuple[str, str]]:
        """(field, source) of everything that is written in the template language."""
        wordings = {"": self.wording} | {
            f"translations.{code}.": said for code, said in self.translations.items()
        }
        for path, wording in wordings.items():
            for name, source in wording._asdict().items():
                if source is not None:
                    yield path + name, source

    def encode(self) -> bytes:
        """As it is stored."""
        said = {
            "wording": self.wording,
            "from": [self.from_email, self.from_name],
            "tags": self.tags,
            "translations": self.translations,
        }
        return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode("utf-8")

    @classmethod
    def decode(cls, stored: bytes) -> TemplateContent:
        said = json.loads(stored)
        translations = {code: Wording(*wording) for code, wording in said["translations"].items()}
        email, name = said["from"]
        return cls(
            Wording(*said["wording"]),
            from_email=email,
            from_name=name,
            tags=tuple(said["tags"]),
            translations=translations,
        )
