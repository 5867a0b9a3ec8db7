"""What a stack file must fulfil beyond its shape: references, addresses, versions, names, safety, services."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from stacks.checks.access import check_access
from stacks.checks.addressing import check_addresses
from stacks.checks.backup import check_backup
from stacks.checks.budgets import check_budgets
from stacks.checks.data import check_data
from stacks.checks.databases import check_caches, check_databases
from stacks.checks.delivery import check_delivery
from stacks.checks.experiments import check_experiments
from stacks.checks.federation import check_federation
from stacks.checks.guarding import check_guarding
from stacks.checks.linking import check_links
from stacks.checks.lists import check_lists
from stacks.checks.naming import check_names
from stacks.checks.off_hours import check_off_hours
from stacks.checks.overflow import check_overflow
from stacks.checks.placement import check_placement
from stacks.checks.places import check_places
from stacks.checks.pooling import check_pools
from stacks.checks.promises import check_promises
from stacks.checks.propagation import check_propagation
from stacks.checks.runners import check_runners
from stacks.checks.scaling import check_scaling
from stacks.checks.services import check_services
from stacks.checks.versioning import check_versions
from stacks.checks.workloads import check_workloads
from stacks.problems import Problem
from stacks.tree import Tree

CHECKS: Final[tuple[Callable[[Tree], Iterator[Problem]], ...]] = (
    check_lists,
    check_places,
    check_addresses,
    check_access,
    check_versions,
    check_pools,
    check_names,
    check_workloads,
    check_placement,
    check_promises,
    check_budgets,
    check_data,
    check_services,
    check_experiments,
    check_scaling,
    check_off_hours,
    check_overflow,
    check_delivery,
    check_propagation,
    check_runners,
    check_federation,
    check_links,
    check_guarding,
    check_backup,
    check_databases,
    check_caches,
)


def every_problem(tree: Tree) -> Iterator[Problem]:
    """All problems that the checks find."""
    for check in CHECKS:
        yield from check(tree)
