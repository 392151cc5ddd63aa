"""P01, P02: templates written by somebody who means harm."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from postroom.wire.template import DataProblems, ReservedName, TemplateProblem, check, compile, limits

BOMBS = Path(__file__).parent / "template_bombs.py"

PYTHON_INSIDE = [
    "__class__",
    "<class",
    "<function",
    "<module",
    "<built-in",
    "object at 0x",
    "mappingproxy",
    "subclasses",
]


@pytest.mark.parametrize(
    "source",
    [
        *[f"{{{{ {expression} }}}}" for expression in (
            "''.__class__", "''.__class__.__mro__", "name.__class__.__base__.__subclasses__()", "name['__class__']",
            "name|attr('__class__')", "items|map(attribute='__class__')", "items|map('upper')", "items|filter(v => v)",
            "items|reduce((a, b) => a)", "name|format(name)", "'%c'|format(65)", "'{0.__class__}'|format(name)",
            "'{0.__class__}'.format(name)", "name.format(1)", "name.upper()", "name.encode", "items.append", "items.append(1)",
            "data.items()", "data.pop", "data.__init__.__globals__", "self", "self.__init__", "_self", "_self.env",
            "_context", "_context|keys|join", "_charset", "_GET", "config", "request.application.__globals__", "globals()",
            "lipsum.__globals__", "cycler.__init__", "joiner", "namespace", "range.__class__", "range(3).__class__", "dict()",
            "constant('PHP_VERSION')", "attribute(name, '__class__')", "source('x')", "include('x')", "block('x')", "dump()",
            "dump(data)", "debug()", "template_from_string('x')", "['id']|filter('system')", "['id']|map('system')",
            "['id', 1]|sort('system')", "{'id': 1}|map('passthru')", "app.request", "app.user", "name|e('html', 'utf8')",
            "max.__globals__", "max", "upper", "name|upper.__class__", "(1).__class__", "true.__class__", "loop.__class__",
            "items.0.__class__.__name__", "data.get", "data.keys", "frame", "frame.names", "values", "exit()", "open('/etc/passwd')",
            "'/etc/passwd'|file_excerpt(1, 30)", "now", "name|json_encode(64)", "undefined.__class__", "none.__class__",
        )],
        "{% set x = ''.__class__ %}{{ x }}",
        "{% for c in ''.__class__.__base__.__subclasses__ %}{{ c }}{% endfor %}",
        "{% import 'os' as os %}{{ os.system('id') }}",
        "{% extends name %}",
        "{% for i in range(3) %}{{ loop.__class__ }}{{ loop.__init__ }}{% endfor %}",
        "{% if name.__class__ %}reached{% endif %}",
        "{% if data.__len__ is defined %}reached{% endif %}",
    ],
)  # fmt: skip
def test_p01_no_template_reaches_a_python_object(source: str):
    data = {"name": "{{ 7 * 7 }}", "items": ["a", {"b": 1}], "data": {"k": "v"}}
    try:
        result = compile(source, html=False).render(data)
    except TemplateProblem as problem:
        result = problem.message
    # A message may quote what it is about.
    assert not [word for word in PYTHON_INSIDE if word in result and word not in source]
    assert "reached" not in result
    assert "49" not in result


@pytest.mark.parametrize("html", [False, True])
def test_p01_values_are_never_compiled(html: bool):
    value = "{{ 7 * 7 }}{% if 1 %}x{% endif %}{$name}"
    template = compile("{{ x }}{{ x|raw }}{$y}", html=html, simple=True)
    assert template.render({"x": value}, simple={"y": value, "name": "no"}) == value * 3


def test_p02_bombs_end_small_and_with_a_reason():
    """In a process of its own, which may take 96 MB and a minute: a bomb that works would end it."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    child = subprocess.run(
        [sys.executable, str(BOMBS)], capture_output=True, text=True, check=False, env=environment
    )
    assert child.returncode == 0, child.stderr[-2000:]
    ends = dict(json.loads(line) for line in child.stdout.splitlines())
    assert len(ends) > 50
    strange = {name: end for name, end in ends.items() if not end.startswith(("problem: ", "rendered: "))}
    assert strange == {}


