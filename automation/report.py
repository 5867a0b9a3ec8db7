"""One report of a run: the same dictionary becomes JSON, Markdown and the terminal's picture."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from importlib import metadata
from typing import TYPE_CHECKING, Any, Final

from automation import cost, gate
from automation.events import DELETES, REPLACES, Collected, Step
from automation.meters import cloud_of

if TYPE_CHECKING:
    from automation.engine import Outcome
    from automation.policy import Verdicts
    from automation.session import Session

SIZING_KEYS: Final = (
    "pool", "slot", "cluster", "instance_type", "min", "desired", "max", "spot", "nodes_cost_usd", "gap", "bound",
    "winner", "evidence",
)  # fmt: skip
WHOLE: Final = frozenset({"slot", "min", "desired", "max"})
HELM: Final = "kubernetes:helm.sh/"
"""Types of releases and charts: what the law finds about one of them it found in its values."""


def zones(session: Session) -> dict[str, dict[str, int]]:
    """Cloud -> region -> zones, of the stack file."""
    clouds = session.stack.clouds
    wishes = {"aws": clouds.aws, "gcp": clouds.gcp, "azure": clouds.azure}
    return {
        cloud: {name: region.zones for name, region in wish.regions.items()} for cloud, wish in wishes.items() if wish
    }


def regions_seen(steps: Iterable[Step], known: Mapping[str, Mapping[str, int]]) -> dict[str, list[str]]:
    """The regions in which resources stand, read from the resources themselves; a zone counts as its region."""
    seen: dict[str, set[str]] = defaultdict(set)
    for step in steps:
        cloud = cloud_of(step.type)
        if cloud is None or not step.custom or not step.exists_after:
            continue
        said = str(step.new.get("region") or step.new.get("location") or "").lower().replace(" ", "")
        for region in known.get(cloud, ()):
            if said == region or said.startswith(f"{region}-"):
                seen[cloud].add(region)
    return {cloud: sorted(names) for cloud, names in sorted(seen.items())}


def clouds_seen(steps: Iterable[Step]) -> list[str]:
    """The clouds on which resources stand."""
    return sorted({cloud for s in steps if s.custom and s.exists_after and (cloud := cloud_of(s.type))})


def cluster_of(step: Step, clusters: Iterable[str]) -> str:
    """The cluster of a Kubernetes object: the one whose name its provider's name, else its own, holds."""
    provider = step.provider.rsplit("::", 2)[-2] if step.provider.count("::") > 1 else step.provider
    for text in (provider, step.name, step.urn):
        found = [name for name in clusters if name in text]
        if found:
            return max(found, key=len)
    return provider


def objects(steps: Iterable[Step], clusters: Iterable[str]) -> dict[str, dict[str, int]]:
    """Kubernetes objects by cluster and kind."""
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    for step in steps:
        if step.type.startswith("kubernetes:") and step.custom and step.exists_after:
            counted[cluster_of(step, clusters)][step.type.rsplit(":", 1)[-1]] += 1
    return {cluster: dict(sorted(kinds.items())) for cluster, kinds in sorted(counted.items())}


