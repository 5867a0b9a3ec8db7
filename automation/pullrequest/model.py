"""The report's dictionary in the order in which people decide: verdict, losses, changes, pools, cost, law, reach."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

QUIET: Final = frozenset({"same", "read", "refresh", "discard"})
KEEPS: Final = frozenset({"update", "import"})
"""Operations of the list of changes that take nothing away."""
SHOWN_PATHS: Final = 12
MOST: Final = 0.999999
"""A share beyond this is not printed: no assumption carries more digits."""


@dataclass(frozen=True)
class Table:
    """Rows under columns; every cell is plain text, whoever wrote it."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Part:
    """One part of the report; `folded` ones are closed until somebody opens them, `least` ones go first for space."""

    key: str
    title: str
    lines: tuple[str, ...] = ()
    table: Table | None = None
    folded: bool = False
    least: int = 0


@dataclass(frozen=True)
class Page:
    """Everything that is rendered."""

    stack: str
    verdict: str
    good: bool
    label: str
    parts: tuple[Part, ...] = field(default=())


def _usd(amount: float) -> str:
    return f"{amount:,.2f} USD"


def _signed_usd(amount: float) -> str:
    return f"{'+' if amount >= 0 else '-'}{abs(amount):,.2f} USD"


def _count(report: Mapping[str, Any], *ops: str) -> int:
    steps = report.get("preview_steps", {})
    return sum(steps.get(op, 0) for op in ops)


def _verdict(report: Mapping[str, Any]) -> tuple[str, bool]:
    """One line that says whether to go on, and the numbers that matter most."""
    steps = {op: n for op, n in report.get("preview_steps", {}).items() if op not in QUIET and n}
    changes = ", ".join(f"{n} {op}" for op, n in sorted(steps.items())) or "no changes"
    bill = report.get("cost_monthly_usd")
    cost = f"; {_signed_usd(bill['after'] - bill['before'])} a month" if bill else ""
    refusals = report.get("refusals", [])
    if refusals:
        codes = ", ".join(sorted({one["code"] for one in refusals}))
        return f"REFUSED ({codes}): {changes}{cost}", False
    if not report.get("policy", {}).get("judged", True):
        return f"NOT JUDGED by the law: {changes}{cost}", False
    lost = sum(row["stateful"] for row in report.get("changed", []))
    if lost:
        return f"LOSES {lost} stateful resources: {changes}{cost}", False
    return f"Good to go: {changes}{cost}", True


def _refusals(report: Mapping[str, Any]) -> Part:
    lines = []
    for one in report.get("refusals", []):
        lines.append(f"{one['code']}: {one['sentence']}")
        lines += [f"    {detail}" for detail in one["details"]]
    return Part("refusals", "Why it is refused", tuple(lines))


def _name(urn: str) -> str:
    return urn.rsplit("::", 1)[-1]


def _paths(row: Mapping[str, Any]) -> str:
    paths = row.get("paths", [])
    more = f" and {len(paths) - SHOWN_PATHS} more" if len(paths) > SHOWN_PATHS else ""
    return ", ".join(paths[:SHOWN_PATHS]) + more


def _losses(report: Mapping[str, Any]) -> Part:
    rows = [row for row in report.get("changed", []) if row["op"] not in KEEPS]
    rows.sort(key=lambda row: (not row["stateful"], row["op"], row["urn"]))
    cells = [
        ("STATEFUL" if row["stateful"] else "", row["op"], _name(row["urn"]), row["type"], _paths(row)) for row in rows
    ]
    table = Table(("", "what", "name", "type", "because of"), tuple(cells)) if rows else None
    return Part("losses", "What would be lost", () if rows else ("nothing is replaced or deleted",), table)


def _imports(report: Mapping[str, Any]) -> Part:
    rows = [row for row in report.get("changed", []) if row["op"] == "import"]
    lines = tuple(f"{_name(row['urn'])} ({row['type']})" for row in rows)
    return Part("imports", f"Taken over as it is in the cloud: {len(rows)}", lines, folded=len(rows) > SHOWN_PATHS)


def _summary(report: Mapping[str, Any]) -> Part:
    rows = [(r["cloud"], r["component"], r["op"], str(r["count"])) for r in report.get("changes", [])]
    table = Table(("cloud", "component", "operation", "count"), tuple(rows)) if rows else None
    return Part("changes", "Changes by cloud and component", () if rows else ("no changes",), table)


