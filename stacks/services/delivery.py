"""Delivery: what is deployed from which repository, and how new versions of workloads come in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from stacks.part import FreezeMapping, Frozen, Name, Part
from stacks.services.facts import Facts, Pods
from stacks.services.propagation import Propagated
from stacks.services.service import Service

Repository = Annotated[
    str,
    Field(
        pattern=r"^https://[a-z0-9.-]+/[A-Za-z0-9._/-]+$",
        json_schema_extra={"x-allowed": "an https address without user, password and query"},
    ),
]
Folder = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$",
        json_schema_extra={"x-allowed": "a folder of the repository, without a slash at its ends"},
    ),
]
Host = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$",
        json_schema_extra={"x-allowed": "a host name with its domain"},
    ),
]
Group = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@:/ -]{0,127}$")]


class Application(Part):
    """One folder of a repository, kept in one tenant namespace."""

    repository: Repository = Field(examples=["https://github.com/example/deployments"])
    """Repository that is read."""
    path: Folder = Field(examples=["apps/gateway"])
    """Folder of the manifests; `{cluster}` cannot stand here: use `overlays`."""
    overlays: bool = False
    """Whether the folder has a subfolder for each cluster, called CLOUD-REGION."""
    revision: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]*$")] = "main"
    """Branch, tag or commit that is followed."""
    namespace: Name = Field(examples=["platform"])
    """Tenant namespace that it is deployed into."""
    clusters: tuple[str, ...] = ()
    """Clusters that get it; none listed means every cluster."""


class SingleSignOn(Part):
    """Who people are, by OpenID Connect; the client's secret is `argocd-oidc-client-secret` in the store."""

    issuer: Annotated[str, Field(pattern=r"^https://[^\s?#@]+$")] = Field(examples=["https://login.example.org"])
    """Address of the issuer."""
    client: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*$")] = Field(examples=["argocd"])
    """Name of the client at the issuer."""
    administrators: tuple[Group, ...] = ()
    """Groups that may do everything."""
    deployers: tuple[Group, ...] = ()
    """Groups that may look at the tenants' applications and deploy them again."""


class Gitops(Service):
    """Deployment from repositories: Argo CD. What is in the repository is in the cluster, and nothing else."""

    applications: Annotated[Mapping[Name, Application], FreezeMapping] = Frozen()
    """What is deployed, by name."""
    propagation: Annotated[Mapping[Name, Propagated], FreezeMapping] = Frozen()
    """Workloads that a Karmada of yours spreads over clusters, by name; `propagation STACK` writes its policies."""
    private_repositories: Annotated[Mapping[Name, Repository], FreezeMapping] = Frozen()
    """Addresses that need a password, by a name; NAME-username and NAME-password are in the store of secrets."""
    host: Host | None = Field(default=None, examples=["argocd.example.org"])
    """Name under which people reach it through the mesh's gateway; absent means not at all."""
    sso: SingleSignOn | None = None
    """How people sign in; absent means that nobody does: there is no password."""


class Canary(Part):
    """Some of the traffic first, more when few of its answers are errors."""

    weights: Annotated[tuple[Annotated[int, Field(ge=1, le=100)], ...], Field(min_length=1, max_length=10)] = (10, 100)
    """Per cent of the traffic, step by step."""
    minutes: Annotated[int, Field(ge=1, le=1440)] = 5
    """How long each step is watched."""
    shadow_percent: Annotated[int, Field(ge=1, le=100)] | None = None
    """Share of reading requests that the new version gets a copy of before it answers anybody."""


class BlueGreen(Part):
    """All of the new version beside the old one, then all of the traffic at once."""

    minutes: Annotated[int, Field(ge=1, le=1440)] = 10
    """How long the old version stays after the traffic went, for a way back."""
    automatic: bool = True
    """Whether the traffic goes by itself once the new version is ready; else somebody promotes it."""


class Delivered(Part):
    """How new versions of one workload come in; its Deployment, which has the workload's name, gives the pods."""

    namespace: Name = Field(examples=["platform"])
    """Tenant namespace of the workload."""
    strategy: Literal["canary", "blue-green"] = "canary"
    """Step by step, or at once."""
    canary: Canary = Canary()
    """Steps of the strategy canary."""
    blue_green: BlueGreen = BlueGreen()
    """Waiting times of the strategy blue-green."""
    error_percent: Annotated[float, Field(gt=0, lt=100)] = 1.0
    """Share of errors among the new version's answers above which the old one comes back."""
    port: Annotated[int, Field(ge=1, le=65535)] = 8080
    """Port of the workload."""


class Rollouts(Service):
    """New versions step by step, with a way back by themselves: Argo Rollouts."""

    workloads: Annotated[Mapping[Name, Delivered], FreezeMapping] = Frozen()
    """Workloads of the stack that are delivered in this way, by name."""


def _gitops(_wish: Gitops) -> tuple[Pods, ...]:
    return (
        Pods(name="controller", cpu_milli=250, memory_mib=1024),
        Pods(name="server", cpu_milli=50, memory_mib=192, replicas=2),
        Pods(name="repo-server", cpu_milli=100, memory_mib=512, replicas=2),
        Pods(name="applicationset", cpu_milli=50, memory_mib=160, replicas=2),
        Pods(name="redis", cpu_milli=50, memory_mib=160),
    )


def _rollouts(_wish: Rollouts) -> tuple[Pods, ...]:
    return (Pods(name="controller", cpu_milli=100, memory_mib=224, replicas=2),)


GITOPS = Facts(
    title="Deployment from repositories (Argo CD)",
    charts=("argo-cd",),
    namespace="argocd",
    definitions=("argoproj.io",),
    needs=("external_secrets",),
    after=("mesh", "monitoring"),
    pods=_gitops,
)
ROLLOUTS = Facts(
    title="Delivery step by step (Argo Rollouts)",
    charts=("argo-rollouts",),
    namespace="argo-rollouts",
    definitions=("argoproj.io",),
    needs=("mesh", "monitoring"),
    pods=_rollouts,
)
