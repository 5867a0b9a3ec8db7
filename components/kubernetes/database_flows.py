"""Who talks to whom around databases in the cluster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from components.kubernetes.flow import ISTIOD, WORLD, Flow, Pods, acts, ask, asked, asks, hooked, named
from stacks.services.databases import DATABASES, CloudnativePg

OPERATOR: Final = named("cnpg-system", "cloudnative-pg")
PLUGIN: Final = named("cnpg-system", "plugin-barman-cloud")
POSTGRES: Final = 5432
STATUS: Final = 8000
"""Where a server says how it is, by TLS: to its operator, and to its peers when it fears to be alone."""
FIGURES: Final = 9187

DATABASE: Final[Mapping[str, tuple[Flow, ...]]] = {
    "cloudnative_pg": (
        *asks(OPERATOR, PLUGIN),
        *hooked(OPERATOR, port=9443),
        Flow(source=OPERATOR, target=PLUGIN, ports=(9090,)),
        Flow(source=OPERATOR, target=ISTIOD, ports=(15012,)),
        *asked(8080, OPERATOR),
    ),
}
"""Ports and labels: templates of the charts at the versions of charts.lock; cloudnative-pg.io/docs/1.30/networking,
2026-11."""


def servers(database: str) -> Pods:
    """Servers of a database, and the jobs that make them."""
    return Pods(namespace=DATABASES, labels={"cnpg.io/cluster": database}, account=database)


def of_databases(wish: CloudnativePg) -> Iterator[Flow]:
    """Yield what each database needs: its operator, its peers, its bucket, its users and nobody else."""
    for name, each in wish.databases.items():
        mine = servers(name)
        yield from asks(mine)
        yield from acts(mine)
        yield Flow(source=mine, target=WORLD, ports=(443,))
        yield Flow(source=OPERATOR, target=mine, ports=(POSTGRES, STATUS))
        yield Flow(source=mine, target=mine, ports=(POSTGRES, STATUS))
        yield from asked(FIGURES, mine)
        for user in each.users:
            namespace, account = user.split("/")
            yield from ask(mine, POSTGRES, Pods(namespace=namespace, labels={"app": account}, account=account))
