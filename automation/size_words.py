"""What `size` says to a person: the plan as a table, how good it is, what limits it, and how it came about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

NEAR_FULL = 0.95
PROOFS = {
    "fluid": ("by volume", "the room that all pods take against the room of whole nodes, as if pods could be cut"),
    "columns": (
        "by dual prices",
        "pods get a worth such that no filling of any node is worth more than the node costs",
    ),
    "cuts": ("by cuts", "the same with whole nodes, spares and few types a pool: an integer program, branch by branch"),
    "zones": ("zone by zone", "each zone holds its own pods on nodes of its own"),
    "enumeration": ("by trying all", "every set of nodes that could be cheaper was looked at"),
}
FEW = 6
EQUAL = 0.005
PROVEN = 0.0005
WORTH = 0.1
"""Of the nodes' room: rule CH-16's floor."""
LEAST_SPOT_SHARE = 0.09
"""Of the price on demand: Google says its spot machines save up to 91 %, AWS and Azure up to 90 %
(cloud.google.com/spot-vms, aws.amazon.com/ec2/spot, azure.microsoft.com/products/virtual-machines/spot, 2026-11)."""
RIVALS = {
    "karpenter": "Karpenter, same limits",
    "karpenter_sized": "Karpenter, same limits, best node size",
    "cluster_autoscaler": "Cluster Autoscaler, same limits",
    "cluster_autoscaler_by_pool": "Cluster Autoscaler, same limits, best types",
}
IN_HINDSIGHT = {"karpenter_sized", "cluster_autoscaler_by_pool"}


def show(made: dict[str, Any], console: Console, *, explain: bool) -> None:
    """The plan of each cluster; with `explain` also how it came about and what the circuit did."""
    from rich.padding import Padding  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    if "placement" in made:
        from automation.size_placement import show as show_placement  # noqa: PLC0415

        show_placement(made["placement"], console, explain=explain)
    for name, cluster in made["clusters"].items():
        plan = cluster["plan"]
        table = Table(title=f"{name}: {plan['cost_usd_month']:,.0f} USD a month", title_justify="left")
        for title in ("pool", "type", "min", "desired", "max", "spare", "spot", "USD a month"):
            table.add_column(title, justify="left" if title in {"pool", "type"} else "right")
        for row in plan["pools"]:
            numbers = [str(row[key]) for key in ("min", "desired", "max", "spare")]
            cost = f"{row['nodes_cost_usd']:,.2f}"
            key = f"{row['pool']}-{row['slot']}"
            table.add_row(key, row["instance_type"], *numbers, "yes" if row["spot"] else "", cost)
        console.print(table)
        for head, lines in sections(cluster, explain=explain):
            console.print(Padding(Text(head, style="bold"), (0, 0, 0, 2), expand=False), highlight=False)
            for line in lines:
                console.print(Padding(Text(line), (0, 0, 0, 4), expand=False), highlight=False)
        console.print()
    total = f"{made['cost_usd_month']:,.0f} USD a month, at most {made['gap']:.1%} above the proven bound"
    console.print(f"{made['stack']}: {total} of {made['bound_usd_month']:,.0f}", markup=False, highlight=False)


def sections(cluster: dict[str, Any], *, explain: bool) -> Iterator[tuple[str, list[str]]]:
    """Headings and their lines, in the order of reading."""
    yield "How good it is", list(_quality(cluster))
    yield "What limits it", cluster["binding"] or ["nothing but the demand itself"]
    if "advice" in cluster:
        yield "Requests that fit the use", list(advice_lines(cluster["advice"]))
    if explain:
        yield "What was asked", list(_asked(cluster))
        yield "How it was found", list(_found(cluster))
        yield "Why nothing is much cheaper", list(_bounds(cluster))
        yield "What the quantum circuit did", list(_circuit(cluster["plan"]))


def _quality(cluster: dict[str, Any]) -> Iterator[str]:
    plan = cluster["plan"]
    cost, bound = plan["cost_usd_month"], plan["bound_usd_month"]
    if plan["gap"] < PROVEN:
        yield f"no plan within these limits costs less than {bound:,.0f} USD (proven): none is cheaper"
    else:
        yield f"no plan costs less than {bound:,.0f} USD (proven), so this one is at most {plan['gap']:.1%} too dear"
    risk = cost - plan["list_usd_month"]
    if risk >= 1:
        yield (
            f"the nodes' list price is {plan['list_usd_month']:,.0f} USD; the {cost:,.0f} that are compared here count "
            f"{risk:,.0f} more for the risk that spot nodes are taken away"
        )
    yield from _rivals(cluster["rivals"], cost)
    yield from _doubtful(cluster["problem"]["types"], plan["pools"])
    following = cluster["next_best_usd_month"]
    yield f"the next best plan found costs {following:,.0f} USD" if following else "every method ended at this cost"
    wrong = cluster["verifier"]
    yield (
        "a verifier that shares no code with the solvers placed every pod again in kube-scheduler's order: "
        + ("accepted" if not wrong else "REJECTED: " + "; ".join(wrong))
    )


def _doubtful(types: list[dict[str, Any]], pools: list[dict[str, Any]]) -> Iterator[str]:
    """Spot prices of the plan that lie below what any cloud advertises: the source may be wrong, or of a trial."""
    bought = {row["instance_type"] for row in pools if row["spot"] and row["desired"]}
    for each in types:
        asked, full = each["spot_price_usd_hour"], each["price_usd_hour"]
        if each["name"] in bought and asked < LEAST_SPOT_SHARE * full:
            yield (
                f"look at the spot price of {each['name']} before you rely on it: {asked} USD an hour "
                f"({each['spot_source']}) is {asked / full:.0%} of its price on demand, and no cloud advertises so much"
            )


def _rivals(rivals: list[dict[str, Any]], cost: float) -> Iterator[str]:
    """What the known autoscalers would buy: on equal terms, and as published with what such a plan breaks."""
    for one in sorted(rivals, key=lambda r: r["equal_terms_usd_month"] or float("inf")):
        value, plain = one["equal_terms_usd_month"], one["published_usd_month"]
        if value is None:
            yield f"{RIVALS[one['name']]}: no plan ({'; '.join(one['equal_terms_fails'])})"
            continue
        told = f"saves {1 - cost / value:.0%}" if value >= cost else f"costs {cost / value - 1:.0%} more"
        told = "costs the same" if abs(cost / value - 1) < EQUAL else told
        alone = ""
        if one["name"] not in IN_HINDSIGHT and plain is not None:
            broken = f" and break: {', '.join(one['published_breaks'])}" if one["published_breaks"] else ""
            alone = f" (left to itself it would cost {plain:,.0f} USD{broken})"
        yield f"{RIVALS[one['name']]}: {value:,.0f} USD; this plan {told}{alone}"


def _asked(cluster: dict[str, Any]) -> Iterator[str]:
    problem = cluster["problem"]
    jobs = problem["workloads"]
    agents = problem.get("agents", {})
    yield (
        f"{sum(w['replicas'] for w in jobs)} pods of {len(jobs)} workload{'s' * (len(jobs) != 1)} in "
        f"{problem['zones']} zone{'s' * (problem['zones'] != 1)}; together "
        f"{sum(w['replicas'] * w['cpu_milli'] for w in jobs) / 1000:,.1f} cores and "
        f"{sum(w['replicas'] * w['memory_mib'] for w in jobs) / 1024:,.1f} GiB of requests"
    )
    yield (
        f"{len(problem['types'])} instance types compared; oldest price {cluster['plan']['oldest_price']}; "
        "spot prices are estimates, marked up by the risk of interruption"
    )
    if agents.get("pods"):
        yield (
            f"of every node the services' own agents take {agents['cpu_milli']}m CPU, {agents['memory_mib']} MiB and "
            f"{agents['pods']} pods, before anything else is placed"
        )
    kept = sorted(w["name"] for w in jobs if w.get("survives") == "zone")
    if kept:
        yield f"room is kept for the loss of any one zone for: {_few(kept)}"


def _found(cluster: dict[str, Any]) -> Iterator[str]:
    from sizing.methods import meant, seat, words  # noqa: PLC0415

    plan = cluster["plan"]
    yield f"each way of looking for a plan, and what it found; the winner: {words(plan['winner'])}"
    for name, value in sorted(plan["candidates"].items(), key=lambda one: seat(one[0])):
        yield f"{value:>10,.0f} USD  {words(name)}"
    yield from meant(plan["candidates"])
    if plan["kept_previous"] != "no":
        yield f"the plan that runs was {plan['kept_previous']}: a better one must save more than the threshold"
    for one in plan["notes"].get("rejected", []):
        found = ", ".join(words(name) for name in one["candidates"])
        cost = f"{one['cost_usd_month']:,.0f} USD for {', '.join(one['pools'])}"
        yield f"set aside by the {one['by']}: {found} ({cost}): {'; '.join(one['findings'])}"
    for limit in plan["notes"]["limits"]:
        name, _, status = limit.partition(": ")
        why = (
            "stopped at its fixed number of steps (what it had found until then counts)"
            if status == "limit"
            else status
        )
        yield f"{words(name)}: {why}"


def _bounds(cluster: dict[str, Any]) -> Iterator[str]:
    plan = cluster["plan"]
    used: set[str] = set()
    for part, bounds in plan["notes"]["bounds"].items():
        found = [(PROOFS.get(n, (n, ""))[0], value) for n, value in bounds["by_method"].items() if value]
        used |= {n for n, value in bounds["by_method"].items() if value}
        methods = ", ".join(f"{name} {value:,.0f}" for name, value in found)
        pools = f"pool{'s' if ',' in part else ''} {part.replace(',', ', ')}"
        yield f"{pools}: no plan costs less than the highest of: {methods}"
    yield from (f"{name}: {told}" for n, (name, told) in PROOFS.items() if n in used)
    free = plan["notes"]["bound_free_mixing"]
    yield f"were a pool not limited to its slots, a plan would still cost at least {free:,.0f} USD"


def _circuit(plan: dict[str, Any]) -> Iterator[str]:
    said = plan["quantum"]
    if said.get("status") != "ran":
        yield f"{said.get('status', 'not run')} {said.get('reason', '')}".rstrip()
        return
    yield (
        "one of the searches lets a quantum circuit (QAOA, a sampler that favours cheap placements) propose where "
        "a few pods go; it runs on a simulator, no quantum computer is asked"
    )
    parts = f"{said['subproblems']} small part{'s' if said['subproblems'] > 1 else ''} of the plan"
    yield (
        f"it looked at {parts}, {said['shots']} samples each, and met the best placement of {said['optimum_found']}; "
        f"as a control, as many random draws met that of {said['control_optimum_found']}"
    )
    won = plan["winner"] == "search, qaoa"
    yield (
        "it decides only with a plan cheaper than every classical method's; "
        + ("here it did" if won else "here it did not, and the plan would be the same without it")
    )


def advice_lines(advice: dict[str, Any]) -> Iterator[str]:
    """Advised requests and their effect."""
    now, then = advice["cost_usd_month"]
    effect = "no plan is found with them" if then is None else f"{now:,.0f} -> {then:,.0f} USD a month"
    yield f"for {advice['measured']} measured workloads: {effect} (this command changes nothing)"
    for one in advice["workloads"]:
        cpu, memory = one["cpu_milli"], one["memory_mib"]
        note = f" ({one['warning']})" if one["warning"] else ""
        yield f"{one['workload']}: cpu {cpu[0]}m -> {cpu[1]}m, memory {memory[0]}Mi -> {memory[1]}Mi{note}"
    if advice["not_measured"]:
        yield f"not measured: {_few(advice['not_measured'])}"
    if advice["unknown"]:
        yield f"measured, but not asked for in this cluster: {_few(advice['unknown'])}"


def _few(names: list[str]) -> str:
    return ", ".join(names[:FEW]) + (f" and {len(names) - FEW} more" if len(names) > FEW else "")


def binding(problem: dict[str, Any], made: dict[str, Any]) -> Iterator[str]:
    """The limits that the plan touches."""
    types = {t["name"]: t for t in problem["types"]}
    vcpu = sum(types[row["instance_type"]]["vcpu"] * row["min"] for row in made["pools"])
    quota, budget = problem["vcpu_quota"], problem.get("budget_usd_month")
    if quota is not None and vcpu >= quota * NEAR_FULL:
        yield f"vCPU quota: {vcpu} of {quota} in use"
    if budget is not None and made["cost_usd_month"] >= budget * NEAR_FULL:
        yield f"budget: {made['cost_usd_month']:,.0f} of {budget:,.0f} USD a month"
    yield from _idle(problem, made, types)
    for wish in problem["pools"]:
        yield from _pool(problem, made, wish)


def _idle(problem: dict[str, Any], made: dict[str, Any], types: dict[str, Any]) -> Iterator[str]:
    """Nodes that stand there for nearly nothing: what the law refuses once this is a preview."""
    shares = []
    for key in ("cpu_milli", "memory_mib"):
        stands = sum(types[row["instance_type"]]["allocatable"][key] * row["desired"] for row in made["pools"])
        asked = sum(w[key] * w["replicas"] for w in problem["workloads"])
        shares.append(asked / stands if stands > 0 else 1.0)
    if max(shares) < WORTH:
        told = "no pods are asked for" if not problem["workloads"] else f"pods ask for {max(shares):.1%} of its nodes"
        yield (
            f"the cluster stands idle: {told}, and rule CH-16 refuses less than {WORTH:.0%}: name workloads (or "
            "demand.file) that run here, lower the pools' min, or take its region out of the stack file"
        )


def _pool(problem: dict[str, Any], made: dict[str, Any], wish: dict[str, Any]) -> Iterator[str]:
    name = wish["name"]
    rows = [row for row in made["pools"] if row["pool"] == name]
    nodes, spare = sum(row["min"] for row in rows), sum(row["spare"] for row in rows)
    if nodes == wish["max"]:
        yield f"{name}: its max of {wish['max']} nodes"
    if nodes and nodes == spare:
        yield (
            f"{name}: no pods are asked for; {nodes} node{'s' if nodes > 1 else ''} by its min of {wish['min']} and "
            f"{problem['zones']} zone{'s' if problem['zones'] > 1 else ''}"
        )
        return
    if nodes and nodes == wish["min"]:
        yield f"{name}: its min of {wish['min']} nodes"
    elif nodes and nodes == problem["zones"] > 1:
        yield f"{name}: a node in each of {problem['zones']} zones"
    if spare and not wish["spot"]:
        yield f"{name}: {spare} empty node{'s' if spare > 1 else ''} to take over when a node is lost (N+1)"
    if sum(row["min"] > 0 for row in rows) == wish["slots"] > 1:
        yield f"{name}: all {wish['slots']} slots hold a type"
    hosts = [w["replicas"] for w in problem["workloads"] if w["spread"] == "host" and name in w["pools"]]
    if hosts and nodes - spare <= max(hosts):
        yield f"{name}: one pod a host of a workload with {max(hosts)} pods"