def _updates(report: Mapping[str, Any]) -> Part:
    rows = [row for row in report.get("changed", []) if row["op"] not in {"delete", "delete-replaced", "import"}]
    cells = [cell for row in rows for cell in _properties(row)]
    table = Table(("name", "property", "before", "after", "type"), tuple(cells)) if cells else None
    return Part("updates", f"Property changes of {len(rows)} resources", (), table, folded=True, least=3)


def _properties(row: Mapping[str, Any]) -> Iterable[tuple[str, ...]]:
    """A line for each property; for reports without values one line with the paths."""
    name, kind = _name(row["urn"]), row["type"]
    if "values" not in row:
        return [(name, _paths(row), "", "", kind)]
    shown = row["values"][:SHOWN_PATHS]
    lines = [(name, one["path"], one["before"], one["after"], kind) for one in shown]
    left = len(row["paths"]) - len(shown)
    if left:
        what = "more" if lines else "that follow from the plan"
        lines.append((name, f"and {left} {what}", "", "", kind))
    return lines


def _pools(report: Mapping[str, Any]) -> Part:
    was = {(r["cluster"], r["pool"], r["slot"]): r for r in report.get("sizing_before", [])}
    now = {(r["cluster"], r["pool"], r["slot"]): r for r in report.get("sizing", [])}
    rows = []
    for key in sorted(set(was) | set(now)):
        before, after = was.get(key), now.get(key)
        if _plan(before) == _plan(after):
            continue
        one = after or before or {}
        evidence = str(one.get("evidence") or "")[:12]
        rows.append((key[0], f"{key[1]}-{key[2]}", _pool(before), _pool(after), evidence))
    same = len(now) - sum(1 for row in rows if row[3] != "-")
    table = Table(("cluster", "pool", "before", "after", "evidence"), tuple(rows)) if rows else None
    return Part("pools", "Node pools", (f"{same} pools stay as they are",) if now else (), table)


def _plan(row: Mapping[str, Any] | None) -> tuple[Any, ...]:
    if row is None or not (row["desired"] or row["min"]):
        return ()
    return tuple(row[name] for name in ("instance_type", "min", "desired", "max", "spot"))


def _pool(row: Mapping[str, Any] | None) -> str:
    if not _plan(row) or row is None:
        return "-"
    spot = " spot" if row["spot"] else ""
    return (
        f"{row['min']}/{row['desired']}/{row['max']} {row['instance_type']}{spot}, {_usd(float(row['nodes_cost_usd']))}"
    )


def _cost(report: Mapping[str, Any]) -> Part:
    bill = report.get("cost_monthly_usd")
    if not bill:
        return Part("cost", "Cost", ("was not estimated",))
    rise = _signed_usd(bill["after"] - bill["before"])
    lines = [f"{_usd(bill['before'])} before, {_usd(bill['after'])} after, {rise} a month"]
    if report.get("budget_usd"):
        lines.append(f"budget {_usd(report['budget_usd'])}: {bill['after'] / report['budget_usd']:.0%} used")
    unpriced, by_use = bill.get("unpriced", []), bill.get("by_use", [])
    lines.append(
        f"not in the sum: {len(unpriced)} resources without a price, {len(by_use)} priced by use; "
        f"{len(bill.get('approximate', []))} prices are of another region; oldest price {bill.get('oldest_price')}"
    )
    rows = tuple((cloud, _usd(amount)) for cloud, amount in bill.get("by_cloud", {}).items())
    return Part("cost", "Cost per month at list price", tuple(lines), Table(("cloud", "after"), rows) if rows else None)


def _law(report: Mapping[str, Any]) -> Part:
    law = report.get("policy")
    if not law or not law["judged"]:
        return Part("law", "Policy", ("NOT JUDGED",))
    found = sorted(law["findings"], key=lambda one: (one["level"] != "mandatory", one["rule"], one["urn"]))
    rows = tuple((one["level"], one["rule"], _name(one["urn"]), one["path"], one["message"]) for one in found)
    rows += tuple(("let be", e["rule"], _name(e["urn"]), e["path"], e["why"]) for e in law.get("excused", ()))
    line = (
        f"{law['mandatory']} mandatory, {law['advisory']} advisory, {law['remediated']} remediated; "
        f"{law['evaluated']} pairs judged, {law['undetermined']} undetermined"
    )
    table = Table(("level", "rule", "resource", "path", "finding"), rows) if rows else None
    return Part("law", "Policy", (line,), table, folded=len(rows) > 8, least=2)  # noqa: PLR2004