@pytest.mark.parametrize(
    ("source", "data", "message"),
    [
        ("x" * (limits.SOURCE + 1), {}, "longer than"),
        ("{{ a }}" * (limits.NODES // 2 + 1), {}, "more than 10000 values"),
        ("{% if 1 %}" * 21 + "{% endif %}" * 21, {}, "more than 20 blocks"),
        ("{{ " + "(" * 81 + "1" + ")" * 81 + " }}", {}, "operations inside one another"),
        ("{{ 1" + " + 1" * 81 + " }}", {}, "operations inside one another"),
        ("{{ [" + "1," * 501 + "] }}", {}, "words and signs"),
        ("{% for i in 1..100001 %}{% endfor %}", {}, "too much work"),
        ("{% for i in 1..200 %}{% for j in 1..200 %}{{ i }}{% endfor %}{% endfor %}", {}, "too much work"),
        ("{% for i in 1..10 %}{{ x }}{% endfor %}", {"x": "x" * 500_000}, "too long"),
        ("{% for i in 1..10 %}" + "x" * 500_000 + "{% endfor %}", {}, "too long"),
        ("{{ x }}", {"x": "<b>" * 501}, "more than 500 HTML tags"),
        ("{{ x|replace(p) }}", {"x": "a", "p": {str(n): "" for n in range(101)}}, "at most 100 pairs"),
    ],
)
def test_p02_what_is_over_a_limit_says_so(source: str, data: dict[str, object], message: str):
    with pytest.raises(TemplateProblem, match=message):
        compile(source, html=True).render(data)


def test_what_a_real_mail_needs_is_far_below_the_limits():
    source = """<table>{% for row in rows %}<tr>{% for key, value in row %}<td title="{{ key }}">{{ value|upper }}
        {% if loop.last %}<b>{{ loop.index }}</b>{% endif %}</td>{% endfor %}</tr>{% endfor %}</table>"""
    rows = [{f"column {n}": f"value {row}" for n in range(8)} for row in range(400)]
    assert compile(source, html=True).render({"rows": rows}).count("<td") == 3200


# -- names that are ours ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "source", ["{{ _x }}", "{% set loop = 1 %}", "{% for unsubscribe in x %}{% endfor %}", "{% set _a = 1 %}"]
)
def test_reserved_names(source: str):
    with pytest.raises(ReservedName):
        compile(source, html=False)


def test_a_reserved_name_may_be_read():
    template = compile("{{ unsubscribe }}", html=False)
    assert template.variables == {"unsubscribe"}
    assert template.render({"unsubscribe": "https://x.test/u"}) == "https://x.test/u"


# -- data ------------------------------------------------------------------------------------------------


def said(problems: DataProblems) -> list[str]:
    return list(problems.messages("personalization.0.data"))


def deep(levels: int) -> dict[str, object]:
    data: dict[str, object] = {}
    for _ in range(levels - 1):
        data = {"a": data}
    return data


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"a.b": 1, "c.d": 2}, "contains array keys with dot notation: a.b, c.d"),
        ({"x": [{"a.b": 1}]}, "contains array keys with dot notation: a.b"),
        ({f"{n}.": 1 for n in range(20)}, "notation: 0., 1., 2., 3., 4., 5., 6., 7., 8., 9., ..."),
        ({"unsubscribe": 1, "_x": 2, "loop": {}}, "contains reserved variables: unsubscribe, _x, loop"),
        (deep(limits.DATA_DEPTH + 1), "is nested deeper than 16 levels"),
        ({"x": [0] * limits.DATA_VALUES}, "holds more than 10000 values"),
        ({"x": "é" * (limits.DATA_OCTETS // 2)}, "is larger than 262144 bytes"),
        ({"k" * limits.DATA_OCTETS: 1}, "is larger than 262144 bytes"),
        ({"x": 10**4000}, "holds a number beyond 64 bits"),
        ({"x": float("nan")}, "holds a value that is no number"),
        ({"x": [float("inf")]}, "holds a value that is no number"),
    ],
)
def test_data_that_cannot_be_used(data: dict[str, object], message: str):
    problems = check(data)
    assert problems
    assert [f"The personalization.0.data {message}"] == said(problems) or message in said(problems)[0]


@pytest.mark.parametrize(
    "data",
    [
        {},
        deep(limits.DATA_DEPTH),
        {"x": [0] * (limits.DATA_VALUES - 2)},
        {"x": "y" * (limits.DATA_OCTETS - 100)},
        {"name": "Ada", "n": -(2**63), "m": 2**64 - 1, "x": None, "f": 1.5, "b": True, "l": [{"k": "v."}], "\ud800": "\ud800"},
    ],
    ids=["empty", "deep", "many", "large", "all kinds"],
)  # fmt: skip
def test_data_that_can(data: dict[str, object]):
    assert not check(data)
    assert said(check(data)) == []
