"""Statements: text, print, `if`, `for` and `set`, read piece by piece into functions that write."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce

from postroom.wire.template import escaping, html_context, limits, values
from postroom.wire.template.expressions import ExpressionParser
from postroom.wire.template.frame import Evaluate, Frame, Run
from postroom.wire.template.lexer import Piece, Print, Tag, Text, Token
from postroom.wire.template.loops import Loop
from postroom.wire.template.names import Names
from postroom.wire.template.problem import Fault, TemplateProblem

_SIMPLE = re.compile(r"\{\$([A-Za-z0-9_.-]{1,100})\}")
_REFUSED = {
    **dict.fromkeys(("include", "embed", "extends", "block", "use"), "other templates"),
    **dict.fromkeys(("import", "from", "macro"), "macros"),
}
_AVAILABLE = "if, for, set, verbatim"


@dataclass(frozen=True, slots=True)
class End:
    """The tag that ended a body; None: the end of the source."""

    tag: Tag | None

    @property
    def name(self) -> str:
        return self.tag.name if self.tag is not None else ""


class StatementParser:
    """`html`: values are escaped by where they stand. `simple`: `{$name}` in the text is a variable, too."""

    def __init__(self, pieces: Iterator[Piece], names: Names, *, html: bool, simple: bool) -> None:
        self._pieces = pieces
        self._names = names
        self._html = html
        self._simple = simple
        self._place = html_context.Scanner()
        self._open = 0
        self._assigned: list[set[str]] = [set()]  # by the loop around

    def parse(self) -> Run:
        run, end = self._body(())
        if end.tag is not None:
            raise TemplateProblem(end.tag.line, f"unexpected {end.name}")
        return run

    def _body(self, ends: Sequence[str]) -> tuple[Run, End]:
        """The statements up to a tag of one of these names. Running them costs a step for each of their nodes."""
        statements: list[tuple[int, Run]] = []
        cost = 1
        for piece in self._pieces:
            if isinstance(piece, Tag) and (piece.name in ends or piece.name.startswith(("end", "else"))):
                return _in_turn(statements, cost), End(piece)
            before = self._names.nodes
            self._names.count(piece.line)
            if isinstance(piece, Text):
                statements += [(piece.line, run) for run in self._text(piece)]
            elif isinstance(piece, Print):
                statements.append((piece.line, self._print(self._expression(piece.tokens, piece.line))))
            else:
                statements.append((piece.line, self._tag(piece)))
            cost += self._names.nodes - before
        return _in_turn(statements, cost), End(None)

    def _expression(self, tokens: Sequence[Token], line: int) -> Evaluate:
        return ExpressionParser(tokens, line, self._names).whole().evaluate

    # -- text and print --------------------------------------------------------------------------------------

    def _text(self, piece: Text) -> Iterator[Run]:
        at = 0
        for variable in _SIMPLE.finditer(piece.text) if self._simple else ():
            self._names.count(piece.line)
            yield self._literal(piece.line, piece.text[at : variable.start()])
            yield self._print(_simple_variable(variable[1]))
            at = variable.end()
        yield self._literal(piece.line, piece.text[at:])

    def _literal(self, line: int, text: str) -> Run:
        if self._html:
            try:
                self._place.feed(text)
            except Fault as fault:
                raise TemplateProblem(line, str(fault)) from None
        return _writing(text)

    def _print(self, evaluate: Evaluate) -> Run:
        if not self._html:
            return _printing(evaluate, escaping.plain)
        escape = escaping.at(self._place.state)
        self._place.state = html_context.filled(self._place.state)
        return _printing(evaluate, escape)

    # -- tags ------------------------------------------------------------------------------------------------

    def _tag(self, tag: Tag) -> Run:
        if tag.name in _REFUSED:
            raise TemplateProblem(
                tag.line, f"{tag.name} is not available: a template cannot use {_REFUSED[tag.name]}"
            )
        read: dict[str, Callable[[Tag], Run]] = {"if": self._if, "for": self._for, "set": self._set}
        if tag.name not in read:
            raise TemplateProblem(tag.line, f"there is no tag {tag.name}; there are {_AVAILABLE}")
        self._open += 1
        if self._open > limits.BLOCKS:
            raise TemplateProblem(tag.line, f"there are more than {limits.BLOCKS} blocks inside one another")
        run = read[tag.name](tag)
        self._open -= 1
        return run

    def _branch(self, opened: Tag, start: html_context.State, ends: Sequence[str]) -> tuple[Run, Tag]:
        """A body that begins in this state of the HTML and has to be ended."""
        self._place.state = start
        run, end = self._body(ends)
        if end.tag is None:
            raise TemplateProblem(
                opened.line, f"{opened.name} is never closed: {{% {ends[-1]} %}} is missing"
            )
        if end.name not in ends:
            raise TemplateProblem(
                end.tag.line, f"unexpected {end.name}, for line {opened.line} opened {opened.name}"
            )
        return run, end.tag

    def _else(self, opened: Tag, end: Tag, start: html_context.State) -> tuple[Run, html_context.State]:
        """What runs if nothing else does, and the state of the HTML behind it; `end` is an `else` or the end."""
        _alone(end)
        if end.name != "else":
            return _nothing, start
        run, end = self._branch(opened, start, (f"end{opened.name}",))
        _alone(end)
        return run, self._place.state

    def _if(self, tag: Tag) -> Run:
        start = self._place.state
        branches: list[tuple[Evaluate, Run]] = []
        states: list[html_context.State] = []
        end = tag
        while end.name in ("if", "elseif"):
            condition = self._expression(end.tokens, end.line)
            run, end = self._branch(tag, start, ("elseif", "else", "endif"))
            branches.append((condition, run))
            states.append(self._place.state)
        otherwise, state = self._else(tag, end, start)
        self._place.state = reduce(html_context.merge, states, state)
        return _choosing(branches, otherwise)

    def _for(self, tag: Tag) -> Run:
        """`for value in list`, `for key, value in object`; `else` is for an empty one."""
        parser = ExpressionParser(tag.tokens, tag.line, self._names)
        targets = [parser.name()]
        if parser.take(","):
            targets.append(parser.name())
        parser.expect("in")
        sequence = parser.whole().evaluate
        start = self._place.state
        self._assigned.append(set())
        with self._names.within(targets, tag.line):
            body, end = self._branch(tag, start, ("else", "endfor"))
            loop_used = self._names.loop_used
        assigned = self._assigned.pop()
        self._assigned[-1] |= assigned
        behind = self._place.state
        if not html_context.repeatable(start, behind):
            raise TemplateProblem(
                tag.line, "the HTML inside the loop must end where it began: no tag or quote left open"
            )
        otherwise, state = self._else(tag, end, start)
        self._place.state = html_context.merge(behind, state)
        return Loop(targets, sequence, body, otherwise, frozenset(assigned), loop_used).run

    def _set(self, tag: Tag) -> Run:
        """`set name = value`, and several of both."""
        parser = ExpressionParser(tag.tokens, tag.line, self._names)
        targets = [parser.name()]
        while parser.take(","):
            targets.append(parser.name())
        if not parser.take("="):
            raise TemplateProblem(tag.line, "set needs a value: {% set name = value %}")
        made = [parser.expression().evaluate]
        while parser.take(","):
            made.append(parser.expression().evaluate)
        parser.end()
        if len(made) != len(targets):
            raise TemplateProblem(tag.line, "set needs as many values as names")
        for name in targets:
            self._names.bind(name, tag.line)
            self._assigned[-1].add(name)

        def run(frame: Frame) -> None:
            frame.names.update(zip(targets, [evaluate(frame) for evaluate in made], strict=True))

        return run


def _alone(tag: Tag) -> None:
    if tag.tokens:
        raise TemplateProblem(tag.line, f"unexpected words behind {tag.name}")


def _nothing(frame: Frame) -> None:
    del frame


def _in_turn(statements: list[tuple[int, Run]], cost: int) -> Run:
    def run(frame: Frame) -> None:
        frame.spend(cost)
        for line, statement in statements:
            frame.line = line
            statement(frame)

    return run


def _writing(text: str) -> Run:
    return lambda frame: frame.write(text)


def _simple_variable(name: str) -> Evaluate:
    return lambda frame: frame.simple.get(name)


def _printing(evaluate: Evaluate, escape: escaping.Write) -> Run:
    return lambda frame: frame.write(escape(frame, evaluate(frame)))


def _choosing(branches: Sequence[tuple[Evaluate, Run]], otherwise: Run) -> Run:
    def run(frame: Frame) -> None:
        for condition, chosen in branches:
            if values.truth(condition(frame)):
                chosen(frame)
                return
        otherwise(frame)

    return run
