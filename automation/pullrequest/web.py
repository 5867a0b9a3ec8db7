"""The report as one HTML file: no script, no outside address, light and dark, readable on a telephone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from jinja2 import Environment
from markupsafe import Markup

from automation.pullrequest.model import Page

STYLE: Final = """
:root { color-scheme: light dark; --ink: #1a1f24; --paper: #ffffff; --soft: #eef1f4; --line: #c3cad1;
  --good: #0a5c2c; --bad: #9d1422; --faint: #4d5761; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8ebee; --paper: #14181c; --soft: #20262c; --line: #46505a;
  --good: #7fdba3; --bad: #ff9aa3; --faint: #b3bcc5; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 72rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.25rem; } h2 { font-size: 1.15rem; border-left: .4rem solid; padding-left: .6rem; }
h3, summary { font-size: 1rem; font-weight: 600; margin: 1.2rem 0 .4rem; }
.good { color: var(--good); } .bad { color: var(--bad); } .label { color: var(--faint); }
.scroll { overflow-x: auto; max-width: 100%; } .scroll:focus { outline: 2px solid var(--good); }
table { border-collapse: collapse; width: 100%; font-size: .875rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid var(--line);
  min-width: 6rem; }
th { background: var(--soft); overflow-wrap: normal; }
ul { padding-left: 1.2rem; margin: .3rem 0; } li { white-space: pre-wrap; }
summary { cursor: pointer; } details { border-top: 1px solid var(--line); }
"""
TEMPLATE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{{ pages | map(attribute="stack") | join(", ") }}: report</title>
<style>{{ style }}</style>
</head>
<body>
<main>
<h1>What this change would do</h1>
{% for page in pages %}<section aria-label="{{ page.stack }}">
<h2 class="{{ 'good' if page.good else 'bad' }}">{{ page.stack }}: {{ page.verdict }}</h2>
<p class="label">{{ "offline: stand-in clouds" if page.label == "offline" else "real clouds" }}</p>
{% for part in page.parts %}{% if part.folded %}<details><summary>{{ part.title }}</summary>
{% else %}<h3>{{ part.title }}</h3>
{% endif %}{% if part.lines %}<ul>
{% for line in part.lines %}<li>{{ line }}</li>
{% endfor %}</ul>
{% endif %}{% if part.table %}<div class="scroll" role="region" aria-label="{{ part.title }}" tabindex="0"><table>
<thead><tr>{% for column in part.table.columns %}<th scope="col">{{ column or "mark" }}</th>{% endfor %}</tr></thead>
<tbody>
{% for row in part.table.rows %}<tr>{% for cell in row %}<td>{{ cell }}</td>{% endfor %}</tr>
{% endfor %}</tbody></table></div>
{% endif %}{% if part.folded %}</details>
{% endif %}{% endfor %}</section>
{% endfor %}</main>
</body>
</html>
"""
_ENGINE: Final = Environment(autoescape=True, keep_trailing_newline=True)


def render(pages: Sequence[Page]) -> str:
    """The file's text; every name and path in it is escaped."""
    return _ENGINE.from_string(TEMPLATE).render(pages=pages, style=Markup(STYLE))  # noqa: S704 - our own constant