def sizing(plan: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """The plan as rows, one per slot."""
    rows = []
    for cluster, slots in sorted(plan.items()):
        for key, numbers in sorted(slots.items()):
            pool, _, slot = key.rpartition("-")
            row = {"pool": pool, "slot": slot, "cluster": cluster, **numbers}
            rows.append({name: int(row[name]) if name in WHOLE else row.get(name) for name in SIZING_KEYS})
    return rows


def versions(session: Session) -> dict[str, Any]:
    """Engine, SDK and provider SDKs of this run."""
    from automation.policy import versions as providers  # noqa: PLC0415

    return {
        "engine": str(session.engine.command.version),
        "sdk": metadata.version("pulumi"),
        "providers": providers(),
    }


PLATFORM: Final = "platform"
"""What belongs to the stack as a whole: the stack itself, its plan, the provider of dynamic resources."""


def place_of(urn: str, type_: str) -> tuple[str, str]:
    """Where a resource belongs: the cloud (or `kubernetes`, or the platform itself) and its outermost component."""
    kinds = [*urn.split("::")[2].split("$")[:-1], type_]
    ours = [kind.split(":")[1:] for kind in kinds if kind.startswith("ecosystem:")]
    for place, kind in ours:
        if place != "index":
            return place, kind
    own = "engine" if type_.startswith("pulumi:") else type_.rsplit(":", 1)[1]
    return cloud_of(type_) or PLATFORM, ours[0][1] if ours else own


def change_rows(steps: Iterable[Step]) -> list[dict[str, Any]]:
    """Changes by cloud, component and operation."""
    counted: Counter[tuple[str, str, str]] = Counter()
    for step in steps:
        if step.op in {"create-replacement", "delete-replaced"}:
            continue  # a replacement is three steps; `replace` counts it
        counted[(*place_of(step.urn, step.type), step.op)] += 1
    return [
        {"cloud": cloud, "component": component, "op": op, "count": count}
        for (cloud, component, op), count in sorted(counted.items())
    ]


def property_diff(step: Step) -> list[str]:
    """What differs, as paths; for types whose provider names none, from old and new inputs."""
    if step.diff:
        return sorted(step.diff)
    if step.op in {"update", "replace"}:
        keys = set(step.old) | set(step.new)
        return sorted(key for key in keys if step.old.get(key) != step.new.get(key) and key != "__provider")
    return []


def change_list(steps: Iterable[Step]) -> list[dict[str, Any]]:
    """Updates, replacements and deletions one by one; losses of stateful things come first."""
    listed = []
    for step in steps:
        if step.op in {"create", "create-replacement", "delete-replaced"}:
            continue
        listed.append(
            {
                "op": step.op,
                "urn": step.urn,
                "type": step.type,
                "paths": property_diff(step),
                "stateful": gate.is_stateful(step) and (step.op in DELETES or step.op in REPLACES),
            }
        )
    return sorted(listed, key=lambda row: (not row["stateful"], row["op"] == "update", row["urn"]))


def resource_count(collected: Collected) -> int:
    """Resources of the stack afterwards, as the engine counts them (components and the stack itself included)."""
    return sum(count for op, count in collected.summary.items() if op not in DELETES and op != "discard")


def estimator(session: Session) -> cost.Estimator:
    """The prices of the project."""
    from sizing import catalogue  # noqa: PLC0415 - tables load only for a report
    from sizing.services import ServicePrices  # noqa: PLC0415

    return cost.Estimator(ServicePrices.load(), catalogue.load(), zones(session))


def of_preview(session: Session, outcome: Outcome, verdicts: Verdicts) -> dict[str, Any]:
    """The report after a preview; `rehearse` and `up` add to it."""
    collected = outcome.collected
    steps = collected.steps
    clusters = session.stack.cluster_names()
    was, will_be = cost.before(steps), cost.after(steps)
    prices = estimator(session)
    bills = prices.bill(was), prices.bill(will_be)
    changing = collected.changing()
    return {
        "header": session.header,
        "notes": session.notes,
        "stack": session.name,
        "mode": session.mode.name,
        "resources": resource_count(collected),
        "clouds": clouds_seen(steps),
        "regions": regions_seen(steps, zones(session)),
        "preview_steps": dict(sorted(collected.summary.items())),
        "changes": change_rows(changing),
        "changed": change_list(changing),
        "policy": verdicts.record(),
        "cost_monthly_usd": cost.record(*bills),
        "budget_usd": session.stack.budget.monthly_usd,
        "sizing": sizing(cost.sizing_of(will_be)),
        "sizing_before": sizing(cost.sizing_of(was)),
        "objects": objects(steps, clusters),
        "refused": 0,
        "refusals": [],
        "values_findings": verdicts.about(HELM),
        "law": len(verdicts.findings),
        "seconds": {"preview": round(outcome.seconds, 2)},
        "versions": versions(session),
    }


def refuse(report: dict[str, Any], refusals: Iterable[gate.Refusal]) -> None:
    """Put refusals into the report."""
    listed = list(refusals)
    report["refusals"] = [refusal.record() for refusal in listed]
    report["refused"] = len(listed)
