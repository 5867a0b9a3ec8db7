"""The report for people: rich on a terminal, Markdown for a pull request; both read the same dictionary as JSON."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from rich.console import Console

FINDINGS_SHOWN: Final = 30
_NUMBER: Final = re.compile(r"[-+]?[\d,]*\.?\d*%?|unknown|\d{4}-\d\d-\d\d")
"""A cell of a column of numbers; what is missing is an empty one."""
Row = tuple[Any, ...]
Part = tuple[str, Row, list[Row]]
"""Title, columns, rows of texts."""


def _changes(report: dict[str, Any]) -> Part:
    rows: list[Row] = [(r["cloud"], r["component"], r["op"], str(r["count"])) for r in report.get("changes", [])]
    return "Changes", ("cloud", "component", "operation", "count"), rows


def _changed(report: dict[str, Any]) -> Part:
    rows: list[Row] = [
        ("!" if r["stateful"] else "", r["op"], r["urn"].rsplit("::", 1)[-1], r["type"], ", ".join(r["paths"])[:120])
        for r in report.get("changed", [])
    ]
    return (
        "Updated, replaced or deleted (! = stateful or protected would be lost)",
        ("", "op", "name", "type", "paths"),
        rows,
    )


def _sizing(report: dict[str, Any]) -> Part:
    before = {(r["cluster"], r["pool"], r["slot"]): r for r in report.get("sizing_before", [])}
    rows: list[Row] = []
    for r in report.get("sizing", []):
        if not r["desired"] and not r["min"]:
            continue
        was = before.get((r["cluster"], r["pool"], r["slot"]))
        news = ("instance_type", "min", "max", "spot")
        mark = "new" if was is None else ("changed" if any(was[k] != r[k] for k in news) else "")
        bounds = f"{r['min']} / {r['desired']} / {r['max']}"
        gap = "" if r.get("gap") is None else f"{float(r['gap']):.1%}"
        rows.append(
            (
                r["cluster"],
                f"{r['pool']}-{r['slot']}",
                str(r["instance_type"]),
                bounds,
                "spot" if r["spot"] else "on demand",
                f"{float(r['nodes_cost_usd']):,.2f}",
                gap,
                str(r.get("winner") or ""),
                str(r.get("evidence") or "")[:12],
                *([mark] if before else []),
            )
        )
    columns = ("cluster", "pool", "type", "min / desired / max", "capacity", "USD/month", "gap", "winner", "evidence")
    return "Node pools", (*columns, "change") if before else columns, rows


def _cost(report: dict[str, Any]) -> Part:
    bill = report.get("cost_monthly_usd")
    if not bill:
        return "", (), []
    rows: list[Row] = [(cloud, f"{amount:,.2f}") for cloud, amount in bill["by_cloud"].items()]
    rows.append(("before", f"{bill['before']:,.2f}"))
    rows.append(("after", f"{bill['after']:,.2f}"))
    if report.get("budget_usd"):
        rows.append(("budget", f"{report['budget_usd']:,.2f}"))
    rows.append(("oldest price", str(bill["oldest_price"])))
    rows.append(("without a price", str(len(bill["unpriced"]))))
    rows.append(("priced by use, not in the sum", str(len(bill["by_use"]))))
    rows.append(("price of another region", str(len(bill["approximate"]))))
    return "Cost, USD a month at list price", ("", ""), rows


def _findings(report: dict[str, Any]) -> Part:
    law = report.get("policy")
    if not law:
        return "", (), []
    if not law["judged"]:
        return "Policy: NOT JUDGED (--no-policies)", (), []
    title = (
        f"Policy: {law['mandatory']} mandatory, {law['advisory']} advisory, {law['remediated']} remediated; "
        f"{law['evaluated']} pairs of rule and resource judged, {law['undetermined']} undetermined"
    )
    ordered = sorted(law["findings"], key=lambda f: (f["level"] != "mandatory", f["rule"], f["urn"]))
    rows: list[Row] = [
        (f["level"], f["rule"], f["urn"].rsplit("::", 1)[-1], f["path"], f["message"]) for f in ordered[:FINDINGS_SHOWN]
    ]
    if len(ordered) > FINDINGS_SHOWN:
        rows.append(("", "", f"... and {len(ordered) - FINDINGS_SHOWN} more (--json)", "", ""))
    rows += [("let be", e["rule"], e["urn"].rsplit("::", 1)[-1], e["path"], e["why"]) for e in law.get("excused", ())]
    return title, ("level", "rule", "resource", "path", "finding"), rows


def _drift(report: dict[str, Any]) -> Part:
    rows: list[Row] = [
        (r["op"], r["type"], r["urn"].rsplit("::", 1)[-1], ", ".join(r["paths"])) for r in report.get("drift", [])
    ]
    return "Drift", ("what", "type", "name", "paths"), rows


PARTS: Final[tuple[Callable[[dict[str, Any]], Part], ...]] = (
    _changes,
    _changed,
    _sizing,
    _findings,
    _cost,
    _drift,
)


def open_questions(pairs: list[dict[str, str]]) -> str:
    """Rules that could not decide, and for how many resources each: the most open one first."""
    counts = Counter(one["rule"] for one in pairs)
    told = ", ".join(f"{rule} {count}" for rule, count in sorted(counts.items(), key=lambda one: (-one[1], one[0])))
    return f"undetermined, by rule: {told} (--json lists each)"


def _facts(report: dict[str, Any]) -> Iterator[str]:
    if pairs := (report.get("policy") or {}).get("undetermined_list"):
        yield open_questions(pairs)
    if "resources" in report:
        regions = sum(len(names) for names in report["regions"].values())
        yield f"{report['resources']} resources on {', '.join(report['clouds']) or 'no cloud'}, {regions} regions"
    for key, text in (
        ("preview_steps", "preview"),
        ("up_steps", "up"),
        ("second_up_changes", "changes of a second up"),
        ("refresh_changes", "changes found by refresh"),
        ("left_after_destroy", "left in the stand-in clouds after destroy"),
    ):
        if key in report:
            value = report[key]
            shown = ", ".join(f"{count} {op}" for op, count in value.items()) if isinstance(value, dict) else value
            yield f"{text}: {shown if shown != '' else 'nothing'}"
    yield from report.get("notes", [])
    if "seconds" in report:
        yield "seconds: " + ", ".join(f"{phase} {seconds:.1f}" for phase, seconds in report["seconds"].items())


def terminal(report: dict[str, Any], console: Console) -> None:
    """Print the report with tables."""
    from rich.table import Table  # noqa: PLC0415

    console.rule(f"{report['stack']}: {report['header']}", style="bold")
    for refusal in report.get("refusals", []):
        console.print(f"REFUSED ({refusal['code']}): {refusal['sentence']}", style="bold red", markup=False)
        for line in refusal["details"]:
            console.print(f"  {line}", markup=False, highlight=False)
    for part in PARTS:
        title, columns, rows = part(report)
        if not rows:
            if title.startswith("Policy"):
                console.print(title, markup=False)
            continue
        table = Table(title=title, title_justify="left", title_style="bold", show_header=any(columns))
        for place, column in enumerate(columns):
            numbers = all(_NUMBER.fullmatch(row[place]) for row in rows)
            table.add_column(column, overflow="fold", justify="right" if numbers else "left")
        for row in rows:
            table.add_row(*(cell.replace("[", "\\[") for cell in row))
        console.print(table)
    for fact in _facts(report):
        console.print(fact, markup=False, highlight=False)


def markdown(report: dict[str, Any]) -> str:
    """The report for a pull request."""
    lines = [f"## {report['stack']}", "", f"**{report['header']}**", ""]
    for refusal in report.get("refusals", []):
        lines += [
            f"> **Refused ({refusal['code']})**: {refusal['sentence']}",
            *(f"> - `{d}`" for d in refusal["details"]),
            "",
        ]
    lines += [f"- {fact}" for fact in _facts(report)] + [""]
    for part in PARTS:
        title, columns, rows = part(report)
        if not title:
            continue
        lines += [f"### {title}", ""]
        if rows:
            lines.append("| " + " | ".join(columns) + " |")
            lines.append("|" + "---|" * len(columns))
            lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
            lines.append("")
    return "\n".join(lines)