def _undetermined(report: Mapping[str, Any]) -> Part:
    listed = (report.get("policy") or {}).get("undetermined_list", [])
    lines = tuple(one if isinstance(one, str) else " ".join(str(value) for value in _values(one)) for one in listed)
    return Part("undetermined", f"Undetermined: {len(lines)}", lines, folded=True, least=4)


def _values(one: Any) -> Iterable[Any]:
    return one.values() if isinstance(one, Mapping) else one if isinstance(one, (list, tuple)) else [one]


def _blast(report: Mapping[str, Any]) -> Part:
    given = report.get("blast_radius")
    if given is None:
        return Part("blast", "Blast radius", ("was not computed",), folded=True, least=1)
    rows = tuple((row["name"], str(row["count"]), row["names"]) for row in given)
    if not rows:
        return Part("blast", "Blast radius", ("nothing depends on what changes",), folded=True, least=1)
    table = Table(("changed", "depend on it", "some of them"), rows)
    return Part("blast", "Blast radius", (), table, folded=True, least=1)


def _reach(report: Mapping[str, Any]) -> Part:
    given = report.get("reachable")
    title = "What becomes reachable"
    if not isinstance(given, Mapping):
        return Part("reach", title, ("was not computed in this run",))
    if "problem" in given:
        return Part("reach", title, (f"NOT KNOWN: {given['problem']}",))
    stores = tuple(f"STORE reachable from the internet: {way}" for way in given["stores"])
    counts = f"{len(given['new'])} new ways, {len(given['gone'])} gone, {given['edges']} in all"
    unread = given["unread"]
    if unread:
        counts += f"; {len(unread)} could not be read before the update: {', '.join(unread[:SHOWN_PATHS])}"
    rows = [("new", one["from"], one["to"], one["how"]) for one in given["new"]]
    rows += [("gone", one["from"], one["to"], one["how"]) for one in given["gone"]]
    table = Table(("", "from", "to", "through"), tuple(rows)) if rows else None
    return Part("reach", title, (*stores, counts), table)


def _share(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.4%}" if value < MOST else f"more than {MOST:.4%}"


def _availability(report: Mapping[str, Any]) -> Part:
    given = report.get("availability")
    if not given or given.get("after") is None:
        return Part("availability", "Availability", ("was not computed in this run: there is no cluster",))
    after, target = float(given["after"]), float(given["target"])
    verdict = "meets the target" if after >= target else "BELOW the target"
    change = f"{_share(given['before'])} before, {_share(after)} after (the weakest cluster)"
    hours = (1 - after) * 365.25 * 24
    lines = [f"{change}: {verdict} of {target:.4%}; {hours:.1f} hours a year without"]
    if given.get("any") is not None:
        lines.append(f"{_share(given['any'])} that any cluster serves, where traffic can move between them")
    rows = tuple(
        (one["cluster"], str(one["zones"]), str(one["pools"]), _share(one["before"]), _share(one["after"]))
        for one in given["clusters"]
    )
    table = Table(("cluster", "zones", "pools", "before", "after"), rows)
    shared = tuple(f"shared cause: {one}" for one in given.get("shared", ()))
    return Part("availability", "Availability, computed", (*lines, *shared, *given.get("assumptions", ())), table)


def _assurance(report: Mapping[str, Any]) -> Part:
    versions = report.get("versions", {})
    known = ", ".join(f"{name} {value}" for name, value in versions.items() if not isinstance(value, Mapping))
    return Part("assurance", "Assurance", (report["header"], *report.get("notes", []), known), folded=True)


def page(report: Mapping[str, Any]) -> Page:
    """Lay out a report."""
    verdict, good = _verdict(report)
    parts = [
        _refusals(report), _losses(report), _imports(report), _summary(report), _updates(report), _pools(report),
        _cost(report),
        _law(report), _undetermined(report), _reach(report), _availability(report), _blast(report), _assurance(report),
    ]  # fmt: skip
    kept = tuple(part for part in parts if part.lines or part.table)
    return Page(report["stack"], verdict, good, "offline" if report.get("mode") == "offline" else "real", kept)


def pages(reports: Sequence[Mapping[str, Any]]) -> list[Page]:
    """Lay out the reports of several stacks."""
    return [page(report) for report in reports]
