"""One refusal: the rule, and the reply it becomes."""

from __future__ import annotations

from dataclasses import dataclass, field
from string import Formatter

from postroom.types.reply import Reply

REPLY_OCTETS = 250
"""Of a whole line with CRLF; RFC 5321 section 4.5.3.1.5 allows 512."""
LEAST_TEXT_OCTETS = 80
"""What a link has to leave for the sentence, else there is none."""
FACT_OCTETS = 80


@dataclass(frozen=True, slots=True)
class Rule:
    """One entry. `text` may hold {facts}; `fix` is for the customer unless it says otherwise.

    `code` 0: only the HTTP API refuses this, there is no SMTP reply.
    """

    id: str
    code: int
    enhanced: str
    status: int
    text: str
    what: str
    fix: str
    closes: bool = False

    @property
    def answer(self) -> str:
        """How it reads: the SMTP reply, or only the text where there is none."""
        return f"{self.code} {self.enhanced} {self.text}" if self.code else self.text

    @property
    def facts(self) -> tuple[str, ...]:
        return tuple(name for _, name, _, _ in Formatter().parse(self.text) if name)


@dataclass(frozen=True, slots=True)
class Refused:
    """A pipeline step's way of saying no: the rule and the facts its text names."""

    rule: Rule
    facts: dict[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The sentence alone, without codes, facts cleaned."""
        return self.rule.text.format_map(
            _Missing({name: _clean(value) for name, value in self.facts.items()})
        )

    def reply(self, link: str = "") -> Reply:
        """One line of at most 250 octets that ends with the rule id. `link` is the page of the catalogue, or "".

        What does not fit is cut from the text, never from the code or the id: clients show the tail to people. A link
        that would leave too little of the text is left out.
        """
        rule, text = self.rule, self.text
        tail = f" {link}#{rule.id} [{rule.id}]" if link else f" [{rule.id}]"
        room = REPLY_OCTETS - len(f"{rule.code} {rule.enhanced} ") - len(tail.encode()) - 2
        if link and room < LEAST_TEXT_OCTETS:
            return self.reply()
        if room < len(text.encode()):
            text = text.encode()[: room - 3].decode("utf-8", "ignore") + "..."
        return Reply.of(rule.code, rule.enhanced, text + tail)


class _Missing(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return f"({key})"


def _clean(value: str) -> str:
    """Printable and short: a fact may be what a stranger sent (X03)."""
    text = "".join(char if char.isprintable() else "?" for char in str(value))
    return (
        text
        if len(text.encode()) <= FACT_OCTETS
        else text.encode()[: FACT_OCTETS - 3].decode("utf-8", "ignore") + "..."
    )
