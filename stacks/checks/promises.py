"""Money, availability and quotas: numbers and names that contradict one another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from stacks.problems import Problem
from stacks.quantities import cpu_milli, memory_mib
from stacks.tree import Path, Tree
from stacks.work import Namespace

ONE_ZONE: Final = 0.999
"""More than this needs two zones: a single zone is promised 99.5 % (EC2, one instance) to 99.9 %.

https://aws.amazon.com/compute/sla/ https://cloud.google.com/compute/sla
https://www.microsoft.com/licensing/docs/view/Service-Level-Agreements-SLA-for-Online-Services
"""


DEFAULTS: Final = Namespace()


def check_promises(tree: Tree) -> Iterator[Problem]:
    """Promises that cannot be kept as written."""
    yield from _alerts(tree)
    yield from _availability(tree)
    for name in tree.mapping("namespaces"):
        yield from _quota(tree, ("namespaces", name))


def _alerts(tree: Tree) -> Iterator[Problem]:
    shares = [share for share in tree.items("budget", "alert_at") if isinstance(share, int | float)]
    if shares != sorted(set(shares)):
        yield Problem(
            path=("budget", "alert_at"),
            what="is not in rising order, or repeats a share",
            fix="write each share once, the smallest first",
        )
    seen: set[str] = set()
    for index, receiver in enumerate(tree.items("budget", "receivers")):
        if isinstance(receiver, str) and receiver.lower() in seen:
            path = ("budget", "receivers", index)
            yield Problem(path=path, what="is listed twice", found=receiver, fix="keep one of them")
        seen.add(str(receiver).lower())


def _availability(tree: Tree) -> Iterator[Problem]:
    target = tree.at("availability_target")
    if not isinstance(target, float) or target <= ONE_ZONE:
        return
    for cloud, region in tree.regions():
        path = ("clouds", cloud, "regions", region, "zones")
        if tree.whole(*path) == 1:
            what = f"cannot keep an availability target of {target}: one zone is promised {ONE_ZONE} at most"
            yield Problem(path=path, what=what, found=1, allowed="2 or 3", fix="add zones, or lower the target")


def _quota(tree: Tree, path: Path) -> Iterator[Problem]:
    for resource, read in (("cpu", cpu_milli), ("memory", memory_mib)):
        keys = f"{resource}_requests", f"{resource}_limits"
        requests, limits = (tree.at(*path, key) or getattr(DEFAULTS, key) for key in keys)
        try:
            if read(str(requests)) > read(str(limits)):
                what = f"is above `{resource}_limits`"
                fix = "raise the limits or lower the requests"
                yield Problem(path=(*path, f"{resource}_requests"), what=what, found=requests, fix=fix)
        except ValueError:
            continue  # its shape is a problem of its own
