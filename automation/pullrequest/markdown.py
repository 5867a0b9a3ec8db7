"""Markdown for the forges: whatever stands in a name stays text, and no comment is longer than the forge takes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from automation.pullrequest.model import Page, Part

MARKER: Final = "<!-- cloud-ecosystem report -->"
LIMIT: Final = 65_536
"""Characters of a comment, https://github.com/orgs/community/discussions/27190, 2026-11-21."""
ROWS: Final = 200
_ACTIVE: Final = re.compile(r"([\\`*_{}\[\]()#+!|~$])")


def safe(text: str) -> str:
    """Plain text that no forge reads as Markdown, HTML, a mention or a link."""
    text = "".join(" " if c in "\r\n\t" else c for c in text if c.isprintable() or c in "\r\n\t")
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = _ACTIVE.sub(r"\\\1", text)
    return re.sub(r"(?<![\w])@(?=\w)", "&#64;", text).replace("://", "&#58;//")


def _table(part: Part, rows: int) -> list[str]:
    if part.table is None:
        return []
    head = "| " + " | ".join(safe(column) or " " for column in part.table.columns) + " |"
    lines = ["", head, "|" + "---|" * len(part.table.columns)]
    lines += ["| " + " | ".join(safe(cell) for cell in row) + " |" for row in part.table.rows[:rows]]
    left = len(part.table.rows) - rows
    return [*lines, "", *([f"... and {left} more: see the full report."] if left > 0 else [])]


def _part(part: Part, rows: int) -> str:
    body = [f"- {safe(line)}" for line in part.lines[:rows]]
    if len(part.lines) > rows:
        body.append(f"- ... and {len(part.lines) - rows} more: see the full report.")
    body += _table(part, rows)
    text = "\n".join(body).strip()
    if part.folded:
        return f"<details><summary>{safe(part.title)}</summary>\n\n{text}\n\n</details>\n"
    return f"### {safe(part.title)}\n\n{text}\n"


def _page(page: Page, rows: int) -> str:
    mark = "\u2705" if page.good else "\u26d4"
    label = "offline: stand-in clouds" if page.label == "offline" else "real clouds"
    head = f"## {mark} {safe(page.stack)}: {safe(page.verdict)}\n\n_{label}_\n"
    return "\n".join((head, *(_part(part, rows) for part in page.parts)))


def render(pages: Sequence[Page], *, full_report: str = "", order: str = "", limit: int = LIMIT) -> str:
    """One comment: the hidden marker, then every stack. Too long: rows go, then the parts that matter least.

    `order` (the run's number) stands in the marker, so that an older run does not overwrite a newer one's comment.
    """
    marker = MARKER if not order else MARKER.replace(" -->", f" {re.sub(r'[^0-9]', '', order)} -->")
    link = f"\nFull report: {safe(full_report)}\n" if full_report else ""
    kept = list(pages)
    for least in range(5, -1, -1):
        for rows in (ROWS, 50, 10, 3):
            text = "\n".join((marker, *(_page(page, rows) for page in kept), link))
            if len(text) <= limit:
                return text
        kept = [_without(page, least) for page in kept]
    short = "\n".join(f"- {safe(page.stack)}: {safe(page.verdict)[:300]}" for page in kept)
    text = f"{marker}\n{short}\n\nToo long for a comment.\n{link}"
    return text if len(text) <= limit else text[: limit - 4] + "\n..."


def _without(page: Page, least: int) -> Page:
    """The page without the parts of that rank; it says which are left out."""
    gone = [part.title for part in page.parts if part.least == least and least]
    if not gone:
        return page
    note = Part("left-out", "Left out here", tuple(f"{title}: see the full report" for title in gone))
    parts = tuple(part for part in page.parts if part.least != least and part.key != "left-out")
    said = next((part.lines for part in page.parts if part.key == "left-out"), ())
    return replace(page, parts=(*parts, replace(note, lines=(*said, *note.lines))))
