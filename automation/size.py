"""`size STACK`: the plan of every pool, what it costs, how good it is, and everything needed to judge it."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from automation.exits import Ending, Exit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rich.console import Console

    from automation.session import Options
    from sizing.problem import Problem
    from stacks.model import Stack


def plan(name: str, options: Options, *, advised: bool = False) -> dict[str, Any]:
    """Size every cluster of a stack; wrong input ends with 2, a demand that fits nowhere with 4.

    `advised`: --demand names a series of use; the plan is made for the requests as they are, and its cost with the
    advised requests stands beside it.
    """
    import sizing  # noqa: PLC0415 - solvers load only for this command
    from automation.session import check_demand, read_stack  # noqa: PLC0415
    from sizing import catalogue  # noqa: PLC0415
    from sizing.baselines import baselines  # noqa: PLC0415
    from sizing.plan import Infeasible  # noqa: PLC0415
    from sizing.problem import WrongProblem  # noqa: PLC0415
    from sizing.stack_problem import from_stack  # noqa: PLC0415
    from sizing.verify import verify  # noqa: PLC0415

    check_demand(options)
    use = _use(options) if advised else {}
    stack = read_stack(name, options) if advised else _with_demand(read_stack(name, options), options)
    try:
        problems = from_stack(stack, options.project, catalogue.load())
    except (WrongProblem, catalogue.UnknownPrice, ValueError) as wrong:
        raise Ending(Exit.WRONG_INPUT, "sizing", str(wrong)) from None
    clusters: dict[str, Any] = {}
    refused = []
    for cluster, given in problems.items():
        problem = replace(given, quality=options.quality) if options.quality else given  # type: ignore[arg-type]
        made = sizing.solve(problem)
        if isinstance(made, Infeasible):
            refused += [f"{cluster}: {line}" for line in made.lines()]
            continue
        shown = made.to_object()
        asked = problem.to_object()
        dearer = sorted({c for c in made.candidates.values() if c > made.cost_usd_month + 0.01})
        clusters[cluster] = {
            "problem": asked,
            "plan": {key: value for key, value in shown.items() if key != "assignment"},
            "assignment": shown["assignment"],
            "baselines": {k: v for k, v in baselines(problem).items() if math.isfinite(v)},
            "next_best_usd_month": dearer[0] if dearer else None,
            "binding": list(binding(asked, shown)),
            "verifier": verify(asked, shown),
        }
        if advised:
            clusters[cluster]["advice"] = _advice(problem, made.cost_usd_month, use)
    if refused:
        raise Ending(Exit.REFUSED, "sizing", "no plan for what is asked for", tuple(refused))
    from sizing.recheck import SEAL, sealed  # noqa: PLC0415

    cost = sum(c["plan"]["cost_usd_month"] for c in clusters.values())
    bound = sum(c["plan"]["bound_usd_month"] for c in clusters.values())
    report = {
        "stack": name,
        "cost_usd_month": round(cost, 2),
        "list_usd_month": round(sum(c["plan"]["list_usd_month"] for c in clusters.values()), 2),
        "bound_usd_month": round(bound, 2),
        "gap": round(cost / bound - 1, 6) if bound else 0.0,
        "clusters": clusters,
    }
    plain: dict[str, Any] = json.loads(json.dumps(report, default=str))
    return {**plain, SEAL: sealed(plain)}


def _use(options: Options) -> dict[str, Any]:
    """Measured use by workload; without a series there is nothing to go by (exit 2)."""
    from stacks.demand import DemandFileError, read_use  # noqa: PLC0415

    if options.demand is None:
        raise Ending(Exit.WRONG_INPUT, "demand", "--advise needs --demand FILE with a series of measured use")
    try:
        return dict(read_use(options.demand))
    except DemandFileError as error:
        raise Ending(Exit.WRONG_INPUT, "demand", str(error)) from None


def _advice(problem: Problem, cost: float, use: dict[str, Any]) -> dict[str, Any]:
    """Advised requests by workload, and what the plan costs with them; None where no plan is found then."""
    import sizing  # noqa: PLC0415
    from sizing.advice import advise, applied  # noqa: PLC0415
    from sizing.plan import Plan  # noqa: PLC0415

    made = {
        w.name: advise((w.cpu_milli, use[w.name].cpu_milli), (w.memory_mib, use[w.name].memory_mib), w.name)
        for w in problem.workloads
        if w.name in use
    }
    then = sizing.solve(applied(problem, made))
    return {
        "workloads": [asdict(one) for _, one in sorted(made.items()) if one.changes or one.warning],
        "measured": len(made),
        "not_measured": sorted(w.name for w in problem.workloads if w.name not in use),
        "unknown": sorted(set(use) - {w.name for w in problem.workloads}),
        "cost_usd_month": [cost, then.cost_usd_month if isinstance(then, Plan) else None],
    }


def _with_demand(stack: Stack, options: Options) -> Stack:
    if options.demand is None:
        return stack
    made = stack.model_dump(mode="json", exclude_none=True)
    made["demand"] = {"file": str(options.demand.resolve())}
    return type(stack).model_validate(made)


def binding(problem: dict[str, Any], made: dict[str, Any]) -> Iterator[str]:
    """The limits that the plan touches."""
    types = {t["name"]: t for t in problem["types"]}
    vcpu = sum(types[row["instance_type"]]["vcpu"] * row["min"] for row in made["pools"])
    quota = problem["vcpu_quota"]
    if quota is not None and vcpu >= quota * 0.95:
        yield f"vCPU quota: {vcpu} of {quota} in use"
    for wish in problem["pools"]:
        rows = [row for row in made["pools"] if row["pool"] == wish["name"]]
        nodes = sum(row["min"] for row in rows)
        spare = sum(row["spare"] for row in rows)
        if nodes == wish["max"]:
            yield f"{wish['name']}: its max of {wish['max']} nodes"
        if nodes and nodes == wish["min"]:
            yield f"{wish['name']}: its min of {wish['min']} nodes"
        elif nodes and nodes == problem["zones"] > 1:
            yield f"{wish['name']}: a node in each of {problem['zones']} zones"
        if spare and not wish["spot"]:
            yield f"{wish['name']}: {spare} spare for the loss of a node (N+1)"
        if sum(row["min"] > 0 for row in rows) == wish["slots"] > 1:
            yield f"{wish['name']}: all {wish['slots']} slots hold a type"
        hosts = [w["replicas"] for w in problem["workloads"] if w["spread"] == "host" and wish["name"] in w["pools"]]
        if hosts and nodes - spare <= max(hosts):
            yield f"{wish['name']}: one pod a host of a workload with {max(hosts)} pods"


def show(made: dict[str, Any], console: Console, *, explain: bool) -> None:
    """The plan as tables; with `explain` also how it came about and what the circuit did."""
    from rich.table import Table  # noqa: PLC0415

    for name, cluster in made["clusters"].items():
        plan_ = cluster["plan"]
        table = Table(title=f"{name}: {plan_['cost_usd_month']:,.0f} USD a month", title_justify="left")
        for title in ("pool", "type", "min", "desired", "max", "spare", "spot", "USD a month"):
            table.add_column(title, justify="left" if title in {"pool", "type"} else "right")
        for row in plan_["pools"]:
            numbers = [str(row[key]) for key in ("min", "desired", "max", "spare")]
            cost = f"{row['nodes_cost_usd']:,.2f}"
            key = f"{row['pool']}-{row['slot']}"
            table.add_row(key, row["instance_type"], *numbers, "yes" if row["spot"] else "", cost)
        console.print(table)
        for line in _lines(cluster, explain=explain):
            console.print(f"  {line}", markup=False, highlight=False)
    total = f"{made['cost_usd_month']:,.0f} USD a month, at most {made['gap']:.1%} above the proven bound"
    console.print(f"{made['stack']}: {total} of {made['bound_usd_month']:,.0f}", markup=False, highlight=False)


def _lines(cluster: dict[str, Any], *, explain: bool) -> Iterator[str]:
    plan_, notes = cluster["plan"], cluster["plan"]["notes"]
    yield (
        f"gap {plan_['gap']:.1%} to the proven bound {plan_['bound_usd_month']:,.0f} "
        f"(any mix of types: {notes['bound_free_mixing']:,.0f}); won by: {plan_['winner']}"
    )
    cost = plan_["cost_usd_month"]
    for name, value in sorted(cluster["baselines"].items()):
        yield f"{name.replace('_', ' ')}-like: {value:,.0f} USD; this plan saves {1 - cost / value:.0%}"
    following = cluster["next_best_usd_month"]
    yield f"next best plan found: {following:,.0f} USD" if following else "every method ended at this cost"
    yield "what binds: " + ("; ".join(cluster["binding"]) or "nothing but the demand itself")
    verdict = "accepted" if not cluster["verifier"] else "REJECTED: " + "; ".join(cluster["verifier"])
    yield f"verifier (other code, kube-scheduler's order): {verdict}"
    if "advice" in cluster:
        yield from _advice_lines(cluster["advice"])
    if not explain:
        return
    problem, quantum = cluster["problem"], plan_["quantum"]
    pods = sum(w["replicas"] for w in problem["workloads"])
    yield (
        f"asked: {pods} pods of {len(problem['workloads'])} workloads in {problem['zones']} zones; "
        f"{len(problem['types'])} types compared; oldest price {plan_['oldest_price']}"
    )
    yield "methods: " + "; ".join(f"{name} {value:,.0f}" for name, value in plan_["candidates"].items())
    for part, bounds in notes["bounds"].items():
        methods = "; ".join(f"{n} {v:,.0f}" for n, v in bounds["by_method"].items())
        yield f"bounds of {part}: {methods} (the highest holds)"
    if quantum.get("status") == "ran":
        yield (
            f"quantum step: {quantum['subproblems']} subproblems, {quantum['shots']} shots each, simulated; optimum "
            f"met in {quantum['optimum_found']}, by chance alone in {quantum['control_optimum_found']}; it never "
            "decides: it wins only with a lower cost than every classical method"
        )
    else:
        yield f"quantum step: {quantum.get('status', 'not run')} {quantum.get('reason', '')}".rstrip()
    if notes.get("rejected") or notes["limits"]:
        yield f"set aside on the way: {json.dumps(notes.get('rejected', []))} {'; '.join(notes['limits'])}"


def _advice_lines(advice: dict[str, Any]) -> Iterator[str]:
    now, then = advice["cost_usd_month"]
    effect = "no plan is found with them" if then is None else f"{now:,.0f} -> {then:,.0f} USD a month"
    yield f"advised requests for {advice['measured']} measured workloads: {effect} (nothing is changed by this command)"
    for one in advice["workloads"]:
        cpu, memory = one["cpu_milli"], one["memory_mib"]
        note = f" ({one['warning']})" if one["warning"] else ""
        yield f"  {one['workload']}: cpu {cpu[0]}m -> {cpu[1]}m, memory {memory[0]}Mi -> {memory[1]}Mi{note}"
    if advice["not_measured"]:
        names = advice["not_measured"]
        yield f"  not measured: {', '.join(names[:6])}{f' and {len(names) - 6} more' if len(names) > 6 else ''}"  # noqa: PLR2004
    if advice["unknown"]:
        yield f"  measured, but not asked for in this cluster: {', '.join(advice['unknown'][:6])}"


def draw(made: dict[str, Any], folder: Path) -> list[Path]:
    """Write the pictures of every cluster; the paths."""
    from sizing import pictures  # noqa: PLC0415

    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, cluster in made["clusters"].items():
        whole = {**cluster["plan"], "assignment": cluster["assignment"]}
        named = {k.replace("_", " ") + "-like": v for k, v in cluster["baselines"].items()}
        for kind, text in (
            ("fill", pictures.fill(cluster["problem"], whole)),
            ("cost", pictures.cost(whole, {**named, **cluster["plan"]["candidates"]})),
            ("gap", pictures.gap(whole)),
        ):
            path = folder / f"{name}-{kind}.svg"
            path.write_text(text, encoding="utf-8")
            written.append(path)
    return written


def recheck(path: Path) -> tuple[list[str], list[str]]:
    """Judge an evidence document, or the JSON of `size --json`, without solving: what is wrong, else the proofs."""
    from sizing.recheck import proofs  # noqa: PLC0415
    from sizing.recheck import recheck as judge  # noqa: PLC0415

    try:
        made = json.loads(path.read_text(encoding="utf-8"))
        wrong = judge(made)
        return wrong, [] if wrong else proofs(made)
    except (OSError, ValueError, KeyError, TypeError) as wrong:
        raise Ending(Exit.WRONG_INPUT, "evidence", f"{path} is no evidence: {type(wrong).__name__}: {wrong}") from None
