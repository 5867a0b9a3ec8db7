"""The whole platform of one stack; the only place that asks which cloud."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, assert_never

import pulumi

from components import live, tagging
from components.contracts import Cluster, ClusterArgs, Network, NetworkArgs, SizedPool
from components.kubernetes.base import ClusterBase, ClusterBaseArgs
from components.optimizer import PythonProvider, Sizing
from sizing import catalogue, evidence, stack_problem
from stacks import addresses, outputs
from stacks.clouds import Cloud
from stacks.model import Stack

PROJECT = Path(__file__).parent.parent
"""Relative files of a stack file are read from here: an offline run has another root directory."""


@dataclass(frozen=True)
class Account:
    """A cloud's explicit provider and who answers to it."""

    provider: pulumi.ProviderResource
    identity: pulumi.Output[str]
    component: pulumi.ComponentResource


class Platform(pulumi.ComponentResource):
    """Networks, sized clusters and their ground, on every cloud and region of the stack file."""

    def __init__(self, name: str, stack: Stack, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("ecosystem:index:Platform", name, {}, opts)
        tagging.install(stack)
        self._stack = stack
        self._child = pulumi.ResourceOptions(parent=self)
        self.sizing = self._size()
        self.networks: dict[str, Network] = {}
        self.clusters: dict[str, Cluster] = {}
        self.identities: dict[str, pulumi.Output[str]] = {}
        self._build()
        self.register_outputs({})

    def _size(self) -> Sizing:
        problems = stack_problem.from_stack(self._stack, PROJECT, catalogue.load())
        provider = PythonProvider("python", self._child)
        return Sizing(
            "sizing",
            evidence.problems_json(problems),
            self._stack.sizing.seed,
            pulumi.ResourceOptions(parent=self, provider=provider),
        )

    def _pools(self, cluster: str, sizes: live.LiveSizes) -> Mapping[str, SizedPool]:
        return {
            f"{pool}-{slot}": self.sizing.slot(cluster, pool, slot, wish, sizes)
            for pool, wish in sorted(self._stack.cluster_pools(cluster).items())
            for slot in range(wish.slots)
        }
