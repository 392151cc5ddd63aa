"""Compile once, render often."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from postroom.wire.template import limits
from postroom.wire.template.frame import Frame, Run
from postroom.wire.template.lexer import Lexer, Piece, Text
from postroom.wire.template.names import Names
from postroom.wire.template.problem import Fault, TemplateProblem
from postroom.wire.template.statements import StatementParser

_NODE_OCTETS = 512
_BREAKS = re.compile(
    "[\0-\x20\x7f-\x9f\u2028\u2029]*[\0-\x1f\x7f-\x9f\u2028\u2029]+[\0-\x20\x7f-\x9f\u2028\u2029]*"
)


@dataclass(frozen=True, slots=True)
class Template:
    """`variables` are the names it wants from outside, `octets` about what it takes in memory."""

    variables: frozenset[str]
    octets: int
    one_line: bool
    _run: Run

    def render(
        self,
        data: Mapping[str, object],
        *,
        simple: Mapping[str, object] | None = None,
        now: int | None = None,
    ) -> str:
        """With this recipient's data (JSON values), and `simple` for the variables of the legacy syntax.

        `now` (milliseconds) is what `"now"|date` shows; give the time of acceptance, so that a retry renders the same.
        Raises TemplateProblem: a value of a kind that cannot be used there, or more work or output than `limits` allow.
        """
        frame = Frame(data, simple or {}, limits.LINE if self.one_line else limits.OUTPUT, now)
        try:
            self._run(frame)
        except Fault as fault:
            raise TemplateProblem(frame.line, str(fault)) from None
        except RecursionError:
            raise TemplateProblem(frame.line, "the data is nested too deeply") from None
        rendered = "".join(frame.out)
        return _BREAKS.sub(" ", rendered).strip() if self.one_line else rendered


def compile(
    source: str, *, html: bool, one_line: bool = False, twig: bool = True, simple: bool = False
) -> Template:
    """The template in this source. Raises TemplateProblem (ReservedName for a name that is ours).

    `html`: values are escaped by where they stand, and may hold the limited HTML of the contract. `one_line`: a
    subject; whatever control characters come in, it stays one line. `twig` and `simple` say which syntaxes are
    looked for: `{{ name }}` when there is personalization, `{$name}` when there are legacy variables.
    """
    if len(source) > limits.SOURCE:
        raise TemplateProblem(1, f"the template is longer than {limits.SOURCE} characters")
    names = Names()
    pieces: Iterator[Piece] = iter(Lexer(source)) if twig else iter([Text(1, source)] if source else [])
    run = StatementParser(pieces, names, html=html, simple=simple).parse()
    octets = 2 * sys.getsizeof(source) + _NODE_OCTETS * names.nodes
    return Template(frozenset(names.used), octets, one_line, run)


def variables(source: str) -> frozenset[str]:
    """The top-level variables that a source uses. Raises TemplateProblem."""
    return compile(source, html=False).variables
