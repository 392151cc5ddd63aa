"""Templates that were compiled already, found by what they are made of; what was not used for longest goes first."""

from __future__ import annotations

from hashlib import blake2b

from postroom.wire.template.template import Template, compile

OCTETS = 32 * 1024 * 1024
"""What all of them together may take: about 1,000 mails of 15 KB."""

Key = tuple[bytes, bool, bool, bool, bool]


class TemplateCache:
    """Threads may share one: each step is a single operation of a dict. Two that ask at once may compile twice."""

    def __init__(self, octets: int = OCTETS) -> None:
        self._octets = octets
        self._held: dict[Key, Template] = {}

    def compile(
        self, source: str, *, html: bool, one_line: bool = False, twig: bool = True, simple: bool = False
    ) -> Template:
        """As `template.compile`; the same content is compiled once."""
        key = _key(source, html=html, one_line=one_line, twig=twig, simple=simple)
        template = self._held.pop(key, None)
        if template is None:
            template = compile(source, html=html, one_line=one_line, twig=twig, simple=simple)
            self._make_room(template.octets)
        if template.octets <= self._octets:
            self._held[key] = template
        return template

    def holds(
        self, source: str, *, html: bool, one_line: bool = False, twig: bool = True, simple: bool = False
    ) -> bool:
        """Whether `compile` would only have to look it up."""
        return _key(source, html=html, one_line=one_line, twig=twig, simple=simple) in self._held

    def _make_room(self, octets: int) -> None:
        held = sum(template.octets for template in list(self._held.values()))
        for key, template in list(self._held.items()):
            if held + octets <= self._octets:
                return
            self._held.pop(key, None)
            held -= template.octets


def _key(source: str, *, html: bool, one_line: bool, twig: bool, simple: bool) -> Key:
    digest = blake2b(source.encode("utf-8", "surrogatepass"), digest_size=16).digest()
    return digest, html, one_line, twig, simple
