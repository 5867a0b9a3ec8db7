"""Names that a cloud would refuse, or cut until two of them are the same."""

from __future__ import annotations

from collections.abc import Iterator

from stacks.clouds import Cloud
from stacks.names import AGENT_POOL_LENGTH, CLUSTER_LENGTH, agent_pool_stem, cluster_name
from stacks.problems import Problem
from stacks.tree import Path, Tree
from stacks.versions import SERVICE


def check_names(tree: Tree) -> Iterator[Problem]:
    """Cluster names too long, pool names that collide, namespaces that are not ours."""
    environment = tree.text("environment")
    longest: dict[Cloud, str] = {}
    for cloud, region in tree.regions():
        longest[cloud] = max(longest.get(cloud, ""), region, key=len)
    for cloud, region in longest.items():
        room = CLUSTER_LENGTH[cloud] - len(cluster_name("", region))
        if environment is not None and len(environment) > room:
            yield Problem(
                path=("environment",),
                what=f"is too long: {SERVICE[cloud]} cluster names (ENVIRONMENT-REGION) have at most "
                f"{CLUSTER_LENGTH[cloud]} characters",
                found=environment,
                allowed=f"at most {room} characters beside {region}",
                fix="shorten it",
            )
    yield from _pools(tree)
    for name in tree.mapping("namespaces"):
        if name.startswith("kube-") or name == "default":
            what = "is a namespace of Kubernetes itself"
            yield Problem(path=("namespaces", name), what=what, fix="choose another name")


def _pools(tree: Tree) -> Iterator[Problem]:
    reported: set[Path] = set()
    for cluster, (cloud, _) in tree.clusters().items():
        first: dict[str, str] = {}
        for pool in tree.pools(cluster) or {} if cloud == "azure" else {}:
            path = (*tree.pools_path(cluster), pool)
            stem = agent_pool_stem(pool)
            other = first.setdefault(stem, pool)
            if other == pool or path in reported:
                continue
            reported.add(path)
            room = f"{AGENT_POOL_LENGTH} letters and digits with the slot's number"
            what = f"becomes `{stem}` on AKS ({room}), and so does `{other}`"
            yield Problem(path=path, what=what, fix="make them differ earlier in the name")
