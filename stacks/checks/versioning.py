"""Kubernetes versions that each cloud of the file still offers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stacks.clouds import CLOUDS, Cloud
from stacks.problems import Problem, listed
from stacks.tree import Path, Tree
from stacks.versions import READ_ON, SERVICE, minor, offered


def check_versions(tree: Tree) -> Iterator[Problem]:
    """Versions that are retired, or not yet there."""
    shared = {cloud for cloud in tree.clouds() if not tree.mapping("clouds", cloud, "regions")}
    for cluster, (cloud, _) in tree.clusters().items():
        if tree.at("clusters", "overrides", cluster, "version") is None:
            shared.add(cloud)
    for cluster in tree.mapping("clusters", "overrides"):
        clouds = tuple(cloud for cloud in CLOUDS if cluster.startswith(f"{cloud}-"))
        yield from _version(tree, ("clusters", "overrides", cluster, "version"), clouds)
    yield from _version(tree, ("clusters", "defaults", "version"), tuple(sorted(shared)))


def _version(tree: Tree, path: Path, clouds: tuple[Cloud, ...]) -> Iterator[Problem]:
    version = tree.text(*path)
    missing = [cloud for cloud in clouds if version not in offered(cloud)]
    if version is None or not missing or not re.fullmatch(r"\d+\.\d+", version):
        return
    everywhere = [v for v in offered(missing[0]) if all(v in offered(cloud) for cloud in clouds)]
    retired = all(minor(version) < minor(offered(cloud)[0]) for cloud in missing)
    services = " and ".join(SERVICE[cloud] for cloud in missing)
    yield Problem(
        path=path,
        what=f"is {'retired' if retired else 'not offered'} by {services} (table of {READ_ON})",
        found=version,
        allowed=listed(everywhere),
        fix=f'write one of them in quotes, for example "{everywhere[-1]}"; upgrades go one minor version at a time',
    )
