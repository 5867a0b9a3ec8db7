"""The console's page, style and script: no build step, no outside address, every word of others escaped."""

from __future__ import annotations

from typing import Any, Final

from jinja2 import Environment

from automation.pullrequest.web import STYLE as REPORT_STYLE

STYLE: Final = (
    REPORT_STYLE
    + """
nav a { margin-right: 1rem; } form { margin: 2rem 0; } input, button { font: inherit; padding: .4rem; }
.success, .ok { color: var(--good); } .failure, .failed, .refused, .degraded { color: var(--bad); }
#live { color: var(--faint); }
"""
)
SCRIPT: Final = """"use strict";
const live = document.getElementById("live");
const events = new EventSource("/events");
events.addEventListener("open", () => { live.textContent = "live"; });
events.addEventListener("error", () => { live.textContent = "not connected: this is what was known last"; });
events.addEventListener("changed", async () => {
  const answer = await fetch("/part", { credentials: "same-origin" });
  if (!answer.ok) { live.textContent = "not allowed any more: sign in again"; return; }
  const open = new Set([...document.querySelectorAll("details[open]")].map(d => d.id));
  document.getElementById("content").innerHTML = await answer.text();
  for (const d of document.querySelectorAll("details")) d.open = open.has(d.id);
});
"""
_PART: Final = """{% macro table(title, id, columns, rows) %}<section aria-label="{{ title }}">
<h2 id="{{ id }}">{{ title }}</h2>
{% if rows %}<div class="scroll" role="region" aria-label="{{ title }}" tabindex="0"><table>
<thead><tr>{% for name in columns %}<th scope="col">{{ name }}</th>{% endfor %}</tr></thead>
<tbody>{% for row in rows %}<tr>{% for name in columns %}<td>{{ row.get(name, "") }}</td>{% endfor %}</tr>
{% endfor %}</tbody></table></div>{% else %}<p class="label">nothing yet</p>{% endif %}
</section>
{% endmacro %}<section aria-label="Runs">
<h2 id="runs">Runs and stages</h2>
{% if broken %}<p class="failure">{{ broken }}</p>{% endif %}
{% for run in runs %}<details id="run-{{ run.id }}"><summary>{{ run.name }} {{ run.environment }}:
<span class="{{ run.conclusion }}">{{ run.conclusion }}</span> {{ run.at }} {{ run.commit }}</summary>
<ul>{% for job in run.jobs %}<li>{{ job.name }}: <span class="{{ job.conclusion }}">{{ job.conclusion }}</span>
<ul>{% for step in job.steps %}<li>{{ step.name }}: {{ step.conclusion }}, {{ step.seconds }} s {{ step.why }}</li>
{% endfor %}</ul></li>{% endfor %}</ul></details>
{% else %}<p class="label">no run was recorded yet</p>{% endfor %}
</section>
{{ table("Gates that refused", "gates", ("at", "action", "stack", "reason"), gates) }}
{{ table("Drift, as last looked for", "drift", ("stack", "mode", "at", "drifted", "names"), drift) }}
{{ table("Drift that is let be", "let-be", ("stack", "urn", "path", "until", "reason", "who"), ignored) }}
{{ table("Cost, USD a month", "cost", ("stack", "mode", "at", "cost_monthly_usd"), cost) }}
{{ table("Alerts", "alerts", ("last", "kind", "subject", "times", "acknowledged"), alerts) }}
<section aria-label="Key figures"><h2 id="figures">Key figures</h2>
<ul>{% for name, one in figures.items() %}<li>{{ name }}: {{ one.value }} {{ one.unit }} ({{ one.runs }} runs)</li>
{% endfor %}</ul></section>
{{ table("Ledger", "ledger", ("seq", "at", "who", "action", "stack", "outcome", "reason", "hash"), ledger) }}"""
_HEAD: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>cloud-ecosystem: console</title>
<link rel="stylesheet" href="/console.css">
</head>
<body>
"""
_PAGE: Final = (
    _HEAD
    + """<main>
<h1>What runs, and what ran</h1>
<nav aria-label="Parts">{% for name in ("runs", "gates", "drift", "cost", "alerts", "figures", "ledger") %}
<a href="#{{ name }}">{{ name }}</a>{% endfor %}</nav>
<p id="live" role="status">not connected yet</p>
<div id="content">"""
    + _PART
    + """</div>
</main>
<script src="/console.js"></script>
</body>
</html>
"""
)
_LOGIN: Final = (
    _HEAD
    + """<main>
<h1>Sign in</h1>
{% if wrong %}<p class="failure" role="alert">That is not the token.</p>{% endif %}
<form method="post" action="/login">
<label for="token">The token that `console` printed when it started</label>
<input id="token" name="token" type="password" autocomplete="current-password" required>
<button>Sign in</button>
</form>
</main>
</body>
</html>
"""
)
_ENGINE: Final = Environment(autoescape=True)


def page(data: dict[str, Any]) -> str:
    """The whole page."""
    return _ENGINE.from_string(_PAGE).render(**data)


def part(data: dict[str, Any]) -> str:
    """What is exchanged when something changed."""
    return _ENGINE.from_string(_PART).render(**data)


def login(*, wrong: bool) -> str:
    """The door."""
    return _ENGINE.from_string(_LOGIN).render(wrong=wrong)
