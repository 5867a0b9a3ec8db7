"""Why no plan exists: which limit binds, and the cheapest limit to lift."""

from __future__ import annotations

from sizing.compiled import Compiled
from sizing.fluid import solve_fluid
from sizing.plan import Infeasible

LIMITS = ("pool_max", "quota", "spot_share")


def explain(compiled: Compiled) -> Infeasible:
    """Name the binding limit by lifting one at a time; the demand itself is known to fit on single nodes."""
    for limit in LIMITS:
        lifted = solve_fluid(compiled, without=frozenset({limit}), gap=0.01)
        if lifted.status == "infeasible":
            continue
        need = {
            part.wish.name: sum(lifted.nodes[k].values()) + (0 if part.wish.spot else 1)
            for k, part in enumerate(compiled.pools)
            if lifted.nodes
        }
        vcpu = sum(
            int(compiled.pools[k].vcpu[t]) * n for k, numbers in enumerate(lifted.nodes) for t, n in numbers.items()
        )
        return Infeasible(
            constraint=limit, message=_sentence(compiled, limit, need, vcpu), detail={"nodes": need, "vcpu": vcpu}
        )
    return Infeasible(
        constraint="pool_max",
        message=f"{compiled.problem.cluster}: several limits together leave no room (pools' max, vCPU quota, spot "
        "share): raise the pools' max first, then the quota",
    )


def packing(compiled: Compiled) -> Infeasible:
    """The volume fits, but no greedy packing was found within the caps."""
    caps = {part.wish.name: part.wish.max for part in compiled.pools}
    quota = compiled.problem.vcpu_quota
    binding = "quota" if quota is not None else "pool_max"
    return Infeasible(
        constraint=binding,
        message=f"{compiled.problem.cluster}: the demand's volume fits, but a greedy scheduler finds no packing within "
        f"the pools' max {caps}{f' and the quota of {quota} vCPU' if quota is not None else ''}: raise one of them",
        detail={"max": caps, "quota": quota},
    )


def _sentence(compiled: Compiled, limit: str, need: dict[str, int], vcpu: int) -> str:
    cluster = compiled.problem.cluster
    match limit:
        case "pool_max":
            caps = {part.wish.name: part.wish.max for part in compiled.pools}
            short = {name: n for name, n in need.items() if n > caps[name]} or need
            return (
                f"{cluster}: the pools' max {caps} is too small; the cheapest nodes for the demand's volume would be "
                f"{short}, spare included: raise max"
            )
        case "quota" if vcpu <= (compiled.problem.vcpu_quota or 0):
            return (
                f"{cluster}: the vCPU quota of {compiled.problem.vcpu_quota} is too small for what the pools' min, "
                f"zones and spares ask for on top of the demand ({vcpu} vCPU): raise sizing.vcpu_quota after the cloud "
                "raised the quota, or lower a pool's min"
            )
        case "quota":
            return (
                f"{cluster}: the vCPU quota of {compiled.problem.vcpu_quota} is too small; the cheapest nodes for the "
                f"demand's volume have {vcpu} vCPU: raise sizing.vcpu_quota after the cloud raised the quota"
            )
        case _:
            return (
                f"{cluster}: no more than 60 % of spot-eligible CPU may stand in one spot pool, and the others are "
                "full: raise the max of another spot pool"
            )
