"""Run in a process of its own by test_template_limits: templates that try to take all memory or time.

Prints one line of JSON for each: its name and how it ended.
"""

from __future__ import annotations

import json
import resource
import sys

from postroom.wire.template import TemplateProblem, check, compile

ROOM = 96 * 1024 * 1024
SECONDS = 60

LARGE = "x" * 250_000
COMPILE = {
    "minus": "{{" + "-" * 900 + "1 }}",
    "a million minus": "{{" + "-" * 1_000_000 + "1 }}",
    "not": "{{" + "not " * 900 + "1 }}",
    "parentheses": "{{" + "(" * 900,
    "lists": "{{" + "[" * 900,
    "objects": "{{" + "{a:" * 300,
    "sum": "{{ 1" + "+1" * 450 + " }}",
    "a long sum": "{{ 1" + "+1" * 500_000 + " }}",
    "filters": "{{ a" + "|upper" * 450 + " }}",
    "members": "{{ a" + ".a" * 450 + " }}",
    "items": "{{ a" + "[a]" * 300 + " }}",
    "conditionals": "{{ " + "a ? b : " * 200 + "c }}",
    "powers": "{{ 2" + " ** 2" * 450 + " }}",
    "ifs": "{% if 1 %}" * 200_000,
    "elses": "{% if 1 %}" + "{% elseif 1 %}" * 100_000 + "{% endif %}",
    "fors": "{% for a in b %}" * 100_000,
    "prints": "{{ a }}" * 290_000,
    "comments": "{#" * 1_000_000,
    "many comments": "{##}" * 500_000,
    "braces": "{{" * 1_000_000,
    "blanks": "{{" + " " * 2_000_000,
    "verbatim": "{% verbatim %}" * 149_000,
    "many verbatim": "{% verbatim %}{% endverbatim %}" * 67_000,
    "string": "{{ '" + "\\'" * 1_000_000,
    "long string": "{{ '" + "x" * 2_000_000 + "' }}",
    "strings": "{{ " + "'x'~" * 500_000,
    "number": "{{ " + "9" * 2_000_000 + " }}",
    "name": "{{ " + "n" * 2_000_000 + " }}",
    "tags": "<a " * 690_000,
    "attributes": "<a" + " b=c" * 520_000,
    "quotes": '<a b="' * 340_000,
    "angles": "<" * 2_000_000,
    "html comments": "<!--" * 500_000,
    "scripts": "<script>" * 250_000,
    "script and value": "<script>{{ a }}" * 4_000,
    "conditions": "<!--[if " * 250_000,
    "simple variables": "{$a}" * 500_000,
}
RENDER = {
    "multiplied text": "{{ 'a' * 90000000 }}",
    "replaced text": "{{ ('" + "a" * 20_000 + "')|replace({'a': '" + "b" * 20_000 + "'}) }}",
    "replaced with nothing": "{{ large|replace({'': large}) }}",
    "nested loops": "{% for i in 1..9000 %}{% for j in 1..9000 %}x{% endfor %}{% endfor %}",
    "range": "{{ range(1, 10 ** 18)|length }}",
    "doubled text": "{% set a = 'aaaaaaaaaa' %}" + "{% set a = a ~ a %}" * 40 + "{{ a|length }}",
    "doubled list": "{% set a = [1] %}" + "{% set a = a|merge(a) %}" * 40 + "{{ a|length }}",
    "printed large": "{% for i in 1..900 %}{{ large }}{% endfor %}",
    "text in a loop": "{% for i in 1..900 %}" + "t" * 100_000 + "{% endfor %}",
    "set in a loop": "{% set a = 'x' %}{% for i in 1..900 %}{% set a = a ~ a %}{% endfor %}",
    "laughs as json": "{% set a = [1] %}" + "{% set a = [a,a,a,a,a,a,a,a] %}" * 30 + "{{ a|json_encode }}",
    "laughs compared": "{% set a = [1] %}{% set b = [1] %}" + "{% set a = [a,a,a,a] %}{% set b = [b,b,b,b] %}" * 30 + "{{ a == b }}",
    "nested by a loop": "{% set a = 1 %}{% for i in 1..9000 %}{% set a = [a] %}{% endfor %}{{ a|json_encode }}",
    "nested and compared": "{% set a, b = 1, 1 %}{% for i in 1..9000 %}{% set a, b = [a], [b] %}{% endfor %}{{ a == b }}",
    "joined": "{{ range(1, 9000)|join(large) }}",
    "split": "{% for i in 1..900 %}{% set a = large|split('') %}{% endfor %}",
    "split and kept": "{% set a = [] %}{% for i in 1..900 %}{% set a = a|merge([large|split('x')]) %}{% endfor %}",
    "uppercase": "{% for i in 1..900 %}{% set a = large|upper %}{% endfor %}",
    "url encoded": "{% set a = '\u00e9' %}" + "{% set a = a ~ a %}" * 22 + "{{ a|url_encode }}",
    "url encoded again": "{% set a = large %}" + "{% set a = a|url_encode|url_encode %}" * 20,
    "escaped again": "{% set a = '&' %}{% for i in 1..9999 %}{% set a = (a ~ '&')|e ~ '' %}{% endfor %}",
    "padded": "{{ 'x'|center(900000000) }}",
    "formatted": "{{ '%900000000d'|format(1) }}",
    "indented": "{{ 'x'|indent(900000000) }}",
    "lorem ipsum": "{{ lipsum(n=100000) }}",
    "rounded": "{{ 1|round(900000000) }}",
    "decimals": "{{ 1|number_format(900000000) }}",
    "separators": "{% set a = large ~ large ~ large %}{{ (10 ** 300)|number_format(0, '.', a) }}",
    "power": "{{ 10 ** 10 ** 10 }}",
    "small powers": "{% set a = 2 %}" + "{% set a = a ** a %}" * 20 + "{{ a }}",
    "sorted": "{% for i in 1..900 %}{% set a = range(1, 5000)|sort %}{% endfor %}",
    "date pattern": "{{ 0|date(large ~ large) }}{% for i in 1..900 %}{% set a = 0|date(large) %}{% endfor %}",
    "title": "{% for i in 1..900 %}{% set a = large|title %}{% endfor %}",
    "stripped": "{% for i in 1..900 %}{% set a = angles|striptags %}{% endfor %}",
    "found inside": "{% for i in 1..900 %}{% if 'xxxxy' in large %}{% endif %}{% endfor %}",
    "compared text": "{% for i in 1..900 %}{% if large == also %}{% endif %}{% endfor %}",
    "prefix": "{% for i in 1..900 %}{% if large starts with also %}{% endif %}{% endfor %}",
    "numeric text": "{% for i in 1..900 %}{% if digits == digits %}{% endif %}{% endfor %}",
    "sanitised": "{{ tags }}",
    "sanitised again": "{% for i in 1..900 %}{{ some }}{% endfor %}",
    "line ends": "{% for i in 1..900 %}{{ lines|nl2br }}{% endfor %}",
    "in script": "<script>{% for i in 1..900 %}{{ large }}{% endfor %}</script>",
    "in attribute": '<a title="{% for i in 1..900 %}{{ quotes }}{% endfor %}">',
    "unquoted": "<a title={% for i in 1..900 %}{{ quotes }}{% endfor %}>",
    "url": "{% for i in 1..900 %}<a href='{{ quotes }}'>{% endfor %}",
}  # fmt: skip
DATA = {
    "large": LARGE,
    "also": LARGE[:-1] + "y",
    "digits": "1" * 900,
    "angles": "<a" * 100_000,
    "tags": "<ul><li>" * 30_000,
    "some": "".join(f"<b id={n}>" for n in range(240)) + "<p>x" * 240,
    "lines": "<p>\n" * 400,
    "quotes": "' \"" * 80_000,
}


def limit() -> None:
    with open("/proc/self/statm") as statm:
        size = int(statm.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + ROOM, size + ROOM))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))


def ended(source: str) -> str:
    try:
        return f"rendered: {len(compile(source, html=True, simple=True).render(DATA))}"
    except TemplateProblem as problem:
        return f"problem: {problem.message[:60]}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def main() -> None:
    limit()
    for name, source in (COMPILE | RENDER).items():
        sys.stdout.write(json.dumps((name, ended(source))) + "\n")
    deep: list[object] = []
    for _ in range(1_000_000):
        deep = [deep]
    sys.stdout.write(json.dumps(("deep data", f"problem: {check({'a': deep}).other}")) + "\n")
    while deep:
        deep = deep.pop()  # type: ignore[assignment]


main()
