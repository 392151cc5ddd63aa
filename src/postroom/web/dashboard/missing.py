"""The page in place of a dashboard that was not built."""

from __future__ import annotations

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Postroom</title>
<style nonce="{nonce}">
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.55 system-ui, sans-serif; max-width: 40rem; margin: 4rem auto; padding: 0 1.25rem; }}
code {{ font-size: .9rem; }} a {{ color: inherit; }}
</style>
<h1>Postroom is running</h1>
<p>It takes mail and delivers it; only its dashboard is not built. The dashboard is part of every released package. In a
checkout it takes Node.js 20.19 or newer: install that, then run <code>make ui</code> and reload this page.</p>
<p>Until then there is the command line (<code>postroom --help</code>), the <a href="/v1/reference">HTTP API</a>, and the
<a href="/refusals">catalogue of refusals</a>.</p>
</html>
"""
