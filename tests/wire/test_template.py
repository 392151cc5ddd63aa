"""The template language: what Twig's words mean here."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postroom.wire.template import TemplateCache, TemplateProblem, compile, variables
from postroom.wire.template.filters import FILTERS
from postroom.wire.template.operators import FUNCTIONS, OPERATORS, TESTS

ORDER = {
    "name": "Ada",
    "count": 2,
    "price": 12.5,
    "zero": 0,
    "empty": "",
    "no": False,
    "yes": True,
    "nothing": None,
    "digits": "5",
    "items": [{"name": "tea", "price": 3}, {"name": "cup", "price": 8.25}],
    "address": {"city": "Riga", "lines": ["first", "second"]},
    "nested": [[1, 2], [3, 4]],
}


def rendered(source: str, data: dict[str, object] | None = None, **how: bool) -> str:
    return compile(source, html=how.pop("html", False), **how).render(ORDER if data is None else data)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        # values
        ("Hello {{ name }}!", "Hello Ada!"),
        ("{{name}}{{  name  }}", "AdaAda"),
        ("{{ address.city }} {{ address['city'] }} {{ address.lines.1 }} {{ items[0].name }}", "Riga Riga second tea"),
        ("{{ nested.1.0 }} {{ nested.0.1 }}", "3 2"),
        ("[{{ missing }}{{ missing.deeper.still }}{{ name.length }}{{ items.9 }}{{ nothing }}]", "[]"),
        ("{{ yes }}|{{ no }}|{{ zero }}|{{ price }}|{{ 3.0 }}", "1||0|12.5|3"),
        ("{{ 'it\\'s' }} {{ \"a\\nb\" }} {{ 1_000 }} {{ 0.1 + 0.2 }} {{ 1e2 is defined ? 1 : 2 }}", None),
        ("{{ 0.1 + 0.2 }} {{ 2 ** 80 }} {{ 10 / 4 }} {{ 10 / 5 }}", "0.3 1.2089258196146E+24 2.5 2"),
        # arithmetic
        ("{{ count + 1 }} {{ count * price }} {{ 7 - 10 }} {{ 2 + 3 * 4 }} {{ (2 + 3) * 4 }}", "3 25 -3 14 20"),
        ("{{ 7 // 2 }} {{ -7 // 2 }} {{ 7 % 3 }} {{ -7 % 3 }} {{ 2 ** 3 ** 2 }} {{ -count }} {{ +digits }} {{ -2 ** 2 }}",
         "3 -4 1 -1 512 -2 5 -4"),
        ("{{ digits + 1 }} {{ missing + 1 }} {{ yes + 1 }} {{ ' 5 ' + '1.5' }}", "6 1 2 6.5"),
        ("{{ name ~ ' has ' ~ count ~ missing ~ 1.50 }}", "Ada has 21.5"),
        ("{{ 1 + 2 ~ 3 }}", "24"),  # as in Twig, where ~ binds tighter than +
        # comparison and logic
        ("{{ count == 2 ? 'y' : 'n' }}{{ digits == 5 ? 'y' : 'n' }}{{ 'a' == 0 ? 'y' : 'n' }}", "yyn"),
        ("{{ missing == null ? 'y' }}{{ empty == null ? 'y' }}{{ zero == no ? 'y' }}{{ '0' == '' ? 'y' : 'n' }}", "yyyn"),
        ("{{ '1e1' == '10' ? 'y' }}{{ 'b' > 'a' ? 'y' }}{{ '10' > '9' ? 'y' }}{{ count >= 2 ? 'y' }}", "yyyy"),
        ("{{ [1, '2'] == [1, 2] ? 'y' : 'n' }}{{ {a: 1} != {a: 2} ? 'y' : 'n' }}{{ [] == 'x' ? 'y' : 'n' }}", "yyn"),
        ("{{ yes and not no ? 'y' }}{{ no or missing ? 'y' : 'n' }}{{ not count == 5 ? 'y' : 'n' }}", "ynn"),
        ("{{ '0' ? 'y' : 'n' }}{{ [] ? 'y' : 'n' }}{{ {} ? 'y' : 'n' }}{{ ' ' ? 'y' : 'n' }}", "nnny"),
        ("{{ missing ?? name }} {{ nothing ?: 'none' }} {{ no ?? 'x' }}|{{ name ?: 'x' }}", "Ada none |Ada"),
        ("{{ 'tee' in 'steam' ? 'y' : 'n' }}{{ 2 in [1, '2'] ? 'y' }}{{ 'Riga' in address ? 'y' }}{{ 5 not in [] ? 'y' }}",
         "nyyy"),
        ("{{ name starts with 'A' ? 'y' }}{{ name ends with 'x' ? 'y' : 'n' }}", "yn"),
        # tests
        ("{{ name is defined ? 1 : 0 }}{{ nothing is defined ? 1 : 0 }}{{ missing is defined ? 1 : 0 }}", "110"),
        ("{{ items.0.name is defined ? 1 : 0 }}{{ items.7 is not defined ? 1 : 0 }}{{ address.zip is defined ? 1 : 0 }}",
         "110"),
        ("{{ empty is empty ? 1 }}{{ zero is empty ? 1 : 0 }}{{ [] is empty ? 1 }}{{ no is empty ? 1 }}", "1011"),
        ("{{ count is even ? 1 }}{{ 3 is odd ? 1 }}{{ 9 is divisible by(3) ? 1 }}{{ nothing is null ? 1 }}", "1111"),
        ("{{ digits is same as(5) ? 1 : 0 }}{{ items is iterable ? 1 }}{{ name is not iterable ? 1 }}", "011"),
        # conditions
        ("{% if count > 5 %}many{% elseif count == 2 %}two{% else %}few{% endif %}", "two"),
        ("{% if missing %}a{% endif %}{% if name %}b{% endif %}", "b"),
        ("{% if count %}{% if no %}x{% else %}y{% endif %}{% endif %}", "y"),
        # loops
        ("{% for item in items %}{{ loop.index }}:{{ item.name }}{% if not loop.last %}, {% endif %}{% endfor %}",
         "1:tea, 2:cup"),
        ("{% for key, value in address %}{{ key }}{% endfor %}", "citylines"),
        ("{% for n, item in items %}{{ n }}{{ item.name }}{% endfor %}", "0tea1cup"),
        ("{% for x in missing %}a{% else %}none{% endfor %}{% for x in 'text' %}a{% else %}none{% endfor %}", "nonenone"),
        ("{% for i in 1..3 %}{{ i }}{% endfor %} {% for i in range(6, 2, 2) %}{{ i }}{% endfor %}", "123 642"),
        ("{% for row in nested %}{% for n in row %}{{ loop.parent.loop.index }}{{ loop.revindex }}{{ n }} {% endfor %}{% endfor %}",
         "121 112 223 214 "),
        ("{% for i in 1..2 %}{{ loop.first ? 'f' }}{{ loop.index0 }}{{ loop.length }}{{ loop.revindex0 }}{% endfor %}",
         "f021120"),
        ("{% for name in items %}{{ name.name }}{% endfor %}{{ name }}{{ loop }}", "teacupAda"),
        ("{% for i in 1..4 %}{{ cycle(['odd', 'even'], loop.index0) }} {% endfor %}", "odd even odd even "),
        # set
        ("{% set total = 0 %}{% for i in items %}{% set total = total + i.price %}{% endfor %}{{ total }}", "11.25"),
        ("{% for i in 1..2 %}{% set inner = i %}{% endfor %}[{{ inner }}]", "[]"),
        ("{% set a, b = 1, 'x' %}{{ a }}{{ b }}", "1x"),
        # white space, comments, verbatim
        ("a\n{% if 1 %}\nb\n{% endif %}\nc", "a\nb\nc"),
        ("a  {{- 1 -}}  b {{~ 2 ~}} \n c {#- note -#} d", "a1b2\n cd"),
        ("a{# {{ nothing }} #}\r\nb", "ab"),
        ("{% verbatim %}{{ name }}{% endverbatim %} {% verbatim -%} {% if %} {%- endverbatim %}", "{{ name }} {% if %}"),
        ("{{ '}}' }}{{ {a: {b: 1}}.a.b }}{{ {'k': [1, 2]}.k.1 }}{{ {(name): 1}.Ada }}{% set x = {name} %}{{ x.name }}",
         "}}121Ada"),
        ("{ {} } {$name} {a}", "{ {} } {$name} {a}"),
    ],
)  # fmt: skip
def test_what_a_template_says(source: str, expected: str | None):
    if expected is None:
        with pytest.raises(TemplateProblem):
            rendered(source)
    else:
        assert rendered(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ name|upper }}{{ name|lower }}{{ 'hELLO you'|capitalize }}{{ \"o'neil mc-fee\"|title }}",
         "ADAadaHello youO'neil Mc-Fee"),
        ("{{ missing|default('guest') }} {{ empty|default('guest') }} {{ zero|default(9) }} {{ name|default('x') }}",
         "guest guest 0 Ada"),
        ("{{ name|length }} {{ items|length }} {{ address|length }} {{ missing|length }}", "3 2 2 0"),
        ("{{ address|keys|join(',') }} {{ nested.0|join('-') }} {{ ['a', 'b', 'c']|join(', ', ' and ') }}",
         "city,lines 1-2 a, b and c"),
        ("{{ items|first.name }} {{ items|last.name }} {{ name|first }}{{ name|last }} {{ address|first }}", "tea cup Aa Riga"),
        ("{{ '  x '|trim }}|{{ '--x--'|trim('-', side='left') }}", "x|x--"),
        ("{{ 'Hi %n%, %n%'|replace({'%n%': name, '%': '!'}) }}", "Hi Ada, Ada"),
        ("{{ 1.005|round(2) }} {{ 2.5|round }} {{ -2.5|round }} {{ 2.1|round(0, 'ceil') }} {{ 1234|round(-2) }}",
         "1.01 3 -3 3 1200"),
        ("{{ 1234567.891|number_format(2) }} {{ 1234567.891|number_format(2, ',', '.') }} {{ 0.5|number_format }}",
         "1,234,567.89 1.234.567,89 1"),
        ("{{ price|number_format(decimal=2, thousand_sep: ' ') }} {{ -0.4|number_format }}", "12.50 0"),
        ("{{ '2026-11-03'|date('D, j M Y') }} {{ '2026-11-03T18:05:09Z'|date('H:i:s d/m/y') }}", "Tue, 3 Nov 2026 18:05:09 03/11/26"),
        ("{{ 0|date('c') }} {{ '86400'|date('jS F') }} {{ '2026-01-01T00:30:00Z'|date('H:i', '+02:30') }}",
         "1970-01-01T00:00:00+00:00 2nd January 03:00"),
        ("{{ '2024-02-29 09:07'|date('t L z W N w G g A \\\\Y o U') }}", "29 1 59 09 4 4 9 9 AM Y 2024 1709197620"),
        ("{{ [3, 1, '2']|sort|join }} {{ 'abc'|reverse }} {{ [1, 2]|reverse|join }} {{ 'abcdef'|slice(1, 2) }} {{ [1,2,3]|slice(-2)|join }} {{ {b: 2, a: 1}|sort|keys|join }}",
         "123 cba 21 bc 23 ab"),
        ("{{ 'a,b,c'|split(',', 2)|last }} {{ 'a,b'|split(',', -1)|join }} {{ 'abc'|split('', 2)|join('.') }} {{ 'abc'|split('')|join('.') }} {{ [1]|merge([2])|join }} {{ {a: 1}|merge({b: 2})|keys|join }}",
         "b,c a ab.c a.b.c 12 ab"),
        ("{{ '<b>x</b> a < b & c'|striptags }}", "x a < b & c"),
        ("{{ 'a b&c'|url_encode }} {{ {q: 'a b', p: 1}|url_encode }} {{ address.lines|json_encode }}",
         'a%20b%26c q=a%20b&p=1 ["first","second"]'),
        ("{{ -5|abs }} {{ (0 - 5)|abs }} {{ max(1, 3, 2) }} {{ min([4, 2]) }}", "-5 5 3 2"),
        ("{{ '<x>'|escape }}{{ '<x>'|e|upper }}{{ '<x>'|raw }}{{ \"a\\nb\"|nl2br }}", "&lt;x&gt;&LT;X&GT;<x>a<br />\nb"),
        ("{{ missing|upper|trim|title }}{{ missing|first }}{{ missing|join(',') }}{{ missing|keys|join }}", ""),
        ("{{ count + 1|abs }}", "3"),
    ],
)  # fmt: skip
def test_filters(source: str, expected: str):
    assert rendered(source) == expected


def test_the_current_time_is_given_from_outside():
    template = compile('© {{ "now"|date("Y") }}', html=False)
    assert template.render({}, now=1_795_000_000_000) == "© 2026"
    with pytest.raises(TemplateProblem, match="current time"):
        template.render({})


@pytest.mark.parametrize(
    ("source", "line", "message"),
    [
        ("\n\n{{ name", 3, "}} is missing"),
        ("{{ 'x }}", 1, "string is never closed"),
        ('{{ "Hi #{name}" }}', 1, "#{ } inside a string is not available"),
        ("{{ a # b }}", 1, "unexpected character '#'"),
        ("{{ }}", 1, "expected a value before the end"),
        ("{{ a b }}", 1, 'unexpected "b"'),
        ("{{ a + }}", 1, "expected a value"),
        ("{{ (a }}", 1, "expected )"),
        ("{{ [1, 2 }}", 1, "expected ]"),
        ("{{ {'a' 1} }}", 1, "expected :"),
        ("{{ {+: 1} }}", 1, "expected a key"),
        ("{{ a.'b' }}", 1, "expected a name"),
        ("x\n{% if a %}\n", 2, "{% endif %} is missing"),
        ("{% for a in b %}", 1, "{% endfor %} is missing"),
        ("{% for 1 in b %}{% endfor %}", 1, "expected a name"),
        ("{% for a of b %}{% endfor %}", 1, "expected in"),
        ("{% for a in b if a %}{% endfor %}", 1, 'unexpected "if"'),
        ("{% if a %}\n{% endfor %}", 2, "line 1 opened if"),
        ("{% endif %}", 1, "unexpected endif"),
        ("{% else %}", 1, "unexpected else"),
        ("{% if a %}{% else %}{% else %}{% endif %}", 1, "unexpected else"),
        ("{% if a %}{% endif a %}", 1, "unexpected words behind endif"),
        ("{# never", 1, "#} is missing"),
        ("{% verbatim %}", 1, "{% endverbatim %} is missing"),
        ("{% %}", 1, "begins with its name"),
        ("{% spaceless %}", 1, "there is no tag spaceless"),
        ("{% set a %}x{% endset %}", 1, "set needs a value"),
        ("{% set a, b = 1 %}", 1, "as many values as names"),
        ("{{ a|nosuch }}", 1, "there is no filter nosuch"),
        ("{{ nosuch() }}", 1, "there is no function nosuch"),
        ("{{ a is nosuch }}", 1, "there is no test nosuch"),
        ("{{ a|upper(1) }}", 1, "the filter upper: too many"),
        ("{{ a|replace }}", 1, "the filter replace: missing"),
        ("{{ a|round(nope=1) }}", 1, "the filter round: got an unexpected"),
        ("{{ 1 is defined }}", 1, "defined asks about a variable"),
        ("{{ a matches '/x/' }}", 1, "matches is not available"),
        ("{{ a|sort((x, y) => x) }}", 1, "expected )"),
        ("{{ a|sort(x => x) }}", 1, "arrow functions are not available"),
        ("{{ a.b() }}", 1, "no methods"),
    ],
)  # fmt: skip
def test_what_does_not_compile(source: str, line: int, message: str):
    with pytest.raises(TemplateProblem) as caught:
        compile(source, html=False)
    assert (caught.value.line, message in caught.value.message) == (line, True), caught.value.message


@pytest.mark.parametrize("name", ["include", "extends", "import", "macro", "embed", "block", "use", "from"])
def test_p03_templates_do_not_reach_for_other_templates(name: str):
    with pytest.raises(TemplateProblem, match=f"{name} is not available"):
        compile(f"{{% {name} 'other' %}}", html=True)


@pytest.mark.parametrize(
    ("source", "line", "message"),
    [
        ("a\nb {{ 1 / zero }}", 2, "division by zero"),
        ("{{ 5 % 0 }}", 1, "division by zero"),
        ("{{ name + 1 }}", 1, '"Ada" is no number'),
        ("{{ items }}", 1, "a list cannot be printed"),
        ("{{ address ~ 1 }}", 1, "an object cannot be printed"),
        ("{{ items > 1 }}", 1, "cannot be compared"),
        ("{{ name|date }}", 1, '"Ada" is no date'),
        ("{{ 1e|date }}", 1, ""),
        ("{{ 99999999999999|date }}", 1, "out of range"),
        ("{{ '2026-01-01'|date('H', 'Mars/Base') }}", 1, "no time zone"),
        ("{{ name|replace('x') }}", 1, "takes an object"),
        ("{{ name|round }}", 1, "no number"),
        ("{{ price|round(99) }}", 1, "at most 20 digits"),
        ("{{ price|round(1, 'up') }}", 1, "common, ceil or floor"),
        ("{{ name|trim('x', 'up') }}", 1, "left, right or both"),
        ("{{ name|e('css') }}", 1, "html, html_attr, url or js"),
        ("{{ items|merge(name) }}", 1, "two lists or two objects"),
        ("{{ 10 ** 400 }}", 1, "too large"),
        ("{{ (0 - 8) ** 0.5 }}", 1, "whole exponent"),
        ("{{ 0 ** (0 - 1) }}", 1, "too large"),
        ("{{ range(1, 2, 0) }}", 1, "must not be 0"),
        ("{{ max([]) }}", 1, "at least one value"),
    ],
)  # fmt: skip
def test_p05_what_does_not_render_says_where_and_why(source: str, line: int, message: str):
    with pytest.raises(TemplateProblem) as caught:
        rendered(source)
    assert (caught.value.line, message in caught.value.message) == (line, True), caught.value.message


def test_p05_wrong_types_hurt_nobody_but_their_own_row():
    template = compile("{% for item in items %}{{ item.price + 1 }} {% endfor %}", html=False)
    assert template.render({"items": None}) == ""
    assert template.render({"items": [7, "x", None]}) == "1 1 1 "
    with pytest.raises(TemplateProblem):
        template.render({"items": [{"price": "free"}]})
    assert template.render({"items": [{"price": 1}]}) == "2 "


def test_the_variables_that_have_to_come_from_outside():
    source = """{{ name }}{% for item in order.items %}{{ item.name }}{{ loop.index }}{{ currency }}{% endfor %}
        {% set total = total + 1 %}{{ total }}{% set own = 1 %}{{ own }}{{ item }}{{ {short} }}{{ x is defined }}"""
    assert variables(source) == {"name", "order", "currency", "total", "item", "short", "x"}


# -- the legacy syntax -----------------------------------------------------------------------------------


def test_simple_variables():
    template = compile("{$name}, {$order.id} and {$missing}: {{ name }}", html=False, twig=False, simple=True)
    assert template.render({}, simple={"name": "Ada", "order.id": "7"}) == "Ada, 7 and : {{ name }}"


def test_simple_variables_beside_personalization_never_become_a_template():
    template = compile("{$a} {{ b }} {% if b %}{$a}{% endif %}", html=False, simple=True)
    assert template.render({"b": "{$a}"}, simple={"a": "{{ b }}"}) == "{{ b }} {$a} {{ b }}"


def test_simple_variables_are_escaped_by_where_they_stand():
    template = compile('<a title="{$a}">{$a}</a>', html=True, simple=True)
    assert (
        template.render({}, simple={"a": '<b>"</b>'}) == '<a title="&lt;b&gt;&quot;&lt;/b&gt;"><b>"</b></a>'
    )


# -- subjects, odd characters ----------------------------------------------------------------------------

CONTROLS = [chr(code) for code in (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029)]


@pytest.mark.parametrize("char", CONTROLS, ids=lambda char: f"{ord(char):04x}")
def test_p04_a_subject_stays_one_line(char: str):
    template = compile(f"Order {char}{{{{ id }}}}{{{{ id|raw }}}} {char}", html=False, one_line=True)
    subject = template.render({"id": f"7{char}Bcc: x@x.test{char}"})
    assert subject.isprintable()
    assert (
        subject.split() == ["Order", "7", "Bcc:", "x@x.test", "7", "Bcc:", "x@x.test"]
        or ord(char) < 0x20
        or char == "\x7f"
    )


def test_a_subject_has_an_end():
    template = compile("{{ x }}", html=False, one_line=True)
    assert template.render({"x": "s" * 998}) == "s" * 998
    with pytest.raises(TemplateProblem, match="too long"):
        template.render({"x": "s" * 999})


@pytest.mark.parametrize(
    "text", ["שלום עולם", "👩‍👩‍👧‍👦🏳️‍🌈", "e\u0301\u0323", "\u202eabc", "a" * 100_000, "日本語", "\ufeffx", "tab\tline\r\nend"],
    ids=range(8),
)  # fmt: skip
def test_p07_text_comes_through_as_it_is(text: str):
    assert compile("{{ x }}", html=False).render({"x": text}) == text
    assert compile("<p>{{ x }}</p>", html=True).render({"x": text}) == f"<p>{text}</p>"


@pytest.mark.parametrize("html", [False, True])
def test_p07_what_no_mail_may_hold_is_left_out(html: bool):
    assert compile("{{ x }}", html=html).render({"x": "a\0b\x08c\x7f\ud800d"}) == "abcd"


# -- the cache -------------------------------------------------------------------------------------------


def test_the_same_content_is_compiled_once():
    cache = TemplateCache()
    first = cache.compile("{{ a }}", html=True)
    assert cache.compile("{{ a }}", html=True) is first
    assert cache.compile("{{ a }}", html=False) is not first
    assert cache.compile("{{ a }}", html=True, simple=True) is not first


def test_the_cache_forgets_what_was_not_used_for_longest():
    one = compile("{{ a }}", html=False).octets
    cache = TemplateCache(octets=2 * one)
    a, b = cache.compile("{{ a }}", html=False), cache.compile("{{ b }}", html=False)
    assert cache.compile("{{ a }}", html=False) is a
    cache.compile("{{ c }}", html=False)
    assert cache.compile("{{ a }}", html=False) is a
    assert cache.compile("{{ b }}", html=False) is not b


def test_what_is_larger_than_the_cache_is_compiled_anyway():
    assert TemplateCache(octets=10).compile("{{ a }}", html=False).render({"a": 1}) == "1"


# -- anything at all -------------------------------------------------------------------------------------

PIECES = st.sampled_from(
    [
        "{{",
        "}}",
        "{%",
        "%}",
        "{#",
        "#}",
        "if",
        "endif",
        "for",
        "in",
        "endfor",
        "else",
        "elseif",
        "set",
        "=",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ".",
        "|",
        ",",
        ":",
        "?",
        "~",
        "..",
        "**",
        "not",
        "is",
        "defined",
        "'a'",
        '"b"',
        "1",
        "2.5",
        "name",
        "items",
        "loop",
        "upper",
        "join",
        "-",
        "+",
        "*",
        "/",
        "%",
        "==",
        "<",
        ">",
        "{$name}",
        "<a",
        'href="',
        "'>",
        "</a>",
        "<script>",
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(PIECES, max_size=30), st.booleans(), st.dictionaries(st.sampled_from(["name", "items"]), VALUES)
)
def test_nothing_but_a_problem_comes_out_of_a_strange_template(
    pieces: list[str], html: bool, data: dict[str, object]
):
    with suppress(TemplateProblem):
        compile(" ".join(pieces), html=html, simple=True).render(data)


ODD = VALUES | st.sampled_from(
    ["", "0", "-1", "1e999", "9" * 400, "2026-02-30", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "%", "\ud800",
     10**30, 2**63, -(2**63), 1e308, -0.0, 5e-324, True, None, [], {}, [[]], {"": ""}]
)  # fmt: skip
DOINGS = [
    *[f"a|{name}" for name in FILTERS],
    *[f"a|{name}(b)" for name in FILTERS],
    *[f"a|{name}(b, c)" for name in FILTERS],
    *[f"a {operator} b" for operator in OPERATORS],
    *[f"{name}(a, b)" for name in FUNCTIONS],
    *[f"a is {name}" for name in TESTS],
    *("a is divisible by(b)", "a is same as(b)", "a[b]", "-a", "not a", "a ? b : c", "[a, b]", "{(a): b}", "a.b.c"),
]  # fmt: skip


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(DOINGS), ODD, ODD, ODD, st.booleans())
def test_nothing_but_a_problem_comes_out_of_strange_values(
    doing: str, a: object, b: object, c: object, html: bool
):
    with suppress(TemplateProblem):
        compile(f"{{{{ {doing} }}}}", html=html).render({"a": a, "b": b, "c": c}).encode()
