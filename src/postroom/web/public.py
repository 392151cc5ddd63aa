"""Pages anybody may read: the catalogue of refusals, where the links in SMTP replies lead."""

from __future__ import annotations

from html import escape

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from postroom.types.refusals import GROUPS, Rule

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Why a message was refused - Postroom</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.55 system-ui, sans-serif; max-width: 46rem; margin: 2.5rem auto; padding: 0 1.25rem; }}
section {{ border-top: 1px solid #8884; padding: .25rem 0 .75rem; }}
section:target {{ background: #fc03; outline: .5rem solid #fc03; }}
h2 {{ margin: 2.5rem 0 1rem; }} h3 {{ margin: .75rem 0 .25rem; font-size: 1rem; }}
code {{ font-size: .85rem; overflow-wrap: anywhere; }} p {{ margin: .35rem 0; }} a {{ color: inherit; }}
</style>
<h1>Why a message was refused</h1>
<p>Every refusal ends with its name in square brackets. Here is what each of them means and how to mend it.</p>
{sections}
</html>
"""


def router() -> APIRouter:
    routes = APIRouter()
    page = PAGE.format(
        sections="\n".join(
            f"<h2>{escape(title)}</h2>\n" + "\n".join(map(_section, rules)) for title, rules in GROUPS.items()
        )
    )

    @routes.get("/refusals", response_class=HTMLResponse, summary="The catalogue of refusals")
    async def refusals() -> str:
        """Every reason for which a message or a login is refused."""
        return page

    return routes


def _section(rule: Rule) -> str:
    reply = escape(rule.answer)
    return (
        f'<section id="{rule.id}"><h3><a href="#{rule.id}">{rule.id}</a></h3>'
        f"<p><code>{reply}</code> &middot; HTTP {rule.status}</p>"
        f"<p>{escape(rule.what)}</p><p><strong>How to mend it:</strong> {escape(rule.fix)}</p></section>"
    )
