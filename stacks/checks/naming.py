"""Names that a cloud would refuse, or cut until two of them are the same."""

from __future__ import annotations

from collections.abc import Iterator

from stacks.clouds import Cloud
from stacks.names import CLUSTER_LENGTH, POOL_LENGTH, cluster_name, pool_stem
from stacks.problems import Problem
from stacks.tree import Tree
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
    reported: set[tuple[object, ...]] = set()
    for cluster, (cloud, _) in tree.clusters().items():
        path = tree.pools_path(cluster)
        first: dict[str, str] = {}
        for pool in tree.pools(cluster) or {}:
            stem = pool_stem(cloud, pool)
            other = first.setdefault(stem, pool)
            if other == pool or (*path, pool, cloud) in reported:
                continue
            reported.add((*path, pool, cloud))
            yield Problem(
                path=(*path, pool),
                what=f"becomes `{stem}` on {SERVICE[cloud]} ({POOL_LENGTH[cloud]} characters with the slot's number"
                f"{', letters and digits only' if cloud == 'azure' else ''}), and so does `{other}`",
                fix="make them differ earlier in the name",
            )
