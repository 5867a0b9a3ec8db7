"""Placements that cannot be met: clusters that are not there, numbers that do not add up, peers that lead nowhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from stacks.checks.tenants import places
from stacks.placement import INTERNET, STORE, WORKLOAD, Placement, possible
from stacks.problems import Problem, did_you_mean, listed
from stacks.tree import Path, Tree

TWO: Final = 2
SERVED: Final = (
    (("services", "rollouts", "workloads"), "is rolled out"),
    (("services", "scaling", "workloads"), "is scaled"),
    (("off_hours", "workloads"), "rests"),
)


def check_placement(tree: Tree) -> Iterator[Problem]:
    """What cannot be meant, or met, whatever the nodes cost."""
    for index in range(len(tree.items("workloads"))):
        path: Path = ("workloads", index, "placement")
        if not isinstance(tree.at(*path), Mapping):
            continue
        named = list(_named(tree, path))
        yield from named
        if not named and all(tree.knows_regions(cloud) for cloud in tree.clouds()):
            yield from _numbers(tree, path)
        yield from _held(tree, path)
        yield from _traffic(tree, path)


def allowed(tree: Tree, path: Path) -> dict[str, str]:
    """Clusters that may run a workload, with their clouds: those left that all stores of its traffic stand beside."""
    stores = [each for each in _peers(tree, path).values() if each.startswith(STORE)]
    beside = [tree.items("data", each.removeprefix(STORE), "clusters") for each in stores]
    return {name: cloud for name, cloud in left(tree, path).items() if all(not held or name in held for held in beside)}


def left(tree: Tree, path: Path) -> dict[str, str]:
    """Clusters that the words of a workload and its placement leave, with their clouds."""
    mine = [each for each in tree.items(*path[:-1], "clusters") if isinstance(each, str)]
    clouds, regions = tree.items(*path, "clouds"), tree.items(*path, "regions")
    return {
        name: cloud
        for name, (cloud, region) in tree.clusters().items()
        if (not mine or name in mine) and (not clouds or cloud in clouds) and (not regions or region in regions)
    }


def _peers(tree: Tree, path: Path) -> dict[int, str]:
    spots = range(len(tree.items(*path, "traffic")))
    return {spot: peer for spot in spots if (peer := tree.text(*path, "traffic", spot, "peer")) is not None}


def _named(tree: Tree, path: Path) -> Iterator[Problem]:
    known: dict[str, list[str]] = {"clouds": list(tree.clouds()), "regions": [region for _, region in tree.regions()]}
    for key, words in known.items():
        if not all(tree.knows_regions(cloud) for cloud in tree.clouds()):
            return
        for place, name in enumerate(tree.items(*path, key)):
            if isinstance(name, str) and name not in words:
                what = f"is not among the {key} of this stack"
                fix = did_you_mean(name, words, f"name one of the file's {key}, or remove it")
                yield Problem(path=(*path, key, place), what=what, found=name, allowed=listed(words), fix=fix)


def _numbers(tree: Tree, path: Path) -> Iterator[Problem]:
    """Total, least and most of a cluster, and how many clusters and clouds: whether any sharing out meets them."""
    replicas, where = tree.whole(*path[:-1], "replicas"), allowed(tree, path)
    if any(bad[: len(path)] == path for bad in tree.bad):
        return
    if not where:
        what = "leaves no cluster that may run the workload (its clusters, clouds, regions, and where its stores stand)"
        yield Problem(path=path, what=what, fix="allow one more region, cloud or cluster")
        return
    wish = _wish(tree, path)
    if replicas is not None and wish is not None:
        yield from unmet(path, wish, replicas, where, "replicas")


def _wish(tree: Tree, path: Path) -> Placement | None:
    """Return the numbers of a placement; None where one of them is a problem of its own."""
    try:
        return Placement.model_validate({key: value for key, value in tree.mapping(*path).items() if key in NUMBERS})
    except ValueError:
        return None


def measured(tree: Tree, path: Path, rows: Mapping[str, int]) -> Iterator[Problem]:
    """Report measured numbers of pods that a placement cannot share out; `path` is the demand file's."""
    for name, index in places(tree).items():
        here: Path = ("workloads", index, "placement")
        if name in rows and isinstance(tree.at(*here), Mapping) and not any(here == bad[:3] for bad in tree.bad):
            wish, where = _wish(tree, here), allowed(tree, here)
            if wish is not None and where:
                for problem in unmet(path, wish, rows[name], where, f"row {name}"):
                    yield replace(problem, path=path, what=f"against workloads[{index}].placement: {problem.what}")


