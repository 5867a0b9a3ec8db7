"""Who talks to whom around caches in the cluster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from components.kubernetes.flow import Flow, Pods, ask, asked
from stacks.services.caches import CACHES, Valkey

VALKEY: Final = 6379
FIGURES: Final = 9121
CACHE: Final[Mapping[str, tuple[Flow, ...]]] = {"valkey": ()}
"""Nothing is common to all of them: a cache asks neither the API server nor anything outside."""


def servers(cache: str) -> Pods:
    """Servers of a cache, by the release that they belong to."""
    labels = {"app.kubernetes.io/instance": f"valkey-{cache}"}
    return Pods(namespace=CACHES, labels=labels, account=cache)


def of_caches(wish: Valkey) -> Iterator[Flow]:
    """Yield what each cache needs: its copies, its users and nobody else."""
    for name, each in wish.caches.items():
        mine = servers(name)
        yield Flow(source=mine, target=mine, ports=(VALKEY,))
        yield from asked(FIGURES, mine)
        for user in each.users:
            namespace, account = user.split("/")
            yield from ask(mine, VALKEY, Pods(namespace=namespace, labels={"app": account}, account=account))
