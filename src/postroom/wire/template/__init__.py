"""Personalization: MailerSend's subset of Twig 3, from source to text. Pure, and safe to run for strangers.

    lexer -> statements (+ expressions) -> functions that write into a frame -> text

- `template`   compile and render: the two calls that everybody else uses
- `lexer`      text, print, tag; white space control; the tokens between braces
- `statements` if, for, set; `loops` runs a for; `names` knows which variables come from outside
- `expressions`, `operators`, `filters`, `dates`: what may stand between braces; `values`: what it means (PHP's rules)
- `html_context`, `escaping`: how a value is written, by where it stands in the HTML; limited HTML through nh3
- `limits`, `frame`: what a render may cost, and who keeps count; `cache`: compiled templates
- `data`       what personalization data may look like

Rules. Values are JSON's and never compiled; no attribute of a Python object can be reached, there is nothing to call
but the filters, functions and tests listed here. Undefined prints nothing. No includes, imports, macros, inheritance.
Everything is bounded: sizes and depth when compiling, steps and output when rendering.

Why not an engine from the shelf: Jinja2's sandbox can exhaust memory while it compiles and has had escapes.
minijinja's fuel counts instructions, not what they cost: within 100,000 of them a template wrote 500 MB, one
multiplication took 270 MB, and some hundred kilobytes of `-`, `not`, `+1`, `|upper` or `.a` crash the process. A
reader of Twig of our own was needed in any case (`elseif`, `?:`, `..`, `~`, `for key, value`, PHP's idea of what is
equal, HTML contexts). Running it here costs 20 to 35 us more for a mail with 50 values, whose signature takes 230.
"""

from postroom.wire.template.cache import TemplateCache
from postroom.wire.template.data import DataProblems, check
from postroom.wire.template.names import RESERVED
from postroom.wire.template.problem import ReservedName, TemplateProblem
from postroom.wire.template.template import Template, compile, variables

__all__ = [
    "RESERVED",
    "DataProblems",
    "ReservedName",
    "Template",
    "TemplateCache",
    "TemplateProblem",
    "check",
    "compile",
    "variables",
]
