"""Expressions: from tokens straight to a function that computes the value. Precedence climbing, as in Twig.

Each node counts (limits.NODES), and knows how deep it is, so that no stack can overflow: neither ours here nor the
one of the functions that call each other later.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from keyword import iskeyword
from typing import NoReturn, TypeVar

from postroom.wire.template import limits, values
from postroom.wire.template.filters import FILTERS
from postroom.wire.template.frame import Evaluate, Frame
from postroom.wire.template.lexer import Kind, Token
from postroom.wire.template.names import Names
from postroom.wire.template.operators import (
    FUNCTIONS,
    NOT_PRECEDENCE,
    OPERATORS,
    SIGN_PRECEDENCE,
    TEST_PRECEDENCE,
    TESTS,
)
from postroom.wire.template.problem import TemplateProblem

R = TypeVar("R")

_LITERALS = {"true": True, "false": False, "null": None, "none": None}
_TWO_WORDS = {("not", "in"), ("starts", "with"), ("ends", "with")}
_TWO_WORD_TESTS = {("divisible", "by"), ("same", "as")}
_NOT_HERE = {"matches", "xor", "<=>", "=>", "?.", "...", "&", "^"}
_signature = cache(inspect.signature)
_END = Token(Kind.SIGN, "")


@dataclass(frozen=True, slots=True)
class Expression:
    """`exists` tells whether a name or a member is there, for `is defined`."""

    evaluate: Evaluate
    depth: int = 1
    exists: Callable[[Frame], bool] | None = None


@dataclass(frozen=True, slots=True)
class Arguments:
    given: list[Expression]
    named: dict[str, Expression]

    @property
    def all(self) -> list[Expression]:
        return [*self.given, *self.named.values()]


class ExpressionParser:
    """Reads the tokens between one pair of braces."""

    def __init__(self, tokens: Sequence[Token], line: int, names: Names) -> None:
        self._tokens = tokens
        self._at = 0
        self._line = line
        self._names = names
        self._open = 0

    # -- tokens ----------------------------------------------------------------------------------------------

    def fail(self, message: str) -> NoReturn:
        raise TemplateProblem(self._line, message)

    def take(self, text: str) -> bool:
        """Whether the next token is this sign or word; then it is read."""
        token = self._peek()
        found = token.text == text and token.kind in (Kind.SIGN, Kind.NAME) and bool(text)
        self._at += found
        return found

    def expect(self, text: str) -> None:
        if not self.take(text):
            self.fail(f"expected {text} before {self._shown()}")

    def name(self) -> str:
        token = self._next()
        if token.kind is not Kind.NAME:
            self._at -= 1
            self.fail(f"expected a name before {self._shown()}")
        return token.text

    def end(self) -> None:
        if self._at < len(self._tokens):
            token = self._peek()
            if token.text in _NOT_HERE:
                self.fail(f"the operator {token.text} is not available")
            self.fail(f"unexpected {self._shown()}")

    def _peek(self, ahead: int = 0) -> Token:
        at = self._at + ahead
        return self._tokens[at] if at < len(self._tokens) else _END

    def _next(self) -> Token:
        token = self._peek()
        self._at += 1
        return token

    def _shown(self) -> str:
        token = self._peek()
        return "the end" if token is _END else f'"{token.text[:30]}"'

    def _made(
        self, evaluate: Evaluate, parts: Sequence[Expression], exists: Callable[[Frame], bool] | None = None
    ) -> Expression:
        self._names.count(self._line)
        depth = 1 + max((part.depth for part in parts), default=0)
        if depth > limits.DEPTH:
            self.fail(f"an expression holds more than {limits.DEPTH} operations inside one another")
        return Expression(evaluate, depth, exists)

    # -- the grammar, from the loosest binding to the tightest -----------------------------------------------

    def whole(self) -> Expression:
        """The one expression that these tokens are."""
        expression = self.expression()
        self.end()
        return expression

    def expression(self, least: int = 0) -> Expression:
        self._open += 1
        if self._open > limits.DEPTH:
            self.fail(f"an expression holds more than {limits.DEPTH} operations inside one another")
        left = self._unary()
        while True:
            if self._peek().text == "is" and self._peek().kind is Kind.NAME and least <= TEST_PRECEDENCE:
                left = self._test(left)
                continue
            sign = self._operator()
            operator = OPERATORS.get(sign)
            if operator is None or operator.precedence < least:
                break
            self._at += 1 + (" " in sign)
            right = self.expression(operator.precedence + (not operator.right))
            left = self._made(operator.apply(left.evaluate, right.evaluate), (left, right))
        if least == 0:
            left = self._conditional(left)
        self._open -= 1
        return left

    def _operator(self) -> str:
        token = self._peek()
        if token.kind is Kind.NAME and (token.text, self._peek(1).text) in _TWO_WORDS:
            return f"{token.text} {self._peek(1).text}"
        return token.text if token.kind in (Kind.SIGN, Kind.NAME) else ""

    def _conditional(self, condition: Expression) -> Expression:
        """`a ? b : c`, `a ? b`, `a ?: c`."""
        if not self.take("?"):
            return condition
        asked = condition.evaluate
        if self.take(":"):
            yes, no = condition, self.expression()
        else:
            yes = self.expression()
            no = self.expression() if self.take(":") else Expression(lambda _: "")
        chosen, other = yes.evaluate, no.evaluate
        return self._made(
            lambda frame: chosen(frame) if values.truth(asked(frame)) else other(frame), (condition, yes, no)
        )

    def _unary(self) -> Expression:
        if self.take("not"):
            asked = self.expression(NOT_PRECEDENCE)
            return self._made(lambda frame: not values.truth(asked.evaluate(frame)), (asked,))
        if self.take("-"):
            turned = self.expression(SIGN_PRECEDENCE)
            return self._made(lambda frame: -values.number(turned.evaluate(frame)), (turned,))
        if self.take("+"):
            kept = self.expression(SIGN_PRECEDENCE)
            return self._made(lambda frame: values.number(kept.evaluate(frame)), (kept,))
        return self._postfix(self._primary())

    def _postfix(self, value: Expression) -> Expression:
        while True:
            if self.take("."):
                value = self._member(value)
            elif self.take("["):
                key = self.expression()
                self.expect("]")
                value = self._item(value, key)
            elif self.take("|"):
                value = self._filter(value)
            else:
                return value

    def _primary(self) -> Expression:
        token = self._next()
        if token.kind is Kind.NUMBER:
            digits = token.text.replace("_", "")
            number = values.numeric(digits)
            return self._constant(float(digits) if number is None else number)
        if token.kind is Kind.STRING:
            return self._constant(token.text)
        if token.kind is Kind.NAME:
            return self._named(token.text)
        if token.text == "(":
            inner = self.expression()
            self.expect(")")
            return inner
        if token.text == "[":
            return self._list()
        if token.text != "{":
            self._at -= 1
            self.fail(f"expected a value before {self._shown()}")
        return self._object()

    def _constant(self, value: object) -> Expression:
        return self._made(lambda _: value, ())

    def _named(self, name: str) -> Expression:
        if name.lower() in _LITERALS:
            return self._constant(_LITERALS[name.lower()])
        if self.take("("):
            return self._call(name)
        if self._peek().text == "=>":
            self.fail("arrow functions are not available")
        self._names.read(name, self._line)
        return self._made(lambda frame: frame.names.get(name), (), lambda frame: name in frame.names)

    def _list(self) -> Expression:
        parts: list[Expression] = []
        while not self.take("]"):
            parts.append(self.expression())
            if not self.take(","):
                self.expect("]")
                break
        made = [part.evaluate for part in parts]
        return self._made(lambda frame: [evaluate(frame) for evaluate in made], parts)

    def _object(self) -> Expression:
        keys: list[Expression] = []
        parts: list[Expression] = []
        while not self.take("}"):
            key, part = self._pair()
            keys.append(key)
            parts.append(part)
            if not self.take(","):
                self.expect("}")
                break
        pairs = [(key.evaluate, part.evaluate) for key, part in zip(keys, parts, strict=True)]
        return self._made(
            lambda frame: {values.text(key(frame)): part(frame) for key, part in pairs}, [*keys, *parts]
        )

    def _pair(self) -> tuple[Expression, Expression]:
        """`name: value`, `"text": value`, `1: value`, `(expression): value`, or `name` for `name: name`."""
        token = self._next()
        if token.kind is Kind.SIGN and token.text == "(":
            key = self.expression()
            self.expect(")")
        elif token.kind is Kind.SIGN:
            self._at -= 1
            self.fail(f"expected a key before {self._shown()}")
        else:
            key = self._constant(token.text)
            if token.kind is Kind.NAME and self._peek().text in (",", "}"):
                return key, self._named(token.text)
        self.expect(":")
        return key, self.expression()

    # -- members, filters, functions, tests ------------------------------------------------------------------

    def _member(self, container: Expression) -> Expression:
        token = self._next()
        if token.kind not in (Kind.NAME, Kind.NUMBER):
            self._at -= 1
            self.fail(f"expected a name before {self._shown()}")
        if self._peek().text == "(" and self._peek().kind is Kind.SIGN:
            self.fail(f"a value has no methods; {token.text}() cannot be called")
        for key in token.text.split("."):  # items.0.1 reads like a number
            container = self._item(container, self._constant(key))
        return container

    def _item(self, container: Expression, key: Expression) -> Expression:
        whole, wanted = container.evaluate, key.evaluate
        return self._made(
            lambda frame: values.item(whole(frame), wanted(frame)),
            (container, key),
            lambda frame: values.has(whole(frame), wanted(frame)),
        )

    def _filter(self, value: Expression) -> Expression:
        name = self.name()
        function = FILTERS.get(name)
        if function is None:
            self.fail(f"there is no filter {name}; there are {', '.join(FILTERS)}")
        arguments = self._arguments() if self.take("(") else Arguments([], {})
        call = self._bound(f"the filter {name}", function, arguments, 1)
        inner = value.evaluate

        def evaluate(frame: Frame) -> object:
            before = inner(frame)
            frame.charge(before)
            after = call(frame, before)
            frame.charge(after)
            return after

        return self._made(evaluate, [value, *arguments.all])

    def _call(self, name: str) -> Expression:
        function = FUNCTIONS.get(name)
        if function is None:
            self.fail(f"there is no function {name}; there are {', '.join(FUNCTIONS)}")
        arguments = self._arguments()
        call = self._bound(f"the function {name}", function, arguments, 0)
        return self._made(call, arguments.all)

    def _test(self, value: Expression) -> Expression:
        self.expect("is")
        negated = self.take("not")
        name = self.name()
        if (name, self._peek().text) in _TWO_WORD_TESTS:
            name = f"{name} {self.name()}"
        if name == "defined":
            check = value.exists
            if check is None:
                self.fail("defined asks about a variable or a member of one")
        else:
            check = self._check(name, value)
        return self._made(lambda frame: check(frame) is not negated, (value,))

    def _check(self, name: str, value: Expression) -> Callable[[Frame], bool]:
        function = TESTS.get(name)
        if function is None:
            self.fail(f"there is no test {name}; there are defined, {', '.join(TESTS)}")
        arguments = self._arguments() if self.take("(") else Arguments([], {})
        inner, call = value.evaluate, self._bound(f"the test {name}", function, arguments, 1)
        return lambda frame: bool(call(frame, inner(frame)))

    def _bound(
        self, what: str, function: Callable[..., R], arguments: Arguments, before: int
    ) -> Callable[..., R]:
        """`function` with these arguments: to be called with the frame and the `before` values in front of them."""
        positional = [part.evaluate for part in arguments.given]
        keyword = {_parameter(name): part.evaluate for name, part in arguments.named.items()}
        try:
            _signature(function).bind(None, *[None] * before, *positional, **keyword)
        except TypeError as error:
            self.fail(f"{what}: {error}")
        if not positional and not keyword:
            return function

        def call(frame: Frame, *value: object) -> R:
            named = {name: evaluate(frame) for name, evaluate in keyword.items()}
            return function(frame, *value, *[evaluate(frame) for evaluate in positional], **named)

        return call

    def _arguments(self) -> Arguments:
        """Behind the opening parenthesis. Named ones are written `name: value` or `name = value`."""
        arguments = Arguments([], {})
        while not self.take(")"):
            token, sign = self._peek(), self._peek(1).text
            if token.kind is Kind.NAME and sign in (":", "="):
                self._at += 2
                arguments.named[token.text] = self.expression()
            else:
                arguments.given.append(self.expression())
            if not self.take(","):
                self.expect(")")
                break
        return arguments


def _parameter(name: str) -> str:
    """Twig's name of an argument as ours: `from` and `and` are words of Python."""
    return f"{name}_" if iskeyword(name) else name
