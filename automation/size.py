"""`size STACK`: the plan of every pool, what it costs, how good it is, and everything needed to judge it."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from automation.exits import Ending, Exit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from automation.session import Options
    from sizing.baselines import Rival
    from sizing.problem import Problem
    from sizing.stack_problem import Sized
    from stacks.model import Stack


def plan(name: str, options: Options, *, advised: bool = False) -> dict[str, Any]:
    """Size every cluster of a stack; wrong input ends with 2, a demand that fits nowhere with 4.

    `advised`: --demand names a series of use; the plan is made for the requests as they are, and its cost with the
    advised requests stands beside it.
    """
    import sizing  # noqa: PLC0415 - solvers load only for this command
    from automation.size_words import binding  # noqa: PLC0415
    from sizing.baselines import rivals  # noqa: PLC0415
    from sizing.plan import Infeasible  # noqa: PLC0415
    from sizing.verify import verify  # noqa: PLC0415

    use = _use(options) if advised else {}
    asked_for = sized(name, replace(options, demand=None) if advised else options)
    made_problems = asked_for.problems
    clusters: dict[str, Any] = {}
    refused = []
    for cluster, problem in made_problems.items():
        made = sizing.solve(problem)
        if isinstance(made, Infeasible):
            refused += [f"{cluster}: {line}" for line in made.lines()]
            continue
        shown = made.to_object()
        asked = problem.to_object()
        others = rivals(problem)
        dearer = sorted({c for c in made.candidates.values() if c > made.cost_usd_month + 0.01})
        clusters[cluster] = {
            "problem": asked,
            "plan": {key: value for key, value in shown.items() if key != "assignment"},
            "assignment": shown["assignment"],
            "baselines": {r.name: r.equal_terms for r in others if math.isfinite(r.equal_terms)},
            "rivals": [_rival(r) for r in others],
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
        **({} if asked_for.placement is None else {"placement": asked_for.placement}),
    }
    plain: dict[str, Any] = json.loads(json.dumps(report, default=str))
    return {**plain, SEAL: sealed(plain)}


def _rival(rival: Rival) -> dict[str, Any]:
    """What one autoscaler would cost, as published and on equal terms; None where it finds no plan."""
    return {
        "name": rival.name,
        "published_usd_month": rival.published if math.isfinite(rival.published) else None,
        "published_breaks": list(rival.breaks),
        "equal_terms_usd_month": rival.equal_terms if math.isfinite(rival.equal_terms) else None,
        "equal_terms_fails": list(rival.why),
    }


def sized(name: str, options: Options, previous: Mapping[str, Any] | None = None) -> Sized:
    """The problem of every cluster of a stack, with the demand and quality of the options; wrong input ends with 2.

    Placements are decided: from `previous`, else from `options.placed`; where none can be had, it ends with 4.
    """
    from automation.session import check_demand, read_stack  # noqa: PLC0415
    from automation.size_placement import read  # noqa: PLC0415
    from sizing import catalogue  # noqa: PLC0415
    from sizing.placement import PlacementRefused  # noqa: PLC0415
    from sizing.problem import WrongProblem  # noqa: PLC0415
    from sizing.stack_problem import sized as decided  # noqa: PLC0415

    check_demand(options)
    stack = _with_demand(read_stack(name, options), options)
    if options.quality:
        stack = stack.model_copy(update={"sizing": stack.sizing.model_copy(update={"quality": options.quality})})
    try:
        return decided(stack, options.project, catalogue.load(), previous or read(options.placed))
    except PlacementRefused as refused:
        raise Ending(Exit.REFUSED, "placement", str(refused)) from None
    except (WrongProblem, catalogue.UnknownPrice, ValueError) as wrong:
        raise Ending(Exit.WRONG_INPUT, "sizing", str(wrong)) from None


def problems(name: str, options: Options) -> dict[str, Problem]:
    """The problem of every cluster alone."""
    return dict(sized(name, options).problems)


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
    return type(stack).model_validate_json(json.dumps(made), context={"checked": True})


def ready(rounds: int | None, pictures: Path | None, *, advise: bool, explain: bool) -> None:
    """Refuse options that cannot be kept (exit 2) and make the folder of the pictures, before anything is solved."""
    left_out = {"--advise": advise, "--explain": explain, "--pictures": pictures is not None}
    for option, given in left_out.items():
        if given and rounds is not None:
            raise Ending(Exit.WRONG_INPUT, "rounds", f"size --rounds measures and takes no {option}: leave one out")
    if pictures is None:
        return
    try:
        pictures.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = f"no pictures can be written to {pictures} ({error.strerror}): give a folder, or the name of a new one"
        raise Ending(Exit.WRONG_INPUT, "pictures", why) from None


def draw(made: dict[str, Any], folder: Path) -> list[Path]:
    """Write the pictures of every cluster; the paths."""
    from automation.size_words import RIVALS  # noqa: PLC0415
    from sizing import pictures  # noqa: PLC0415

    written = []
    for name, cluster in made["clusters"].items():
        whole = {**cluster["plan"], "assignment": cluster["assignment"]}
        named = {RIVALS[k]: v for k, v in cluster["baselines"].items()}
        for kind, text in (
            ("fill", pictures.fill(cluster["problem"], whole)),
            ("cost", pictures.cost(whole, {**named, **cluster["plan"]["candidates"]})),
            ("gap", pictures.gap(whole)),
        ):
            path = folder / f"{name}-{kind}.svg"
            path.write_text(text, encoding="utf-8")
            written.append(path)
    return written
