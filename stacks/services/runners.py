"""Runners: machines of GitHub Actions in our own clusters, one pod for one job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from stacks.part import Cpu, FreezeMapping, Frozen, Memory, Name, Part
from stacks.quantities import cpu_milli, memory_mib
from stacks.services.facts import Facts, Pods
from stacks.services.service import Service


class RunnerSet(Part):
    """Runners of one shape for one organisation or repository; jobs name them by the set's name in `runs-on`."""

    url: Annotated[
        str,
        Field(
            pattern=r"^https://[a-z0-9.-]+/[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)?$",
            json_schema_extra={"x-allowed": "https address of an organisation or a repository"},
        ),
    ] = Field(examples=["https://github.com/example"])
    """Organisation or repository that sends jobs."""
    group: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 _-]{0,63}$")] = "Default"
    """Group of runners at GitHub, which says which repositories may use them."""
    min: Annotated[int, Field(ge=0, le=100)] = 0
    """Runners that wait for jobs."""
    max: Annotated[int, Field(ge=1, le=200)] = 10
    """Runners at the same time."""
    cpu: Cpu = "1"
    """CPU request of a runner."""
    memory: Memory = "2Gi"
    """Memory request of a runner; its limit is twice as much."""
    rights: tuple[Literal["read-prices", "read-secrets"], ...] = ()
    """What jobs may do in the cloud by the runner's own identity; none means that it has none."""
    clusters: tuple[str, ...] = Field(min_length=1, examples=[["aws-eu-west-1"]])
    """Clusters that have the set; a name can be registered once, so a second cluster's has the cluster's name in it."""


class Runners(Service):
    """Jobs of GitHub Actions: each in a pod of its own, which is thrown away after it."""

    sets: Annotated[Mapping[Name, RunnerSet], FreezeMapping] = Frozen()
    """Sets of runners, by name."""
    runner_version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")] = "2.333.1"
    """Version of the runner's image; GitHub refuses runners that are months old."""


def _runners(wish: Runners) -> tuple[Pods, ...]:
    found = [Pods(name="controller", cpu_milli=50, memory_mib=128, replicas=2)]
    for name, each in wish.sets.items():
        found.append(Pods(name=f"listener-{name}", cpu_milli=20, memory_mib=64))
        cpu, memory = cpu_milli(each.cpu), memory_mib(each.memory)
        found.append(Pods(name=f"runner-{name}", cpu_milli=cpu, memory_mib=memory, replicas=each.min, peak=each.max))
    return tuple(found)


RUNNERS = Facts(
    title="Runners of GitHub Actions",
    charts=("gha-runner-scale-set-controller", "gha-runner-scale-set"),
    namespace="runners",
    definitions=("actions.github.com",),
    needs=("external_secrets",),
    after=("mesh", "monitoring"),
    pods=_runners,
)