def unmet(path: Path, wish: Placement, replicas: int, where: Mapping[str, str], told: str) -> Iterator[Problem]:
    """Report numbers that no sharing out of so many pods over the allowed clusters meets."""
    clouds = len(set(where.values()))
    for key, there in (("min_clusters", len(where)), ("min_clouds", clouds)):
        if getattr(wish, key) > there:
            what = f"is more than the {there} that may run the workload: {listed(sorted(where))}"
            fix = f"lower {key}, or allow more clusters, clouds or regions"
            yield Problem(path=(*path, key), what=what, found=getattr(wish, key), fix=fix)
            return
    bounds = (wish.min_per_cluster, wish.most(replicas))
    if not possible(replicas, bounds, (wish.min_clusters, wish.min_clouds), (len(where), clouds)):
        what = (
            f"cannot be met: {told} of {replicas} pods do not share out over {max(wish.min_clusters, wish.min_clouds)} "
            f"to {len(where)} clusters with {bounds[0]} to {bounds[1]} pods each"
        )
        fix = "change replicas, min_per_cluster, max_per_cluster, max_share or min_clusters, or allow more clusters"
        yield Problem(path=path, what=what, fix=fix)


NUMBERS: Final = ("min_per_cluster", "max_per_cluster", "max_share", "min_clusters", "min_clouds")


def _held(tree: Tree, path: Path) -> Iterator[Problem]:
    """What else the file says of the workload that a number of pods chosen per cluster would break."""
    name, index = tree.text(*path[:-1], "name"), path[1]
    if tree.whole(*path[:-1], "volume_zone") is not None:
        what = "moves pods whose volumes cannot move along (volume_zone)"
        yield Problem(path=path, what=what, fix="remove placement and name the `clusters`, or remove volume_zone")
    if name is None or (*path, "min_per_cluster") in tree.bad:
        return
    yield from _propagated(tree, path, name)
    why = [does for place, does in SERVED if name in tree.mapping(*place)]
    targets = range(len(tree.items("services", "chaos", "targets")))
    if any(tree.text("services", "chaos", "targets", each, "workload") == name for each in targets):
        why.append("is the target of an experiment")
    if why and (tree.whole(*path, "min_per_cluster") or 1) < TWO:
        what = f"may leave a cluster one pod of workloads[{index}], which {' and '.join(why)}"
        fix = "write `min_per_cluster: 2` or more"
        yield Problem(path=(*path, "min_per_cluster"), what=what, fix=fix)


def _propagated(tree: Tree, path: Path, name: str) -> Iterator[Problem]:
    """Karmada is told the split that was chosen, so nothing else may say what each cluster gets."""
    here: Path = ("services", "gitops", "propagation", name)
    if not isinstance(tree.at(*here), Mapping):
        return
    for key, found in (("shares", tree.mapping(*here, "shares")), ("apart", tree.text(*here, "apart"))):
        if found:
            what = f"says what each cluster gets, as placement of workloads[{path[1]}] does"
            yield Problem(
                path=(*here, key), what=what, fix="remove one of them: Karmada is told the split that is chosen"
            )
    if tree.text(*here, "replicas") == "copied":
        what = f"copies what placement of workloads[{path[1]}] shares out"
        yield Problem(path=(*here, "replicas"), what=what, found="copied", fix="remove the line, or placement")
    left = sorted(
        allowed(tree, path).keys() - {each for each in tree.items(*here, "clusters") if isinstance(each, str)}
    )
    if left and not any(bad[: len(here)] == here or bad[: len(path)] == path for bad in tree.bad):
        what = f"leaves out {listed(left)}, which placement of workloads[{path[1]}] may choose"
        yield Problem(path=(*here, "clusters"), what=what, fix="list them, or allow placement fewer clusters")


def _traffic(tree: Tree, path: Path) -> Iterator[Problem]:
    held, own, seen = places(tree), tree.text(*path[:-1], "name"), dict[str, int]()
    stores = tree.mapping("data")
    for spot, peer in _peers(tree, path).items():
        here: Path = (*path, "traffic", spot)
        kind, _, name = peer.partition("/")
        named: dict[str, Mapping[str, object]] = {"workload": held, "store": stores}
        known = named.get(kind)
        if known is not None and name not in known:
            fix = did_you_mean(name, known, f"name a {kind} of this stack, or remove the entry")
            what = f"is no {kind} of this stack"
            yield Problem(path=(*here, "peer"), what=what, found=peer, allowed=listed(known, "none"), fix=fix)
        if peer == f"{WORKLOAD}{own}":
            what = "is the workload itself: its pods talk to those beside them"
            yield Problem(path=(*here, "peer"), what=what, found=peer, fix="remove the entry")
        if seen.setdefault(peer, spot) != spot:
            what = f"is the peer of entry {seen[peer]} already"
            yield Problem(path=(*here, "peer"), what=what, found=peer, fix="add the two up in one entry")
        amounts = [tree.at(*here, key) for key in ("sends_gb", "receives_gb")]
        if peer == INTERNET and isinstance(amounts[1], int | float) and amounts[1] > 0:
            what = "has no dated price: the three clouds charge what is sent, not what comes in"
            yield Problem(path=(*here, "receives_gb"), what=what, found=amounts[1], fix="remove the line")
        if not any(amounts) and not any((*here, key) in tree.bad for key in ("sends_gb", "receives_gb")):
            what = "is an entry without traffic"
            yield Problem(path=here, what=what, fix="write sends_gb or receives_gb in GB a month, or remove the entry")
